"""Bytes become text, or a reason why they are none."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError
from weighbridge.ingest.content import Loss, UnreadableError

LARGEST = 50_000_000
"""Bytes a single document may have."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_FOR = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_ASCII = bytes(range(128))
_MOSTLY = 0.7
_CHARACTER = 4
"""Bytes that a character has at most."""
_HEAD = 1_000
_UNMARKED = 64
_GUESSED = 256
"""Bytes that it takes to tell UTF-16 without a mark, and an older encoding, from anything else."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a line of one, that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with Unix line ends, and what is doubtful about it."""

    text: str
    losses: tuple[Loss, ...] = ()


def load_text(path: Path) -> str | Skipped:
    """Return a file's text with Unix line ends, or why it is no text. A file over the size limit is not read.

    Raises:
        DataError: where the file cannot be opened.
    """
    try:
        return read_decoded(path).text
    except UnreadableError as error:
        return Skipped(str(path), str(error))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def read_decoded(path: Path) -> Decoded:
    """Return a file's text, with a loss where its encoding is a guess or some bytes of it were replaced.

    Raises:
        UnreadableError: it is no text, or larger than a document may be; it is not read then.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1) if path.stat().st_size <= LARGEST else None
    if content is None or len(content) > LARGEST:
        raise UnreadableError(f"larger than {LARGEST // 1_000_000} MB")
    decoded = decoded_text(content)
    if decoded is None:
        raise UnreadableError("not text")
    return Decoded(decoded.text.replace("\r\n", "\n").replace("\r", "\n"), decoded.losses)


def decode(content: bytes) -> str | None:
    """Return the text of some bytes as `decoded_text` does, or None where they are none."""
    decoded = decoded_text(content)
    return None if decoded is None else decoded.text


def decoded_text(content: bytes) -> Decoded | None:
    """Return the text of some bytes, or None where they are none.

    In this order: what a byte order mark says; UTF-16 that has none; UTF-8; UTF-8 with some bytes that are not,
    where more characters are than are not; Windows-1252 where at most three bytes in ten are not ASCII; else what
    charset-normalizer takes it for. Control characters rule out all but the first two.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            text = _strictly(content, encoding)
            return None if text is None else Decoded(text)
    if b"\0" in content:
        return _unmarked(content)
    if _share(content, _CONTROLS) > 0.001:  # noqa: PLR2004 - one in a thousand may be a stray
        return None
    text = _strictly(content, "utf-8")
    return Decoded(text) if text is not None else _mixed(content) or _guessed(content)


def text_of_head(head: bytes) -> str | None:
    """Return the text that the first bytes of a file hold, or None for no text. A long head may end in a character."""
    for cut in range(_CHARACTER if len(head) > _HEAD else 1):
        decoded = decoded_text(head[: len(head) - cut])
        if decoded is not None and not decoded.losses:
            return decoded.text
    return decode(head)


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _unmarked(content: bytes) -> Decoded | None:
    """Decode UTF-16 without a mark: text mostly in the Latin alphabet has a zero in every other byte."""
    if len(content) < _UNMARKED or len(content) % 2:
        return None
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        zeros = content[first::2].count(0)
        if zeros > _MOSTLY * len(content) / 2 and not content[1 - first :: 2].count(0):
            text = _strictly(content, encoding)
            plain = text is not None and not re.search(r"[\x01-\x08\x0e-\x1a\x7f]", text)
            return Decoded(text, (_guess(encoding),)) if text is not None and plain else None
    return None


def _mixed(content: bytes) -> Decoded | None:
    text = content.decode("utf-8", "replace")
    bad = text.count("\ufffd") - content.count("\ufffd".encode())
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    if good <= bad:
        return None
    return Decoded(text, (Loss("", f"what is not UTF-8 was replaced, {bad:,} times"),))


def _guessed(content: bytes) -> Decoded | None:
    if 1 - _share(content, _ASCII) <= 0.3:  # noqa: PLR2004 - as the docstring of decoded_text says
        text = _strictly(content, "cp1252")
        return None if text is None else Decoded(text, (_guess("cp1252"),))
    if len(content) < _GUESSED:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(content[:100_000], cp_exclusion=_LOOKED_FOR).best()
    text = None if best is None else _strictly(content, best.encoding)
    return None if best is None or text is None else Decoded(text, (_guess(best.encoding),))


def _guess(encoding: str) -> Loss:
    return Loss("", f"its encoding is a guess: {encoding}")


def _share(content: bytes, of: bytes) -> float:
    return (len(content) - len(content.translate(None, of))) / max(len(content), 1)
