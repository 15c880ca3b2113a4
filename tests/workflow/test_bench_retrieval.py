"""A collection with judged queries is indexed, asked, and put away again."""

from pathlib import Path

import psycopg
import pytest

from weighbridge.settings.schema import RetrievalSettings, Settings
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow.bench_retrieval import bench_retrieval

pytestmark = pytest.mark.models


def schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^weighbridge'")}


def test_a_bench_leaves_nothing_in_a_database(tmp_path: Path, minilm: Path, postgres_url: str) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "text": "ferry fares"}\n{"_id": "b", "text": "dogs"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "what does the ferry cost"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    retrieval = RetrievalSettings(embedder=str(minilm), store=postgres_url)
    before = schemas(postgres_url)
    found = bench_retrieval(
        tmp_path, Settings(examples=Path(), retrieval=retrieval), chunk_tokens=[64], reporter=SILENT
    )
    assert [(each.documents, each.ndcg_at_10) for each in found] == [(2, 1.0)]
    assert schemas(postgres_url) == before
