"""Whatever the document: its chunks are its spans, fit, lose nothing, and say where they stand."""

import re
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.chunk import chunk_documents
from weighbridge.ingest.outline import find_outline
from weighbridge.passage_tables import Grid, passage_blocks
from weighbridge.types import Chunk, Document, Part

BLOCKS = [
    "# Top\n\n", "## Under\n\n", "Line above\n===\n\n", "A sentence. And another, longer one!\n", "word ", "\n\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n", "```\n# code\n\ndef f():\n    pass\n```\n", "- item\n  - below\n",
    "x" * 70, "\u732b\u3068\u72ac\u3002" * 9, "```\n", "\t \n",
]  # fmt: skip


def words(text: str) -> Sequence[tuple[int, int]]:
    return [found.span() for found in re.finditer(r"\w{1,9}|[^\w\s]", text)]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.one_of(st.lists(st.sampled_from(BLOCKS), max_size=30).map("".join), st.text(max_size=200)))
    marks = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    named = draw(st.sampled_from(["page {}", "sheet {}x", "slide {}"]))
    spans = enumerate(pairwise(marks), 1)
    return Document(id="d", text=text, parts=tuple(Part(named.format(n), *span) for n, span in spans))


def cut(document: Document, tokens: int) -> list[Chunk]:
    return list(chunk_documents([document], tokens=tokens, tokenizer=words))


@given(document=documents(), tokens=st.integers(1, 60))
def test_chunks_are_spans_in_order_that_fit_and_lose_nothing(document: Document, tokens: int) -> None:
    reached = 0
    for number, chunk in enumerate(cut(document, tokens)):
        assert chunk.id == f"d#{number}"
        assert chunk.text == document.text[chunk.start : chunk.end] == chunk.text.strip() != ""
        assert not document.text[reached : chunk.start].strip()
        assert len(words(chunk.text)) <= tokens
        reached = chunk.end
    assert not document.text[reached:].strip()


@given(document=documents(), tokens=st.integers(1, 60))
def test_the_context_is_the_headings_above(document: Document, tokens: int) -> None:
    outline = find_outline(document.text)
    for chunk in cut(document, tokens):
        above = [heading for heading in outline.headings if heading.start < chunk.start]
        levels = [heading.level for heading in outline.headings if heading.start == chunk.start]
        expected: list[str] = []
        lowest = levels[0] if levels else 7
        for heading in reversed(above):
            if heading.level < lowest:
                expected.insert(0, heading.title)
                lowest = heading.level
        assert list(chunk.context[: len(expected)]) == expected
        inside = any(table.start < chunk.start < table.end for table in outline.tables)
        assert inside or len(chunk.context) == len(expected)
        assert not any(title.startswith("|") for title in chunk.context[:-1])


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A text with a table: column 3 is named h3, and every word of row 2 there is r2c3."""
    columns, rows = draw(st.integers(2, 9)), draw(st.integers(1, 9))
    wide = draw(st.lists(st.integers(0, 4), min_size=columns * (rows + 1), max_size=columns * (rows + 1)))
    long = draw(st.sampled_from([1, 1, 9]))
    cells = [[f"r{r}c{c}" for c in range(columns)] for r in range(rows)]
    lines = [" ".join([f"h{c}"] * max(wide[c], 1)) for c in range(columns)], ["-" * 3] * columns
    filled = [[" ".join([cell] * wide[columns + place] * long) for place, cell in enumerate(row)] for row in cells]
    table = "\n".join(f"| {' | '.join(line)} |" for line in (*lines, *filled))
    before = draw(
        st.sampled_from(["", "# Prices\n\n", "Some words. Others follow, and more.\n\n", "## A | b\n\nText\n\n"])
    )
    return f"{before}{table}{draw(st.sampled_from(['', chr(10), chr(10) * 2 + 'The end of it all.']))}"


@given(text=tables(), tokens=st.integers(6, 60))
def test_every_cell_is_shown_in_its_column_and_rows_that_fit_are_whole(text: str, tokens: int) -> None:
    rows = [line for line in text.split("\n") if line.startswith("|")]
    fitting = {line for line in rows if len(words(line)) <= tokens}
    for chunk in cut(Document(id="d", text=text), tokens):
        for line in (line for line in chunk.text.split("\n") if line.startswith("|") or re.search(r"r\dc\d", line)):
            assert line in fitting or any(line in row for row in rows if row not in fitting), chunk
        for block in passage_blocks(chunk):
            assert isinstance(block, Grid) or not re.search(r"r\dc\d", block), chunk
            for row in block.rows if isinstance(block, Grid) else ():
                for name, cell in zip(block.header, row, strict=True):  # type: ignore[union-attr]
                    columns = set(re.findall(r"r\dc(\d)", cell))
                    assert columns <= set(re.findall(r"h(\d)", name)), chunk


@given(document=documents(), tokens=st.integers(1, 60))
def test_the_place_names_the_first_and_the_last_part_that_a_chunk_overlaps(document: Document, tokens: int) -> None:
    for chunk in cut(document, tokens):
        inside = [part.name for part in document.parts if max(part.start, chunk.start) < min(part.end, chunk.end)]
        if not inside:
            assert chunk.place == ""
            continue
        numbers = [re.sub(r"\D", "", name) for name in (inside[0], inside[-1])]
        kind = inside[0].split()[0]
        several = f"{inside[0]} to {inside[-1]}" if kind == "sheet" else f"{kind}s {'-'.join(numbers)}"
        assert chunk.place == (inside[0] if len(inside) == 1 else several)


@given(sections=st.lists(st.integers(1, 60), max_size=9), tokens=st.integers(8, 60))
def test_no_chunk_ends_with_a_heading_whose_text_follows(sections: list[int], tokens: int) -> None:
    text = "\n\n".join(f"## Number {n}\n\n{'word ' * wide}" for n, wide in enumerate(sections))
    outline = find_outline(text)
    assert not any(outline.hangs(chunk.end) for chunk in cut(Document(id="d", text=text), tokens))


@given(first=documents(), second=documents(), tokens=st.integers(1, 60))
def test_a_documents_chunks_do_not_depend_on_the_others(first: Document, second: Document, tokens: int) -> None:
    both = list(chunk_documents([first, second], tokens=tokens, tokenizer=words))
    assert both == cut(first, tokens) + cut(second, tokens)
