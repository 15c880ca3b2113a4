"""Making examples end to end, sifted with the real search and embedder, by rules and by a teacher."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from weighbridge.dataset.examples import read_examples
from weighbridge.dataset.synthesise.made_file import read_synthetic
from weighbridge.dataset.synthesise.nouns import SyntheticExample
from weighbridge.errors import ModelError, SettingsError, WorkspaceError
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Progress, Question
from weighbridge.wiring.components import open_bench
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.make_examples import Wanted, make_examples
from weighbridge.workflow.make_examples_report import MakingReport, report_lines
from weighbridge.workspace import Workspace

pytestmark = pytest.mark.models

DOCUMENTS = {
    "canteen": "# The canteen\n\n| Dish | Price |\n|---|---|\n| Crab soup | £4.80 |\n| Leek pie | £6.10 |\n\n"
    "Cook: Barnaby Thwaite\n\nHe likes fish.",
    "hostel": "# The hostel\n\nWarden: Sunniva Pell\n\nLinen: changed on Mondays",
    "secret": "---\ngroups: [people-team]\n---\n# Pay\n\nThe bonus for captains is £900. The pay clerk is Ilse Brandt.",
}
QUESTIONS = ("What is the linen of the hostel?", "What do dogs eat?", "Is there a bar?", "Who sells hats?")
Serve = Callable[[Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]], str]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Workspace:
    """A workspace of three documents and four examples, all of them for the test."""
    tmp_path = tmp_path_factory.mktemp("making")
    (tmp_path / "docs").mkdir()
    for name, text in DOCUMENTS.items():
        (tmp_path / "docs" / f"{name}.md").write_text(text)
    rows = [{"id": f"e{at}", "question": text, "answers": ["yes"]} for at, text in enumerate(QUESTIONS)]
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "weighbridge.yaml").write_text(
        "documents: docs\nexamples: examples.jsonl\nstrategies: [rag]\ntask: answer\n"
        f"retrieval: {{embedder: {str(minilm)!r}}}\nsplits: {{test: 1, dev: 0}}\nmodel: {{engine: scripted}}\n"
    )
    return Workspace(tmp_path)


def settings_of(workspace: Workspace) -> Settings:
    return load_settings(workspace.settings_file)


def make(workspace: Workspace, wanted: Wanted, reporter: Reporter = SILENT) -> MakingReport:
    return make_examples(settings_of(workspace), workspace, wanted, reporter)


@pytest.fixture(scope="module")
def by_rules(workspace: Workspace) -> MakingReport:
    """What the rules make of it, all that is good."""
    return make(workspace, Wanted())


def lost(report: MakingReport) -> dict[str, int]:
    return {one.reason: one.count for one in report.attrition.dropped if one.count}


def test_by_rules_the_public_documents_give_examples_that_leak_nothing(
    workspace: Workspace, by_rules: MakingReport
) -> None:
    report = by_rules
    assert report.path == workspace.root / "made.jsonl"
    assert read_synthetic(report.path) == report.kept
    assert len(read_examples(report.path)) == len(report.kept) == sum(report.kinds.values())
    asked = {one.question: one.answers for one in report.kept}
    assert asked["What is the cook of the canteen?"] == ("Barnaby Thwaite",)
    assert not any("linen" in question for question in asked)
    assert lost(report)["nearly a dev or test question (leak)"] >= 1
    assert (report.documents, report.restricted) == (2, 1)
    assert not any("secret" in span.document_id for one in report.kept for span in one.spans)
    assert report.attrition.made == report.attrition.kept + sum(lost(report).values())
    lines = list(report_lines(report))
    assert lines[0].startswith("Made of 2 documents (1 restricted ones not used)")
    assert any(line.startswith("  - nearly a dev or test question (leak)") for line in lines)
    assert 'Rules read tables, "label: value" lines and headings. Sentences need a model:' in lines


def test_no_more_than_wanted_is_kept_and_the_same_again(workspace: Workspace, by_rules: MakingReport) -> None:
    few = make(workspace, Wanted(count=3, path=workspace.root / "few.jsonl"))
    assert {one.id for one in few.kept} < {one.id for one in by_rules.kept}
    assert few.attrition.made == by_rules.attrition.made
    assert len(few.kept) == 3
    assert few.path == workspace.root / "few.jsonl"
    assert list(report_lines(few))[-1] == "To train on them too, set training.made: few.jsonl in weighbridge.yaml"
    assert lost(few)["more than were asked for"] > 0


def test_a_file_that_may_have_been_edited_is_not_written_over(workspace: Workspace, by_rules: MakingReport) -> None:
    assert by_rules.path
    before = by_rules.path.read_text()
    with pytest.raises(WorkspaceError, match=r"made\.jsonl: is there already, perhaps edited"):
        make(workspace, Wanted(count=3))
    assert by_rules.path.read_text() == before


def test_those_that_are_trained_on_already_may_be_made_again(workspace: Workspace, by_rules: MakingReport) -> None:
    settings = settings_of(workspace)
    training = settings.training.model_copy(update={"made": by_rules.path})
    again = Wanted(path=workspace.root / "more.jsonl")
    report = make_examples(settings.model_copy(update={"training": training}), workspace, again, SILENT)
    assert report.kept == by_rules.kept


def test_documents_are_sent_to_no_teacher_where_nothing_may_leave(workspace: Workspace) -> None:
    limits = settings_of(workspace).needs.limits.model_copy(update={"offline": True})
    needs = settings_of(workspace).needs.model_copy(update={"limits": limits})
    settings = settings_of(workspace).model_copy(update={"needs": needs})
    teacher = ModelSettings(engine="openai", reference="t", base_url="https://api.example/v1")
    wanted = Wanted(by="both", teacher=teacher, path=workspace.root / "sent.jsonl")
    with pytest.raises(SettingsError, match=r"offline is true, .* would be sent to https://api\.example/v1"):
        make_examples(settings, workspace, wanted, SILENT)


def test_few_shot_shows_what_people_gave_and_not_what_was_made(workspace: Workspace, by_rules: MakingReport) -> None:
    settings = settings_of(workspace)
    splits = settings.splits.model_copy(update={"test": 0.5})
    training = settings.training.model_copy(update={"made": by_rules.path})
    changed = {"strategies": ("few-shot",), "splits": splits, "training": training}
    with workspace.lock():
        bench = open_bench(settings.model_copy(update=changed), workspace, SILENT)
    assert any(example.id.startswith("made-") for example in bench.workload.of("train"))
    shown = bench.parts.demonstrations.choose(Question("Who is the cook?"))
    assert shown
    assert {example.question.text for example in shown} <= set(QUESTIONS)


def test_a_label_task_keeps_nothing_that_is_no_label(workspace: Workspace) -> None:
    settings = settings_of(workspace).model_copy(update={"task": "label"})
    report = make_examples(settings, workspace, Wanted(path=workspace.root / "labels.jsonl"), SILENT)
    assert (report.kept, report.path) == ((), None)
    assert not (workspace.root / "labels.jsonl").exists()
    assert any("label task" in line for line in report_lines(report))


def test_without_documents_nothing_can_be_made(workspace: Workspace) -> None:
    settings = settings_of(workspace).model_copy(update={"documents": None})
    with pytest.raises(SettingsError, match="no documents to make examples of"):
        make_examples(settings, workspace, Wanted(), SILENT)


SAID = {
    "that this passage answers": "Q: Who cooks in the canteen?\nA: Barnaby Thwaite\nQ: Who is he?\nA: the cook\nWell.",
    "does not answer.": "Q: Who designed the canteen?",
    "Reword": "Which person cooks for the canteen?\nWhat is it?",
    "Question: Who cooks": "Barnaby Thwaite.",
    "Question: Which person": "It is Barnaby Thwaite.",
    "Question: ": "NONE",
}


@contextmanager
def teaching(serve: Serve, *, out_of_order: bool = False) -> Iterator[tuple[ModelSettings, list[str]]]:
    """Serve a teacher that says what it is told to, and collect what it is asked."""
    asked: list[str] = []

    def teach(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        asked.append(body["messages"][-1]["content"])
        said = next((text for key, text in SAID.items() if key in asked[-1]), "hm")
        handler.send_response(500 if out_of_order else 200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for chunk in (
            {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}},
        ):
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "teacher", **chunk}
            handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        handler.wfile.write(b"data: [DONE]\n\n")

    yield ModelSettings(engine="openai", reference="teacher", base_url=serve(teach), timeout_seconds=5), asked


def test_a_teacher_is_asked_once_and_its_answers_are_held_to_the_same_filters(
    workspace: Workspace, chat_endpoint: Serve
) -> None:
    told: list[Progress] = []
    with teaching(chat_endpoint) as (teacher, asked):
        wanted = Wanted(count=20, by="model", teacher=teacher, path=workspace.root / "taught.jsonl")
        report = make(workspace, wanted, Reporter(notify=told.append))
        assert not any("Brandt" in text or "bonus" in text for text in asked)
        count = len(asked)
        assert make(workspace, replace(wanted, path=workspace.root / "again.jsonl")).kept == report.kept
        assert len(asked) == count
    kept: dict[str, SyntheticExample] = {one.question: one for one in report.kept}
    assert kept["Who cooks in the canteen?"].answers == ("Barnaby Thwaite",)
    assert kept["Which person cooks for the canteen?"].family == kept["Who cooks in the canteen?"].id
    assert not kept["Who designed the canteen?"].answerable
    assert "What is it?" not in kept
    assert lost(report)["could not be parsed"] >= 2
    assert lost(report)["question does not stand on its own"] >= 2
    assert "asking for questions" in {step.task for step in told}


def test_a_teacher_that_never_answers_is_an_error(workspace: Workspace, chat_endpoint: Serve) -> None:
    with teaching(chat_endpoint, out_of_order=True) as (teacher, _), pytest.raises(ModelError) as raised:
        make(workspace, Wanted(by="model", teacher=teacher, path=workspace.root / "none.jsonl"))
    assert "check --teacher" in str(raised.value)
    assert "weighbridge.yaml" not in str(raised.value)
