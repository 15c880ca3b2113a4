"""The text of a file, with Unix line ends, up to a size."""

from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError
from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.decode.encodings import DecodedText, decode

LARGEST = 50_000_000
"""Bytes that a single document may have: the text of some thousand pages."""
TOO_LARGE = f"larger than {LARGEST // 1_000_000} MB"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a line of one, that was left out, and why."""

    path: str
    reason: str


def load_text(path: Path) -> str | Skipped:
    """Return a file's text with Unix line ends, or the reason why there is none.

    Raises:
        DataError: where the file cannot be opened.
    """
    try:
        return read_decoded(path).text
    except UnreadableError as error:
        return Skipped(str(path), str(error))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def read_decoded(path: Path) -> DecodedText:
    """Return a file's text, with a loss where its encoding is a guess or some bytes of it were replaced.

    Raises:
        UnreadableError: it is no text, its encoding cannot be told, or it is larger than a document may be.
        OSError: the file cannot be opened.
    """
    decoded = decode(read_bytes(path))
    return DecodedText(unix_lines(decoded.text), decoded.losses)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. It reads nothing of a larger file, and no more than the limit of one that grows.

    Raises:
        UnreadableError: it is larger than a document may be.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1) if path.stat().st_size <= LARGEST else None
    if content is None or len(content) > LARGEST:
        raise UnreadableError(TOO_LARGE)
    return content


def unix_lines(text: str) -> str:
    """Return a text with line feeds alone at the ends of its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
