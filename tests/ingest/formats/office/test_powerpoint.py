from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.enum.shapes import PROG_ID
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Emu

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.office.drawingml import diagram_text, paragraph_text
from weighbridge.ingest.formats.office.powerpoint import read_pptx
from weighbridge.ingest.formats.office.xml_parsing import parse_xml
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
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
    group = second.shapes.add_group_shape().shapes
    group.add_textbox(ONE, ONE, ONE, ONE).text_frame.text = "# in a group"
    group.add_textbox(ONE, ONE, ONE, ONE).text_frame.text = "after it"
    content = _read(show, tmp_path).contents[0]
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        ("slide 1", "## Prices of 2024\n\n- tea\n  - green\n\nNotes: Say it slowly."),
        ("slide 2", "| a\\|b |  |\n| --- | --- |\n|  | d |\n\n\\# in a group\n\nafter it"),
    ]
    assert content.title == "Prices of 2024"


def test_every_shape_of_a_page_of_notes_is_read(tmp_path: Path) -> None:
    show = Presentation()
    notes = show.slides.add_slide(show.slide_layouts[BLANK]).notes_slide
    notes.notes_text_frame.text = "Say it slowly."
    notes.shapes.element.extend(
        parse_xml(
            f'<x xmlns:a="{A}" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
            "<p:sp><p:txBody><a:p><a:r><a:t>And twice.</a:t></a:r></a:p></p:txBody></p:sp>"
            '<p:sp><p:nvSpPr><p:nvPr><p:ph type="ftr"/></p:nvPr></p:nvSpPr>'
            "<p:txBody><a:p><a:r><a:t>Draft</a:t></a:r></a:p></p:txBody></p:sp></x>".encode()
        )
    )
    parsed = _read(show, tmp_path)
    assert parsed.contents[0].text == "Notes: Say it slowly.\nAnd twice."
    assert parsed.losses == (Loss("slide 1", "1 header(s) or footer(s) of the notes left out"),)


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


_RUN = st.tuples(
    st.sampled_from(["10", "5,200", " litres ", "x", "3", "H", "."]),
    st.sampled_from(["normal", "superscript", "subscript"]),
    st.booleans(),
)
_BASELINES = {"normal": ("0", "0%"), "superscript": ("30000", "30%"), "subscript": ("-25000", "-25%")}


@settings(max_examples=60)
@given(runs=st.lists(_RUN, min_size=1, max_size=6), strict=st.booleans())
def test_runs_are_written_by_the_convention(runs: list[tuple[str, Script, bool]], strict: bool) -> None:  # noqa: FBT001
    marked = "".join(
        f'<a:r><a:rPr baseline="{_BASELINES[script][strict]}" strike="{"sngStrike" if struck else "noStrike"}"/>'
        f"<a:t>{text}</a:t></a:r>"
        for text, script, struck in runs
    )
    assert paragraph_text(parse_xml(f'<a:p xmlns:a="{A}">{marked}</a:p>'.encode())) == write_runs(
        Run(*run) for run in runs
    )


_KINDS = {
    "arabicPeriod": "1.",
    "arabicParenR": "1)",
    "alphaLcParenBoth": "(a)",
    "romanUcPeriod": "I.",
    "arabicPlain": "1",
}


@pytest.mark.parametrize("kind", _KINDS)
def test_numbers_of_lists_are_read_as_shown(tmp_path: Path, kind: str) -> None:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[TITLED])
    box = slide.shapes.add_textbox(ONE, ONE, ONE, ONE)
    for frame in (slide.placeholders[1].text_frame, box.text_frame):
        for text, level, number in (
            ("weigh", 0, 1),
            ("scan", 1, 7),
            ("print", 1, 7),
            ("store", 0, 1),
            ("end", 0, None),
        ):
            line = frame.add_paragraph()
            line.text, line.level = text, level
            if number is not None:
                numbered = f'<a:buAutoNum xmlns:a="{A}" type="{kind}" startAt="{number}"/>'
                line._p.get_or_add_pPr().append(parse_xml(numbered.encode()))  # noqa: SLF001 - python-pptx has no numbers
    one, two = _KINDS[kind], {"1": "2", "a": "b", "I": "II"}[_KINDS[kind].strip(".()")]
    listed, boxed = _read(show, tmp_path).contents[0].text.split("\n- end\n\n")
    lines = boxed.split("\n\n")
    assert lines[0] == f"{one} weigh"
    assert lines[3:] == [f"{_KINDS[kind].replace(one.strip('.()'), two)} store", "end"]
    assert [line.strip().removeprefix("- ") for line in listed.splitlines()] == lines[:4]


def _add_shape(slide: Any, xml: str) -> None:
    """Put raw markup at the end of a slide's shapes."""
    spaces = {
        "a": A, "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "a14": "http://schemas.microsoft.com/office/drawing/2010/main",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
    }  # fmt: skip
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in spaces.items())
    slide.shapes.element.extend(parse_xml(f"<x {declared}>{xml}</x>".encode()))


def test_shapes_with_equations_are_read_once(tmp_path: Path) -> None:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[BLANK])
    half = "<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"
    body = (
        f"<p:txBody><a:p><a:r><a:t>take 3</a:t></a:r><a14:m>{half}</a14:m><a:r><a:t>cups</a:t></a:r></a:p></p:txBody>"
    )
    other = "<p:sp><p:txBody><a:p><a:r><a:t>take 3 in a newer program</a:t></a:r></a:p></p:txBody></p:sp>"
    _add_shape(slide, f"<mc:AlternateContent><mc:Choice Requires='a14'><p:sp>{body}</p:sp></mc:Choice>"
               f"<mc:Fallback>{other}</mc:Fallback></mc:AlternateContent>")  # fmt: skip
    assert _read(show, tmp_path).contents[0].text == "take 3 1/2 cups"


def _relate(slide: Any, kind: str, xml: str) -> str:
    part = Part(PackURI(f"/ppt/{kind.rpartition('/')[2]}1.xml"), "application/xml", slide.part.package, xml.encode())
    relation: str = slide.part.relate_to(part, kind)
    return relation


OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def test_diagrams_are_lists(tmp_path: Path) -> None:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[BLANK])
    points = "".join(
        f'<dgm:pt modelId="{place}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for place, text in enumerate(["", "Intake", "weigh", "Storage", "scan"])
    )
    links = "".join(
        f'<dgm:cxn srcId="{source}" destId="{target}" srcOrd="{order}"/>'
        for source, target, order in [(0, 3, 1), (0, 1, 0), (1, 4, 1), (1, 2, 0)]
    )
    data = f'<dgm:dataModel xmlns:dgm="{A.replace("main", "diagram")}" xmlns:a="{A}"><dgm:ptLst>{points}</dgm:ptLst>'
    relation = _relate(slide, f"{OFFICE}/diagramData", f"{data}<dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>")
    frame = f'<a:graphic><a:graphicData><dgm:relIds r:dm="{relation}"/></a:graphicData></a:graphic>'
    _add_shape(slide, f"<p:graphicFrame>{frame}</p:graphicFrame>")
    _add_shape(slide, f"<p:graphicFrame>{frame.replace(relation, 'rId99')}</p:graphicFrame>")
    parsed = _read(show, tmp_path)
    assert parsed.contents[0].text == "- Intake\n  - weigh\n  - scan\n- Storage"
    assert parsed.losses == (Loss("slide 1", "1 diagram(s) damaged or missing"),)


@pytest.mark.parametrize("links", ["", '<dgm:cxn srcId="1" destId="2"/><dgm:cxn srcId="2" destId="1"/>'])
def test_points_without_a_root_keep_their_order(links: str) -> None:
    points = "".join(
        f'<dgm:pt modelId="{place}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for place, text in ((1, "one"), (2, "two"), (3, "three"))
    )
    data = f'<dgm:dataModel xmlns:dgm="{A.replace("main", "diagram")}" xmlns:a="{A}"><dgm:ptLst>{points}</dgm:ptLst>'
    lines = diagram_text(parse_xml(f"{data}<dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>".encode())).splitlines()
    assert lines == (["- three", "- one", "- two"] if links else ["- one", "- two", "- three"])


def test_files_of_other_programs_are_enclosed_once(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(b"inside")
    show = Presentation()
    shapes = show.slides.add_slide(show.slide_layouts[BLANK]).shapes
    for prog_id in (PROG_ID.XLSX, "Other.Program"):
        shapes.add_ole_object(str(tmp_path / "b.xlsx"), prog_id, ONE, ONE, ONE, ONE)
    parsed = _read(show, tmp_path)
    assert [file.content for file in parsed.enclosed] == [b"inside"]
    assert parsed.enclosed[0].name.endswith(".xlsx")
    assert parsed.losses == (Loss("slide 1", "1 embedded object(s) left out"), Loss("slide 1", "no text"))


def test_comments_follow_their_slide(tmp_path: Path) -> None:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[TITLED])
    slide.shapes.title.text = "Fees"
    name = "http://schemas.openxmlformats.org/presentationml/2006/main"
    _relate(slide, f"{OFFICE}/comments",
            f'<p:cmLst xmlns:p="{name}"><p:cm authorId="7"><p:text>12 euro?</p:text></p:cm></p:cmLst>')  # fmt: skip
    _relate(show, f"{OFFICE}/commentAuthors",
            f'<p:cmAuthorLst xmlns:p="{name}"><p:cmAuthor id="7" name="Ann"/></p:cmAuthorLst>')  # fmt: skip
    assert _read(show, tmp_path).contents[0].text == "## Fees\n\nComment (Ann): 12 euro?"


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
