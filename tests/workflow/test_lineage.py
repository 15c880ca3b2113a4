"""From what an adapter learnt back to the documents: what stands there today."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.adapters import Lesson, Span
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.card import write_adapter_card, write_lessons
from weighbridge.wiring.index import index, open_history
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow.lineage import About, trace, withholds
from weighbridge.workspace import Workspace

from ..train.cards import card

TEXT = "# Ferry\n\nThe ferry sails at eight. The warden is Ada Pell."


@pytest.fixture
def opened(tmp_path: Path, tiny_bert: Path) -> tuple[Settings, Workspace]:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "ferry.md").write_text(TEXT)
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}, precision: float32}}\n"
    )
    workspace = Workspace(tmp_path)
    settings = load_settings(workspace.settings_file)
    index(settings, workspace, SILENT)
    return settings, workspace


def test_a_span_within_a_chunk_is_quoted_and_one_of_another_version_is_not(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    version = open_history(settings, workspace).documents()["ferry"]
    start = TEXT.index("The warden")
    now, before = (Span("ferry", start, len(TEXT), kept) for kept in (version, "another"))
    folder = workspace.adapter("fine-tuned", "3f2a9c41d0e7")
    write_lessons([Lesson(example_id="made-1", target="Ada Pell", spans=(now, before))], folder)
    write_adapter_card(replace(card(TrainingSettings(), hosted="ft:model"), adapter="", gguf=""), folder)
    (found,) = trace(settings, workspace, About(adapter="3f2a", answer="pell"))
    assert found.texts == ("The warden is Ada Pell.", None)


CREW = frozenset({"crew"})


def test_what_only_some_may_see_is_traced_for_them_alone(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    (workspace.root / "docs" / "pay.md").write_text("---\ngroups: [crew]\n---\n# Pay\n\nThe warden has nine crowns.")
    index(settings, workspace, SILENT)
    versions = open_history(settings, workspace).documents()
    lessons = [
        Lesson(example_id="open", target="Ada Pell", spans=(Span("ferry", 0, 7, versions["ferry"]),)),
        Lesson(example_id="shut", target="nine", spans=(Span("pay", 0, 99, versions["pay"]),), access=(CREW,)),
        Lesson(example_id="shut since", target="nine", spans=(Span("pay", 0, 5, "when it was open"),)),
    ]
    folder = workspace.adapter("fine-tuned", "3f2a9c41d0e7")
    write_lessons(lessons, folder)
    made = card(TrainingSettings(), hosted="ft:model")
    write_adapter_card(replace(made, adapter="", gguf="", learnt=replace(made.learnt, access=(CREW,))), folder)
    for groups, ids in ((frozenset[str](), ["open"]), (CREW, ["open", "shut", "shut since"])):
        about = About(adapter="3f2a", groups=groups)
        found = list(trace(settings, workspace, about))
        assert [one.lesson.example_id for one in found] == ids
        assert withholds(workspace, about) == (not groups)
    assert "nine crowns" in (found[1].texts[0] or "")
