import re

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.formats.markdown_writer import (
    assemble,
    comment,
    deepen,
    fence,
    fence_marks,
    heading,
    list_item,
    paragraph,
    table,
)

_TEXT = st.text("ab#`~=-| \n\t\u00e9", max_size=12)


@given(blocks=st.lists(st.tuples(st.sampled_from(["", "slide 1", "slide 2"]), _TEXT), max_size=6))
def test_parts_are_exact_and_in_order(blocks: list[tuple[str, str]]) -> None:
    assembled = assemble(blocks)
    said = [(part.name, assembled.text[part.start : part.end]) for part in assembled.parts]
    assert said == [(name, text) for name, text in blocks if name and text.strip()]
    assert all(one.end < two.start for one, two in zip(assembled.parts, assembled.parts[1:], strict=False))


@given(text=_TEXT)
def test_a_fence_is_longer_than_any_inside(text: str) -> None:
    block = fence(text, "python")
    marks = fence_marks(text)
    assert marks not in text
    assert block.startswith(f"{marks}python\n{text}")
    assert block.endswith(f"\n{marks}")


@given(text=_TEXT)
def test_a_paragraph_is_never_taken_for_structure(text: str) -> None:
    said = paragraph(text)
    for line in said.split("\n"):
        assert not line.startswith(("# ", "## ", "```", "~~~"))
        assert not re.fullmatch(r"=+|-+", line)
    assert "".join(said.replace("\\", "").split()) == "".join(text.split())


@given(rows=st.lists(st.lists(_TEXT, max_size=3), max_size=4))
def test_a_table_has_a_line_a_row(rows: list[list[str]]) -> None:
    said = table(rows)
    assert said == "" or said.count("\n") == len(rows)
    assert all(word in said.replace("\\|", "|") for row in rows for cell in row for word in cell.split())


def test_short_rows_are_not_filled_up() -> None:
    assert table([["a"], ["1", "2", ""], ["", ""]]) == "| a |  |  |\n| --- | --- | --- |\n| 1 | 2 |\n|  |"


def test_headings_have_six_levels() -> None:
    assert [heading(" a\nb ", level) for level in (0, 3, 9)] == ["# a b", "### a b", "###### a b"]
    assert heading(" ", 1) == ""


def test_levels_that_are_left_out_are_no_depths() -> None:
    levels: list[int] = []
    assert [deepen(levels, level) for level in (2, 2, 5, 6, 5, 3, 0, 1)] == [0, 0, 1, 2, 1, 1, 0, 1]


def test_a_comment_names_its_author_and_place() -> None:
    assert comment("Why?", "Ann", "B2") == "Comment on B2 (Ann): Why?"
    assert comment("Why?") == "Comment: Why?"
    assert comment("", "Ann") == ""


def test_only_a_label_that_markdown_knows_is_the_mark_of_an_item() -> None:
    assert list_item("3.", "three", 1) == "    3. three"
    assert list_item("(a)", "three", 1, indent=2) == "  - (a) three"
    assert list_item("", "three", 0) == "- three"
