"""The second training from end to end on a tiny model: attempts are kept, learnt from, and what moved is told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.answer.build import Parts, build
from weighbridge.errors import TrainingError
from weighbridge.evaluate.ledger import load
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, NOTHING
from weighbridge.results import SplitReport
from weighbridge.settings.schema import MeasureSettings, ModelSettings, Settings
from weighbridge.settings.training import PreferenceSettings, TrainingSettings
from weighbridge.train.data.preferences import PreferencePair
from weighbridge.train.prepare import Material, prepare_exercise
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Example, Message, Question, Split
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine, Weights
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.workload import Outline, Workload
from weighbridge.workflow.training.preferences import (
    Refinement,
    collect_attempts,
    pairs_moved,
    preferences,
    preferences_file,
    refine,
    rewards_moved,
)
from weighbridge.workspace import Workspace

NAMES = ("Tarrow", "Skelly", "Brannoch", "Orma", "Lunday", "Hask")
SIDES: dict[str, Split] = {"t": "train", "d": "dev", "e": "test"}


def examples() -> tuple[Example, ...]:
    return tuple(
        Example(id=f"{side}{name}", question=Question(f"{side}: code of {name}?"), answers=(name[:2],), split=split)
        for side, split in SIDES.items()
        for name in NAMES
    )


@pytest.fixture(scope="session")
def base(tiny_llama: Path) -> BaseFiles:
    return BaseFiles(hf=tiny_llama, source_gguf=tiny_llama / "none.gguf", fingerprint="tiny")


@pytest.fixture(scope="session")
def start(base: BaseFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import LoraConfig, get_peft_model

    from weighbridge.train.runtime.base_model import load_network
    from weighbridge.train.runtime.quiet import quiet
    from weighbridge.train.supervised.methods import precision

    folder = tmp_path_factory.mktemp("start")
    with quiet():
        network = load_network(base, precision=precision())
        lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
        get_peft_model(network, lora).save_pretrained(folder)
    return folder


Opened = tuple[Refinement, Bench, Engine]


@pytest.fixture
def opened(base: BaseFiles, start: Path, tmp_path: Path) -> Callable[..., Opened]:
    """Lays out a workspace whose preference settings are those given."""

    def make(**how: object) -> Opened:
        training = TrainingSettings(rank=4, batch_size=4, preference=PreferenceSettings(**{"samples": 2, **how}))
        model = ModelSettings(engine="transformers", context=300, maximum_tokens=5)
        settings = Settings(
            examples=tmp_path / "x.jsonl", model=model, training=training, measure=MeasureSettings(workers=1)
        )
        report = SplitReport(
            train=6, dev=6, test=6, by="family", merged_near_duplicates=0, leaks=0, checked_pairs=0, thresholds=""
        )
        outline = Outline(key="k", settings="s", task="answer", choices=(), sides={}, report=report)
        parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
        bench = Bench(
            settings=settings,
            workspace=Workspace(tmp_path),
            workload=Workload(documents=(), examples=examples(), outline=outline),
            parts=parts,
            index=None,
            embedder_folder=tmp_path,
        )
        recipe = Recipe(base=base, training=training, model=model)
        strategy = build("fine-tuned", parts, Scripted())
        exercise = prepare_exercise(strategy, Material(examples=examples()), recipe=recipe, metric=Accuracy("answer"))
        todo = Refinement(
            arm="fine-tuned",
            exercise=exercise,
            start=start,
            weights=Weights(base.hf, adapter=start),
            folder=tmp_path / "second",
        )
        return todo, bench, Engine(settings=model, base=base, served=base.hf)

    return make


def test_attempts_are_kept_and_not_repeated(opened: Callable[..., Opened]):
    todo, bench, engine = opened(method="dpo")
    said: list[str] = []
    told = collect_attempts(todo, bench, engine, Reporter(say=said.append))
    kept = load(bench.workspace.attempts("fine-tuned"))
    assert len(kept) == 12
    assert {record.example_id[0] for record in kept.values()} == {"t"}
    assert {pair.chosen for pair in told.as_pairs()} == {name[:2] for name in NAMES}
    (sentence,) = said
    assert sentence.startswith("Tried 6 training questions 2 times: 0 of 12 answers right, 0 failed; ")
    assert sentence.endswith(f"; {len(told.as_pairs())} pairs of a better and a worse answer")
    again = collect_attempts(todo, bench, replace(engine, served=None), Reporter())
    assert again == told
    assert load(bench.workspace.attempts("fine-tuned")) == kept


@pytest.mark.parametrize("method", ["dpo", "kto", "orpo"])
def test_what_moved_is_told_on_what_was_kept_back(opened: Callable[..., Opened], method: str):
    todo, bench, engine = opened(method=method, epochs=4, learning_rate=1e-2)
    said: list[str] = []
    done = refine(todo, bench, engine, Reporter(say=said.append))
    right, nats = done.moved
    assert (right.before.scored, nats.after.scored) == (1, 1)
    assert nats.difference.value == pytest.approx(nats.after.value - nats.before.value)
    assert nats.difference.value != 0
    assert done.training.notes[0].startswith(f"{method}: learnt from ")
    assert done.training.notes[-1] == nats.sentence
    assert said[-1] == f"  {nats.sentence}"
    assert (todo.folder / "adapter" / "adapter_model.safetensors").is_file()


def test_reinforcement_with_a_reward_model(opened: Callable[..., Opened]):
    todo, bench, engine = opened(method="grpo", steps=2, rewards=("accuracy", "model"))
    said: list[str] = []
    done = refine(todo, bench, engine, Reporter(say=said.append))
    assert done.training.steps == 2
    assert [moved.before.scored for moved in done.moved] == [6]
    assert any(line.startswith("Reward model: ") for line in said)
    assert {path.name for path in todo.folder.iterdir()} == {"adapter", "reward"}


def test_the_users_own_file_is_read_instead(opened: Callable[..., Opened], tmp_path: Path):
    path = tmp_path / "mine.jsonl"
    rows = [f'{{"question": "{name}?", "chosen": "a", "rejected": "b"}}' for name in NAMES]
    held_out = [f'{{"question": "{side}: code of Orma?", "chosen": "a", "rejected": "b"}}' for side in "de"]
    path.write_text("\n".join([*rows, *held_out]))
    todo, bench, engine = opened(method="dpo", pairs=path)
    said: list[str] = []
    read = preferences_file(todo.exercise, bench, Reporter(say=said.append))
    assert read
    assert said == ["mine.jsonl: 6 pairs and 0 thumbs read; left out: 2 ask a dev or test question"]
    assert preferences(replace(todo, read=read), bench, engine, Reporter()) == read.told


def test_rewards_that_need_no_pairs_read_no_file(opened: Callable[..., Opened], tmp_path: Path):
    todo, bench, _ = opened(method="grpo", pairs=tmp_path / "none.jsonl")
    assert preferences_file(todo.exercise, bench, Reporter()) is None


def test_no_method_is_an_error(opened: Callable[..., Opened]):
    todo, bench, engine = opened()
    with pytest.raises(TrainingError, match="choose one of dpo, kto, orpo, grpo"):
        refine(todo, bench, engine, Reporter())


def test_what_moved_is_a_mean_over_examples():
    asked = [
        PreferencePair(example_id=name, prompt=(Message("user", name),), chosen="a", rejected=text)
        for name, text in (("p", "b"), ("p", "c"), ("q", "d"))
    ]
    right, nats = pairs_moved(asked, [-1.0, 3.0, -2.0], [1.0, 3.0, 2.0], 7)
    assert (right.before.value, right.after.value, right.difference.value) == (0.25, 1.0, 0.75)
    assert (nats.before.value, nats.after.value, nats.difference.value) == (-0.5, 2.0, 2.5)
    assert "on 2 examples kept back: -0.50 (" in nats.sentence
    assert nats.sentence.endswith(", which may be chance")
    many = [replace(asked[0], example_id=str(number)) for number in range(8)]
    _, surely = pairs_moved(many, [0.0] * 8, [1.0 + number for number in range(8)], 7)
    assert surely.p_value == pytest.approx(2 / 2**8)
    assert "chance" not in surely.sentence
    assert rewards_moved([None], [1.0], 7) == ()
    (moved,) = rewards_moved([0.0, None, 1.0], [1.0, 1.0, 1.0], 7)
    assert moved.difference.value == 0.5
