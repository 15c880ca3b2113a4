import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.content import Content, Loss
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.cache import (
    CachedDocument,
    CachedDocuments,
    CacheEntry,
    ParsedPiece,
    cache_key,
    cut_to_largest,
    finish_entry,
    load_entry,
    prune_cache,
    write_content,
)
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.types import Document, Part

KEY = "ab" * 32
CONTENT = Content(text="Grüße\n", title="T", groups=frozenset({"hr"}), name="one", parts=(Part("page 1", 0, 5),))


def made(folder: Path, contents: Sequence[Content], key: str = KEY, **more: bool) -> CacheEntry:
    with (folder / "made").open("ab") as file:
        places = tuple(write_content(file, content) for content in contents)
    piece = ParsedPiece(name="", kind="text", places=places, losses=(Loss("page 1", "lost"),), **more)
    return finish_entry(folder, key, folder / "made", [piece])


def shelf(entry: CacheEntry) -> CachedDocuments:
    blank = Document(id="d", text="", source="s")
    return CachedDocuments(
        [CachedDocument(blank, entry.path, place) for piece in entry.pieces for place in piece.places]
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    entry = made(tmp_path, [CONTENT, Content(text="two")])
    assert load_entry(tmp_path, KEY) == entry
    documents = shelf(entry)
    one = Document(
        id="d", text="Grüße\n", title="T", source="s", groups=frozenset({"hr"}), parts=(Part("page 1", 0, 5),)
    )
    assert list(documents) == list(documents) == [one, Document(id="d", text="two", source="s")]
    assert documents[0] == documents[:1][0] == one
    assert len(documents[1:]) == 1


@given(texts=st.lists(st.text(st.characters(), max_size=20), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_keeps_its_length(tmp_path: Path, texts: list[str]) -> None:
    (tmp_path / "made").unlink(missing_ok=True)
    read = [document.text for document in shelf(made(tmp_path, [Content(text=text) for text in texts]))]
    assert [len(text) for text in read] == [len(text) for text in texts]
    for before, after in zip(texts, read, strict=True):
        assert after == "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in before)


@given(place=st.integers(0, 10_000), value=st.integers(0, 255), shorter=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_entry_is_none(tmp_path: Path, place: int, value: int, *, shorter: bool) -> None:
    (tmp_path / "made").unlink(missing_ok=True)
    path = made(tmp_path, [CONTENT]).path
    before = path.read_bytes()
    at = place % len(before)
    after = before[:at] if shorter else before[:at] + bytes([value]) + before[at + 1 :]
    path.write_bytes(after)
    assert (load_entry(tmp_path, KEY) is None) == (before != after)


def test_what_another_parser_made_is_none(tmp_path: Path) -> None:
    entry = made(tmp_path, [CONTENT])
    content = entry.path.read_bytes()
    assert b'{"text": "' in content
    (tmp_path / "made").write_bytes(b"")
    older = ParsedPiece(name="", kind="text", reason="empty")
    path = finish_entry(tmp_path, KEY, tmp_path / "made", [older]).path
    assert load_entry(tmp_path, KEY) is not None
    index = path.read_bytes()[:-80].replace(b'"text": "', b'"text": "0.')
    path.write_bytes(index + f"{len(index):016d}{hashlib.sha256(index).hexdigest()}".encode())
    assert load_entry(tmp_path, KEY) is None


def test_what_may_come_out_otherwise_is_none(tmp_path: Path) -> None:
    made(tmp_path, [CONTENT], lasting=False)
    assert load_entry(tmp_path, KEY) is None


def test_what_a_worker_was_ended_for_is_tried_again_after_a_day(tmp_path: Path) -> None:
    entry = made(tmp_path, [], ended=True)
    assert load_entry(tmp_path, KEY) == entry
    os.utime(entry.path, (0, 0))
    assert load_entry(tmp_path, KEY) is None


def test_a_key_depends_on_bytes_suffix_and_limits(tmp_path: Path) -> None:
    for name, text in (("a.md", "1"), ("b.md", "1"), ("c.md", "2"), ("a.txt", "1")):
        (tmp_path / name).write_text(text)
    keys = [cache_key(tmp_path / name, ReadingLimits()) for name in ("a.md", "b.md", "c.md", "a.txt")]
    assert keys[0] == keys[1]
    assert len({*keys, cache_key(tmp_path / "a.md", ReadingLimits(members=3))}) == 4
    assert cache_key(tmp_path / "a.md", ReadingLimits(workers=9)) == keys[0]


def test_pruning_deletes_what_no_source_names(tmp_path: Path) -> None:
    first, second = made(tmp_path, [CONTENT]), made(tmp_path, [CONTENT], key="cd" * 32)
    (documents,) = shelf(second)
    assert documents.text == CONTENT.text
    prune_cache(tmp_path, frozenset({KEY}))
    assert first.path.exists()
    assert not second.path.exists()
    with pytest.raises(DataError, match="its stored text is gone; read the documents again"):
        list(shelf(second))


def test_a_long_text_is_cut_with_its_parts() -> None:
    parts = (Part("a", 0, 9), Part("b", 9, LARGEST + 2), Part("c", LARGEST + 2, LARGEST + 5))
    long = Content(text="x" * (LARGEST + 5), parts=parts)
    assert cut_to_largest(CONTENT) is CONTENT
    assert len(cut_to_largest(long).text) == LARGEST
    assert cut_to_largest(long).parts == (Part("a", 0, 9), Part("b", 9, LARGEST))


def test_what_is_damaged_after_it_was_found_is_never_given_out(tmp_path: Path) -> None:
    entry = made(tmp_path, [CONTENT])
    documents = shelf(entry)
    entry.path.write_bytes(entry.path.read_bytes().replace(b"hr", b"ab"))
    with pytest.raises(DataError, match="read the documents again"):
        list(documents)
