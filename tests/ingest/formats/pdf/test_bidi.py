"""Lines of Hebrew and Arabic as word processors and browsers draw them, in the order in which they are read."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.pdf.document import read_pdf

WIDTH = 7.2
"""Points that each glyph of the font below takes at the size of 12."""
HEBREW, ARABIC = "\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05de\u05e0", "\u0627\u0628\u062a\u062f\u0631\u0633\u0645\u0646"
LAM_ALEF, LAM_MEEM = "\u0644\u0627", "\u0644\u0645"


def pdf_of(lines: Sequence[Sequence[tuple[str, float]]]) -> bytes:
    """Return a PDF with glyphs at places of their own, in the order given; a glyph may stand for several letters."""
    glyphs = list(dict.fromkeys(glyph for line in lines for glyph, _ in line))
    codes = {glyph: code for code, glyph in enumerate(glyphs, start=33)}
    mapped = "".join(f"<{code:02x}> <{glyph.encode('utf-16-be').hex()}>\n" for glyph, code in codes.items())
    unicode = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
    unicode += f"{len(codes)} beginbfchar\n{mapped}endbfchar endcmap end"
    drawing = "BT /F 12 Tf\n"
    for row, line in enumerate(lines):
        drawing += "".join(f"1 0 0 1 {left} {700 - 20 * row} Tm <{codes[glyph]:02x}> Tj\n" for glyph, left in line)
    font = "<</Type/Font/Subtype/Type1/BaseFont/Courier/FirstChar 33"
    font += f"/LastChar {32 + len(codes)}/Widths[{' 600' * len(codes)}]/ToUnicode 5 0 R>>"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 900 800]/Contents 4 0 R/Resources<</Font<</F {font}>>>>>>",
        f"<</Length {len(drawing) + 3}>>stream\n{drawing}ET\nendstream",
        f"<</Length {len(unicode)}>>stream\n{unicode}\nendstream",
    ]
    body = "".join(f"{number} 0 obj\n{each}\nendobj\n" for number, each in enumerate(objects, start=1))
    return f"%PDF-1.7\n{body}trailer <</Size 6/Root 1 0 R>>\n%%EOF".encode()


def displayed(words: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """Return the glyphs of a right-to-left line, with their places, from the left."""
    line: list[tuple[str, float]] = []
    left = 60.0
    for word in reversed(words):
        glyphs = word if word[0].isascii() else word[::-1]
        line.extend((glyph, left + WIDTH * place) for place, glyph in enumerate(glyphs))
        left += WIDTH * len(word) + 0.6 * WIDTH
    return line


def read(folder: Path, *lines: Sequence[tuple[str, float]]) -> str:
    (folder / "a.pdf").write_bytes(pdf_of(lines))
    return read_pdf(folder / "a.pdf").contents[0].text


hebrew = st.text(HEBREW, min_size=1, max_size=7).map(list)
arabic = st.lists(st.sampled_from([*ARABIC, LAM_ALEF, LAM_MEEM]), min_size=2, max_size=7)
number = st.one_of(
    st.integers(0, 99_999).map(str),
    st.sampled_from(["17:40", "1,250.75", "3.5", "12/05/2024"]),
).map(list)
latin = st.sampled_from(["Word", "PDF"]).map(list)


@st.composite
def sentences(draw: st.DrawFn) -> list[list[str]]:
    """Words of a script, with at most one number or Latin word between two of them."""
    word = draw(st.sampled_from([hebrew, arabic]))
    words = [draw(word)]
    for _ in range(draw(st.integers(1, 4))):
        words.extend(draw(st.lists(st.one_of(number, latin), max_size=1)))
        words.append(draw(word))
    return words


@settings(max_examples=60, deadline=None)
@given(words=sentences(), order=st.sampled_from(["left to right", "right to left", "words"]))
def test_right_to_left_lines_are_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, words: list[list[str]], order: str
) -> None:
    line = displayed(words)
    if order == "right to left":
        line = line[::-1]
    elif order == "words":
        ends = [0, *(sum(map(len, words[::-1][: number + 1])) for number in range(len(words)))]
        line = [glyph for start, end in zip(ends[-2::-1], ends[:0:-1], strict=True) for glyph in line[start:end]]
    assert read(tmp_path_factory.mktemp("line"), line) == " ".join(map("".join, words))


@pytest.mark.parametrize(
    ("shown", "letters"),
    [
        ("\ufefb", LAM_ALEF),
        ("\ufef7", "\u0644\u0623"),
        ("\ufe8e", "\u0627"),
        ("\ufdf2", "\u0627\u0644\u0644\u0647"),
    ],
)
def test_presentation_forms_become_letters(tmp_path: Path, shown: str, letters: str) -> None:
    words = [["\u0628", shown, "\u062f"], ["\u0633", "\u0645"]]
    assert read(tmp_path, displayed(words)) == f"\u0628{letters}\u062f \u0633\u0645"


def test_brackets_open_before_they_close(tmp_path: Path) -> None:
    line = displayed([list(HEBREW), [")", "2", "0", "2", "4", "("], list(HEBREW)])
    shown = [({"(": ")", ")": "("}.get(glyph, glyph), left) for glyph, left in line]
    assert read(tmp_path, shown) == f"{HEBREW} (2024) {HEBREW}"


def test_a_right_to_left_word_within_english(tmp_path: Path) -> None:
    english = "The word ", " means tide, and is written"
    line = [(glyph, 60 + WIDTH * place) for place, glyph in enumerate(HEBREW[::-1].join(english)) if glyph != " "]
    assert read(tmp_path, line) == HEBREW.join(english)


def test_columns_of_a_table_are_read_from_the_right(tmp_path: Path) -> None:
    rows = [(HEBREW[:4], "17"), (HEBREW[2:6], "4"), (HEBREW[3:], "250")]
    lines = []
    for name, price in rows:
        start = 300 - WIDTH * len(name)
        lines.append([(glyph, start + WIDTH * place) for place, glyph in enumerate(name[::-1])])
        lines[-1].extend((glyph, 100 + WIDTH * place) for place, glyph in enumerate(price))
    said = read(tmp_path, *lines)
    assert said.splitlines()[0] == f"| {rows[0][0]} | 17 |"
    assert [line for line in said.splitlines() if "250" in line] == [f"| {rows[2][0]} | 250 |"]
