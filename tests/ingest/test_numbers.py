"""No digit string appears that no reader of a page would see: a small share of `benchmarks/displayed_numbers.py`."""

import random
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from weighbridge.ingest.files.archive import FileOutcome, walk
from weighbridge.ingest.files.limits import ReadingLimits

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MAKERS = {
    "workbooks": ("displayed_office", "make_workbooks", 150),
    "documents": ("displayed_office", "make_documents", 120),
    "slides": ("displayed_office", "make_slides", 34),
    "charts": ("displayed_office", "make_charts", 16),
    "pages": ("displayed_pages", "make_pages", 120),
    "mails": ("displayed_pages", "make_mails", 80),
    "tables": ("displayed_pages", "make_tables", 40),
    "papers": ("displayed_pages", "make_papers", 60),
    "papers, drawn": ("displayed_pages", "make_drawn", 20),
    "papers from right to left": ("displayed_pages", "make_hebrew", 10),
}


@pytest.fixture(autouse=True)
def benchmarks() -> Iterator[None]:
    """Let the makers of the benchmark be imported."""
    sys.path.append(f"{BENCHMARKS}")
    yield
    sys.path.remove(f"{BENCHMARKS}")


@pytest.mark.parametrize("kind", MAKERS)
def test_numbers_are_read_as_they_are_displayed(kind, tmp_path):
    displayed = import_module("displayed")
    module, maker, count = MAKERS[kind]
    for made in getattr(import_module(module), maker)(random.Random(f"suite {kind}"), count, displayed.labels()):
        path = tmp_path / made.name
        path.write_bytes(made.content)
        reads = [event for event in walk(path, limits=ReadingLimits()) if isinstance(event, FileOutcome)]
        text = "\n\n".join(content.text for read in reads for content in read.contents)
        verdict = displayed.judge(made.items, text)
        assert not verdict.changed, verdict.changed[:3]
        assert not verdict.missing
        assert not verdict.new
