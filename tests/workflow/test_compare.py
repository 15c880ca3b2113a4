"""Which questions a weighing asks, what it knows of each strategy, and what it says of its settings."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from weighbridge.errors import DataError
from weighbridge.evaluate.ledger import append
from weighbridge.results import Record, Weighing
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import MeasureSettings, RetrievalSettings, Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.card import write_adapter_card
from weighbridge.train.registry import record_promotion
from weighbridge.types import Answer, Example, Prompt, Question, Task, Timing, Usage
from weighbridge.wiring import tuned_retrievers as tuned_search
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow.compare import (
    compare,
    describe_trainings,
    records_under_other_names,
    search_summary,
    timed_questions,
)
from weighbridge.workflow.compare import test_questions as drawn_questions
from weighbridge.workflow.latency import Alone
from weighbridge.workspace import Workspace

from ..train.cards import card
from .tuned import tuned


@pytest.mark.parametrize(
    ("needs", "available", "timed"), [({}, 80, 12), ({"limits": {"maximum_p95_seconds": 2.0}}, 80, 60),
                                      ({"limits": {"maximum_p95_seconds": 2.0}}, 30, 30)]
)  # fmt: skip
def test_a_limit_on_the_p95_takes_the_timings_that_bound_it(needs: dict[str, object], available: int, timed: int):
    examples = [Example(id=f"{n}", question=Question(f"question {n}?"), answers=("a",)) for n in range(available)]
    settings = Settings.model_validate({"examples": "e.jsonl", "needs": needs})
    drawn = timed_questions(examples, settings)
    assert len({example.id for example in drawn}) == timed
    assert drawn == timed_questions(examples, settings)


def test_a_report_names_what_the_settings_add_to_the_search() -> None:
    usual = Settings(examples=Path())
    assert search_summary(usual) == "BM25 and dense, fused; 3 passages of 64 tokens"
    more = RetrievalSettings(rewrite="expansion", rerank="/models/cross", diversity=0.3, static=True)
    assert search_summary(usual.model_copy(update={"retrieval": more})) == (
        "BM25 and dense, fused; rewrite expansion; rerank cross; diversity 0.3; static; 3 passages of 64 tokens"
    )


def test_a_report_names_how_the_adapters_that_answered_were_trained(tmp_path: Path) -> None:
    place, settings = Workspace(tmp_path), Settings(examples=Path())
    usual = "lora rank 16, at most 2 epochs, learning rate 0.001, seed 7"
    assert describe_trainings(settings.strategies, settings, place) == usual
    found = card(TrainingSettings(rank=4, seed=8))
    for arm in ("fine-tuned", "raft"):
        one = replace(found, strategy=arm)
        folder = place.adapter(arm, one.id)
        (folder / one.adapter).mkdir(parents=True)
        (folder / one.gguf).write_bytes(b"weights")
        write_adapter_card(one, folder)
        record_promotion(place, one, chosen=True)
    assert describe_trainings(("prompt", "raft"), settings, place) == usual.replace("16", "4").replace(
        "seed 7", "seed 8"
    )
    write_adapter_card(replace(found, strategy="raft", recipe=TrainingSettings().model_dump(mode="json")), folder)
    told = describe_trainings(settings.strategies, settings, place)
    assert told.startswith("fine-tuned: lora rank 4")
    assert told.endswith(f"raft: {usual}")


PORTS = ["Amber", "Birch", "Coral", "Dover", "Ember", "Flint", "Grove", "Hazel", "Ivory", "Jolly", "Karst", "Larch"]
HOUSE = {
    "answer": "documents: documents.jsonl\ntask: answer\nstrategies: [prompt, few-shot, rag]\n",
    "label": "documents: documents.jsonl\ntask: label\nstrategies: [prompt, rag]\n",
}


def workspace(root: Path, task: Task, embedder: Path) -> Workspace:
    """Twelve questions, of which a third is for test; the shipped scripted model answers them."""
    berths = {name: ("quay", "mole")[number % 2] for number, name in enumerate(PORTS)}
    told = {name: f"The ship {name} berths at the {berth}." for name, berth in berths.items()}
    rows = [
        {
            "id": name,
            "question": f"Where does the ship {name} berth?",
            "answers": [told[name] if task == "answer" else berth],
            "doc_ids": [name],
        }
        for name, berth in berths.items()
    ]
    documents = [{"id": name, "title": name, "text": text} for name, text in told.items()]
    for file, lines in (("examples.jsonl", rows), ("documents.jsonl", documents)):
        (root / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    rest = (
        f"model: {{engine: scripted}}\nretrieval: {{embedder: {embedder}, precision: float32}}\n"
        "splits: {by: evidence, similarity: 1.0, dev: 0.2, test: 0.4}\nmeasure: {questions: 4, latency_questions: 2}\n"
    )
    (root / "weighbridge.yaml").write_text(f"examples: examples.jsonl\n{HOUSE[task]}{rest}", encoding="utf-8")
    return Workspace(root)


@pytest.fixture(scope="module")
def untimed() -> Iterator[None]:
    """Nothing is timed in a process of its own: that takes seconds, and no test here asks how many."""
    alone = Alone(timings=(Timing(retrieval=0.1, first_token=0.2, total=3.0),) * 2, untimed=0, memory_bytes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weighbridge.workflow.compare.time_in_own_process", lambda *_: alone)
        yield


@pytest.fixture(scope="module")
def weighings(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, untimed: None) -> dict[str, Weighing]:
    """What `compare` says of both tasks."""
    found = {}
    for task in get_args(Task)[:2]:
        place = workspace(tmp_path_factory.mktemp(task), task, tiny_bert)
        found[task] = compare(load_settings(place.settings_file), place, SILENT)
    return found


def test_test_questions_are_asked_and_drawn_from_all_of_them(weighings: dict[str, Weighing]) -> None:
    weighing = weighings["answer"]
    assert {example.split for example in weighing.examples} == {"test"}
    assert len(weighing.examples) == 4
    assert {record.example_id for record in weighing.records} == {example.id for example in weighing.examples}


def test_questions_are_drawn_with_the_seed_and_asked_in_their_order() -> None:
    every = [Example(id=str(n), question=Question(f"{n}?"), answers=("yes",), split="test") for n in range(40)]
    drawn = []
    for seed in (7, 7, 8):
        settings = Settings(examples=Path(), measure=MeasureSettings(questions=5, seed=seed))
        drawn.append([int(example.id) for example in drawn_questions(every, settings)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(len(one) == 5 and one == sorted(one) and one != list(range(5)) for one in drawn)
    everything = Settings(examples=Path(), measure=MeasureSettings(questions=41))
    assert drawn_questions(every, everything) == tuple(every)


def test_answers_under_another_name_of_the_strategy_are_taken_over_and_failures_are_not(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    right = Answer(
        text="quay", raw="quay", prompt=Prompt(()), abstained=False, citations=(), usage=Usage(), timing=Timing()
    )
    for arm, answer in (("rag@small", right), ("rag@tiny", None), ("prompt@small", right), ("rag", right)):
        append(place.records(arm), [Record(key=arm, strategy=arm, example_id="e", answer=answer, error="")])
    found = records_under_other_names("rag", place.records("rag"), place)
    assert {key: record.strategy for key, record in found.items()} == {"rag@small": "rag"}


def test_pairs_are_of_all_questions(weighings: dict[str, Weighing]) -> None:
    weighing = weighings["answer"]
    assert {(one.left, one.right) for one in weighing.comparisons if one.figure == "accuracy"} == {
        ("prompt", "few-shot"), ("prompt", "rag"), ("few-shot", "rag")
    }  # fmt: skip
    assert {one.difference.scored for one in weighing.comparisons if one.figure == "accuracy"} == {4}


def test_only_what_reads_passages_and_answers_in_words_cites(weighings: dict[str, Weighing]) -> None:
    cites = {task: {m.strategy: m.cites for m in weighing.measurements} for task, weighing in weighings.items()}
    assert cites == {
        "answer": {"prompt": False, "few-shot": False, "rag": True},
        "label": {"prompt": False, "rag": False},
    }


def test_what_is_asked_at_an_endpoint_elsewhere_is_not_offline(
    tmp_path: Path, tiny_bert: Path, roomy_endpoint: str, untimed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.0.0.0 is no name of this machine to `is_local`, and is answered by it all the same: nothing leaves."""
    monkeypatch.setenv("OPENAI_API_KEY", "of a test")
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file).model_copy(update={"strategies": ("prompt",)})
    elsewhere = roomy_endpoint.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - asked, not listened on
    offline = {}
    for where, named, environment in (
        ("here", roomy_endpoint, ""),
        ("elsewhere", elsewhere, ""),
        ("here, by the environment", "", roomy_endpoint),
        ("elsewhere, by the environment", "", elsewhere),
    ):
        monkeypatch.setenv("OPENAI_BASE_URL", environment)
        model = settings.model.model_copy(update={"engine": "openai", "base_url": named, "reference": "scripted"})
        (measured,) = compare(settings.model_copy(update={"model": model}), place, SILENT).measurements
        offline[where] = measured.offline
        assert measured.failures == 0
        assert "cost_per_thousand" not in measured.figures  # nobody said what a token costs there
    assert offline == {
        "here": True,
        "elsewhere": False,
        "here, by the environment": True,
        "elsewhere, by the environment": False,
    }


def test_what_runs_here_is_priced_by_the_hour_whatever_tokens_cost_elsewhere(
    tmp_path: Path, tiny_bert: Path, untimed: None
) -> None:
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file).model_copy(update={"strategies": ("prompt",)})
    priced = settings.prices.model_copy(update={"input_per_million": 1e6, "output_per_million": 1e6})
    costs = []
    for prices in (settings.prices, priced):
        (measured,) = compare(settings.model_copy(update={"prices": prices}), place, SILENT).measurements
        costs.append(measured.figures["cost_per_thousand"])
    assert costs[0] == costs[1]


def test_a_search_that_learnt_test_questions_is_not_measured(tmp_path: Path, tiny_bert: Path, untimed: None) -> None:
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file)
    folder = place.adapter("embedder", "0123456789ab")
    shutil.copytree(tiny_bert, folder / "tuned")
    learnt = replace(
        tuned(settings.retrieval.embedder, tiny_bert), questions=tuple(f"Where does the ship {p} berth?" for p in PORTS)
    )
    tuned_search.write_retriever_card(learnt, folder)
    tuned_search.promote_retriever(learnt, place)
    with pytest.raises(DataError, match="the promoted embedder has learnt"):
        compare(settings, place, SILENT)


def test_a_strategy_without_an_adapter_is_left_out_by_name(
    tmp_path: Path, tiny_bert: Path, untimed: None, monkeypatch
) -> None:
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file)

    def fail(*_: object, **__: object) -> dict[str, str]:
        return {"few-shot": "few-shot is left out: it failed"}

    monkeypatch.setattr("weighbridge.workflow.compare.train_all", fail)
    weighing = compare(settings, place, SILENT)
    assert weighing.left_out == ("few-shot is left out: it failed",)
    assert [measurement.strategy for measurement in weighing.measurements] == ["prompt", "rag"]
