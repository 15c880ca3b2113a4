import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer as WordPieces
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from weighbridge.ingest.chunk import Tokenizer, chunk_documents, document_version
from weighbridge.retrieve.embed.local import open_tokenizer
from weighbridge.types import Chunk, Document, Part


def words(text: str) -> Sequence[tuple[int, int]]:
    return [found.span() for found in re.finditer(r"\w+|[^\w\s]", text)]


def pieces(text: str) -> Sequence[tuple[int, int]]:
    """Cut words into pieces of three, between marks of no width as special tokens have."""
    return [(0, 0), *(found.span() for found in re.finditer(r"\w{1,3}|[^\w\s]", text)), (0, 0)]


def characters(text: str) -> Sequence[tuple[int, int]]:
    return [(place, place + 1) for place in range(len(text))]


_BYTES = WordPieces(BPE({symbol: n for n, symbol in enumerate(ByteLevel.alphabet())}, []))
_BYTES.pre_tokenizer = ByteLevel(add_prefix_space=False)


def bytes_of(text: str) -> Sequence[tuple[int, int]]:
    """Tokenise into bytes: several tokens have the offsets of one character."""
    return list(_BYTES.encode(text).offsets)


def cut(text: str, tokens: int, tokenizer: Tokenizer = words) -> list[Chunk]:
    document = Document(id="d", text=text, title="T", groups=frozenset({"g"}))
    return list(chunk_documents([document], tokens=tokens, tokenizer=tokenizer))


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["# Head\n", "\n\n", "word ", "A sentence. ", "end!\n", "| a | b |\n", "x" * 40, "é", "\u3000", "猫。"]
        )
    ).map("".join),
)


@example(text="\x800", tokens=1, tokenizer=bytes_of)
@given(text=TEXTS, tokens=st.integers(1, 30), tokenizer=st.sampled_from([words, pieces, characters, bytes_of]))
def test_chunks_are_spans_in_order_that_fit_and_lose_nothing(text: str, tokens: int, tokenizer: Tokenizer) -> None:
    chunks = cut(text, tokens, tokenizer)
    reached = 0
    for number, chunk in enumerate(chunks):
        assert chunk.id == f"d#{number}"
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text
        assert chunk.text == chunk.text.strip()
        assert not text[reached : chunk.start].strip()
        assert len([span for span in tokenizer(chunk.text) if span[1] > span[0]]) <= tokens or len(chunk.text) == 1
        reached = chunk.end
    assert not text[reached:].strip()


@given(text=TEXTS.filter(str.strip))
def test_a_document_that_fits_is_one_chunk(text: str) -> None:
    (chunk,) = cut(text, 1000)
    assert chunk.text == text.strip()
    assert (chunk.document_id, chunk.title, chunk.groups) == ("d", "T", frozenset({"g"}))


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("one two three\n\nfour five six", 5, ["one two three", "four five six"]),
        ("one two three\n# Four\nfive six seven", 5, ["one two three", "# Four\nfive six seven"]),
        ("one two three\nfour five six", 5, ["one two three", "four five six"]),
        ("One two three. Four five six seven", 6, ["One two three.", "Four five six seven"]),
        ("one two three four", 3, ["one two three", "four"]),
        ("one two three four five\n\n# Six\n\nseven eight", 7, ["one two three four five", "# Six\n\nseven eight"]),
    ],
)
def test_it_cuts_at_the_best_break(text: str, tokens: int, expected: list[str]) -> None:
    assert [chunk.text for chunk in cut(text, tokens)] == expected


def test_a_word_that_does_not_fit_is_cut() -> None:
    assert [chunk.text for chunk in cut("abcdefgh", 2, pieces)] == ["abcdef", "gh"]


def test_a_chunk_is_never_a_heading_alone_where_its_text_follows() -> None:
    text = "intro one two\n\n## The heading of it\n\nbody " + "word " * 30
    assert all(not chunk.text.endswith("heading of it") for chunk in cut(text, 12))


def test_documents_are_taken_one_by_one() -> None:
    endless = (Document(id=str(n), text="a b") for n in iter(int, 1))
    assert next(chunk_documents(endless, tokens=5, tokenizer=words)).text == "a b"


def test_a_long_document_is_never_tokenised_whole() -> None:
    longest = 0

    def noting(text: str) -> Sequence[tuple[int, int]]:
        nonlocal longest
        longest = max(longest, len(text))
        return words(text)

    assert len(cut("some words in a long text. " * 2000, 20, noting)) > 500
    assert longest < 1000


def test_rows_of_a_table_stay_whole_and_keep_their_header_as_context() -> None:
    rows = "\n".join(f"| Ship {n} | {n} cars and some |" for n in range(9))
    chunks = cut(f"# Fleet\n\nText.\n\n## Ships\n\n| Name | Cars |\n|---|---|\n{rows}\n\nEnd.", 40)
    inside = [chunk for chunk in chunks if chunk.text.startswith("| Ship")]
    assert len(inside) > 1
    assert {chunk.context for chunk in inside} == {("Fleet", "Ships", "| Name | Cars |")}
    assert all(line.endswith("|") for chunk in inside for line in chunk.text.split("\n\n")[0].splitlines())


def test_a_table_that_begins_with_a_row_of_sums_has_no_header() -> None:
    rows = "\n".join(f"| Ship {n} | {n} | {n}.5 % |" for n in range(9))
    chunks = cut(f"| All of the ships | $ 40 | 8.5 % |\n|---|---|---|\n{rows}", 40)
    assert {chunk.context for chunk in chunks[1:]} == {("|  |  |  |",)}


def test_a_row_that_does_not_fit_in_the_rest_begins_the_next_chunk() -> None:
    text = "| a |\n|---|\n| 1 |\n| " + "one two three. " * 6 + "|\n| 3 |"
    assert cut(text, 27)[1].text.startswith("| one two")


def test_code_is_cut_between_functions_before_it_is_cut_between_lines() -> None:
    body = "def f():\n    a = 1\n\n    b = 2\n    c = 3\n"
    chunks = cut(f"```python\n{body}\n{body}\n{body}```", 40)
    assert len(chunks) > 1
    assert all(chunk.text.startswith("def f") for chunk in chunks[1:])


def test_items_of_a_list_stay_whole() -> None:
    chunks = cut("\n".join(f"- item {n} goes\n  on here\n  - and below" for n in range(8)), 28)
    assert all(chunk.text.startswith("- item") for chunk in chunks)


def test_a_higher_heading_is_the_better_break() -> None:
    chunks = cut("# A\n\none two three four five\n\n# B\n\none two\n\n## C\n\nthree four", 14)
    assert [chunk.text[:3] for chunk in chunks] == ["# A", "# B"]
    assert [chunk.context for chunk in chunks] == [(), ()]


def test_a_tiny_rest_is_balanced_where_that_costs_no_better_break() -> None:
    lengths = [len(words(chunk.text)) for chunk in cut("word " * 105, 100)]
    assert sum(lengths) == 105
    assert lengths[1] >= 20
    assert [len(words(chunk.text)) for chunk in cut("word " * 90 + "\n\n" + "word " * 15, 100)] == [90, 15]


def test_the_place_names_the_parts() -> None:
    names = ["page 3", "page 4", "sheet A", "sheet B", "sheet C", "slide 2", "slide 1"]
    text = "".join(f"{n} words.\n\n" for n in range(7))
    parts = tuple(Part(name, n * 10, n * 10 + 10) for n, name in enumerate(names))
    whole = Document(id="d", text=text, parts=parts)
    assert [chunk.place for chunk in chunk_documents([whole], tokens=3, tokenizer=words)] == names

    def place(*of: int) -> str:
        some = tuple(Part(names[n], at * 10, at * 10 + 10) for at, n in enumerate(of))
        document = Document(id="d", text=text[: 10 * len(of)], parts=some)
        (chunk,) = chunk_documents([document], tokens=99, tokenizer=words)
        return chunk.place

    assert place(0, 1) == "pages 3-4"
    assert place(2, 3, 4) == "sheet A to sheet C"
    assert place(5, 6) == "slide 2 to slide 1"
    assert place(1, 2) == "page 4 to sheet A"
    assert cut("no parts", 9)[0].place == ""


def test_a_part_is_the_best_break_unless_its_page_begins_within_a_sentence() -> None:
    text = "one two three\n\nfour five six seven"
    at = text.index("six")
    for name, expected in (("slide 2", "six seven"), ("page 2", "four five six seven")):
        document = Document(id="d", text=text, parts=(Part("first 1", 0, at), Part(name, at, len(text))))
        assert list(chunk_documents([document], tokens=6, tokenizer=words))[-1].text == expected


def test_the_version_is_that_of_all_that_the_chunks_come_from() -> None:
    one = Document(id="d", text="a b", title="T", groups=frozenset("gh"), parts=(Part("page 1", 0, 3),))
    (chunk,) = chunk_documents([one], tokens=5, tokenizer=words)
    assert chunk.version == document_version(one, tokens=5)
    others = [
        replace(one, id="e"),
        replace(one, text="a c"),
        replace(one, title=""),
        replace(one, groups=frozenset("g")),
        replace(one, parts=()),
    ]
    versions = {document_version(document, tokens=5) for document in others}
    assert len(versions | {chunk.version, document_version(one, tokens=6)}) == 7
    assert document_version(replace(one, source="elsewhere"), tokens=5) == chunk.version


def test_a_version_can_be_had_of_any_text() -> None:
    assert document_version(Document(id="\ud800", text="\udfff"), tokens=5)


def test_endless_words_make_no_endless_chunk() -> None:
    def unknown(text: str) -> Sequence[tuple[int, int]]:
        return [found.span() for found in re.finditer(r"\S+", text)]

    chunks = cut("x" * 50_000, 16, unknown)
    assert max(len(chunk.text) for chunk in chunks) <= 16 * 64
    assert sum(len(chunk.text) for chunk in chunks) == 50_000


def test_a_tokenizer_that_needs_more_for_two_words_is_asked_again() -> None:
    def joining(text: str) -> Sequence[tuple[int, int]]:
        return [*words(text), *(found.span() for found in re.finditer(r"(?<=\S) +(?=\S)", text))]

    assert all(len(joining(chunk.text)) <= 9 for chunk in cut("one two three. " * 20, 9, joining))


@pytest.mark.models
def test_the_default_tokenizer_is_counted_right(minilm: Path) -> None:
    tokenizer = open_tokenizer(minilm)
    text = "Na\u00efve caf\u00e9s, \u732b\u3068\u72ac! https://example.org/x?y=1 | 1,000.50 |\n\n# H\n\n" * 40
    chunks = cut(text, 32, tokenizer)
    assert all(len(tokenizer(chunk.text)) <= 32 for chunk in chunks)
    assert sum(len(tokenizer(chunk.text)) for chunk in chunks) == len(tokenizer(text))
