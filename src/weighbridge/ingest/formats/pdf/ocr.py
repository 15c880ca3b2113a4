"""Reads pictures of text with RapidOCR. Its models come in its wheel, so nothing is fetched.

Reading takes about 700 MB of memory, 1.2 GB of address space, and some seconds a page on one core.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.markdown_writer import assemble
from weighbridge.ingest.formats.pdf.layout import LetterRun, PageBox, Row, share_height
from weighbridge.ingest.formats.pdf.paragraphs import lay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_NEEDED = ("rapidocr", "onnxruntime")
_DETECTED_AT = 1_280
"""Pixels of the longer side while lines are searched; more take more memory and find little more."""
_PIXELS = 40_000_000
_FRAMES = 100
"""Pixels of a picture, and pages of one, that are read: decoding takes four bytes a pixel."""
LONGEST_SIDE = 2_200
"""Pixels of the longer side of a picture: a page of A4 at 190 to the inch."""
_HEIGHT_NOISE = 0.35
"""By how much the heights of lines that are written alike differ from each other."""
_SETTINGS = {
    "Global.log_level": "critical",
    "Det.limit_type": "max",
    "Det.limit_side_len": _DETECTED_AT,
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


@dataclass(frozen=True, slots=True)
class Scan:
    """The text of a picture.

    `confidence` is the mean over the lines, from 0 to 1; `failure` tells why nothing could be read.
    """

    text: str
    confidence: float = 0.0
    failure: str = ""


def is_installed() -> bool:
    """Tell whether the extra that reads pictures is there."""
    return all(find_spec(name) is not None for name in _NEEDED)


PARSER = 10 + is_installed()
"""Raise it when the same bytes would give another result: files that were read before are then read again."""


def read_image(path: Path) -> Parsed:
    """Return the text on a picture, or on each page of one that has several (TIFF), with one part a page.

    Raises:
        UnreadableError: the extra is not installed, the picture is damaged, or there is no text on it.
    """
    if not is_installed():
        raise UnreadableError("a picture; install weighbridge[ocr] to read scans")
    from PIL import Image

    try:
        with warnings.catch_warnings(), _quiet_pillow():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                count = getattr(image, "n_frames", 1)
                scans = [_frame(image, number) for number in range(min(count, _FRAMES))]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(f"a picture that cannot be opened ({error})") from error
    return _join_pages(scans, count)


def read_pixels(pixels: "NDArray[np.uint8]") -> Scan:
    """Return the text of a picture in reading order; `pixels` has shape (height, width, 3), in blue, green and red."""
    try:
        result = _engine()(pixels)
    except Exception as error:  # noqa: BLE001 - each of the three libraries below raises kinds of its own
        message = str(error).strip() or type(error).__name__
        if "alloc" in message.casefold():
            return Scan("", failure="not enough memory")
        return Scan("", failure=message.splitlines()[-1][:200])  # errors of the engine hold a whole traceback
    if result.boxes is None or not result.txts:
        return Scan("")
    boxes = [PageBox(*box.min(axis=0).tolist(), *box.max(axis=0).tolist()) for box in result.boxes]
    letters = "".join(result.txts)
    confidence = sum(result.scores) / len(result.scores)
    return Scan(lay(letters, _rows(result.txts, boxes)), confidence)


def _join_pages(scans: Sequence[Scan], count: int) -> Parsed:
    text = assemble((f"page {number}", scan.text) for number, scan in enumerate(scans, start=1))
    if not text.text:
        failures = (f"a picture that OCR cannot read ({scan.failure})" for scan in scans if scan.failure)
        raise UnreadableError(next(failures, "a picture without text"))
    losses: list[Loss] = []
    for number, scan in enumerate(scans, start=1):
        if scan.text:
            losses.append(Loss(f"page {number}", f"read by OCR, mean confidence {scan.confidence:.2f}"))
        else:
            losses.append(Loss(f"page {number}", f"OCR failed ({scan.failure})" if scan.failure else "no text"))
    if count > len(scans):
        losses.append(Loss(f"pages {len(scans) + 1:,}-{count:,}", f"left out, for no more than {_FRAMES} are read"))
    return Parsed((Content(text=text.text, parts=text.parts),), tuple(losses))


def _frame(image: "Image.Image", number: int) -> Scan:
    """Read one page of a picture, upright, on white, and no larger than is of use."""
    import numpy as np
    from PIL import Image, ImageOps

    image.seek(number)
    if image.width * image.height > _PIXELS:
        return Scan("", failure=f"more than {_PIXELS // 1_000_000} million pixels")
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    frame = image.copy()
    frame.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    shown = ImageOps.exif_transpose(frame).convert("RGBA")
    paper = Image.new("RGBA", shown.size, "white")
    paper.alpha_composite(shown)
    return read_pixels(np.ascontiguousarray(np.asarray(paper)[:, :, 2::-1]))


def _rows(texts: Sequence[str], boxes: Sequence[PageBox]) -> list[Row]:
    """Return the lines that were found as rows, from the top; their heights are set to the usual one where near it."""
    usual = median(box.height for box in boxes)
    runs: list[LetterRun] = []
    start = 0
    for text, box in zip(texts, boxes, strict=True):
        half = (usual if abs(box.height - usual) < _HEIGHT_NOISE * usual else box.height) / 2
        middle = -(box.bottom + box.top) / 2
        word = box.left + (box.right - box.left) * len(text.split(" ")[0]) / max(len(text), 1)
        runs.append(
            LetterRun(start, start + len(text), PageBox(box.left, middle - half, box.right, middle + half), word)
        )
        start += len(text)
    rows: list[list[LetterRun]] = []
    for run in sorted(runs, key=lambda run: -run.box.top):
        if rows and share_height(rows[-1][0].box, run.box):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.box.left) for row in rows]


@cache
def _engine() -> Any:
    """Load the models from their wheel, once a process."""
    from rapidocr import RapidOCR

    return RapidOCR(params=dict(_SETTINGS))


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Keep Pillow's plugins from logging about damaged files: the losses report the damage."""
    logger = logging.getLogger("PIL")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
