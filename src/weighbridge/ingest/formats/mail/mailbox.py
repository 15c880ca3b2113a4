"""Mail: a message with what it says of itself, its best text, and its attachments as files still to be read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.formats.mail.message import read_message
from weighbridge.ingest.formats.web import html

PARSER = 100 * html.PARSER + 6
"""To be raised whenever the same bytes would give another result: what was read before is then read anew."""

_MOST_MESSAGES = 50_000
_MOST_TEXT = 200_000_000
_MOST_ENCLOSED = 200_000_000
_LONGEST_LINE = 1_000_000
_SEPARATOR = re.compile(rb"From \S+.*\d{4}\s*$|From \S+\s*$")
_QUOTED = re.compile(rb"^>+From ")


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message of a mailbox as bytes; None where it is longer than a document may be."""

    number: int
    content: bytes | None


def read_email(path: Path) -> Parsed:
    """Read one message. Title: its subject, which is its heading too; From, To, Cc and Date follow.

    The text is that in plain text, else the one in HTML, which follows a short one that says far less; quoted history
    is kept. Attachments and forwarded messages are enclosed. Pictures in the text, signatures and encrypted
    parts are reported, and so are broken encodings.

    Raises:
        UnreadableError: where it is larger than 50 MB, or nested too deeply.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UnreadableError(f"larger than {LARGEST // 1_000_000} MB")
    return read_message(content)


def read_mbox(path: Path) -> Parsed:
    """Read a mailbox, one document a message, named "message 3"; see `read_email`. A message begins at a From line.

    A broken message costs itself alone. Read are the first 50,000 messages and 200 MB of text, and 200 MB of what is
    attached to them; that there is more is reported.
    """
    contents: list[Content] = []
    losses: list[Loss] = []
    enclosed: list[Enclosed] = []
    text = attached = 0
    for letter in _letters(path):
        name = f"message {letter.number:,}"
        if letter.number > _MOST_MESSAGES or text > _MOST_TEXT:
            losses.append(Loss(name, "left out, with all that follow: the mailbox is too large"))
            break
        read = _read(letter)
        losses += [Loss(f"{name}, {loss.place}" if loss.place else name, loss.what) for loss in read.losses]
        for content in read.contents:
            contents.append(replace(content, name=name))
            text += len(content.text)
        for file in read.enclosed:
            attached += len(file.content)
            if attached > _MOST_ENCLOSED:
                losses.append(Loss(name, f"attachment {file.name!r} left out: the mailbox has too many"))
            else:
                enclosed.append(Enclosed(f"{name}/{file.name}", file.content))
    return Parsed(tuple(contents), tuple(losses), tuple(enclosed))


def _read(letter: _Letter) -> Parsed:
    if letter.content is None:
        return Parsed((), (Loss("", f"longer than {LARGEST // 1_000_000} MB"),))
    try:
        return read_message(letter.content)
    except UnreadableError as error:
        return Parsed((), (Loss("", str(error)),))


def _letters(path: Path) -> Iterator[_Letter]:
    """Yield the messages. A From line counts at the start and after an empty line, and where it looks like one."""
    number = size = 0
    lines: list[bytes] = []
    blank = True
    with path.open("rb") as file:
        for line in _lines(file):
            if blank and line.startswith(b"From ") and _SEPARATOR.match(line):
                if number:
                    yield _Letter(number, b"".join(lines) if size <= LARGEST else None)
                number, size, lines = number + 1, 0, []
            elif number:
                size += len(line)
                if size > LARGEST:
                    lines.clear()
                lines.append(line[1:] if _QUOTED.match(line) else line)
            blank = not line.strip()
    if number:
        yield _Letter(number, b"".join(lines) if size <= LARGEST else None)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line
