"""Adapters that learnt from what only some may see, as commands train, ask, compare, list and export them."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from weighbridge.answer.restricted import NOTE
from weighbridge.cli.models_table import listing, status_lines
from weighbridge.evaluate.weighing import load_weighing
from weighbridge.report.adapter.adapter_page import adapter_page
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.train.registry import adapters
from weighbridge.types import Question
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.ask import open_strategy
from weighbridge.workflow.compare import compare
from weighbridge.workflow.lineage import About, trace
from weighbridge.workflow.models import adapter_status, export_adapter
from weighbridge.workspace import Workspace, load_json

from ..tiny_llama import write_tiny_gguf

pytestmark = pytest.mark.models
OPEN = "Amber Birch Coral Dover Ember Flint Grove Hazel"
SHUT = "Ivory Jolly Karst Larch Maple Nacre Ochre Pearl"
CREW = frozenset({"crew"})
YAML = """
examples: examples.jsonl
documents: documents.jsonl
task: answer
strategies: [prompt, fine-tuned]
model: {reference: tiny.gguf, quantisation: F16, context: 1024, maximum_tokens: 8}
splits: {dev: 0.25, test: 0.25}
training: {groups: [crew], rank: 4, alpha: 8, learning_rate: 0.01, epochs: 1, batch_size: 4, learning_curve: false}
measure: {questions: 4, latency_questions: 2, workers: 2}
"""
Opened = tuple[Settings, Workspace]


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, minilm: Path, few_guard_questions: None, latency_here: None
) -> Opened:
    """A workspace, half of which only the crew may see, that has been weighed."""
    root = tmp_path_factory.mktemp("ships")
    write_tiny_gguf(root / "tiny.gguf")
    owned = [(name, list(own)) for names, own in ((OPEN, ()), (SHUT, CREW)) for name in names.split()]
    rows = [
        {"id": f"q-{name}", "question": f"Code of {name}?", "answers": [name[:2]], "doc_ids": [name], "groups": own}
        for name, own in owned
    ]
    documents = [{"id": name, "text": f"{name} has the code {name[:2]}.", "groups": own} for name, own in owned]
    for file, lines in (("examples.jsonl", rows), ("documents.jsonl", documents)):
        (root / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (root / "weighbridge.yaml").write_text(YAML, encoding="utf-8")
    opened = load_settings(root / "weighbridge.yaml"), Workspace(root)
    compare(*opened, SILENT)
    return opened


def test_the_label_is_inherited_and_shown(made: Opened) -> None:
    (card,) = adapters(made[1], "fine-tuned")
    assert card.learnt.access == (CREW,)
    assert card.dev is not None
    assert not any(name in case for name in SHUT.split() for guard in card.guards for case in guard.shown)
    assert any("answers only askers of crew" in warning for warning in card.warnings)
    found = adapter_status(*made, "fine-tuned")
    console = Console(width=200)
    with console.capture() as capture:
        console.print(listing([found], ()))
        console.print(status_lines(replace(found, stale=("Ivory",))))
    assert "for crew only" in capture.get()
    assert "1\N{NO-BREAK SPACE}document of its training changed." in capture.get()
    named = replace(card, learnt=replace(card.learnt, documents={"Ivory": "1"}))
    assert "Ivory" not in adapter_page(named)
    assert "answers only askers of crew" in adapter_page(named)


def test_only_the_crew_is_answered_by_the_adapter(made: Opened) -> None:
    asked = [Question(f"Code of {name}?") for name in ("Amber", "Ivory", "Pearl")]
    with ExitStack() as stack:
        tuned, base = (open_strategy(arm, *made, stack=stack) for arm in ("fine-tuned", "prompt"))
        inside = [tuned.answer(replace(question, groups=CREW | {"other"})) for question in asked]
        outside = [tuned.answer(replace(question, groups=frozenset({"other"}))) for question in asked]
        plain = [base.answer(question) for question in asked]
    assert [answer.raw for answer in outside] == [answer.raw for answer in plain]
    assert [answer.raw for answer in inside] != [answer.raw for answer in plain]
    assert {answer.note for answer in outside} == {NOTE}
    assert {answer.note for answer in inside} == {""}


def test_a_weighing_asks_each_asker_as_it_would_serve_them(made: Opened) -> None:
    weighing = load_weighing(made[1].weighing_file)
    askers = {example.id: example.question.groups for example in weighing.examples}
    assert {frozenset(), CREW} == set(askers.values())
    for record in weighing.records:
        assert record.answer is not None
        fallen = record.strategy == "fine-tuned" and not askers[record.example_id]
        assert record.answer.note == (NOTE if fallen else "")
    assert "answering only crew (the base model answers the others)" in weighing.settings["training"]
    disk = {one.strategy: one.figures["disk"].value for one in weighing.measurements}
    assert disk["fine-tuned"] > 1.5 * disk["prompt"]
    assert all("latency_p50" in one.figures for one in weighing.measurements)


def test_what_the_crew_taught_is_traced_for_them_alone(made: Opened) -> None:
    everybody, crew = (
        {each.lesson.target for each in trace(*made, About(adapter="fine-tuned", groups=groups))}
        for groups in (frozenset[str](), CREW)
    )
    assert everybody == crew - {name[:2] for name in SHUT.split()}
    assert everybody < crew


@pytest.mark.parametrize("form", ["openai", "huggingface"])
def test_an_export_says_who_it_is_for(made: Opened, tmp_path: Path, form: str) -> None:
    said: list[str] = []
    path = export_adapter(*made, "fine-tuned", form, tmp_path / "out", Reporter(say=said.append))
    assert any("only crew may see" in line for line in said)
    manifest = path / "weighbridge-export.json" if path.is_dir() else tmp_path / ".out.weighbridge-export.json"
    assert load_json(manifest)["only_for"] == "crew"
    if path.is_dir():
        card = (path / "README.md").read_text(encoding="utf-8")
        assert "Only for: crew." in card
        assert not any(name in card for name in SHUT.split())
