"""Workbooks, Word documents and slides with numbers in every format and markup, made part by part."""

import io
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from displayed import END, NOTE, Item, Made, Written
from displayed_formats import FORMATS, fixed, moment
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

_A_SHEET, _A_DOCUMENT, _A_SLIDE = 500, 400, 8
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/word/footnotes.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"/></Types>'
)
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_RELATION = f'<Relationship Id="rId1" Type="{_R}/{{}}" Target="{{}}"/>'


def make_workbooks(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield workbooks whose cells have every number format, and text cells with raised digits and leading zeros."""
    number = 0
    while count > 0:
        file = io.BytesIO()
        book = xlsxwriter.Workbook(file, {"in_memory": True})
        sheet = book.add_worksheet("Figures")
        sheet.set_column(1, 1, 40)
        sheet.write_row(0, 0, ["name", "shown", "end"])
        forms = {each.code: book.add_format({"num_format": each.code}) for each in FORMATS}
        forms["raised"] = book.add_format({"font_script": 1})
        items = []
        for row in range(1, min(count, _A_SHEET) + 1):
            label = next(names)
            sheet.write_string(row, 0, label)
            sheet.write_string(row, 2, END)
            items.append(_write_cell(sheet, row, forms, dice, label))
        book.close()
        yield Made(f"book-{number}.xlsx", file.getvalue(), items)
        count -= len(items)
        number += 1


def _write_cell(sheet: Any, row: int, forms: dict[str, Any], dice: random.Random, label: str) -> Item:
    chosen = dice.randrange(len(FORMATS) + 4)
    plain = dice.randint(1, 99_999)
    if chosen < len(FORMATS):
        wanted = FORMATS[chosen]
        value = wanted.draw(dice)
        if dice.random() < 0.2:  # a formula, of which the file keeps the value
            sheet.write_formula(row, 1, f"={value!r}", forms[wanted.code], value)
        else:
            sheet.write_number(row, 1, value, forms[wanted.code])
        return Item(f"{wanted.family} {wanted.code}", label, wanted.show(value))
    match chosen - len(FORMATS):
        case 0:
            sheet.write_rich_string(row, 1, f"{plain % 100}", forms["raised"], f"{plain % 9 + 1}", " m")
            return Item("raised in a cell", label, f"{plain % 100}^{plain % 9 + 1} m")
        case 1:
            sheet.write_string(row, 1, f"{plain:07d}")
            return Item("text of digits", label, f"{plain:07d}")
        case 2:
            sheet.write_formula(row, 1, f'="{plain} of "&{plain}', None, f"{plain} of {plain}")
            return Item("formula of text", label, f"{plain} of {plain}")
        case _:
            sheet.write_number(row, 1, plain + 0.5)
            return Item("no format", label, f"{plain}.5")


def make_documents(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield Word documents whose paragraphs and cells hold numbers in every markup of text, mathematics and notes."""
    for number in range(-(-count // _A_DOCUMENT)):
        items, body, notes = [], [], []
        for at in range(min(count - number * _A_DOCUMENT, _A_DOCUMENT)):
            label = next(names)
            family, markup, display = _write_runs(dice, notes)
            items.append(Item(family, label, display))
            paragraph = f"<w:p>{_run(label + ' ')}{markup}{_run(' ' + END)}</w:p>"
            body.append(_in_table(paragraph) if at % 5 == 4 else paragraph)
        yield Made(f"document-{number}.docx", _package(body, notes), items)


def _in_table(paragraph: str) -> str:
    """Return a table of one cell, with a paragraph after it, without which Word joins it to the next."""
    return f"<w:tbl><w:tr><w:tc>{paragraph}</w:tc></w:tr></w:tbl><w:p/>"


def _package(body: list[str], notes: list[str]) -> bytes:
    file = io.BytesIO()
    space = f'xmlns:w="{_W}" xmlns:m="{_M}" xmlns:mc="{_MC}" xmlns:w14="{_W14}"'
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr("_rels/.rels", _RELATIONS.format(_RELATION.format("officeDocument", "word/document.xml")))
        links = _RELATIONS.format(_RELATION.format("footnotes", "footnotes.xml"))
        package.writestr("word/_rels/document.xml.rels", links)
        package.writestr("word/document.xml", f"<w:document {space}><w:body>{''.join(body)}</w:body></w:document>")
        package.writestr("word/footnotes.xml", f"<w:footnotes {space}>{''.join(notes)}</w:footnotes>")
    return file.getvalue()


def _run(text: str, properties: str = "") -> str:
    form = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{form}<w:t xml:space="preserve">{text}</w:t></w:r>'


def _script(text: str, position: str) -> str:
    return _run(text, f'<w:vertAlign w:val="{position}"/>')


def _math(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def _fraction(above: int, below: int) -> str:
    return f"<m:f><m:num>{_math(f'{above}')}</m:num><m:den>{_math(f'{below}')}</m:den></m:f>"


def _field(code: str, shown: str) -> str:
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    return f"{marks[0]}<w:r><w:instrText> {code} </w:instrText></w:r>{marks[1]}{_run(shown)}{marks[2]}"


def _shape(text: str) -> str:
    """Return a run with two ways to draw it, of which a program shows the one that it knows."""
    choice = f'<mc:Choice Requires="w14"><w:t>{text}</w:t></mc:Choice>'
    return f"<w:r><mc:AlternateContent>{choice}<mc:Fallback><w:t>{text}</w:t></mc:Fallback></mc:AlternateContent></w:r>"


def _write_runs(dice: random.Random, notes: list[str]) -> Written:
    """Return a number in some markup of Word; a note is put to the others."""
    small, large, part = dice.randint(2, 9), dice.randint(1_000, 99_999), dice.randint(10, 99)
    mark = len(notes) + 1
    grouped = f"{large:,}"
    forms: tuple[Written, ...] = (
        ("plain", _run(f"{large}"), f"{large}"),
        ("thousands", _run(f"{grouped}.50"), f"{grouped}.50"),
        ("thousands, no-break space", _run(f"{large:,}".replace(",", "\u00a0")), f"{large:,}".replace(",", " ")),
        ("currency", _run(f"€ {grouped}"), f"€ {grouped}"),
        ("percent", _run(f"{part}.{small} %"), f"{part}.{small} %"),
        ("minus", _run(f"\u2212{large}"), f"-{large}"),
        ("date", _run(f"{part % 28 + 1:02}.0{small}.2025"), f"{part % 28 + 1:02}.0{small}.2025"),
        ("leading zeros", _run(f"{large:09}"), f"{large:09}"),
        ("superscript", _run("10") + _script(f"{small}", "superscript"), f"10^{small}"),
        ("superscript", _run("10") + _script(f"-{small}", "superscript"), f"10^-{small}"),
        ("subscript", _run("CO") + _script(f"{small}", "subscript"), f"CO{small}"),
        ("note mark", _run(grouped) + _script(f"{small}", "superscript"), f"{grouped}^{small}"),
        ("split over runs", _run(f"{part}", "<w:b/>") + _run(f"{small}") + _run(f"{part}"), f"{part}{small}{part}"),
        ("fraction", f"<m:oMath>{_fraction(small, part)}</m:oMath>", f"{small}/{part}"),
        ("mixed fraction", f"<m:oMath>{_math(f'{part}')}{_fraction(1, small)}</m:oMath>", f"{part} 1/{small}"),
        ("power", f"<m:oMath><m:sSup><m:e>{_math('10')}</m:e><m:sup>{_math(f'{small}')}</m:sup></m:sSup></m:oMath>",
         f"10^{small}"),
        ("vulgar fraction", _run(f"{small}½"), f"{small} 1/2"),
        ("tab", _run(f"{part}") + "<w:r><w:tab/></w:r>" + _run(f"{small}"), f"{part} {small}"),
        ("line break", _run(f"{part}") + "<w:r><w:br/></w:r>" + _run(f"{small}"), f"{part} {small}"),
        ("no-break hyphen", _run(f"{part}") + "<w:r><w:noBreakHyphen/></w:r>" + _run(f"{large}"), f"{part}-{large}"),
        ("field", f'<w:fldSimple w:instr=" PAGEREF x{large} ">{_run(f"{part}")}</w:fldSimple>', f"{part}"),
        ("deleted", f'<w:del w:id="1"><w:r><w:delText>{large}</w:delText></w:r></w:del>{_run(f"{part}")}', f"{part}"),
        ("inserted", f'<w:ins w:id="1">{_run(f"{large}")}</w:ins>', f"{large}"),
        ("struck out", _run(f"{part}", "<w:strike/>") + _run(f" {small}"), f"{part} {small}"),
        ("hidden", _run(f"{part}") + _run(f"{large}", "<w:vanish/>"), f"{part}"),
        ("moved", f'<w:moveFrom w:id="1">{_run(f"{large}")}</w:moveFrom>{_run(f"{part}")}', f"{part}"),
        ("moved", f'<w:moveTo w:id="1">{_run(f"{large}")}</w:moveTo>', f"{large}"),
        ("control", f"<w:sdt><w:sdtContent>{_run(grouped)}</w:sdtContent></w:sdt>", grouped),
        ("link", f'<w:hyperlink w:anchor="x{part}">{_run(grouped)}</w:hyperlink>', grouped),
        ("soft hyphen", _run(f"{part}") + "<w:r><w:softHyphen/></w:r>" + _run(f"{small}"), f"{part}{small}"),
        ("field of parts", _field(f"SEQ t{large}", f"{part}"), f"{part}"),
        ("shape and its copy", _shape(grouped), grouped),
        ("right to left", _run(f"سعر {grouped} ريال", "<w:rtl/>"), f"سعر {grouped} ريال"),
    )  # fmt: skip
    if dice.random() < 0.05:
        notes.append(f'<w:footnote w:id="{mark}"><w:p>{_run(NOTE)}</w:p></w:footnote>')
        reference = f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:footnoteReference w:id="{mark}"/></w:r>'
        return "footnote", _run(grouped) + reference, f"{grouped}^{mark}"
    return dice.choice(forms)


def make_slides(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield presentations with numbers in boxes, tables, notes, and charts with number formats."""
    show = Presentation()
    items: list[Item] = []
    while len(items) < count:
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = "Figures"
        box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(8), Inches(5)).text_frame
        items += [_write_paragraph(box.add_paragraph(), dice, label) for label in islice(names, _A_SLIDE)]
        rows = list(islice(names, _A_SLIDE))
        table = slide.shapes.add_table(len(rows) + 1, 3, Inches(1), Inches(6), Inches(8), Inches(1)).table
        for column, head in enumerate(("name", "shown", "end")):
            table.cell(0, column).text = head
        for row, label in enumerate(rows, 1):
            shown = fixed(2, grouped=True)(dice.randint(1, 10**8) / 100)
            for column, text in enumerate((label, f"{shown} €", END)):
                table.cell(row, column).text = text
            items.append(Item("table", label, f"{shown} €"))
        note, label = f"{dice.randint(1, 10**6):,}", next(names)
        slide.notes_slide.notes_text_frame.text = f"{label} {note} {END}"
        items.append(Item("notes", label, note))
    file = io.BytesIO()
    show.save(file)
    yield Made("slides.pptx", file.getvalue(), items)


def _write_paragraph(paragraph: Any, dice: random.Random, label: str) -> Item:
    small, large = dice.randint(2, 9), dice.randint(1_000, 9_999_999)
    date = f"{moment(large % 50_000 + 5_000):%d.%m.%Y}"
    forms = (
        ("plain", f"{large}", "", f"{large}"),
        ("thousands", f"{large:,}", "", f"{large:,}"),
        ("percent", f"{small}.5 %", "", f"{small}.5 %"),
        ("date", date, "", date),
        ("superscript", "10", f"{small}", f"10^{small}"),
        ("note mark", f"{large:,}", f"{small}", f"{large:,}^{small}"),
    )
    family, text, raised, display = dice.choice(forms)
    paragraph.add_run().text = f"{label} {text}"
    if raised:
        run = paragraph.add_run()
        run.text = raised
        run.font._element.set("baseline", "30000")
    paragraph.add_run().text = f" {END}"
    return Item(family, label, display)


def make_charts(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield a presentation with charts, whose values a reader of the slide sees with the axis' number format."""
    show = Presentation()
    items: list[Item] = []
    while len(items) < count:
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = "Chart"
        code, divisor, unit = dice.choice([("0%", 100, "%"), ("#,##0", 1, ""), ("General", 1, "")])
        data = CategoryChartData(number_format=code)
        values = {label: dice.randint(1, 999) for label in islice(names, _A_SLIDE)}
        data.categories = list(values)
        data.add_series("amount", [value / divisor for value in values.values()])
        box = (Inches(1), Inches(1), Inches(8), Inches(5))
        slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *box, data)
        items += [Item(f"chart {code}", label, f"{value}{unit}") for label, value in values.items()]
    file = io.BytesIO()
    show.save(file)
    yield Made("charts.pptx", file.getvalue(), items)
