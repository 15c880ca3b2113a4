from pathlib import Path

import pytest

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.text.plain import read_text


def test_plain_text_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"# a\r\n\tb\n")
    assert read_text(tmp_path / "a.txt") == Parsed((Content(text="# a\n\tb\n"),))


def test_a_guess_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Fähre".encode("cp1252"))
    assert read_text(tmp_path / "a.txt") == Parsed(
        (Content(text="Fähre"),),
        (Loss("", "its encoding is a guess by 1 character alone: windows-1252; save it as UTF-8"),),
    )


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(256)))
    with pytest.raises(UnreadableError, match=r"^not text$"):
        read_text(tmp_path / "a.txt")


@pytest.mark.parametrize("key", ["groups", "Groups", '"groups"'])
def test_front_matter_that_names_groups_is_heeded(tmp_path: Path, key: str) -> None:
    (tmp_path / "a.txt").write_text(f"---\ntitle: Pay\n{key}: [hr]\n---\nsecret\n")
    expected = Content(text="secret\n", title="Pay", groups=frozenset({"hr"}))
    assert read_text(tmp_path / "a.txt").contents == (expected,)
    (tmp_path / "a.txt").write_text(f"---\n{key}: [hr\n---\nsecret\n")
    with pytest.raises(UnreadableError, match="access groups cannot be read"):
        read_text(tmp_path / "a.txt")


@pytest.mark.parametrize("text", ["---\ntitle: Pay\n---\nx\n", "---\nx\n---\ngroups: many\n", "x\n---\ngroups: a\n"])
def test_what_is_no_front_matter_with_groups_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    assert read_text(tmp_path / "a.txt") == Parsed((Content(text=text),))
