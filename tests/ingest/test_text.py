from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.text import LARGEST, Skipped, decode, load_text

WRITTEN = st.text(st.characters(exclude_categories=["C"]), min_size=1)


@given(text=WRITTEN, encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_marked_text_is_read_as_marked(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@given(text=WRITTEN)
def test_utf8_needs_no_mark(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(content=st.binary(max_size=300))
def test_any_bytes_are_text_or_none(content: bytes) -> None:
    text = decode(content)
    assert text is None or "\0" not in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ""),
        ("Der Kutter f\xe4hrt um f\xfcnf \x80".encode("latin-1"), "Der Kutter fährt um fünf \u20ac"),
        ("猫は魚を食べる".encode("shift_jis"), None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None),
        (bytes(range(256)), None),
        (b"caf\xe9 \x81", None),
        (b"\xff\xfea", None),
        ("é\0".encode("utf-16"), None),
    ],
)
def test_last_resorts(content: bytes, expected: str | None) -> None:
    assert decode(content) == expected


def test_line_ends_become_unix_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\r\nb\rc\n")
    assert load_text(tmp_path / "a.txt") == "a\nb\nc\n"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert load_text(tmp_path / "a.txt") == Skipped(str(tmp_path / "a.txt"), "larger than 50 MB")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_text(tmp_path / "a.txt")
