from pathlib import Path
from zipfile import ZipFile

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Emu

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.slides import read_pptx

ONE = Emu(1)
TITLED, BLANK = 1, 6
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def _read(show: object, folder: Path) -> Parsed:
    show.save(str(folder / "a.pptx"))  # type: ignore[attr-defined]  # python-pptx names the class privately
    return read_pptx(folder / "a.pptx")


def test_slides_are_parts_with_titles_lists_and_notes(tmp_path: Path) -> None:
    show = Presentation()
    show.core_properties.title = ""
    first = show.slides.add_slide(show.slide_layouts[TITLED])
    first.shapes.title.text = "Prices\x0bof 2024"
    frame = first.placeholders[1].text_frame
    frame.text = "tea"
    more = frame.add_paragraph()
    more.text, more.level = "green", 1
    first.notes_slide.notes_text_frame.text = "Say it slowly."
    second = show.slides.add_slide(show.slide_layouts[BLANK])
    table = second.shapes.add_table(2, 2, ONE, ONE, ONE, ONE).table
    table.cell(0, 0).text, table.cell(1, 1).text = "a|b", "d"
    second.shapes.add_group_shape().shapes.add_textbox(ONE, ONE, ONE, ONE).text_frame.text = "# in a group"
    content = _read(show, tmp_path).contents[0]
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        ("slide 1", "## Prices of 2024\n\n- tea\n  - green\n\nNotes: Say it slowly."),
        ("slide 2", "| a\\|b |  |\n| --- | --- |\n|  | d |\n\n\\# in a group"),
    ]
    assert content.title == "Prices of 2024"


def test_what_is_not_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PIXEL)
    show = Presentation()
    shapes = show.slides.add_slide(show.slide_layouts[BLANK]).shapes
    shapes.add_picture(str(tmp_path / "a.png"), ONE, ONE)
    shapes.add_picture(str(tmp_path / "a.png"), ONE, ONE)
    data = CategoryChartData()
    data.categories = ["x"]
    data.add_series("y", (1.0,))
    shapes.add_chart(XL_CHART_TYPE.PIE, ONE, ONE, ONE, ONE, data)
    hidden = show.slides.add_slide(show.slide_layouts[BLANK])
    hidden.element.set("show", "0")
    merged = hidden.shapes.add_table(2, 2, ONE, ONE, ONE, ONE).table
    merged.cell(0, 0).text = "over two"
    merged.cell(0, 0).merge(merged.cell(0, 1))
    parsed = _read(show, tmp_path)
    assert parsed.losses == (
        Loss("slide 1", "2 picture(s) left out"),
        Loss("slide 2", "merged cells of a table flattened"),
        Loss("slide 2", "hidden in the presentation; read all the same"),
    )
    assert [part.name for part in parsed.contents[0].parts] == ["slide 1", "slide 2"]
    assert parsed.contents[0].text.startswith("|  | y |\n| --- | --- |\n| x | 1 |")


def test_an_empty_presentation_and_a_show(tmp_path: Path) -> None:
    show = Presentation()
    assert _read(show, tmp_path).contents[0].text == ""
    with ZipFile(tmp_path / "a.pptx") as source, ZipFile(tmp_path / "b.ppsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"presentation.main+xml", b"slideshow.main+xml"))
    assert read_pptx(tmp_path / "b.ppsx").contents[0].parts == ()


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" + b"\xff" * 3_000])
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pptx").write_bytes(content)
    with pytest.raises(UnreadableError, match="damaged"):
        read_pptx(tmp_path / "a.pptx")
