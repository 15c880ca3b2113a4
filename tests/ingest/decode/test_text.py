from pathlib import Path

import pytest

from weighbridge.errors import DataError
from weighbridge.ingest.decode.text import LARGEST, Skipped, load_text


def test_line_ends_become_unix_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\r\nb\rc\n")
    assert load_text(tmp_path / "a.txt") == "a\nb\nc\n"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert load_text(tmp_path / "a.txt") == Skipped(str(tmp_path / "a.txt"), "larger than 50 MB")


def test_what_cannot_be_told_is_left_out_with_advice(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xe5\xe9 \x81")
    skipped = load_text(tmp_path / "a.txt")
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "its encoding cannot be told; if it is text, save it as UTF-8"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_text(tmp_path / "a.txt")
