"""Running headers, footers and page numbers are told apart from what a page says, and nothing else is left out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from weighbridge.ingest.content import Parsed
from weighbridge.ingest.formats.pdf.document import read_pdf

BODY = ("The tide of day {0} came at {0}.30.", "Ships in: {0}4. Ships out: {0}7.", "Nothing else was noted on day {0}.")


def draw(path: Path, pages: int, margins: Callable[[int], list[tuple[float, str]]], first: int = 1) -> Parsed:
    """Draw pages of a body of their own, with lines at heights that a function gives for each number of a page."""
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    for number in range(first, first + pages):
        for height, text in margins(number):
            canvas.drawString(60, height, text)
        for place, line in enumerate(BODY):
            canvas.drawString(60, 600 - 40 * place, line.format(number))
        canvas.showPage()
    canvas.save()
    return read_pdf(path)


def bodies(parsed: Parsed) -> list[bool]:
    (content,) = parsed.contents
    first = int(content.text.partition("of day ")[2].split()[0])
    return [
        all(line.format(number) in content.text[part.start : part.end] for line in BODY)
        for number, part in enumerate(content.parts, start=first)
    ]


@settings(max_examples=15, deadline=None)
@given(
    pages=st.integers(3, 12),
    first=st.sampled_from([1, 7, 98]),
    header=st.sampled_from(["Table of Contents", "The harbour rules - Part 2", "Jahresbericht 2023"]),
    footer=st.sampled_from(["{}", "Page {}", "- {} -", "Seite {} von 300", "Rules | {}", "{} | Rules"]),
    other_height=st.sampled_from([800, 780]),
)
def test_what_runs_over_all_pages_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, pages: int, first: int, header: str, footer: str, other_height: int
) -> None:
    def margins(number: int) -> list[tuple[float, str]]:
        height = 800 if number % 2 else other_height
        return [(height, header), (30, footer.format(number))]

    path = tmp_path_factory.mktemp("pages") / "a.pdf"
    parsed = draw(path, pages, margins, first)
    (content,) = parsed.contents
    assert all(bodies(parsed))
    kept = content.text.count(header)
    assert kept == 1 if other_height == 800 else kept <= pages
    numbers = {
        line
        for line in content.text.splitlines()
        if line in {footer.format(number) for number in range(first + 1, first + pages)}
    }
    assert numbers == set()
    assert parsed.losses
    last = content.parts[-1]
    assert BODY[1].format(first + pages - 1) in content.text[last.start : last.end]


def test_losses_say_what_was_left_out(tmp_path: Path) -> None:
    parsed = draw(tmp_path / "a.pdf", 5, lambda number: [(800, "Table of Contents"), (30, str(number))])
    assert [(loss.place, loss.what) for loss in parsed.losses] == [
        ("pages 1-5", "page number left out"),
        ("pages 2-5", "running header left out after its first page: 'Table of Contents'"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Invoice {}",
        "Question {}",
        "Total due: 120.00",
        "Share: 15%",
        "Gain 1.00000",
        "Chapter {}: tides",
        "Day {}",
        "Depth 10{}",
    ],
)
def test_lines_that_may_be_content_stay(tmp_path: Path, line: str) -> None:
    parsed = draw(tmp_path / "a.pdf", 6, lambda number: [(800, line.format(number))])
    assert all(line.format(number) in parsed.contents[0].text for number in range(1, 7))
    assert parsed.contents[0].text.count(line.partition("{")[0]) >= 6
    assert parsed.losses == ()


def test_numbers_that_do_not_follow_the_pages_stay(tmp_path: Path) -> None:
    parsed = draw(tmp_path / "a.pdf", 6, lambda number: [(30, str(number * number))])
    assert {str(number * number) for number in range(1, 7)} <= set(parsed.contents[0].text.split())
    assert parsed.losses == ()


def test_the_head_of_a_table_stays_on_each_page(tmp_path: Path) -> None:
    rows = [["Port", "Fee", "Days"], *([f"Port {number}", f"{number}.50", str(number * 3)] for number in range(200))]
    notes = [Paragraph("All fees in euro.", getSampleStyleSheet()["BodyText"]), Table(rows, repeatRows=1)]
    SimpleDocTemplate(str(tmp_path / "a.pdf"), pagesize=A4).build(notes)
    (content,) = read_pdf(tmp_path / "a.pdf").contents
    assert len(content.parts) >= 3
    assert content.text.count("| Port | Fee | Days |") == len(content.parts)
    assert read_pdf(tmp_path / "a.pdf").losses == ()


def test_two_pages_are_too_few(tmp_path: Path) -> None:
    parsed = draw(tmp_path / "a.pdf", 2, lambda _: [(800, "The harbour rules")])
    assert parsed.contents[0].text.count("The harbour rules") == 2
