"""What both searches read of a chunk."""

import pytest

from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.types import Chunk


@pytest.mark.parametrize(
    ("title", "context", "text", "expected"),
    [
        ("", (), "Six.", "Six."),
        ("Fees", (), "Six.", "Fees\nSix."),
        ("Fees", (), "Fees\nSix.", "Fees\nSix."),
        ("Fees", ("Fees", "Boats", "", "Boats"), "Six.", "Fees\nBoats\nSix."),
        ("", ("Boats", "Small"), "Six.", "Boats\nSmall\nSix."),
        ("", ("See the accompanying notes " * 9,), "Six.", ("See the accompanying notes " * 9)[:80] + "\nSix."),
        ("", ("Fees", "| Boat | Fee |"), "| Ark |  | 6 |", "Fees\n| Boat | Fee |\n| Ark | 6 |"),
        ("", ("|  |  |",), "| Ark | 6 |", "| Ark | 6 |"),
        ("", ("| " + "a" * 400 + " |",), "| 6 |", "| " + "a" * 198 + "\n| 6 |"),
        ("", (), "| Boat | Fee |\n|---|---|\n| Ark | 6 |", "| Boat | Fee |\n| Ark | 6 |"),
    ],
)
def test_each_heading_once(title: str, context: tuple[str, ...], text: str, expected: str) -> None:
    chunk = Chunk(id="a", document_id="a", title=title, context=context, text=text, start=0, end=len(text))
    assert searchable_text(chunk) == expected
