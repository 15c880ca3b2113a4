"""A search that stays open sees what the index has become."""

from pathlib import Path

import pytest

from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Question
from weighbridge.wiring import search
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


@pytest.mark.parametrize("rewrite", ["sub-questions", "hypothetical"])
def test_searches_that_rewrite_questions_share_one_model(
    tmp_path: Path, minilm: Path, monkeypatch: pytest.MonkeyPatch, rewrite: str
) -> None:
    """Each loaded the base model again, and none let it go before the process ended."""
    (tmp_path / "ferry.md").write_text("The ferry sails at six.")
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: ferry.md\nexamples: none.jsonl\nstrategies: [rag]\n"
        f"model: {{engine: scripted, seed: 8{len(rewrite)}}}\n"
        f"retrieval: {{embedder: {str(minilm)!r}, rewrite: {rewrite}}}\n"
    )
    settings, workspace = load_settings(tmp_path / "weighbridge.yaml"), Workspace(tmp_path)
    index(settings, workspace, SILENT)
    embedder = open_query_embedder(settings, workspace, SILENT)
    opened: list[Settings] = []
    real = search.open_engine
    monkeypatch.setattr(search, "open_engine", lambda how, reporter: (opened.append(how), real(how, reporter))[1])
    for _ in range(2):
        searching = open_retriever(settings, workspace, embedder)
        assert searching.search(Question("When does the ferry sail?"), limit=1)[0].chunk.text.startswith("The ferry")
    assert [how.model for how in opened] == [settings.model]
