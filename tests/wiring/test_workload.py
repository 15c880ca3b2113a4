"""A workload of documents among which some are copies of others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.errors import DataError
from weighbridge.settings.file import load_settings
from weighbridge.types import Example
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.workload import Workload, index_key, open_workload
from weighbridge.workspace import Workspace

ELEMENTS = ("chlorine", "argon", "neon", "radon", "xenon", "helium")


class Apart:
    """An embedder that finds no two texts alike."""

    fingerprint = "apart"
    dimension = 64

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        assert kind == "query"
        return np.eye(64, dtype=np.float32)[: len(texts)]


def opened(root: Path, duplicates: str, cited: str = "{}") -> tuple[Workload, list[str]]:
    """Open a workload of elements, each with a copy, whose examples cite them by a name."""
    for name in ELEMENTS:
        for path in (root / f"texts/{name}.md", root / f"texts/backup/{name} (copy).md"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"Of {name} this page says enough, and nothing of any other element.\n", encoding="utf-8")
    rows = [
        {"id": name, "question": f"What is {name}?", "answers": [name], "doc_ids": [cited.format(name)]}
        for name in ELEMENTS
    ]
    (root / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = f"documents: texts\nexamples: examples.jsonl\ntask: answer\nreading: {{duplicates: {duplicates}}}\n"
    (root / "weighbridge.yaml").write_text(settings + "strategies: [rag]\n", encoding="utf-8")
    said: list[str] = []
    reporter = Reporter(say=said.append, width=100)
    return open_workload(load_settings(root / "weighbridge.yaml"), Workspace(root), Apart(), reporter), said


def evidence(examples: Sequence[Example]) -> dict[str, tuple[str, ...]]:
    return {one.id: one.evidence for one in examples}


@pytest.mark.parametrize("cited", ["{}", "{}.md", "backup/{} (copy)", "backup/{} (copy).md"])
def test_an_example_that_cites_a_dropped_copy_counts_for_the_one_kept(tmp_path: Path, cited: str) -> None:
    workload, said = opened(tmp_path, "drop", cited)
    assert sorted(one.id for one in workload.documents) == sorted(ELEMENTS)
    assert evidence(workload.examples) == {name: (name,) for name in ELEMENTS}
    told = "6 of them dropped (reading.duplicates); an example that cites one counts for the document kept"
    assert said.count(told) == 1
    assert "  backup/argon (copy): the same text as argon" in said


def test_where_copies_are_kept_each_is_cited_as_itself(tmp_path: Path) -> None:
    workload, said = opened(tmp_path, "keep", "backup/{} (copy)")
    assert len(workload.documents) == 12
    assert evidence(workload.examples) == {name: (f"backup/{name} (copy)",) for name in ELEMENTS}
    assert not any("dropped" in line for line in said)


def test_what_was_never_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="examples cite 6 documents that are not there: 'old/chlorine'"):
        opened(tmp_path, "drop", "old/{}")


def test_an_index_without_copies_is_not_taken_for_one_with_them(tmp_path: Path) -> None:
    keys = set()
    for duplicates in ("keep", "drop"):
        opened(tmp_path, duplicates)
        keys.add(index_key(load_settings(tmp_path / "weighbridge.yaml")))
    assert len(keys) == 2
