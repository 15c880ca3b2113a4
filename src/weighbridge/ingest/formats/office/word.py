"""Word documents: the body in its order, with headings, lists, tables, notes and text boxes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Enclosed, Parsed
from weighbridge.ingest.formats.markdown_writer import comment, deepen, heading, join_lines, list_item, paragraph, table
from weighbridge.ingest.formats.office.chart_xml import read_chart
from weighbridge.ingest.formats.office.drawingml import diagram_text
from weighbridge.ingest.formats.office.numbering import Numbering, ParagraphStyle, numbering_of, style_of, styles_of
from weighbridge.ingest.formats.office.package import check_package, convert_errors
from weighbridge.ingest.formats.office.repair import RepairedPackage, enclose, read_repaired, stored_title
from weighbridge.ingest.formats.office.wordml import (
    ASIDE,
    COMMENT,
    DIAGRAM,
    EMBEDDED,
    TABLE,
    W,
    WordReading,
    children,
    flow,
    words,
)
from weighbridge.ingest.formats.office.xml_parsing import parse_xml

PARSER = 4
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MOST_COLUMNS = 63
"""Columns that a table of Word has at most."""
_SHOWN = 60
"""Characters of a header or a footer that its report quotes."""


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    in_list: bool = False


@dataclass(slots=True)
class _Reading:
    """The state of reading a document."""

    part: Any
    numbering: Numbering
    seen: WordReading
    comments: dict[str, Any]
    """The comments that are still to be read, by the numbers that the text refers to them by."""
    enclosed: list[Enclosed] = field(default_factory=list)
    tables: int = 0
    title: str = ""
    first_heading: str = ""


def read_docx(path: Path) -> Parsed:
    """Read a .docx file. Title: the document's property, else the text styled as title, else the first heading.

    Footnotes and endnotes follow the text as `[^1]: ...`; text boxes, charts (as tables), diagrams (as lists) and
    comments follow their paragraph. `scripts` and `math_text` define how superscripts, equations and struck-out text
    are written. Tracked deletions and hidden text are left out. Files embedded as a whole are enclosed. The losses
    name everything left out, pictures, headers, merged cells, and damaged parts.

    Raises:
        UnreadableError: the package is damaged, encrypted or a bomb.
    """
    check_package(path)
    with convert_errors():
        return read_repaired(path, _read)


def _read(package: RepairedPackage) -> Parsed:
    from docx import Document

    document = Document(package.file)
    part = document.part
    lists, comments = _related_root(part, "numbering"), _related_root(part, "comments")
    reading = _Reading(
        part,
        Numbering() if lists is None else numbering_of(lists),
        WordReading(styles_of(document.styles.element)),
        {} if comments is None else {str(node.get(f"{W}id")): node for node in comments.findall(f"{W}comment")},
    )
    blocks = [block for body in document.element.iterchildren(f"{W}body") for block in _blocks(body, reading)]
    blocks += _notes(reading)
    for _ in reading.comments:
        reading.seen.lose("comment(s) outside of the text left out")
    _report_margins(part, reading.seen)
    title = stored_title(part.package.rels.values())
    content = Content(text=_join_blocks(blocks), title=title or reading.title or reading.first_heading)
    return Parsed((content,), (*package.losses, *reading.seen.losses()), tuple(reading.enclosed))


def _join_blocks(blocks: list[_Block]) -> str:
    """Join blocks by blank lines, but the items of a list by line ends."""
    pieces: list[str] = []
    in_list = False
    for block in blocks:
        if block.text.strip():
            pieces += ["\n" if in_list and block.in_list else "\n\n", block.text]
            in_list = block.in_list
    return "".join(pieces[1:])


def _blocks(body: Any, reading: _Reading) -> Iterator[_Block]:
    levels: list[int] = []
    for node, text in flow(body, reading.seen):
        if node.tag == TABLE or node.tag in ASIDE:
            levels.clear()
            yield _Block(_table(node, reading) if node.tag == TABLE else _aside(node, reading))
        elif text.strip():
            style = style_of(node, reading.seen.styles)
            label = reading.numbering.label(style.list_id, style.list_level) if style.list_id else ""
            if style.level or not style.list_id:
                levels.clear()
            else:
                deepen(levels, style.list_level)
            yield _block(text, label, style, len(levels) - 1, reading)
        yield from _asides(reading)


def _asides(reading: _Reading) -> Iterator[_Block]:
    """Yield the other parts that the cells or notes just read refer to."""
    for node in reading.seen.aside:
        yield _Block(_aside(node, reading))
    reading.seen.aside.clear()


def _aside(node: Any, reading: _Reading) -> str:
    """Return the text of the part that an element refers to: a comment, a chart, a diagram. It encloses files."""
    if node.tag == COMMENT:
        root = reading.comments.pop(str(node.get(f"{W}id")), None)
        if root is None:
            return ""
        return comment(join_lines(words(root, reading.seen, "comments")), str(root.get(f"{W}author") or ""))
    kind = "dm" if node.tag == DIAGRAM else "id"
    part = reading.part.related_parts.get(str(node.get(f"{_R}{kind}")))
    if part is None:
        reading.seen.lose("part(s) of the package that are referred to and missing")
        return ""
    if node.tag in EMBEDDED:
        if (file := enclose(part)) is None:
            reading.seen.lose("embedded object(s) left out")
        else:
            reading.enclosed.append(file)
        return ""
    if node.tag == DIAGRAM:
        return diagram_text(parse_xml(part.blob))
    chart = read_chart(part.blob)
    if chart.lost:
        reading.seen.lose(chart.lost)
    return chart.text


def _block(text: str, label: str, style: ParagraphStyle, depth: int, reading: _Reading) -> _Block:
    """Return a paragraph in the form of its style; `depth` is its depth in a list, -1 outside of one."""
    if style.title and not reading.title:
        reading.title = join_lines(text)
    if style.level:
        reading.first_heading = reading.first_heading or join_lines(text)
        return _Block(heading(f"{label} {text}", style.level))
    if depth < 0:
        return _Block(paragraph(text))
    return _Block(list_item(label, text, depth), in_list=True)


def _table(node: Any, reading: _Reading) -> str:
    """Return a table in Markdown. A cell merged downwards is repeated, so that each row says all; others stay empty."""
    reading.tables += 1
    seen, place = reading.seen, f"table {reading.tables}"
    rows: list[list[str]] = []
    for line in children(node, "tr"):
        if line.find(f"{W}trPr/{W}del") is not None:
            seen.lose("tracked deletion(s) left out")
            continue
        cells = [""] * _number(line.find(f"{W}trPr/{W}gridBefore"), 0)
        for cell in children(line, "tc"):
            span = _number(cell.find(f"{W}tcPr/{W}gridSpan"), 1)
            merged = cell.find(f"{W}tcPr/{W}vMerge")
            goes_on = merged is not None and merged.get(f"{W}val") != "restart"
            if span > 1 or goes_on:
                seen.lost[place, "merged cells flattened"] = 1
            above = rows[-1][len(cells)] if goes_on and rows and len(rows[-1]) > len(cells) else ""
            cells += [words(cell, seen, place) or above, *[""] * (span - 1)]
        rows.append(cells)
    return table(rows)


def _number(node: Any, default: int) -> int:
    value = str(node.get(f"{W}val")) if node is not None else ""
    return min(int(value), _MOST_COLUMNS) if value.isdecimal() and len(value) < _MOST_COLUMNS else default


def _notes(reading: _Reading) -> Iterator[_Block]:
    """Yield the footnotes and endnotes in the order of their references."""
    seen = reading.seen
    texts: dict[tuple[str, str], str] = {}
    for kind, tag in (("footnotes", "footnote"), ("endnotes", "endnote")):
        root = _related_root(reading.part, kind)
        for node in () if root is None else root.findall(f"{W}{tag}"):
            texts[kind, str(node.get(f"{W}id"))] = join_lines(words(node, seen, kind))
    for number, note in enumerate(list(seen.notes), start=1):
        if note not in texts:
            seen.lose("note(s) left out: the package has none of that number")
        yield _Block(f"[^{number}]: {texts.get(note, '')}")
    yield from _asides(reading)


def _report_margins(part: Any, seen: WordReading) -> None:
    """Report the headers and footers."""
    for relation in part.rels.values():
        place = relation.reltype.rpartition("/")[2]
        if place in {"header", "footer"} and not relation.is_external:
            root = parse_xml(relation.target_part.blob)
            text = join_lines(" ".join(node.text or "" for node in root.iter(f"{W}t")))
            if text:
                seen.lost[place, f'left out: "{text[:_SHOWN]}"'] = 1


def _related_root(part: Any, kind: str) -> Any:
    """Return the root element of the part that stands in a relation to the document, None where there is none."""
    for relation in part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            return parse_xml(relation.target_part.blob)
    return None
