"""Several base models in one weighing: shared work is done once, and everything else is kept for each arm."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from weighbridge.errors import UserError
from weighbridge.results import Weighing
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.train.registry import find_adapter, promoted_adapter, strategies
from weighbridge.types import Question, Timing
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.ask import choose_arm, open_strategy
from weighbridge.workflow.compare import compare
from weighbridge.workflow.latency import Alone
from weighbridge.workflow.models import list_adapters, train_named
from weighbridge.workflow.training.train import Effort
from weighbridge.workspace import Workspace

from ..tiny_llama import write_tiny_gguf

NAMES = ["Amber", "Birch", "Coral", "Dover", "Ember", "Flint", "Grove", "Hazel", "Ivory", "Jolly", "Karst", "Larch"]
YAML = """
examples: examples.jsonl
documents: documents.jsonl
task: answer
strategies: [prompt, rag, fine-tuned]
models:
- {{reference: one.gguf, strategies: [prompt, rag]}}
- {{name: other, reference: two.gguf, quantisation: F16, strategies: [prompt, fine-tuned]}}
- {{name: quick, engine: scripted, strategies: [rag]}}
model: {{quantisation: Q8_0, context: 512, maximum_tokens: 8}}
retrieval: {{embedder: {embedder}, precision: float32}}
splits: {{by: evidence, similarity: 1.0, dev: 0.2, test: 0.3}}
training: {{rank: 4, epochs: 1, batch_size: 2, dev_examples: 2, learning_curve: false}}
measure: {{questions: 2, latency_questions: 1}}
"""
ARMS = ("prompt@one", "rag@one", "prompt@other", "fine-tuned@other", "rag@quick")


def write_workspace(root: Path, embedder: Path) -> Workspace:
    write_tiny_gguf(root / "one.gguf")
    write_tiny_gguf(root / "two.gguf", seed=1)
    rows = [
        {"id": name, "question": f"What code has the ship {name}?", "answers": [name[:2]], "doc_ids": [name]}
        for name in NAMES
    ]
    texts = [{"id": name, "title": name, "text": f"The ship {name} has the code {name[:2]}."} for name in NAMES]
    for file, lines in (("examples.jsonl", rows), ("documents.jsonl", texts)):
        (root / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (root / "weighbridge.yaml").write_text(YAML.format(embedder=embedder), encoding="utf-8")
    return Workspace(root)


class Run:
    """One comparison on three base models, with what it said."""

    def __init__(self, place: Workspace) -> None:
        self.place = place
        self.said: list[str] = []
        self.settings: Settings = load_settings(place.settings_file)
        self.weighing: Weighing = compare(self.settings, place, Reporter(say=self.said.append))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Run:
    alone = Alone(timings=(Timing(retrieval=0.1, first_token=0.2, total=3.0),) * 2, untimed=0, memory_bytes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weighbridge.workflow.compare.time_in_own_process", lambda *_: alone)
        patch.setattr("weighbridge.workflow.training.train.examine_adapter", lambda card, *_: card)  # has its own tests
        return Run(write_workspace(tmp_path_factory.mktemp("bases"), tiny_bert))


def test_every_arm_is_measured_once_on_its_own_base_model(run: Run) -> None:
    assert tuple(one.strategy for one in run.weighing.measurements) == ARMS
    assert tuple(one.base for one in run.weighing.measurements) == ("one", "one", "other", "other", "quick")
    answers = {
        (record.strategy, record.example_id): record.answer.raw for record in run.weighing.records if record.answer
    }
    example = run.weighing.examples[0].id
    assert answers["prompt@one", example] != answers["prompt@other", example], "two models of other weights"
    assert sum("Split by" in line for line in run.said) == 1, "the workload is read once"
    assert f"Asking {len(ARMS)} arms on 3 base models the same 2\N{NO-BREAK SPACE}test questions" in run.said


def test_the_settings_name_each_model(run: Run) -> None:
    words = run.weighing.settings
    assert words["model"] == "one: one.gguf; other: two.gguf; quick"
    assert words["quantisation"] == "one: quantised as in its file; other: F16"
    assert words["engine"].startswith("one: llamacpp, greedy, at most 8 tokens; other: llamacpp")


def test_an_adapter_belongs_to_one_base_model(run: Run) -> None:
    assert strategies(run.place) == ("fine-tuned@other",)
    card = promoted_adapter(run.place, "fine-tuned@other")
    assert card is not None
    assert (card.strategy, card.quantisation) == ("fine-tuned@other", "F16")
    assert [each.promoted for each in list_adapters(run.settings, run.place)] == [True]
    assert find_adapter(run.place, "fine-tuned@other") == find_adapter(run.place, "fine-tuned") == card


def test_a_question_is_answered_as_it_was_measured(run: Run) -> None:
    example = run.weighing.examples[0]
    for arm in ("rag@quick", "fine-tuned@other"):
        with ExitStack() as stack:
            strategy = open_strategy(arm, run.settings, run.place, stack=stack)
            answer = strategy.answer(Question(example.question.text))
        (record,) = [r for r in run.weighing.records if (r.strategy, r.example_id) == (arm, example.id)]
        assert record.answer is not None
        assert answer.raw == record.answer.raw


def test_a_strategy_alone_will_do_where_one_model_runs_it(run: Run) -> None:
    said: list[str] = []
    with pytest.raises(UserError, match="'rag' runs on 2 base models here; name one: rag@one, rag@quick"):
        choose_arm("rag", run.settings, run.place, said.append)
    only = run.settings.model_copy(update={"models": run.settings.models[2:]})
    assert choose_arm("rag", only, run.place, said.append) == "rag@quick"
    with pytest.raises(UserError, match="'prompt' runs on 2 base models here"):
        train_named(("prompt",), run.settings, run.place, Reporter(), effort=Effort())


def test_a_second_run_asks_and_trains_nothing_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Alone(timings=(), untimed=1, memory_bytes=1)
    monkeypatch.setattr("weighbridge.workflow.compare.time_in_own_process", lambda *_: alone)
    lines = {arm: run.place.records(arm).read_text().count("\n") for arm in ARMS}
    failed = {record.strategy for record in run.weighing.records if record.answer is None}  # these are asked again
    again = compare(run.settings, run.place, Reporter())
    assert [record.key for record in again.records] == [record.key for record in run.weighing.records]
    grown = {arm for arm in ARMS if run.place.records(arm).read_text().count("\n") > lines[arm]}
    assert grown <= failed < set(ARMS)
    assert len(list_adapters(run.settings, run.place)) == 1


def test_answers_and_adapters_stay_where_an_arm_gets_another_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a model is added to the settings, or taken out: `fine-tuned@other` becomes `fine-tuned`."""
    alone = Alone(timings=(), untimed=1, memory_bytes=1)
    monkeypatch.setattr("weighbridge.workflow.compare.time_in_own_process", lambda *_: alone)
    monkeypatch.setattr("weighbridge.evaluate.run._attempt", lambda *_: pytest.fail("asked again"))
    monkeypatch.setattr("weighbridge.workflow.training.train.examine_adapter", lambda card, *_: card)
    one = run.settings.for_arm("fine-tuned@other").model_copy(update={"strategies": ("fine-tuned",)})
    again = compare(one, run.place, Reporter())
    was = [record for record in run.weighing.records if record.strategy == "fine-tuned@other"]
    assert [record.key for record in again.records] == [record.key for record in was]
    assert {record.strategy for record in again.records} == {"fine-tuned"}
    card, before = (promoted_adapter(run.place, arm) for arm in ("fine-tuned", "fine-tuned@other"))
    assert card is not None
    assert before is not None
    assert (card.strategy, card.id, card.made_at) == ("fine-tuned", before.id, before.made_at)
    linked, original = (run.place.adapter(each.strategy, each.id) / each.gguf for each in (card, before))
    assert linked.samefile(original)
