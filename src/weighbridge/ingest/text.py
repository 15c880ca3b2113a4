"""Bytes become text, or a reason why they are none."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError

LARGEST = 50_000_000
"""Bytes a single document may have."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_ASCII = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a line of one, that was left out, and why."""

    path: str
    reason: str


def load_text(path: Path) -> str | Skipped:
    """Return a file's text with Unix line ends, or why it is no text. A file over the size limit is not read.

    Raises:
        DataError: where the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1) if path.stat().st_size <= LARGEST else None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if content is None or len(content) > LARGEST:
        return Skipped(str(path), f"larger than {LARGEST // 1_000_000} MB")
    text = decode(content)
    return Skipped(str(path), "not text") if text is None else text.replace("\r\n", "\n").replace("\r", "\n")


def decode(content: bytes) -> str | None:
    """Return the text of some bytes, or None where they are none.

    In this order: what a byte order mark says, UTF-8, and Windows-1252 as a last resort: only where control
    characters are absent and at most three bytes in ten are not ASCII, which rules out most other encodings.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _strictly(content, encoding)
    if _share(content, _CONTROLS) > 0.001 or b"\0" in content:  # noqa: PLR2004 - stated above
        return None
    text = _strictly(content, "utf-8")
    if text is None and 1 - _share(content, _ASCII) <= 0.3:  # noqa: PLR2004 - stated above
        return _strictly(content, "cp1252")
    return text


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _share(content: bytes, of: bytes) -> float:
    return (len(content) - len(content.translate(None, of))) / max(len(content), 1)
