import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as WordPieces
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from weighbridge.ingest.chunk import Tokenizer, chunk_documents
from weighbridge.types import Chunk, Document


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
