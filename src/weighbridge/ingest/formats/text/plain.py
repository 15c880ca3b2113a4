"""Plain text, kept as it is."""

import re
from pathlib import Path

from weighbridge.ingest.content import Content, Parsed
from weighbridge.ingest.decode.text import read_decoded
from weighbridge.ingest.formats.text import markdown
from weighbridge.ingest.formats.text.markdown import content_of

PARSER = 100 * markdown.PARSER + 1
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_RESTRICTED = re.compile(r"(?im)---[ \t]*\n(?:(?!---[ \t]*$|\.\.\.[ \t]*$).*\n)*?[\"']?groups[\"']?[ \t]*:")


def read_text(path: Path) -> Parsed:
    """Return a plain text as it is, with Unix line ends. One with access groups in front matter is read as Markdown.

    Raises:
        UnreadableError: where that front matter cannot be understood; see `read_markdown`.
    """
    decoded = read_decoded(path)
    if _RESTRICTED.match(decoded.text):
        return Parsed((content_of(decoded.text),), decoded.losses)
    return Parsed((Content(text=decoded.text),), decoded.losses)
