"""PowerPoint files: a part a slide, with its title, texts, tables and notes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed
from weighbridge.ingest.formats.markdown_writer import (
    assemble,
    comment,
    deepen,
    heading,
    join_lines,
    list_item,
    paragraph,
    table,
)
from weighbridge.ingest.formats.office.chart_xml import read_chart
from weighbridge.ingest.formats.office.drawingml import body_text, diagram_text, paragraph_text
from weighbridge.ingest.formats.office.numbering import write_number
from weighbridge.ingest.formats.office.package import check_package, convert_errors
from weighbridge.ingest.formats.office.repair import RepairedPackage, enclose, read_repaired, stored_title
from weighbridge.ingest.formats.office.xml_parsing import local_name, parse_xml, whole_number

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DIGITS = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
"""Beginnings of PowerPoint's names for numbers of lists, and Word's names for their digits."""
_SHAPES = frozenset({"sp", "pic", "graphicFrame", "cxnSp", "contentPart"})


@dataclass(slots=True)
class _Slide:
    """One slide while it is read: its blocks, its files, and its losses with their counts."""

    number: int
    blocks: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    enclosed: list[Enclosed] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"slide {self.number}"

    def losses(self) -> Iterator[Loss]:
        for what, count in self.lost.items():
            yield Loss(self.name, f"{count} {what}" if "(s)" in what else what)


def read_pptx(path: Path) -> Parsed:
    """Read a .pptx file. Title: the document's property, else the title of the first slide that has one.

    Shapes come in the order of the file, as for screen readers; groups are looked through. Charts are read as tables
    of their values, diagrams as lists; notes and comments follow. Files of other programs are enclosed. Hidden slides
    are read. The losses name pictures, other objects, and slides without any text.

    Raises:
        UnreadableError: the package is damaged, encrypted or a bomb.
    """
    check_package(path)
    with convert_errors():
        return read_repaired(path, _read)


def _read(package: RepairedPackage) -> Parsed:
    from pptx import Presentation

    presentation = Presentation(package.file)
    listed = presentation.element.sldIdLst  # `presentation.slides` fails where one of them is missing
    entries = () if listed is None else listed
    slides = [_slide(presentation.part, entry.rId, number) for number, entry in enumerate(entries, start=1)]
    title = stored_title(presentation.part.package.iter_rels())
    text = assemble((slide.name, "\n\n".join(slide.blocks)) for slide in slides)
    first = next((block[3:] for slide in slides for block in slide.blocks if block.startswith("## ")), "")
    losses = (loss for slide in slides for loss in slide.losses())
    enclosed = {file.name: file for slide in slides for file in slide.enclosed}
    content = Content(text=text.text, title=title or first, parts=text.parts)
    return Parsed((content,), (*package.losses, *losses), tuple(enclosed.values()))


def _slide(presentation: Any, relation: str, number: int) -> _Slide:
    read = _Slide(number)
    try:
        slide = presentation.related_slide(relation)
    except KeyError:
        read.lost["left out: the slide is damaged or missing"] = 1
        return read
    tree = slide.shapes.element
    headline = next((shape for shape in _shapes(tree) if _placeholder(shape) == "0"), None)
    if headline is not None:
        read.blocks.append(heading(body_text(headline.find("{*}txBody")), 2))
    for shape in _shapes(tree):
        if shape is not headline:
            _read_shape(shape, slide.part, read)
    if slide.has_notes_slide:
        read.blocks.append(_notes(slide.notes_slide.shapes.element, read))
    read.blocks += _comments(slide.part, presentation)
    read.blocks = [block for block in read.blocks if block.strip()]
    if slide.element.get("show") in {"0", "false"}:
        read.lost["hidden in the presentation; read all the same"] = 1
    if not read.blocks:
        read.lost["no text"] = 1
    return read


def _shapes(tree: Any) -> Iterator[Any]:
    """Yield the elements of shapes, those in groups included, in the order of the file.

    Of alternatives for several programs the first is taken: PowerPoint wraps shapes with equations in them.
    """
    stack = list(reversed(tree))
    while stack:
        node = stack.pop()
        name = local_name(node)
        if name in {"grpSp", "Choice", "Fallback"}:
            stack.extend(reversed(node))
        elif name == "AlternateContent":
            stack.extend(node[:1])
        elif name in _SHAPES:
            yield node


def _placeholder(shape: Any) -> str | None:
    """Return the number of the placeholder that a shape fills, "0" for the title; None where it fills none."""
    filled = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
    return None if filled is None else str(filled.get("idx", "0"))


def _notes(tree: Any, read: _Slide) -> str:
    """Return the text of a page of notes, without the slide's picture, date and number."""
    texts: list[str] = []
    for shape in _shapes(tree):
        filled = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        kind = "" if filled is None else filled.get("type")
        own = list(filter(None, (paragraph(body_text(body)) for body in shape.iterfind(".//{*}txBody"))))
        if kind in {"hdr", "ftr"} and own:
            read.lost["header(s) or footer(s) of the notes left out"] += 1
        elif kind not in {"hdr", "ftr", "sldImg", "dt", "sldNum"}:
            texts += own
    return "Notes: " + "\n".join(texts) if texts else ""


def _read_shape(shape: Any, part: Any, read: _Slide) -> None:
    name = local_name(shape)
    if name == "sp":
        read.blocks.append(_texts(shape))
    elif name == "graphicFrame":
        read.blocks.append(_graphic(shape, part, read))
    elif name != "cxnSp":
        read.lost["picture(s) left out" if name == "pic" else "embedded object(s) left out"] += 1


def _graphic(frame: Any, part: Any, read: _Slide) -> str:
    """Return the text of the table, chart or diagram in a frame, or enclose its files."""
    if (grid := frame.find(".//{*}tbl")) is not None:
        return _table(grid, read)
    for node in frame.iter("{*}chart", "{*}relIds"):
        is_diagram = local_name(node) == "relIds"
        try:
            content = part.related_part(str(node.get(f"{_R}{'dm' if is_diagram else 'id'}"))).blob
        except KeyError:
            read.lost[f"{'diagram' if is_diagram else 'chart'}(s) damaged or missing"] += 1
            return ""
        if is_diagram:
            return diagram_text(parse_xml(content))
        chart = read_chart(content)
        if chart.lost:
            read.lost[chart.lost] += 1
        return chart.text
    keys = {str(node.get(f"{_R}id")) for node in frame.iter("{*}oleObj")}  # alternatives name the same file
    inner = (part.rels[key] for key in keys if key in part.rels and not part.rels[key].is_external)
    files = [file for relation in inner if (file := enclose(relation.target_part)) is not None]
    read.enclosed += files
    if not files:
        read.lost["embedded object(s) left out"] += 1
    return ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A paragraph of a shape, and the number that is shown before it, empty where it has none."""

    level: int
    text: str
    label: str


def _texts(shape: Any) -> str:
    """Return the paragraphs of a shape: as a list where it is the body of a slide, for that shows them with bullets."""
    lines = list(_lines(shape))
    is_list = _placeholder(shape) is not None and len(lines) > 1
    texts: list[str] = []
    levels: list[int] = []
    for line in lines:
        depth = deepen(levels, line.level)
        if is_list:
            texts.append(list_item(line.label, line.text, depth, indent=2))
        else:
            texts.append(paragraph(f"{line.label} {line.text}"))
    return ("\n" if is_list else "\n\n").join(texts)


def _lines(shape: Any) -> Iterator[_Line]:
    counts: dict[int, int] = {}
    for node in shape.iterfind("{*}txBody/{*}p"):
        text = join_lines(paragraph_text(node))
        if not text:
            continue
        properties = node.find("{*}pPr")
        level = 0 if properties is None else whole_number(properties.get("lvl"), 0)
        numbered = None if properties is None else properties.find("{*}buAutoNum")
        counts = {above: count for above, count in counts.items() if above < level + (numbered is not None)}
        label = ""
        if numbered is not None:
            counts[level] = counts[level] + 1 if level in counts else whole_number(numbered.get("startAt"), 1)
            label = _label(counts[level], str(numbered.get("type")))
        yield _Line(level, text, label)


def _label(number: int, kind: str) -> str:
    """Return a number as a list shows it: "1." for arabicPeriod, "(a)" for alphaLcParenBoth."""
    digits = next((word for start, word in _DIGITS.items() if kind.startswith(start)), "decimal")
    written = write_number(number, digits)
    if kind.endswith("ParenBoth"):
        return f"({written})"
    if kind.endswith("Plain"):
        return written
    return f"{written})" if kind.endswith("ParenR") else f"{written}."


def _table(grid: Any, read: _Slide) -> str:
    """Return a table in Markdown. A cell merged downwards is repeated, so that each row says all; others stay empty."""
    rows: list[list[str]] = []
    for line in grid.iterfind("{*}tr"):
        cells: list[str] = []
        for cell in line.iterfind("{*}tc"):
            across, down = (str(cell.get(name)) in {"1", "true"} for name in ("hMerge", "vMerge"))
            if across or down:
                read.lost["merged cells of a table flattened"] = 1
            text = "" if across or down else body_text(cell.find("{*}txBody"))
            if down and not across and rows and len(rows[-1]) > len(cells):
                text = rows[-1][len(cells)]
            cells.append(text)
        rows.append(cells)
    return table(rows)


def _comments(slide: Any, presentation: Any) -> Iterator[str]:
    """Yield the comments on a slide and the replies to them, each with its author."""
    for root in _related_roots(slide, "comments"):
        authors = {
            str(node.get("id")): str(node.get("name") or "")
            for kind in ("commentAuthors", "authors")
            for listed in _related_roots(presentation, kind)
            for node in listed
        }
        for node in root.iter("{*}cm", "{*}reply"):
            text = join_lines(node.findtext("{*}text") or body_text(node.find("{*}txBody")))
            if text:
                yield comment(text, authors.get(str(node.get("authorId")), ""))


def _related_roots(part: Any, kind: str) -> Iterator[Any]:
    """Yield the root elements of the parts that stand in a relation of a kind to a part."""
    for relation in part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            yield parse_xml(relation.target_part.blob)
