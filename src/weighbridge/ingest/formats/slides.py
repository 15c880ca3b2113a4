"""PowerPoint files: a part a slide, with its title, texts, tables and notes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Loss, Parsed
from weighbridge.ingest.formats.assemble import assemble, deeper, heading, one_line, paragraph, table
from weighbridge.ingest.formats.charts import read_chart
from weighbridge.ingest.formats.office import members, understood
from weighbridge.ingest.formats.repair import repair_package

PARSER = 2
"""To be raised whenever the same bytes would give another result: what was read before is then read anew."""

_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


@dataclass(slots=True)
class _Slide:
    """One slide as it is read: its blocks, and how often something was lost, by what it was."""

    number: int
    blocks: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return f"slide {self.number}"

    def losses(self) -> Iterator[Loss]:
        for what, count in self.lost.items():
            yield Loss(self.name, f"{count} {what}" if "(s)" in what else what)


def read_pptx(path: Path) -> Parsed:
    """Read a .pptx file. Title: the document's property, else the title of the first slide that has one.

    Shapes come in the order of the file, which is the one for screen readers; groups are looked through. Charts are
    read as tables of their values. Pictures, diagrams and other objects are reported, and so are slides without any
    text. Hidden slides are read.

    Raises:
        UnreadableError: where the package is damaged, encrypted or a bomb.
    """
    members(path)
    from pptx import Presentation

    with understood():
        package = repair_package(path)
        presentation = Presentation(package.file)
        listed = presentation.element.sldIdLst  # `presentation.slides` fails where one of them is missing
        entries = () if listed is None else listed
        slides = [_slide(presentation.part, entry.rId, number) for number, entry in enumerate(entries, start=1)]
        part = presentation.part.package
        titled = any(relation.reltype.endswith("/core-properties") for relation in part.iter_rels())
        title = one_line(presentation.core_properties.title) if titled else ""
    text = assemble((slide.name, "\n\n".join(slide.blocks)) for slide in slides)
    first = next((block[3:] for slide in slides for block in slide.blocks if block.startswith("## ")), "")
    losses = (loss for slide in slides for loss in slide.losses())
    return Parsed((Content(text=text.text, title=title or first, parts=text.parts),), (*package.losses, *losses))


def _slide(part: Any, relation: str, number: int) -> _Slide:
    read = _Slide(number)
    try:
        slide = part.related_slide(relation)
    except KeyError:
        read.lost["left out: the slide is damaged or missing"] = 1
        return read
    headline = slide.shapes.title
    if headline is not None:
        read.blocks.append(heading(_text(headline.text_frame), 2))
    for shape in _shapes(slide.shapes):
        if headline is None or shape.shape_id != headline.shape_id:
            _read_shape(shape, read)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        notes = paragraph(_text(frame))
        read.blocks.append(f"Notes: {notes}" if notes else "")
    read.blocks = [block for block in read.blocks if block.strip()]
    if slide.element.get("show") in {"0", "false"}:
        read.lost["hidden in the presentation; read all the same"] = 1
    if any(relation.reltype.endswith("/comments") for relation in slide.part.rels.values()):
        read.lost["comments left out"] = 1
    if not read.blocks:
        read.lost["no text"] = 1
    return read


def _shapes(shapes: Any) -> Iterator[Any]:
    """Yield the shapes, those in groups included, in the order of the file."""
    stack = list(reversed(list(shapes)))
    while stack:
        shape = stack.pop()
        if shape.element.tag.endswith("}grpSp"):
            stack.extend(reversed(list(shape.shapes)))
        else:
            yield shape


def _read_shape(shape: Any, read: _Slide) -> None:
    if shape.has_text_frame:
        read.blocks.append(_texts(shape))
    elif shape.has_table:
        read.blocks.append(_table(shape.table, read))
    elif shape.has_chart:
        chart = read_chart(shape.chart.part.blob)
        read.blocks.append(chart.text)
        if chart.lost:
            read.lost[chart.lost] += 1
    elif shape.element.tag.endswith("}pic"):
        read.lost["picture(s) left out"] += 1
    elif any(node.get("uri") == _DIAGRAM for node in shape.element.iter("{*}graphicData")):
        read.lost["diagram(s) left out"] += 1
    elif not shape.element.tag.endswith("}cxnSp"):
        read.lost["embedded object(s) left out"] += 1


def _texts(shape: Any) -> str:
    """Return the paragraphs of a shape: as a list where it is the body of a slide, which shows them with bullets."""
    paragraphs = [(line.level, one_line(_line(line))) for line in shape.text_frame.paragraphs]
    told = [(level, text) for level, text in paragraphs if text]
    if not shape.is_placeholder or len(told) < 2:  # noqa: PLR2004 - a single line is no list
        return "\n\n".join(paragraph(text) for _, text in told)
    lines: list[str] = []
    levels: list[int] = []
    for level, text in told:
        lines.append(f"{'  ' * deeper(levels, level)}- {text}")
    return "\n".join(lines)


def _text(frame: Any) -> str:
    return "\n".join(_line(line) for line in frame.paragraphs)


def _line(line: Any) -> str:
    """Return a paragraph's text with its fields, such as dates, and soft line ends as blanks."""
    nodes = line._p.iter("{*}t", "{*}br")  # noqa: SLF001 - the public `text` leaves fields out
    return "".join(" " if node.tag.endswith("}br") else node.text or "" for node in nodes)


def _table(grid: Any, read: _Slide) -> str:
    """Return a table in Markdown; a cell merged over rows or columns keeps its text at its first place only."""
    rows: list[list[str]] = []
    for line in grid.rows:
        cells = list(line.cells)
        if any(cell.is_merge_origin or cell.is_spanned for cell in cells):
            read.lost["merged cells of a table flattened"] = 1
        rows.append(["" if cell.is_spanned else _text(cell.text_frame) for cell in cells])
    return table(rows)
