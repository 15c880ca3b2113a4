from pathlib import Path

import pytest

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.plain import read_text


def test_plain_text_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"# a\r\n\tb\n")
    assert read_text(tmp_path / "a.txt") == Parsed((Content(text="# a\n\tb\n"),))


def test_a_guess_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Fähre".encode("cp1252"))
    assert read_text(tmp_path / "a.txt") == Parsed(
        (Content(text="Fähre"),), (Loss("", "its encoding is a guess: cp1252"),)
    )


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(256)))
    with pytest.raises(UnreadableError, match=r"^not text$"):
        read_text(tmp_path / "a.txt")
