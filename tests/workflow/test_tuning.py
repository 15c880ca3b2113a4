"""Training as commands do it, on a tiny model: trained, examined, promoted, listed, exported, traced, raced."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.errors import SettingsError, UserError, WorkspaceError
from weighbridge.settings import Settings
from weighbridge.settings_file import load_settings
from weighbridge.train.card import write_card
from weighbridge.train.registry import adapters, folder_of, promoted, promotions
from weighbridge.workflow.adapters import About, compared, exported, listed, put_back, put_in_force, shown, traced
from weighbridge.workflow.bench import open_bench
from weighbridge.workflow.engines import open_engine
from weighbridge.workflow.racing import part
from weighbridge.workflow.tuning import Effort, exercise_of, train, train_all
from weighbridge.workflow.voice import MUTE, Voice
from weighbridge.workspace import Workspace

from ..tiny_llama import write_tiny_gguf  # noqa: TID252 - tests are no package

pytestmark = pytest.mark.models
NAMES = "Amber Birch Coral Dover Ember Flint Grove Hazel Ivory Jolly Karst Larch Maple Nacre Ochre Pearl"
YAML = """
examples: examples.jsonl
documents: documents.jsonl
task: answer
strategies: [prompt, fine-tuned]
model: {reference: tiny.gguf, quantisation: F16, context: 1024, maximum_tokens: 8}
splits: {dev: 0.25, test: 0.25}
training: {rank: 4, alpha: 8, learning_rate: 0.01, epochs: 2, batch_size: 4, dev_examples: 2}
measure: {questions: 2, latency_questions: 2}
"""


@dataclass
class Heard:
    """What a person is told."""

    said: list[str]
    shown: list[object]

    @property
    def voice(self) -> Voice:
        return Voice(say=self.said.append, show=self.shown.append)


@pytest.fixture
def heard() -> Heard:
    return Heard([], [])


@dataclass(frozen=True)
class Place:
    """A workspace with its settings."""

    settings: Settings
    workspace: Workspace

    def changed(self, **training: object) -> "Place":
        """The same with other training settings."""
        update = {"training": self.settings.training.model_copy(update=training)}
        return replace(self, settings=self.settings.model_copy(update=update))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Place:
    """A workspace whose one tuned arm has been trained, with a learning curve."""
    root = tmp_path_factory.mktemp("ships")
    write_tiny_gguf(root / "tiny.gguf")
    rows = [{"id": name, "question": f"What code has the ship {name}?", "answers": [name[:2]], "doc_ids": [name]}
            for name in NAMES.split()]  # fmt: skip
    documents = [
        {"id": name, "title": name, "text": f"The ship {name} has the code {name[:2]}."} for name in NAMES.split()
    ]
    for file, lines in (("examples.jsonl", rows), ("documents.jsonl", documents)):
        (root / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (root / "weighbridge.yaml").write_text(YAML, encoding="utf-8")
    place = Place(load_settings(root / "weighbridge.yaml"), Workspace(root))
    train((), place.settings, place.workspace, MUTE, effort=Effort())
    return place


def test_an_arm_is_trained_examined_and_promoted(made: Place) -> None:
    (card,) = adapters(made.workspace, "fine-tuned")
    assert promoted(made.workspace, "fine-tuned") == card
    assert [guard.name for guard in card.guards] == [
        "forgetting", "refusals", "paraphrases", "repetition", "learning curve", "serving speed"
    ]  # fmt: skip
    assert card.parity[0].form == "GGUF F16"
    assert card.dev is not None
    assert card.dev.scored == 2
    assert (folder_of(made.workspace, card) / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_same_training_is_not_done_twice(made: Place, heard: Heard) -> None:
    before = adapters(made.workspace, "fine-tuned")
    train(("fine-tuned",), made.settings, made.workspace, heard.voice, effort=Effort())
    assert adapters(made.workspace, "fine-tuned")[: len(before)] == before
    assert not heard.shown


def test_a_base_arm_is_not_trained(made: Place) -> None:
    with pytest.raises(SettingsError, match="not trained"):
        train(("prompt",), made.settings, made.workspace, MUTE, effort=Effort())


def test_several_seeds_leave_several_adapters_and_one_that_serves(made: Place, heard: Heard) -> None:
    other = made.changed(epochs=1, learning_curve=False)
    (card,) = train(("fine-tuned",), other.settings, made.workspace, heard.voice, effort=Effort(seeds=2))
    assert [one.seed for one in card.seeds] == [7, 8]
    assert promoted(made.workspace, "fine-tuned") == card
    assert any("2 seeds: dev accuracy" in line and "standard deviation" in line for line in heard.said)


def test_a_race_changes_the_settings_that_are_trained_with(made: Place, heard: Heard) -> None:
    other = made.changed(epochs=1, learning_curve=False, seed=11)
    (card,) = train(("fine-tuned",), other.settings, made.workspace, heard.voice, effort=Effort(search=2))
    assert card.recipe["alpha"] == 2 * card.recipe["rank"]
    assert card.recipe["learning_rate"] != 0.01
    told = [line for line in heard.said if line.startswith("Best of 2")]
    assert len(told) == 1
    heard.said.clear()
    train(("fine-tuned",), other.settings, made.workspace, heard.voice, effort=Effort(search=2))
    assert [line for line in heard.said if line.startswith("Best of 2")] == told
    assert not any("of the examples" in line for line in heard.said)


def test_what_a_person_promoted_stays_until_the_next_train(made: Place, heard: Heard) -> None:
    first = adapters(made.workspace, "fine-tuned")[0]
    put_in_force(made.settings, made.workspace, first.id[:8])
    assert promotions(made.workspace, "fine-tuned").chosen
    other = made.changed(seed=99, learning_curve=False, epochs=1)
    engine, bench = open_engine(other.settings, MUTE), open_bench(other.settings, made.workspace, MUTE)
    assert train_all(bench, engine, heard.voice, {}) == {}
    assert promoted(made.workspace, "fine-tuned") == first
    assert any("promoted by hand" in line for line in heard.said)


def test_the_registry_as_people_see_it(made: Place) -> None:
    known = listed(made.settings, made.workspace)
    assert sum(one.promoted for one in known) == 1
    assert all(one.stale == () for one in known)
    card = known[0].card
    assert shown(made.settings, made.workspace, card.id).card == card
    assert compared(made.settings, made.workspace, [card.id, card.id])[1].card == card
    with pytest.raises(UserError, match="names no adapter"):
        shown(made.settings, made.workspace, "nonsense")
    with pytest.raises(UserError, match="strategies that have: fine-tuned"):
        put_back(made.settings, made.workspace, "raft")


def test_adapters_go_stale_with_their_documents(made: Place) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    old = replace(card, learnt=replace(card.learnt, documents={"Amber": "an earlier version", "gone": "1"}))
    write_card(old, folder_of(made.workspace, card))
    try:
        known = {one.card.id: one.stale for one in listed(made.settings, made.workspace)}
        assert known[card.id] == ("Amber", "gone")
    finally:
        write_card(card, folder_of(made.workspace, card))


def test_what_was_learnt_is_traced_to_its_evidence(made: Place) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    found = list(traced(made.settings, made.workspace, About(adapter=card.id)))
    assert len(found) == card.learnt.examples
    one = found[0].lesson
    assert one.evidence == (one.example_id,)
    assert [
        each.lesson for each in traced(made.settings, made.workspace, About(adapter=card.id, example=one.example_id))
    ] == [one]
    assert [
        each.lesson for each in traced(made.settings, made.workspace, About(adapter=card.id, document=one.evidence[0]))
    ] == [one]
    assert not list(traced(made.settings, made.workspace, About(adapter=card.id, answer="no such words")))


@pytest.mark.parametrize("form", ["peft", "openai"])
def test_an_adapter_is_exported(made: Place, tmp_path: Path, form: str) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    path = exported(made.settings, made.workspace, card.id, form, tmp_path / "out", MUTE)
    assert path.exists()
    if form == "openai":
        assert len(path.read_text(encoding="utf-8").splitlines()) == card.learnt.examples


def test_what_has_changed_since_is_not_exported_as_what_was_learnt(made: Place, tmp_path: Path) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    other = made.changed(maximum_examples=3)
    with pytest.raises(WorkspaceError, match="changed since it was trained"):
        exported(other.settings, made.workspace, card.id, "openai", tmp_path / "out", MUTE)


def test_a_smaller_part_is_within_a_larger_one(made: Place) -> None:
    engine, bench = open_engine(made.settings, MUTE), open_bench(made.settings, made.workspace, MUTE)
    rows = exercise_of("fine-tuned", bench, engine, MUTE).rows
    quarter, half = part(rows, 0.25, 7), part(rows, 0.5, 7)
    assert 0 < len(quarter) < len(half) < len(rows)
    assert set(quarter) < set(half) < set(rows)
    assert part(rows, 1, 7) == rows
