from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.content import Content, Parsed, UnreadableError
from weighbridge.ingest.formats.text.code import read_code

SOURCE = '''"""The tide: ```fenced```."""

import math

@cached
@named("x")
def high(x):
    return "\\d" + """
# not a heading
"""  # done


class Port:
    def at(self): ...

async def ebb(): ...
'''


def _read(source: str | bytes, folder: Path, name: str = "a.py") -> Parsed:
    (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    return read_code(folder / name)


def test_python_has_parts(tmp_path: Path) -> None:
    content = _read(SOURCE, tmp_path).contents[0]
    assert content.text == f"````python\n{SOURCE}````"
    parts = {part.name: content.text[part.start : part.end] for part in content.parts}
    assert list(parts) == ["function high", "class Port", "function ebb"]
    assert parts["function high"].startswith("@cached\n")
    assert parts["function high"].endswith('"""  # done')
    assert parts["function ebb"] == "async def ebb(): ..."


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.RS", "rust"), ("a.ts", "typescript"), ("Dockerfile", "dockerfile"), ("Makefile", "makefile"), ("a.odd", "")],
)
def test_the_language_is_told_by_the_name(tmp_path: Path, name: str, language: str) -> None:
    assert _read("x", tmp_path, name) == Parsed((Content(text=f"```{language}\nx\n```"),))


@pytest.mark.parametrize(
    "source", ["def f(:\n", "(" * 5_000, "-" * 100_000 + "1", "print 1", "x = '\\d'\n", "x" * 2_000_001]
)
def test_python_that_does_not_parse_has_no_parts(tmp_path: Path, source: str) -> None:
    assert _read(source, tmp_path).contents[0].parts == ()


def test_what_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="not text"):
        _read(b"\x00\x01\x02\xff", tmp_path)


PIECES = ["def f(): ...", "class C:\n    x = '''\n\n'''", "x = '\u00e9\u2028'", "", "\f", "@d\ndef g():\n  pass"]


@given(
    pieces=st.lists(st.sampled_from(PIECES)),
    end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_parts_are_exact(tmp_path_factory: pytest.TempPathFactory, pieces: list[str], end: str) -> None:
    content = _read(end.join(pieces), tmp_path_factory.mktemp("code")).contents[0]
    said = [content.text[part.start : part.end] for part in content.parts]
    assert said == [piece for piece in pieces if piece.startswith(("def", "class", "@"))]
    assert all(one.end <= two.start for one, two in zip(content.parts, content.parts[1:], strict=False))
