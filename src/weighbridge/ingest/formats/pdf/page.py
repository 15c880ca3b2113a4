"""One page of a PDF: opened with its filled-in forms, and read as text, or by OCR where it has none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.pdf import ocr
from weighbridge.ingest.formats.pdf.bidi import order_lines
from weighbridge.ingest.formats.pdf.glyphs import MOST_LETTERS, Letters, baseline_of, letters_of, rows_of
from weighbridge.ingest.formats.pdf.layout import PageBox, Row
from weighbridge.ingest.formats.pdf.paragraphs import lay
from weighbridge.ingest.formats.pdf.raised import write_scripts
from weighbridge.ingest.formats.pdf.running import NEARBY, MarginLine, margin_lines, running_lines

_LITTLE_TEXT = 100
"""Characters; a page with less that is mostly a picture is a scan with something stamped on it."""
_UNMAPPED = 0.3
"""Above this share of letters without a meaning, OCR reads a page better."""
_PIXELS_A_POINT = 200 / 72
_MOST_OBJECTS = 1_000
"""Notes, shapes or pictures of a page that are looked at."""
_RULE = 4.0
"""Points, the width of the stroke among them; a shape that is less high or less wide only parts the page."""
_SHOWING = frozenset({3, 13, 20})
"""Annotations that show text on the page: free text, stamps and form fields, numbered as in PDFium's fpdf_annot.h."""


_NO_LETTERS = Letters("", (), (), 0)


@dataclass(frozen=True, slots=True)
class Page:
    """The text of a page, its loss, and the running lines left out."""

    text: str
    loss: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page before it is laid out: letters by rows, or the text from OCR.

    `confidence` is the mean that OCR gave its lines, from 0 to 1.
    """

    letters: Letters
    rows: Sequence[Row] = ()
    margins: Sequence[MarginLine] = ()
    loss: str = ""
    scanned: str | None = None
    confidence: float | None = None

    def lay(self, nearby: Mapping[int, "Sheet"]) -> Page:
        """Return the page without its running lines, those that pages nearby have, too."""
        if self.scanned is not None:
            return Page(self.scanned, self.loss)
        if not self.rows:
            return Page("", self.loss)
        others = {distance: sheet.margins for distance, sheet in nearby.items()}
        left_out = list(running_lines(self.margins, others))
        places = {line.row for line in left_out}
        rows = [row for place, row in enumerate(self.rows) if place not in places]
        return Page(lay(self.letters.text, rows), self.loss, tuple(line.description for line in left_out))


@contextmanager
def open_pdf(path: Path) -> Iterator[Any]:
    """Open a PDF, its forms with it, and close it.

    Raises:
        UnreadableError: it is encrypted, or damaged beyond use.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise UnreadableError("encrypted; save it without a password") from error
        raise UnreadableError("no PDF that can be opened: it is damaged, or has no pages") from error
    with document:
        if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
            document.init_forms()
        yield document


def read_sheet(document: Any, number: int, *, may_scan: bool) -> Sheet:
    """Read a page, counted from 1. One that cannot be read is empty, with the reason as its loss."""
    import pypdfium2

    try:
        with _open_page(document, number) as page, closing(page.get_textpage()) as textpage:
            return _read(page, textpage, may_scan=may_scan)
    except pypdfium2.PdfiumError:
        return Sheet(_NO_LETTERS, loss="broken")


def nearby_pages(number: int, count: int) -> range:
    """Return the numbers of the pages that a page is compared with, and its own."""
    return range(max(number - NEARBY, 1), min(number + NEARBY, count) + 1)


@contextmanager
def _open_page(document: Any, number: int) -> Iterator[Any]:
    """Load a page with the texts of its forms and notes, and close it."""
    import pypdfium2.raw as pdfium

    page = document[number - 1]
    if _shows_notes(page) and pdfium.FPDFPage_Flatten(page.raw, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_SUCCESS:
        page.close()
        page = document[number - 1]
    with closing(page):
        yield page


def _shows_notes(page: Any) -> bool:
    import pypdfium2.raw as pdfium

    for place in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST_OBJECTS)):
        note = pdfium.FPDFPage_GetAnnot(page.raw, place)
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        pdfium.FPDFPage_CloseAnnot(note)
        if kind in _SHOWING:
            return True
    return False


def _read(page: Any, textpage: Any, *, may_scan: bool) -> Sheet:
    # Scripts come first: a raised digit must stand in its line before lines are put in reading order.
    letters = order_lines(write_scripts(letters_of(textpage), partial(baseline_of, textpage)))
    rows = rows_of(letters)
    garbled = letters.unmapped > _UNMAPPED * max(len(letters.text), 1)
    if not garbled and not _is_scan(page, " ".join(letters.text.split())):
        loss = "some letters have no meaning (a broken font)" if letters.unmapped else ""
        if len(letters.text) >= MOST_LETTERS:
            loss = f"cut off after {MOST_LETTERS:,} characters"
        return Sheet(letters, rows, margin_lines(letters.text, rows), loss)
    why = "letters without a meaning (a broken font)" if garbled else "no text (a scan?)"
    if not ocr.is_installed():
        return Sheet(letters, rows, loss=f"{why}; install weighbridge[ocr] to read it")
    if not may_scan:
        return Sheet(letters, rows, loss=f"{why}; the time for OCR was used up")
    return _scan(page, Sheet(letters, rows), why)


def _is_scan(page: Any, text: str) -> bool:
    """Tell whether a page has pictures and hardly any text. A blank page, or one with rules only, is no scan."""
    if text and len(text) >= _LITTLE_TEXT:
        return False
    import pypdfium2.raw as pdfium

    if not text:
        for shape in islice(page.get_objects(max_depth=1), _MOST_OBJECTS):
            if shape.type != pdfium.FPDF_PAGEOBJ_PATH:
                return True
            box = PageBox(*shape.get_bounds())
            if min(box.height, box.right - box.left) >= _RULE:
                return True
        return False
    width, height = page.get_size()
    pictures = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)
    boxes = [PageBox(*picture.get_bounds()) for picture in islice(pictures, _MOST_OBJECTS)]
    return any(box.height * (box.right - box.left) > 0.5 * width * height for box in boxes)


def _scan(page: Any, sheet: Sheet, why: str) -> Sheet:
    width, height = page.get_size()
    scale = min(_PIXELS_A_POINT, ocr.LONGEST_SIDE / max(width, height, 1.0))
    with closing(page.render(scale=scale, prefer_bgrx=False)) as bitmap:
        scan = ocr.read_pixels(bitmap.to_numpy()[:, :, :3])
    if scan.failure:
        return replace(sheet, loss=f"{why}; OCR failed ({scan.failure})")
    if len(scan.text) <= len(sheet.lay({}).text):
        return replace(sheet, loss=f"{why}; OCR found nothing more")
    loss = f"{why}; read by OCR, mean confidence {scan.confidence:.2f}"
    return replace(sheet, loss=loss, scanned=scan.text, confidence=scan.confidence)
