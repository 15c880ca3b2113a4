"""Plain text, kept as it is."""

from pathlib import Path

from weighbridge.ingest.content import Content, Parsed
from weighbridge.ingest.text import read_decoded

PARSER = 1
"""To be raised whenever the same bytes would give another result: what was read before is then read anew."""


def read_text(path: Path) -> Parsed:
    """Return a plain text as it is, with Unix line ends."""
    decoded = read_decoded(path)
    return Parsed((Content(text=decoded.text),), decoded.losses)
