from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.pdf.document import read_pdf
from weighbridge.ingest.formats.pdf.ocr import is_installed, read_image

LINES = (
    "The harbour office opens at half past seven.",
    "Vessels over forty feet pay a double fee.",
    "Ask for the keeper.",
)


def picture(*, size: tuple[int, int] = (900, 320), ink: str = "black", paper: str | None = "white") -> Image.Image:
    image = Image.new("RGB" if paper else "RGBA", size, paper or (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(LINES):
        draw.text((40, 30 + 60 * number), line, fill=ink, font=ImageFont.load_default(32))
    return image


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_extra_is_there() -> None:
    assert is_installed()


def test_a_picture_is_read(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    parsed = read_image(tmp_path / "a.png")
    (content,) = parsed.contents
    assert plain(content.text) == " ".join(LINES)
    assert [(part.name, part.start, part.end) for part in content.parts] == [("page 1", 0, len(content.text))]
    (loss,) = parsed.losses
    assert loss.place == "page 1"
    assert loss.what.startswith("read by OCR, mean confidence ")


def test_pages_columns_and_clear_paper(tmp_path: Path) -> None:
    """A TIFF of three pages: see-through paper, nothing, and two cells side by side."""
    last = Image.new("RGBA", (900, 320), "white")
    draw = ImageDraw.Draw(last)
    for number, row in enumerate((("Port", "Fee"), ("Dover", "12"), ("Leith", "99"))):
        for column, text in enumerate(row):
            draw.text((60 + 500 * column, 40 + 80 * number), text, fill="black", font=ImageFont.load_default(36))
    pages = [picture(paper=None), Image.new("RGBA", (900, 320), "white"), last]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    parsed = read_image(tmp_path / "a.tiff")
    (content,) = parsed.contents
    first, third = content.parts
    assert (first.name, third.name) == ("page 1", "page 3")
    assert plain(content.text[first.start : first.end]) == " ".join(LINES)
    assert content.text[third.start : third.end] == "| Port | Fee |\n| --- | --- |\n| Dover | 12 |\n| Leith | 99 |"
    assert parsed.losses[1].what == "no text"


def test_a_scanned_page_is_read(tmp_path: Path) -> None:
    """Page 2 is a scan, stored on its side on a page that is turned to be shown upright."""
    picture(size=(900, 1200)).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "scan.png")
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(600, 450))
    canvas.drawString(40, 400, "Typed.")
    canvas.showPage()
    canvas.setPageRotation(90)
    canvas.drawImage(str(tmp_path / "scan.png"), 0, 0, 600, 450)
    canvas.showPage()
    canvas.save()
    parsed = read_pdf(tmp_path / "a.pdf")
    (content,) = parsed.contents
    scanned = content.parts[1]
    assert plain(content.text[scanned.start : scanned.end]) == " ".join(LINES)
    assert parsed.losses[0].place == "page 2"
    assert parsed.losses[0].what.startswith("no text (a scan?); read by OCR, mean confidence ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be opened"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "cannot be opened"),
        (b"BM" * 50, "cannot be opened"),
    ],
)
def test_damaged_pictures_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read_image(tmp_path / "a.png")


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    with pytest.raises(UnreadableError, match="cannot be opened"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("size", "reason"), [((8_000, 6_000), "more than 40 million pixels"), ((20_000, 10_000), "cannot be opened")]
)
def test_huge_pictures_are_refused_unopened(tmp_path: Path, size: tuple[int, int], reason: str) -> None:
    Image.new("1", size).save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match=reason):
        read_image(tmp_path / "a.png")


def test_a_picture_without_text_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match="a picture without text"):
        read_image(tmp_path / "a.png")
