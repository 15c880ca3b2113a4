"""Collections in the layout of BEIR."""

from pathlib import Path

import pytest

from weighbridge.dataset.beir import read_beir
from weighbridge.errors import DataError
from weighbridge.types import Document


def lay_out(folder: Path, *, corpus: str = "", queries: str = "", judged: str = "") -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(corpus or '{"_id": "a", "title": "T", "text": "One."}\n')
    (folder / "queries.jsonl").write_text(queries or '{"_id": "q", "text": "what?"}\n{"_id": "r", "text": "who?"}\n')
    (folder / "qrels" / "test.tsv").write_text(judged or "query-id\tcorpus-id\tscore\nq\ta\t2\n")
    return folder


def test_reads_documents_judged_queries_and_grades(tmp_path: Path) -> None:
    corpus = (
        '{"_id": "a", "title": "T", "text": "One."}\n{"_id": "b", "title": "Only a title", "text": ""}\n'
        '{"_id": "c", "title": "", "text": " "}\n'
    )
    collection = read_beir(lay_out(tmp_path, corpus=corpus))
    file = tmp_path / "corpus.jsonl"
    expected = [
        Document(id="a", title="T", text="One.", source=f"{file}:1"),
        Document(id="b", text="Only a title", source=f"{file}:2"),
    ]
    assert list(collection.documents) == list(collection.documents) == expected
    assert collection.queries == {"q": "what?"}
    assert collection.relevance == {"q": {"a": 2}}
    assert collection.name == tmp_path.name


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (lay_out(tmp_path) / missing).unlink()
    with pytest.raises(DataError, match=f"has no {missing}"):
        read_beir(tmp_path)


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        ("q a 1\n", r"test\.tsv:1: must be query-id"),
        ("q\ta\tone\n", r"test\.tsv:1"),
        ("z\ta\t1\n", "no query of queries.jsonl is judged"),
    ],
)
def test_judgements_that_cannot_be_used_are_refused(tmp_path: Path, judged: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_beir(lay_out(tmp_path, judged=judged))
