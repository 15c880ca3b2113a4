"""A search that stays open sees what the index has become."""

from pathlib import Path

import pytest

from weighbridge.settings.file import load_settings
from weighbridge.types import Question
from weighbridge.wiring.index import index
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.search import open_query_embedder, open_retriever
from weighbridge.workspace import Workspace

pytestmark = pytest.mark.models


def test_the_next_search_finds_a_changed_document_and_nothing_of_its_old_text(tmp_path: Path, minilm: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "ferry.md").write_text("The ferry sails at six.")
    (tmp_path / "docs" / "dogs.md").write_text("Dogs travel on deck.")
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(minilm)!r}}}\n"
    )
    settings, workspace = load_settings(tmp_path / "weighbridge.yaml"), Workspace(tmp_path)
    index(settings, workspace, SILENT)
    searching = open_retriever(settings, workspace, open_query_embedder(settings, workspace, SILENT))
    asked = Question("When does the ferry sail?")
    assert searching.search(asked, limit=1)[0].chunk.text == "The ferry sails at six."
    (tmp_path / "docs" / "ferry.md").write_text("The ferry sails at nine.")
    index(settings, workspace, SILENT)
    assert [found.chunk.text for found in searching.search(asked, limit=2)] == [
        "The ferry sails at nine.",
        "Dogs travel on deck.",
    ]
