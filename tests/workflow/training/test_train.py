"""Training as commands do it, on a tiny model: trained, examined, promoted, listed, exported, traced, raced."""

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.errors import SettingsError, UserError, WorkspaceError
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.settings.training import PreferenceSettings
from weighbridge.train.card import read_lessons, write_adapter_card, write_lessons
from weighbridge.train.registry import adapters, folder_of, promoted_adapter, promotions, record_promotion
from weighbridge.types import Example, Question
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import open_engine, weights_of
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.ask import open_strategy
from weighbridge.workflow.footprint import training_seconds
from weighbridge.workflow.lineage import About, trace
from weighbridge.workflow.models import (
    adapter_status,
    compare_adapters,
    export_adapter,
    list_adapters,
    promote_adapter,
    roll_back_adapter,
)
from weighbridge.workflow.training.rate_search import part
from weighbridge.workflow.training.train import Effort, exercise_of, train_all, train_arms
from weighbridge.workspace import Workspace

from ...tiny_llama import write_tiny_gguf

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
    def reporter(self) -> Reporter:
        return Reporter(say=self.said.append, show=self.shown.append)


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
def made(tmp_path_factory: pytest.TempPathFactory, minilm: Path, few_guard_questions: None) -> Place:
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
    train_arms((), place.settings, place.workspace, SILENT, effort=Effort())
    return place


def test_an_arm_is_trained_examined_and_promoted(made: Place) -> None:
    (card,) = adapters(made.workspace, "fine-tuned")
    assert promoted_adapter(made.workspace, "fine-tuned") == card
    assert [guard.name for guard in card.guards] == [
        "forgetting", "refusals", "paraphrases", "repetition", "learning curve", "serving speed"
    ]  # fmt: skip
    assert card.parity[0].form == "GGUF F16"
    assert card.dev is not None
    assert card.dev.scored == 2
    assert (folder_of(made.workspace, card) / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_same_training_is_not_done_twice(made: Place, heard: Heard) -> None:
    before = adapters(made.workspace, "fine-tuned")
    train_arms(("fine-tuned",), made.settings, made.workspace, heard.reporter, effort=Effort())
    assert adapters(made.workspace, "fine-tuned")[: len(before)] == before
    assert not heard.shown


def test_a_base_arm_is_not_trained(made: Place) -> None:
    with pytest.raises(SettingsError, match="not trained"):
        train_arms(("prompt",), made.settings, made.workspace, SILENT, effort=Effort())


def test_several_seeds_leave_several_adapters_and_one_that_serves(made: Place, heard: Heard) -> None:
    other = made.changed(epochs=1, learning_curve=False)
    (card,) = train_arms(("fine-tuned",), other.settings, made.workspace, heard.reporter, effort=Effort(seeds=2))
    assert [one.seed for one in card.seeds] == [7, 8]
    assert promoted_adapter(made.workspace, "fine-tuned") == card
    assert any("2 seeds: dev accuracy" in line and "standard deviation" in line for line in heard.said)


def test_a_race_changes_the_settings_that_are_trained_with(made: Place, heard: Heard) -> None:
    other = made.changed(epochs=1, learning_curve=False, seed=11)
    (card,) = train_arms(("fine-tuned",), other.settings, made.workspace, heard.reporter, effort=Effort(search=2))
    assert card.recipe["alpha"] == 2 * card.recipe["rank"]
    assert card.recipe["learning_rate"] != 0.01
    assert (card.searched, card.seeds) == (2, ())
    assert promoted_adapter(made.workspace, "fine-tuned") == card
    told = [line for line in heard.said if line.startswith("Best of 2")]
    assert len(told) == 1
    heard.said.clear()
    train_arms(("fine-tuned",), other.settings, made.workspace, heard.reporter, effort=Effort(search=2))
    assert [line for line in heard.said if line.startswith("Best of 2")] == told
    assert not any("of the examples" in line for line in heard.said)


def test_what_a_person_promoted_stays_until_the_next_train(made: Place, heard: Heard) -> None:
    first = adapters(made.workspace, "fine-tuned")[0]
    promote_adapter(made.settings, made.workspace, first.id[:8])
    assert promotions(made.workspace, "fine-tuned").chosen
    other = made.changed(seed=99, learning_curve=False, epochs=1)
    engine, bench = open_engine(other.settings, SILENT), open_bench(other.settings, made.workspace, SILENT)
    assert train_all(bench, engine, heard.reporter, {}) == {}
    assert promoted_adapter(made.workspace, "fine-tuned") == first
    assert any("promoted by hand" in line for line in heard.said)


def test_the_registry_as_people_see_it(made: Place) -> None:
    known = list_adapters(made.settings, made.workspace)
    assert sum(one.promoted for one in known) == 1
    assert all(one.stale == () for one in known)
    card = known[0].card
    assert adapter_status(made.settings, made.workspace, card.id).card == card
    assert compare_adapters(made.settings, made.workspace, [card.id, card.id])[1].card == card
    with pytest.raises(UserError, match="names no adapter"):
        adapter_status(made.settings, made.workspace, "nonsense")
    with pytest.raises(UserError, match="strategies that have: fine-tuned"):
        roll_back_adapter(made.settings, made.workspace, "raft")


def test_adapters_go_stale_with_their_documents(made: Place) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    old = replace(card, learnt=replace(card.learnt, documents={"Amber": "an earlier version", "gone": "1"}))
    write_adapter_card(old, folder_of(made.workspace, card))
    try:
        known = {one.card.id: one.stale for one in list_adapters(made.settings, made.workspace)}
        assert known[card.id] == ("Amber", "gone")
    finally:
        write_adapter_card(card, folder_of(made.workspace, card))


def test_what_was_learnt_is_traced_to_its_evidence(made: Place) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    found = list(trace(made.settings, made.workspace, About(adapter=card.id)))
    assert len(found) == card.learnt.examples
    one = found[0].lesson
    assert one.evidence == (one.example_id,)
    assert [
        each.lesson for each in trace(made.settings, made.workspace, About(adapter=card.id, source=one.example_id))
    ] == [one]
    assert [
        each.lesson for each in trace(made.settings, made.workspace, About(adapter=card.id, source=one.evidence[0]))
    ] == [one]
    assert not list(trace(made.settings, made.workspace, About(adapter=card.id, answer="no such words")))


@pytest.mark.parametrize("form", ["peft", "openai"])
def test_an_adapter_is_exported(made: Place, tmp_path: Path, form: str) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    path = export_adapter(made.settings, made.workspace, card.id, form, tmp_path / "out", SILENT)
    assert path.exists()
    if form == "openai":
        assert len(path.read_text(encoding="utf-8").splitlines()) == card.learnt.examples


def test_what_has_changed_since_is_not_exported_as_what_was_learnt(made: Place, tmp_path: Path) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    other = made.settings.model_copy(update={"instructions": "It is about ships."})
    with pytest.raises(WorkspaceError, match="changed since it was trained"):
        export_adapter(other, made.workspace, card.id, "openai", tmp_path / "out", SILENT)


def test_what_was_learnt_by_other_settings_is_exported_by_the_adapters_own(made: Place, tmp_path: Path) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    other = made.changed(learning_rate=0.5, seed=3, maximum_examples=3)
    path = export_adapter(other.settings, made.workspace, card.id, "openai", tmp_path / "out", SILENT)
    assert len(path.read_text(encoding="utf-8").splitlines()) == card.learnt.examples


def test_an_adapter_of_another_base_model_is_neither_run_nor_exported(made: Place, tmp_path: Path) -> None:
    card = adapters(made.workspace, "fine-tuned")[0]
    write_tiny_gguf(tmp_path / "other.gguf", seed=1)
    model = made.settings.model.model_copy(update={"reference": f"file:{tmp_path / 'other.gguf'}"})
    other = made.settings.model_copy(update={"model": model})
    with pytest.raises(WorkspaceError, match="set it back to export"):
        export_adapter(other, made.workspace, card.id, "merged", tmp_path / "out", SILENT)
    with pytest.raises(WorkspaceError, match="names another base model"):
        weights_of(card, folder_of(made.workspace, card), open_engine(other, SILENT))


def test_compare_keeps_the_best_of_several_while_nothing_has_changed(made: Place, heard: Heard) -> None:
    other = made.changed(epochs=1, learning_curve=False)
    train_arms(("fine-tuned",), other.settings, made.workspace, SILENT, effort=Effort(seeds=2))
    wanted = promotions(made.workspace, "fine-tuned").found_for
    best = next(card for card in adapters(made.workspace, "fine-tuned") if card.seed == 8)
    record_promotion(made.workspace, best, chosen=False, found_for=wanted)
    engine, bench = open_engine(other.settings, SILENT), open_bench(other.settings, made.workspace, SILENT)
    assert train_all(bench, engine, heard.reporter, {}) == {}
    assert promoted_adapter(made.workspace, "fine-tuned") == best
    assert any("the best of several" in line for line in heard.said)
    plain = open_bench(made.settings, made.workspace, SILENT)
    assert train_all(plain, engine, SILENT, {}) == {}
    assert promoted_adapter(made.workspace, "fine-tuned") == adapters(made.workspace, "fine-tuned")[0]


@pytest.mark.parametrize("why", ["test questions", "another base model", "kept in F16"])
def test_what_a_person_promoted_is_not_compared_where_that_would_mislead(made: Place, why: str) -> None:
    first = adapters(made.workspace, "fine-tuned")[0]
    record_promotion(made.workspace, first, chosen=True)
    engine, bench = open_engine(made.settings, SILENT), open_bench(made.settings, made.workspace, SILENT)
    assert train_all(bench, engine, SILENT, {}) == {}
    if why == "test questions":
        tested = tuple(replace(example, split="test") for example in bench.workload.examples)
        bench = replace(bench, workload=replace(bench.workload, examples=tested))
    elif why == "kept in F16":
        engine = replace(engine, settings=engine.settings.model_copy(update={"quantisation": "Q8_0"}))
    elif engine.base:
        engine = replace(engine, base=replace(engine.base, fingerprint="another"))
    failed = train_all(bench, engine, SILENT, {})
    assert why in failed["fine-tuned"]
    assert "weighbridge train fine-tuned" in failed["fine-tuned"]


@pytest.mark.parametrize(
    "wording", ["What code has the ship {}?", "WHAT code has the ship {}", "What codes has the ship {}?"]
)
def test_test_questions_are_known_by_what_they_ask_and_not_by_their_ids(made: Place, wording: str) -> None:
    """A file without ids has them by line: a line more above, and every question has its neighbour's."""
    first = adapters(made.workspace, "fine-tuned")[0]
    record_promotion(made.workspace, first, chosen=True)
    engine, bench = open_engine(made.settings, SILENT), open_bench(made.settings, made.workspace, SILENT)
    learnt = [lesson.example_id for lesson in read_lessons(folder_of(made.workspace, first))]
    others = [one for one in bench.workload.examples if one.split == "test"]
    renamed = [replace(one, id=name) for one, name in zip(others, learnt, strict=False)]
    kept = [one for one in bench.workload.examples if one.split != "test"]
    assert train_all(_asking((*kept, *renamed), bench), engine, SILENT, {}) == {}
    asked = replace(kept[0], id="line-99", split="test", question=Question(wording.format(learnt[0])))
    rest = [one for one in kept if one.id != learnt[0]]
    failed = train_all(_asking((*rest, asked), bench), engine, SILENT, {})
    assert f"learnt what are test questions today, or nearly (1 of its {len(learnt)} lessons)" in failed["fine-tuned"]


def test_what_an_earlier_version_learnt_is_compared_on_its_own_split_alone(made: Place) -> None:
    first = adapters(made.workspace, "fine-tuned")[0]
    folder = folder_of(made.workspace, first)
    today = tuple(read_lessons(folder))
    engine, bench = open_engine(made.settings, SILENT), open_bench(made.settings, made.workspace, SILENT)
    moved = replace(bench, workload=replace(bench.workload, outline=replace(bench.workload.outline, key="another")))
    record_promotion(made.workspace, first, chosen=True)
    write_lessons([replace(lesson, question="") for lesson in today], folder)
    assert train_all(bench, engine, SILENT, {}) == {}
    assert "earlier version, which did not note the questions" in train_all(moved, engine, SILENT, {})["fine-tuned"]
    train_arms(("fine-tuned",), made.settings, made.workspace, SILENT, effort=Effort())
    assert tuple(read_lessons(folder)) == today


def _asking(examples: Sequence[Example], bench: Bench) -> Bench:
    return replace(bench, workload=replace(bench.workload, examples=tuple(examples)))


def test_a_learning_curve_is_drawn_later_where_it_is_wanted_then(made: Place) -> None:
    without, wanting = (made.changed(epochs=1, seed=21, learning_curve=curve) for curve in (False, True))
    (first,) = train_arms(("fine-tuned",), without.settings, made.workspace, SILENT, effort=Effort())
    (second,) = train_arms(("fine-tuned",), wanting.settings, made.workspace, SILENT, effort=Effort())
    assert second.id == first.id
    assert second.guards[:-1] == first.guards
    assert second.guards[-1].name == "learning curve"


def test_what_a_second_training_costs_is_added_to_the_first(made: Place) -> None:
    first = adapters(made.workspace, "fine-tuned")[0]
    folder = made.workspace.adapter("fine-tuned", "second")
    shutil.copytree(folder_of(made.workspace, first), folder)
    later = replace(first, id="second", parent=first.id, seconds=1000.0)
    write_adapter_card(later, folder)
    try:
        record_promotion(made.workspace, later, chosen=True)
        bench = open_bench(made.settings, made.workspace, SILENT)
        assert training_seconds("fine-tuned", bench) == pytest.approx(1000 + first.seconds)
    finally:
        record_promotion(made.workspace, first, chosen=True)
        shutil.rmtree(folder)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_adapter_answers_by_pytorch(made: Place, method: str) -> None:
    other = made.changed(epochs=1, learning_curve=False, method=method)
    model = other.settings.model.model_copy(update={"engine": "transformers"})
    settings = other.settings.model_copy(update={"model": model})
    (card,) = train_arms(("fine-tuned",), settings, made.workspace, SILENT, effort=Effort())
    assert card.guards
    with ExitStack() as stack:
        strategy = open_strategy("fine-tuned", settings, made.workspace, stack=stack)
        assert strategy.answer(Question("What code has the ship Amber?")).usage.output_tokens > 0


def test_another_search_makes_another_exercise_where_it_finds_other_passages(made: Place) -> None:
    engine = open_engine(made.settings, SILENT)
    narrow = made.settings.retrieval.model_copy(update={"limit": 1})
    other = made.settings.model_copy(update={"retrieval": narrow})
    benches = [open_bench(settings, made.workspace, SILENT) for settings in (made.settings, other)]
    reading, closed = ([exercise_of(arm, bench, engine, SILENT) for bench in benches] for arm in ("raft", "fine-tuned"))
    assert reading[0].fingerprint != reading[1].fingerprint
    searches = [one.learnt.search for one in reading]
    assert {name for name, value in searches[0].items() if value != searches[1][name]} == {"retrieval.limit"}
    assert closed[0].fingerprint == closed[1].fingerprint
    assert [one.learnt.search for one in closed] == [{}, {}]


def test_a_smaller_part_is_within_a_larger_one(made: Place) -> None:
    engine, bench = open_engine(made.settings, SILENT), open_bench(made.settings, made.workspace, SILENT)
    rows = exercise_of("fine-tuned", bench, engine, SILENT).rows
    quarter, half = part(rows, 0.25, 7), part(rows, 0.5, 7)
    assert 0 < len(quarter) < len(half) < len(rows)
    assert set(quarter) < set(half) < set(rows)
    assert part(rows, 1, 7) == rows


def test_an_arm_goes_on_from_what_the_users_own_file_prefers(made: Place, heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    asked = [(f"What code has the ship {name}?", name[:2]) for name in NAMES.split()]
    rows = [{"question": question, "chosen": code, "rejected": "none"} for question, code in asked]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    other = made.changed(preference=PreferenceSettings(method="dpo", pairs=path), learning_curve=False)
    (card,) = train_arms(("fine-tuned",), other.settings, made.workspace, heard.reporter, effort=Effort())
    assert promoted_adapter(made.workspace, "fine-tuned") == card
    assert card.parent in {one.id for one in adapters(made.workspace, "fine-tuned")}
    told = [line.partition(":")[0].partition(" (")[0] for line in heard.said]
    assert told.count("mine.jsonl") == 1
    assert told.index("mine.jsonl") < told.index("Trained fine-tuned")
