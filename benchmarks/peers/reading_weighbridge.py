"""Weighbridge's readers, as its workers call them, with what is attached and in archives; no text recognition."""

import sys
from pathlib import Path

from reading_adapter import main

from weighbridge.ingest.files.archive import FileOutcome, walk
from weighbridge.ingest.files.kinds import reader_of
from weighbridge.ingest.files.limits import ReadingLimits


def read(path: Path) -> str:
    """Return the texts of all documents in a file."""
    texts, reasons = [], []
    for event in walk(path, limits=ReadingLimits()):
        if isinstance(event, FileOutcome):
            texts += [content.text for content in event.contents]
            reasons += [event.reason] if event.reason else []
    if reasons and not texts:
        raise ValueError(reasons[0])
    return "\n\n".join(texts)


if __name__ == "__main__":
    sys.modules["rapidocr"] = None  # as if it were not installed
    for kind in ("docx", "pptx", "xlsx", "html", "pdf", "email"):
        reader_of(kind)  # imported before the clock starts, as the others' are
    main(read)
