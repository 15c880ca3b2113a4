"""Numbers with exponents, indices and footnote marks, read back as they are displayed."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

from weighbridge.ingest.formats.pdf.document import read_pdf

RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
FONTS = st.sampled_from(["Helvetica", "Times-Roman", "Courier"])
Piece = tuple[str, float, float]
"""A text, its size in sizes of the line, and how far it is raised in the same unit."""


def draw(path: Path, pieces: list[Piece], *, font: str = "Helvetica", size: float = 11) -> str:
    """Draw pieces of one line one after the other, and return what is read."""
    canvas = Canvas(str(path), invariant=True)
    left = 60.0
    for text, scale, rise in pieces:
        canvas.setFont(font, size * scale)
        canvas.drawString(left, 700 + size * rise, text)
        left += canvas.stringWidth(text, font, size * scale)
    canvas.save()
    return read_pdf(path).contents[0].text


@settings(max_examples=40, deadline=None)
@given(
    base=st.integers(0, 999),
    exponent=st.integers(-99, 99).filter(bool),
    index=st.integers(0, 99),
    form=st.sampled_from([(0.58, 0.33, -0.14), (0.65, 0.35, -0.2), (0.7, 0.4, -0.25), (0.8, 0.5, -0.5)]),
    print_=st.tuples(FONTS, st.floats(7, 20)),
)
def test_scripts_never_join_the_number_before_them(
    tmp_path_factory: pytest.TempPathFactory,
    base: int,
    exponent: int,
    index: int,
    form: tuple[float, float, float],
    print_: tuple[str, float],
) -> None:
    scale, up, down = form
    pieces = [
        (f"Take {base}", 1, 0), (str(exponent), scale, up), (" litres of X", 1, 0), (str(index), scale, down),
        (f"Y and {base}.", 1, 0),
    ]  # fmt: skip
    said = draw(tmp_path_factory.mktemp("line") / "a.pdf", pieces, font=print_[0], size=print_[1])
    raised, lowered = str(exponent).translate(RAISED), str(index).translate(LOWERED)
    assert said.lstrip("# ") == f"Take {base}{raised} litres of X{lowered}Y and {base}."


@pytest.mark.parametrize("mark", ["1", "12", "(1)", "(2)(3)"])
@pytest.mark.parametrize("number", ["5,200", "2023", "$ 17.40"])
def test_footnote_marks_stand_apart_from_numbers(tmp_path: Path, number: str, mark: str) -> None:
    said = draw(tmp_path / "a.pdf", [(f"Revenue was {number}", 1, 0), (mark, 0.6, 0.35), (" thousand", 1, 0)])
    raised = mark.translate(str.maketrans("123()", "¹²³⁽⁾"))
    assert said == f"Revenue was {number} {raised} thousand"


def test_a_note_keeps_its_mark(tmp_path: Path) -> None:
    assert draw(tmp_path / "a.pdf", [("3", 0.6, 0.35), ("24 of them were sold", 1, 0)]) == "³24 of them were sold"


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([("The 1", 1, 0), ("st", 0.6, 0.35), (" of May", 1, 0)], "The 1st of May"),
        ([("O", 3, 0), ("nce 12 ships", 1, 0)], "Once 12 ships"),
        ([("A", 1, 0), ("NNUAL REPORT 2", 0.8, 0), ("0", 1, 0)], "ANNUAL REPORT 20"),
        ([("Total 10", 1, 0), ("6", 0.6, -1.2)], None),
    ],
)
def test_other_small_print_is_no_script(tmp_path: Path, pieces: list[Piece], said: str | None) -> None:
    read = draw(tmp_path / "a.pdf", pieces).lstrip("# ")
    assert not set(read) & set("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉^")
    assert said is None or read == said


def test_scripts_of_a_word_processor(tmp_path: Path) -> None:
    text = "Take 2.5&times;10<super>-3</super> g of CO<sub>2</sub>, E = mc<super>2</super>, n<super>k+1</super>."
    SimpleDocTemplate(str(tmp_path / "a.pdf")).build([Paragraph(text, getSampleStyleSheet()["BodyText"])])
    assert read_pdf(tmp_path / "a.pdf").contents[0].text == "Take 2.5\u00d710⁻³ g of CO₂, E = mc², n^(k+1)."
