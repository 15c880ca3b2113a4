"""A search that stays open sees what the index has become."""

import json
from pathlib import Path

import pytest

from weighbridge.errors import SettingsError
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Question
from weighbridge.wiring import search
from weighbridge.wiring.index import index, index_is_current
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.wiring.search import open_query_embedder, open_retriever
from weighbridge.workflow.search import search_index
from weighbridge.workspace import Workspace

from ..embedding_server import serve_embeddings

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


def at_an_endpoint(folder: Path, url: str, **retrieval: object) -> tuple[Settings, Workspace]:
    """Write and load a workspace whose embedder is at an endpoint."""
    (folder / "ferry.md").write_text("The ferry sails at six.")
    (folder / "dogs.md").write_text("Dogs travel on deck.")
    endpoint = {"base_url": url, "key_variable": "NONE", "passage_prefix": "passage: "}
    retrieval = {"embedder": "openai:toy", "embedder_endpoint": endpoint, **retrieval}
    offline = {"limits": {"offline": True}}
    chosen = {"documents": ["ferry.md", "dogs.md"], "examples": "e.jsonl", "retrieval": retrieval, "needs": offline}
    (folder / "weighbridge.yaml").write_text(json.dumps(chosen))
    return load_settings(folder / "weighbridge.yaml"), Workspace(folder)


def test_an_index_is_embedded_and_searched_at_an_endpoint(tmp_path: Path) -> None:
    told: list[str] = []
    with serve_embeddings(lambda texts: [[1.0, 9.0 * ("ferry" in text)] for text in texts]) as server:
        settings, workspace = at_an_endpoint(tmp_path, server.url)
        index(settings, workspace, Reporter(say=told.append, notify=SILENT.notify))
        sent = {text for body in server.bodies for text in body["input"]}
        assert sent == {"ready", "passage: The ferry sails at six.", "passage: Dogs travel on deck."}
        assert any("Embedded by toy so far: 12 tokens in 2 requests, as the endpoint counts" in line for line in told)
        searching = open_retriever(settings, workspace, open_query_embedder(settings, workspace, SILENT))
        assert searching.search(Question("the ferry?"), limit=1)[0].chunk.text == "The ferry sails at six."
        other = settings.retrieval.embedder_endpoint.model_copy(update={"passage_prefix": ""})
        changed = settings.model_copy(
            update={"retrieval": settings.retrieval.model_copy(update={"embedder_endpoint": other})}
        )
        assert index_is_current(settings, workspace)
        assert not index_is_current(changed, workspace)


@pytest.mark.parametrize(
    ("retrieval", "problem"),
    [
        ({"embedder_endpoint": {"base_url": "https://api.example/v1"}}, "documents and questions would be sent to"),
        ({"static": True}, "retrieval.static needs the files of the embedder, and toy is at an endpoint"),
        ({"rerank": "late-interaction"}, "late-interaction needs the files of the embedder"),
    ],
)
def test_an_embedder_at_an_endpoint_is_refused_where_it_cannot_be_used(
    retrieval: dict[str, object], problem: str, tmp_path: Path
) -> None:
    with serve_embeddings(lambda texts: [[1.0, 2.0]] * len(texts)) as server:
        settings, workspace = at_an_endpoint(tmp_path, server.url, **retrieval)
        with pytest.raises(SettingsError, match=problem):
            search_index(Question("the ferry?"), settings, workspace, limit=1, reporter=SILENT)


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
