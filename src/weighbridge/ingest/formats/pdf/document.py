"""PDF files, a part a page."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.formats.markdown_writer import Assembly
from weighbridge.ingest.formats.pdf import ocr
from weighbridge.ingest.formats.pdf.page import Page, Sheet, nearby_pages, open_pdf, read_sheet

PARSER = 34 + ocr.is_installed()
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

PAGES = 10_000
"""Pages of one file that are read."""
SCAN_SECONDS = 40.0
"""The time that OCR may take for one file; the pages after that are reported as not read."""

_ATTACHMENTS = 100
_RANGES = 20
"""Ranges of pages that a loss lists: more would bury the report."""
_LONGEST_TITLE = 300
"""Characters; a longer title is a paragraph that a program put there."""
_NO_TITLE = re.compile(
    r"\W*(untitled|anonymous|unspecified|title|(word )?document|(powerpoint )?presentation|slide|page|book)?[\W\d_]*|"
    r".*\.(docx?|pdf|indd|tex|pptx?|xlsx?|qxd|rtf|odt|e?ps|dvi|html?|txt|fm|cdr|pub|wpd)|[a-z]:\\.*|.*[\\/].*[\\/].*",
    re.IGNORECASE | re.DOTALL,
)
_PROGRAM = re.compile(r"microsoft (office )?(word|powerpoint|excel)\s*-\s*", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


@dataclass(slots=True)
class _Reading:
    """The text of a file so far, and the numbers of the pages that share a loss."""

    text: Assembly = field(default_factory=Assembly)
    lost: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, page: Page) -> None:
        for what in filter(None, (page.loss, *page.left_out)):
            self.lost.setdefault(what, []).append(number)
        self.text.add(f"page {number}", page.text)


def read_pdf(path: Path, *, scan_seconds: float = SCAN_SECONDS) -> Parsed:
    """Return the text of a PDF in reading order, with one part a page.

    Headings are told by the height of their letters, tables by their columns, and words that a line end cut in two
    are mended. Filled-in forms are read; pages without text are read by OCR where that is installed, for
    `scan_seconds` in all. Running headers, footers and page numbers are left out where they repeat, and reported.
    Title: the file's own, unless that is a file's name, else the highest heading of its first page. Attached files are
    enclosed.

    Raises:
        UnreadableError: the file is encrypted, or damaged beyond use.
    """
    with open_pdf(path) as document:
        reading = _Reading()
        for number, page in enumerate(_laid_pages(document, scan_seconds), start=1):
            reading.add(number, page)
            if reading.text.length > LARGEST:
                reading.lost["left out, for there is too much text before"] = [*range(number + 1, len(document) + 1)]
                break
        else:
            reading.lost[f"left out, for no more than {PAGES:,} are read"] = [*range(PAGES + 1, len(document) + 1)]
        content = Content(text=reading.text.text, title=_title(document, reading), parts=reading.text.parts)
        losses = [Loss(_pages(numbers), what) for what, numbers in reading.lost.items() if numbers]
        if document.count_attachments() > _ATTACHMENTS:
            losses.append(Loss("attachments", f"left out, but for the first {_ATTACHMENTS}"))
        enclosed = tuple(_attachments(document, losses))
        return Parsed((content,), tuple(losses), enclosed)


def _laid_pages(document: Any, scan_seconds: float) -> Iterator[Page]:
    """Yield the pages of a document, each compared with those around it."""
    count = min(len(document), PAGES)
    sheets: dict[int, Sheet] = {}
    for number in range(1, count + 1):
        near_pages = nearby_pages(number, count)
        for ahead in range(max(sheets, default=0) + 1, near_pages[-1] + 1):
            begun = time.monotonic()
            sheets[ahead] = read_sheet(document, ahead, may_scan=scan_seconds > 0)
            scan_seconds -= time.monotonic() - begun if sheets[ahead].confidence is not None else 0.0
        sheets.pop(near_pages[0] - 1, None)
        yield sheets[number].lay({near - number: sheet for near, sheet in sheets.items() if near != number})


def _title(document: Any, reading: _Reading) -> str:
    given = " ".join(document.get_metadata_value("Title").split())
    given = _PROGRAM.sub("", "".join(letter for letter in given if letter.isprintable()))
    if _NO_TITLE.fullmatch(given) is None and len(given) <= _LONGEST_TITLE:
        return given
    headings = _HEADING.findall(reading.text.blocks[0]) if reading.text.blocks else []
    return str(min(headings, key=lambda heading: len(heading[0]))[1]) if headings else ""


def _pages(numbers: Sequence[int]) -> str:
    """Return "page 3" or "pages 1-2, 7", in not too many words."""
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after != before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after != before + 1), numbers[-1]]
    ranges = [f"{one:,}" if one == two else f"{one:,}-{two:,}" for one, two in zip(starts, ends, strict=True)]
    shown = ", ".join(ranges[:_RANGES]) + (f" and {len(ranges) - _RANGES:,} more" if len(ranges) > _RANGES else "")
    return f"{'page' if len(numbers) == 1 else 'pages'} {shown}"


def _attachments(document: Any, losses: list[Loss]) -> Iterator[Enclosed]:
    """Yield the files attached to a document; those that are broken are added to `losses`."""
    import pypdfium2

    for number in range(min(document.count_attachments(), _ATTACHMENTS)):
        try:
            attachment = document.get_attachment(number)
            yield Enclosed(attachment.get_name(), bytes(attachment.get_data()))
        except pypdfium2.PdfiumError:
            losses.append(Loss(f"attachment {number + 1}", "broken"))
