"""Which of several adapters serves, where the right one is known; and what is never put in force."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.adapters import AdapterCard
from weighbridge.errors import UnfinishedError
from weighbridge.results import Estimate
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.train.card import read_adapter_card, write_adapter_card
from weighbridge.train.prepare import Exercise
from weighbridge.train.registry import adapters, promoted_adapter, promotions, record_promotion
from weighbridge.wiring.components import open_bench
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.compare import compare
from weighbridge.workflow.training.train import Effort, train_all, train_arms
from weighbridge.workspace import Workspace

from ..tiny_llama import write_tiny_gguf
from ..train.cards import card, parity

NAMES = ["Amber", "Birch", "Coral", "Dover", "Ember", "Flint", "Grove", "Hazel", "Ivory", "Jolly", "Karst", "Larch"]
YAML = """
examples: examples.jsonl
documents: documents.jsonl
task: answer
strategies: [prompt, fine-tuned]
model: {{reference: tiny.gguf, quantisation: F16, context: 512, maximum_tokens: 8}}
retrieval: {{embedder: {embedder}, precision: float32}}
splits: {{by: evidence, similarity: 1.0, dev: 0.2, test: 0.3}}
training: {{rank: 4, epochs: 1, batch_size: 2, dev_examples: 2, learning_curve: false}}
measure: {{questions: 2, latency_questions: 1}}
"""


@dataclass(frozen=True)
class Place:
    """A workspace on the tiny Llama, with its settings."""

    settings: Settings
    workspace: Workspace

    def changed(self, **training: object) -> Settings:
        """Return the settings with other ones of training."""
        return self.settings.model_copy(update={"training": self.settings.training.model_copy(update=training)})


@pytest.fixture
def place(tmp_path: Path, tiny_bert: Path) -> Place:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    rows = [
        {"id": name, "question": f"What code has the ship {name}?", "answers": [name[:2]], "doc_ids": [name]}
        for name in NAMES
    ]
    texts = [{"id": name, "title": name, "text": f"The ship {name} has the code {name[:2]}."} for name in NAMES]
    for file, lines in (("examples.jsonl", rows), ("documents.jsonl", texts)):
        (tmp_path / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (tmp_path / "weighbridge.yaml").write_text(YAML.format(embedder=tiny_bert), encoding="utf-8")
    return Place(load_settings(tmp_path / "weighbridge.yaml"), Workspace(tmp_path))


@dataclass(frozen=True)
class Outcome:
    """What a training by one seed comes to."""

    dev: float | None
    loss: float = 1.0
    parted: bool = False


Script = Callable[[Sequence[Outcome]], None]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Puts trainings whose outcome is known, by their seed, in the place of real ones."""

    def put(outcomes: Sequence[Outcome]) -> None:
        def tune(exercise: Exercise, folder: Path, **_: object) -> AdapterCard:
            how = exercise.recipe.training
            own = outcomes[how.seed - 7]
            forms = (parity("GGUF Q8_0", *(["it says something else"] if own.parted else [])),)
            made = replace(
                card(how, forms=forms),
                id=exercise.id,
                base_fingerprint=exercise.recipe.base.fingerprint,
                quantisation="F16" if not own.parted else "Q8_0",
            )
            dev = None if own.dev is None else Estimate(value=own.dev, low=0.0, high=1.0, scored=2)
            made = replace(made, dev=dev, training=replace(made.training, last_loss=own.loss))
            (folder / made.adapter).mkdir(parents=True, exist_ok=True)
            (folder / made.gguf).write_bytes(b"weights")
            write_adapter_card(made, folder)
            return made

        monkeypatch.setattr("weighbridge.workflow.training.train.tune", tune)
        monkeypatch.setattr("weighbridge.workflow.training.train.examine_adapter", lambda made, *_: made)

    return put


@pytest.mark.parametrize(
    ("outcomes", "best"),
    [
        ([Outcome(0.2), Outcome(0.9), Outcome(0.5)], 1),
        ([Outcome(0.9), Outcome(0.2), Outcome(0.5)], 0),
        ([Outcome(0.2), Outcome(0.5), Outcome(0.9)], 2),
        ([Outcome(0.5, loss=2.0), Outcome(0.5, loss=0.1), Outcome(0.5, loss=1.0)], 1),
        ([Outcome(0.5), Outcome(0.9, parted=True), Outcome(0.2)], 0),
        ([Outcome(None), Outcome(0.0), Outcome(None)], 1),
    ],
)
def test_the_best_seed_on_dev_serves(place: Place, scripted: Script, outcomes: Sequence[Outcome], best: int) -> None:
    scripted(outcomes)
    (found,) = train_arms(("fine-tuned",), place.settings, place.workspace, SILENT, effort=Effort(seeds=3))
    assert found.seed == 7 + best
    assert promoted_adapter(place.workspace, "fine-tuned") == found
    assert [(one.seed, one.dev) for one in found.seeds] == [(7 + n, one.dev) for n, one in enumerate(outcomes)]
    assert promotions(place.workspace, "fine-tuned").history == (found.id,)


def test_the_best_of_several_makes_room_once_the_settings_are_others(place: Place, scripted: Script) -> None:
    scripted([Outcome(0.2), Outcome(0.9)])
    (best,) = train_arms(("fine-tuned",), place.settings, place.workspace, SILENT, effort=Effort(seeds=2))
    engine, bench = open_engine(place.settings, SILENT), open_bench(place.settings, place.workspace, SILENT)
    assert train_all(bench, engine, SILENT, {}) == {}
    assert promoted_adapter(place.workspace, "fine-tuned") == best
    other = place.changed(epochs=2)
    assert train_all(open_bench(other, place.workspace, SILENT), engine, SILENT, {}) == {}
    served = promoted_adapter(place.workspace, "fine-tuned")
    assert served
    assert (served.seed, served.recipe["epochs"]) == (7, 2)


def test_nothing_is_compared_or_put_in_force_that_a_time_limit_stopped(place: Place) -> None:
    with pytest.raises(UnfinishedError, match="run the same command again"):
        compare(place.changed(seconds=1e-6), place.workspace, SILENT)
    assert promoted_adapter(place.workspace, "fine-tuned") is None
    assert adapters(place.workspace, "fine-tuned") == ()
    assert not place.workspace.weighing_file.exists()
    assert not list(place.workspace.state.glob("records/*"))
    (folder,) = (path for path in place.workspace.adapters("fine-tuned").iterdir() if path.is_dir())
    assert list((folder / "checkpoints").glob("checkpoint-1"))
    assert read_adapter_card(folder) is None


def test_several_seeds_stop_as_one(place: Place) -> None:
    with pytest.raises(UnfinishedError):
        train_arms(("fine-tuned",), place.changed(seconds=1e-6), place.workspace, SILENT, effort=Effort(seeds=2))
    assert promoted_adapter(place.workspace, "fine-tuned") is None


def test_an_adapter_that_an_earlier_version_cut_is_not_compared(place: Place, scripted: Script) -> None:
    scripted([Outcome(0.5)])
    (whole,) = train_arms(("fine-tuned",), place.settings, place.workspace, SILENT, effort=Effort())
    record_promotion(place.workspace, whole, chosen=True)
    engine, bench = open_engine(place.settings, SILENT), open_bench(place.settings, place.workspace, SILENT)
    assert train_all(bench, engine, SILENT, {}) == {}
    note = "training.seconds (900) allowed 12 of 24 steps; raise it, or lower training.epochs"
    cut = replace(whole, training=replace(whole.training, notes=(note,)))
    write_adapter_card(cut, place.workspace.adapter("fine-tuned", cut.id))
    said: list[str] = []
    failed = train_all(bench, engine, Reporter(say=said.append), {})
    assert "is unfinished" in failed["fine-tuned"]
    assert failed["fine-tuned"].endswith("run: weighbridge train fine-tuned")
    assert said == [failed["fine-tuned"]]
