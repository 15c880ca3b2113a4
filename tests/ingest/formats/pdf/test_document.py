import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

from weighbridge.ingest.content import Enclosed, Loss, UnreadableError
from weighbridge.ingest.formats.pdf.document import read_pdf

SENTENCE = "The keeper of the harbour opens the gate at high water and closes it when the tide has turned again."
STYLES = getSampleStyleSheet()


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[..., Path]:
    """Makes a PDF of pages that functions draw."""

    def draw(*pages: Callable[[Canvas], object], title: str = "") -> Path:
        canvas = Canvas(str(tmp_path / "drawn.pdf"), pagesize=A4, invariant=True)
        canvas.setTitle(title)
        for page in pages:
            page(canvas)
            canvas.showPage()
        canvas.save()
        return tmp_path / "drawn.pdf"

    return draw


def text_of(path: Path) -> str:
    return read_pdf(path).contents[0].text


def lines(canvas: Canvas, *texts: str, left: float = 60, top: float = 780, leading: float = 14) -> None:
    for number, text in enumerate(texts):
        canvas.drawString(left, top - leading * number, text)


def test_a_document_becomes_markdown(tmp_path: Path) -> None:
    ports = Table([["Port", "Fee", "Days"], ["Sloop", "12", "3"], ["Brig", "", "5"], ["Man|war", "99", "14"]])
    body, bullet = STYLES["BodyText"], STYLES["Bullet"]
    SimpleDocTemplate(str(tmp_path / "a.pdf"), pagesize=A4, title="harbour.docx").build(
        [
            Paragraph("The harbour rules", STYLES["Title"]),
            Paragraph("Entry", STYLES["Heading2"]),
            Paragraph(f"{SENTENCE} {SENTENCE}", body),
            Paragraph(SENTENCE, body),
            Paragraph("Fees", STYLES["Heading3"]),
            ports,
            Paragraph("first", bullet, bulletText="\u2022"),
            Paragraph("second", bullet, bulletText="\u2022"),
            PageBreak(),
            Paragraph("The end.", body),
        ]
    )
    parsed = read_pdf(tmp_path / "a.pdf")
    (content,) = parsed.contents
    assert content.text == (
        f"# The harbour rules\n\n## Entry\n\n{SENTENCE} {SENTENCE}\n\n{SENTENCE}\n\n### Fees\n\n"
        "| Port | Fee | Days |\n| --- | --- | --- |\n| Sloop | 12 | 3 |\n| Brig |  | 5 |\n| Man\\|war | 99 | 14 |\n\n"
        "- first\n- second\n\nThe end."
    )
    assert content.title == "The harbour rules"
    assert [(part.name, content.text[part.start : part.end][-8:]) for part in content.parts] == [
        ("page 1", "- second"), ("page 2", "The end."),
    ]  # fmt: skip
    assert parsed.losses == ()


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("Liquidity and capital resources", True),
        ("Adobe Inc.", True),
        ("3. Revenue", True),
        ("See accompanying notes to the statements.", False),
        ("The following tables show what we paid, in millions:", False),
    ],
)
def test_a_large_line_that_is_a_sentence_is_no_heading(drawn: Callable[..., Path], line: str, heading: bool) -> None:  # noqa: FBT001 - a column of the table above
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 18)
        canvas.drawString(60, 780, line)
        canvas.setFont("Helvetica", 10)
        lines(canvas, *["Words of the text below it, a whole line long."] * 9, top=740)

    assert text_of(drawn(draw)).startswith(f"# {line}" if heading else line)


def test_columns_are_read_one_after_the_other(drawn: Callable[..., Path]) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, "A line that reaches across both of the columns which stand on this page below it.")
        for row in range(6):
            lines(canvas, f"left line {row} of the column", left=60, top=740 - 14 * row)
            lines(canvas, f"right line {row} of the column", left=320, top=740 - 14 * row)

    said = text_of(drawn(page))
    places = [said.index(f"{side} line {row}") for side in ("left", "right") for row in range(6)]
    assert places == sorted(places)


def test_short_cells_are_no_columns_of_text(drawn: Callable[..., Path]) -> None:
    def page(canvas: Canvas) -> None:
        for row in range(3):
            lines(canvas, f"key {row}", left=60, top=740 - 14 * row)
            lines(canvas, f"value {row} which is said at some more length", left=200, top=740 - 14 * row)

    assert text_of(drawn(page)).splitlines()[2:] == [
        f"| key {row} | value {row} which is said at some more length |" for row in (1, 2)
    ]


@pytest.mark.parametrize(
    ("cut", "mended"),
    [
        (("The regu-", "lation of"), "The regulation of"),
        (("a well-", "known port"), "a well-known port"),
        (("North-", "South line"), "North-South line"),
        (("pages 3-", "4 of"), "pages 3-4 of"),
        (("state-of-the-", "art pumps"), "state-of-the-art pumps"),
    ],
)
def test_words_cut_by_a_line_end(drawn: Callable[..., Path], cut: tuple[str, str], mended: str) -> None:
    assert text_of(drawn(lambda canvas: lines(canvas, *cut))) == mended


def test_addresses_keep_their_lines(drawn: Callable[..., Path]) -> None:
    path = drawn(lambda canvas: lines(canvas, "Harbour Office", "12 Quay", "Port Town, the Old Customs House", "AB1"))
    assert text_of(path).startswith("Harbour Office\n12 Quay\nPort Town")


def test_turned_pages_are_read_along_their_lines(drawn: Callable[..., Path]) -> None:
    def page(canvas: Canvas) -> None:
        canvas.rotate(90)
        for row in range(4):
            lines(canvas, f"left {row}", left=60, top=-100 - 14 * row)
            lines(canvas, f"right {row}", left=300, top=-100 - 14 * row)

    assert text_of(drawn(page)).splitlines()[0] == "| left 0 | right 0 |"


def test_forms_show_what_was_filled_in(drawn: Callable[..., Path]) -> None:
    def page(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "Name:")
        canvas.acroForm.textfield(name="name", value="Ada Lovelace", x=110, y=692, width=200, height=20)

    assert "Ada Lovelace" in text_of(drawn(page))


@pytest.mark.parametrize(
    ("given_title", "expected"),
    [
        ("Rules of the harbour", "Rules of the harbour"),
        ("Microsoft Word - Rules of the harbour", "Rules of the harbour"),
        ("Microsoft Word - rules.doc", "Large"),
        ("untitled", "Large"),
        ("Document1", "Large"),
        ("C:\\texts\\rules", "Large"),
        ("/home/ada/rules", "Large"),
        ("  ", "Large"),
    ],
)
def test_the_title(drawn: Callable[..., Path], given_title: str, expected: str) -> None:
    def page(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 24)
        lines(canvas, "Large")
        canvas.setFont("Helvetica", 10)
        lines(canvas, SENTENCE, SENTENCE, top=700)

    assert read_pdf(drawn(page, title=given_title)).contents[0].title == expected


@settings(max_examples=25)
@given(
    words=st.lists(st.tuples(st.integers(0, 480), st.integers(0, 50), st.integers(6, 30)), min_size=1, max_size=25),
    turn=st.sampled_from([0, 90]),
)
def test_each_word_is_read_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[int, int, int]], turn: int
) -> None:
    """Words at random places, at least a line apart: each is in the text once."""
    path = tmp_path_factory.mktemp("words") / "a.pdf"
    canvas = Canvas(str(path), pagesize=(600, 2000))
    canvas.setPageRotation(turn)
    words_drawn = []
    for number, (left, row, size) in enumerate({row: word for word in words for row in [word[1]]}.values()):
        canvas.setFont("Helvetica", size)
        canvas.drawString(left, 1900 - 36 * row, f"Word{number}x")
        words_drawn.append(f"Word{number}x")
    canvas.save()
    (content,) = read_pdf(path).contents
    assert [content.text.count(word) for word in words_drawn] == [1] * len(words_drawn)


def test_a_page_without_text_is_no_part(drawn: Callable[..., Path]) -> None:
    path = drawn(lambda _: None, lambda canvas: lines(canvas, "The regu-", "lation of harbours"))
    (content,) = read_pdf(path).contents
    (part,) = content.parts
    assert (part.name, content.text) == ("page 2", "The regulation of harbours")


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), encrypt=StandardEncryption("secret"))
    canvas.drawString(60, 700, "hush")
    canvas.save()
    with pytest.raises(UnreadableError, match="encrypted"):
        read_pdf(tmp_path / "a.pdf")


def test_a_scan_is_reported_where_it_cannot_be_read(drawn: Callable[..., Path]) -> None:
    def scan(canvas: Canvas) -> None:
        content = BytesIO()
        Image.new("RGB", (60, 80), "grey").save(content, "png")
        canvas.drawImage(ImageReader(content), 0, 0, *A4)

    path = drawn(lambda canvas: lines(canvas, SENTENCE), scan, lambda _: None, scan, scan)
    code = (
        "import sys; sys.modules['rapidocr'] = None\n"
        "from pathlib import Path; from weighbridge.ingest.formats.pdf.document import read_pdf\n"
        "print(*((loss.place, loss.what) for loss in read_pdf(Path(sys.argv[1])).losses))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "('pages 2, 4-5', 'no text (a scan?); install weighbridge[ocr] to read it')\n"
    assert read_pdf(path, scan_seconds=0).losses == (
        Loss("pages 2, 4-5", "no text (a scan?); the time for OCR was used up"),
    )


def test_a_page_with_a_rule_only_is_no_scan(drawn: Callable[..., Path]) -> None:
    def rules(canvas: Canvas) -> None:
        canvas.line(60, 700, 500, 700)
        canvas.rect(60, 60, 440, 1, fill=1)

    assert read_pdf(drawn(lambda canvas: lines(canvas, SENTENCE), rules)).losses == ()


def test_attachments_are_handed_on_and_broken_ones_reported(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(200, 200)
    for name in ("a.txt", "b.txt"):
        document.new_attachment(name).set_data(b"tide")
    document.save(tmp_path / "a.pdf")
    document.close()
    whole = (tmp_path / "a.pdf").read_bytes()
    assert read_pdf(tmp_path / "a.pdf").enclosed == (Enclosed("a.txt", b"tide"), Enclosed("b.txt", b"tide"))
    (tmp_path / "a.pdf").write_bytes(whole.replace(b"/EF", b"/XX", 1))
    parsed = read_pdf(tmp_path / "a.pdf")
    assert len(parsed.enclosed) == 1
    assert [loss.what for loss in parsed.losses] == ["broken"]
