"""A retrieval collection in the layout of BEIR: corpus.jsonl, queries.jsonl, qrels/test.tsv."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import read_jsonl_rows
from weighbridge.types import Document


@dataclass(frozen=True, slots=True)
class BeirDocuments:
    """The documents of a collection, read from its file each time they are gone through."""

    path: Path

    def __iter__(self) -> Iterator[Document]:
        for row in read_jsonl_rows(self.path):
            text, title = row.optional_text("text"), row.optional_text("title")
            if text.strip() or title.strip():
                yield Document(id=row.name("_id"), text=text or title, title=title if text else "", source=row.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeirCollection:
    """Documents, queries by id, and the judged grades of documents for each query that has any."""

    name: str
    documents: BeirDocuments
    queries: Mapping[str, str]
    relevance: Mapping[str, Mapping[str, int]]


def read_beir(folder: Path) -> BeirCollection:
    """Read a collection. Queries without judgements are left out.

    Raises:
        DataError: a file is missing or malformed, or no query is judged.
    """
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder}: has no {name}; a retrieval collection needs corpus.jsonl and queries.jsonl "
                '({"_id", "text"} a line) and qrels/test.tsv (query-id, corpus-id, score)'
            )
    relevance = _read_judgements(folder / "qrels" / "test.tsv")
    every = {row.name("_id"): row.text("text") for row in read_jsonl_rows(folder / "queries.jsonl")}
    queries = {name: text for name, text in every.items() if name in relevance}
    if not queries:
        raise DataError(f"{folder}: no query of queries.jsonl is judged in qrels/test.tsv")
    return BeirCollection(
        name=folder.resolve().name,
        documents=BeirDocuments(folder / "corpus.jsonl"),
        queries=queries,
        relevance=relevance,
    )


def _read_judgements(path: Path) -> Mapping[str, Mapping[str, int]]:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t"), start=1):
            if number == 1 and row[-1:] == ["score"]:
                continue
            try:
                query, document, grade = row
                found[query][document] = int(grade)
            except ValueError:
                raise DataError(f"{path}:{number}: must be query-id, corpus-id and a whole number, with tabs") from None
    return found
