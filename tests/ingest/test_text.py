from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.text import LARGEST, Skipped, decode, decoded_text, load_text, text_of_head

FERRY = "猫は魚を食べる。フェリーは満潮の時にだけ港を出ることができます。船長は毎朝、潮の表を確認します。" * 4
CAPTAIN = "Приливы определяют, когда паром может выйти из гавани. Капитан проверяет таблицы каждое утро. " * 4
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


@pytest.mark.parametrize(
    ("content", "text", "loss"),
    [
        ("Fünf Äpfel, zwölf Öfen. ".encode() + b"\xe9", "Fünf Äpfel, zwölf Öfen. \ufffd", "not UTF-8 was replaced"),
        ("Fünf dafür \x80".encode("latin-1"), "Fünf dafür €", "a guess: cp1252"),
        (FERRY.encode("shift_jis"), FERRY, "cp932"),
        (CAPTAIN.encode("cp1251"), CAPTAIN, "cp1251"),
        (("High water at noon. " * 4).encode("utf-16-le"), "High water at noon. " * 4, "utf-16-le"),
        (("High water at noon. " * 4).encode("utf-16-be"), "High water at noon. " * 4, "utf-16-be"),
    ],
)
def test_what_is_doubtful_is_told(content: bytes, text: str, loss: str) -> None:
    decoded = decoded_text(content)
    assert decoded is not None
    assert decoded.text == text
    assert loss in decoded.losses[0].what


@given(text=WRITTEN, encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]), cut=st.integers(0, 8))
def test_a_head_may_end_within_a_character(text: str, encoding: str, cut: int) -> None:
    long = "ab" * 1_000 + text * 3
    whole = long.encode(encoding)
    head = text_of_head(whole[: len(whole) - cut])
    assert head is not None
    assert long.startswith(head)


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
