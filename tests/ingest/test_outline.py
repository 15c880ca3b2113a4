from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from weighbridge.ingest.outline import SENTENCE_ENDS, Heading, find_outline

TEXT = """# One

intro

Two
---

| a | b |
|---|---|
| 1 | 2 |
| 3 | 4 |

### Three ###

```python
# not a heading
| x | y |
|---|---|
```
# Four
"""


def test_headings_tables_and_fences_have_their_places() -> None:
    outline = find_outline(TEXT)
    assert [(one.level, one.title) for one in outline.headings] == [(1, "One"), (2, "Two"), (3, "Three"), (1, "Four")]
    assert [TEXT[one.start : one.end] for one in outline.headings] == ["# One", "Two\n---", "### Three ###", "# Four"]
    (table,) = outline.tables
    assert table.header == "| a | b |"
    assert TEXT[table.body : table.end] == "| 1 | 2 |\n| 3 | 4 |"
    (fence,) = outline.fences
    assert TEXT[fence.start : fence.end].startswith("```python\n# not")
    assert TEXT[fence.body : fence.end].endswith("|\n```")


def test_a_place_stands_under_the_headings_above_it() -> None:
    outline = find_outline(TEXT)
    assert outline.above(TEXT.index("intro")) == ("One",)
    assert outline.above(TEXT.index("| 3")) == ("One", "Two")
    assert outline.above(TEXT.index("# not")) == ("One", "Two", "Three")
    assert outline.above(TEXT.index("### Three")) == ("One", "Two")
    assert outline.above(TEXT.index("# Four")) == ()
    assert outline.above(len(TEXT)) == ("Four",)


def test_an_end_hangs_where_it_leaves_its_text_behind() -> None:
    outline = find_outline(TEXT)
    for end in ("# One", "---\n\n|", "|---|---|", "### Three ###", "```python"):
        assert outline.hangs(TEXT.index(end) + len(end.split("\n")[0])), end
    for end in ("intro", "| 1 | 2 |", "# not a heading"):
        assert not outline.hangs(TEXT.index(end) + len(end)), end


def test_what_only_looks_like_structure_is_none() -> None:
    no_headings = "#tag\n\n    # indented\n\n- item\n---\n\ntwo lines\nof text\n---\n\n#\n\n"
    text = f"{no_headings}a | b\nno rule\n\n- x\n\n``` a`b\n\n# Yes"
    outline = find_outline(text)
    assert [one.title for one in outline.headings] == ["Yes"]
    assert not outline.tables
    assert not outline.fences


def test_an_unclosed_fence_goes_on_to_the_end() -> None:
    outline = find_outline("text\n\n~~~\n# no\n```\n# no")
    assert not outline.headings
    assert [(one.start, one.end) for one in outline.fences] == [(6, 23)]


def test_an_endless_title_is_cut() -> None:
    (heading,) = find_outline("# " + "word " * 10_000).headings
    assert len(heading.title) <= 201


def test_sentences_do_not_end_at_initials_and_abbreviations() -> None:
    text = 'Dr. J. Smith said "No." He left, e.g. to eat! \u732b\u3002\u72ac'
    ends = [found.end() for found in SENTENCE_ENDS.finditer(text)]
    assert [text[:end][-5:] for end in ends] == ['"No."', " eat!", "t! \u732b\u3002"]


LINES = st.lists(
    st.sampled_from(
        ["# a", "## b #", "###### c", " # e", "```", "~~~~", "```py", "####### d\n", "#f\n", "one\n===", "two\n---", ""]
    ),
    max_size=12,
)


@given(lines=LINES)
def test_headings_are_those_of_a_commonmark_parser(lines: list[str]) -> None:
    text = "\n".join(lines)
    parsed = MarkdownIt("commonmark").parse(text)
    expected = [
        (int(one.tag[1]), inline.content)
        for one, inline in pairwise(parsed)
        if one.type == "heading_open" and inline.content
    ]
    assert [(one.level, one.title) for one in find_outline(text).headings] == expected


@given(text=st.text("#=-`~| \nab\t:", max_size=80))
def test_blocks_are_in_order_and_do_not_overlap(text: str) -> None:
    outline = find_outline(text)
    places = sorted((one.start, one.end) for one in outline.blocks())
    assert all(start < end for start, end in places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    for at, parent in enumerate(outline.parents):
        assert parent < at
        assert parent < 0 or outline.headings[parent].level < outline.headings[at].level
    assert all(isinstance(one, Heading) and 1 <= one.level <= 6 for one in outline.headings)
