"""Mail: a message with its fields, its best text, and its attachments as files still to be read."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.text import LARGEST, read_bytes
from weighbridge.ingest.formats.mail.message import read_message
from weighbridge.ingest.formats.web import html

PARSER = 100 * html.PARSER + 6
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_MOST_MESSAGES = 50_000
_MOST_TEXT = 200_000_000
_MOST_ENCLOSED = 200_000_000
"""Messages, characters of text and bytes of attachments that one mailbox may hold in memory."""
_LONGEST_LINE = 1_000_000
"""Bytes of a line that are held at once; a longer line is read in pieces."""
_SEPARATOR = re.compile(rb"From \S+.*\d{4}\s*$|From \S+\s*$")
_QUOTED = re.compile(rb"^>+From ")


def read_email(path: Path) -> Parsed:
    """Read one message. Title: its subject, also its first heading; From, To, Cc and Date follow.

    The plain text is read, else the HTML; the HTML follows a short plain text that says far less. Quoted history is
    kept. Attachments and forwarded messages are enclosed. The losses name pictures in the text, signatures, encrypted
    parts and broken encodings.

    Raises:
        UnreadableError: it is larger than 50 MB, or nested too deeply.
    """
    return read_message(read_bytes(path))


def read_mbox(path: Path) -> Parsed:
    """Read a mailbox, one document a message, named "message 3"; see `read_email`. A message begins at a From line.

    A broken message costs itself alone. The first 50,000 messages, 200 MB of text and 200 MB of attachments are read;
    the losses tell if there is more.
    """
    contents: list[Content] = []
    losses: list[Loss] = []
    enclosed: list[Enclosed] = []
    text = attached = 0
    for number, message in enumerate(_messages(path), start=1):
        name = f"message {number:,}"
        if number > _MOST_MESSAGES or text > _MOST_TEXT:
            losses.append(Loss(name, "left out, with all that follow: the mailbox is too large"))
            break
        if message is None:
            losses.append(Loss(name, f"longer than {LARGEST // 1_000_000} MB"))
            continue
        try:
            read = read_message(message)
        except UnreadableError as error:
            losses.append(Loss(name, str(error)))
            continue
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


def _messages(path: Path) -> Iterator[bytes | None]:
    """Yield the messages, None for one that is longer than a document may be.

    A From line begins one at the start of the file or after an empty line, if it looks like a separator.
    """
    size = 0
    lines: list[bytes] | None = None
    blank = True
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if blank and line.startswith(b"From ") and _SEPARATOR.match(line):
                if lines is not None:
                    yield b"".join(lines) if size <= LARGEST else None
                size, lines = 0, []
            elif lines is not None:
                size += len(line)
                if size > LARGEST:
                    lines.clear()
                lines.append(line[1:] if _QUOTED.match(line) else line)
            blank = not line.strip()
    if lines is not None:
        yield b"".join(lines) if size <= LARGEST else None
