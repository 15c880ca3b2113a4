"""From what an adapter learnt back to the documents: what stands there today."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.adapters import Lesson, Span
from weighbridge.settings import Settings
from weighbridge.settings_file import load_settings
from weighbridge.settings_training import TrainingSettings
from weighbridge.train.card import write_card, write_lessons
from weighbridge.workflow.adapters import About, traced
from weighbridge.workflow.knowledge import index, stored
from weighbridge.workflow.voice import MUTE
from weighbridge.workspace import Workspace

from ..train.cards import card  # noqa: TID252 - tests are no package

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
    index(settings, workspace, MUTE)
    return settings, workspace


def test_a_span_within_a_chunk_is_quoted_and_one_of_another_version_is_not(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    version = stored(settings, workspace).documents()["ferry"]
    start = TEXT.index("The warden")
    now, before = (Span("ferry", start, len(TEXT), kept) for kept in (version, "another"))
    folder = workspace.adapter("fine-tuned", "3f2a9c41d0e7")
    write_lessons([Lesson(example_id="made-1", target="Ada Pell", spans=(now, before))], folder)
    write_card(replace(card(TrainingSettings(), hosted="ft:model"), adapter="", gguf=""), folder)
    (found,) = traced(settings, workspace, About(adapter="3f2a", answer="pell"))
    assert found.texts == ("The warden is Ada Pell.", None)
