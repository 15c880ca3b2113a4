"""The objects on a sheet of a workbook: text boxes, shapes, charts, diagrams and comments."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.formats.excel.workbook import BROKEN, Relation, WorkbookPackage, rich_text
from weighbridge.ingest.formats.markdown_writer import comment, paragraph
from weighbridge.ingest.formats.office.chart_xml import read_chart
from weighbridge.ingest.formats.office.drawingml import body_text, diagram_text
from weighbridge.ingest.formats.office.xml_parsing import local_name

_THREADED = "[Threaded comment]"
"""The notes of threads begin with this and a request to update Excel, before the first comment."""
_ALTERNATIVES = "AlternateContent"


@dataclass(slots=True)
class SheetObjects:
    """The blocks of text on a sheet, in the order of their places, and the losses."""

    blocks: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    """How often something was lost, by its description."""


def read_objects(package: WorkbookPackage, part: str) -> SheetObjects:
    """Read the drawing of a sheet, its notes and its threads of comments."""
    objects = SheetObjects()
    for drawing in package.iter_related(part, "drawing"):
        try:
            root = package.tree(drawing, recover=True)
        except ValueError:
            objects.lost["drawing(s) damaged and left out"] += 1
            continue
        relations = package.relations(drawing)
        for anchor in sorted(_anchors(root), key=_place):
            _read_shapes(package, anchor, relations, objects)
    seen = set(objects.blocks)
    objects.blocks += [text for text in _control_texts(package, part) if text not in seen]
    objects.blocks += _comments(package, part, objects.lost)
    return objects


def _anchors(root: Any) -> Iterator[Any]:
    """Yield the elements that hold a shape and its place; of alternatives for several programs, the first."""
    for node in root:
        if not isinstance(node.tag, str):
            continue
        if node.tag.endswith(_ALTERNATIVES):
            yield from (child for child in _first_choice(node) if isinstance(child.tag, str))
        else:
            yield node


def _first_choice(node: Any) -> Any:
    choice = node.find("{*}Choice")
    return choice if choice is not None else node.find("{*}Fallback") or ()


def _place(anchor: Any) -> tuple[int, int]:
    """Return the row and the column where a shape begins; those without a place come last."""
    row, column = anchor.findtext("{*}from/{*}row") or "", anchor.findtext("{*}from/{*}col") or ""
    return (int(row), int(column)) if row.strip().isdecimal() and column.strip().isdecimal() else (1 << 30, 0)


def _read_shapes(package: WorkbookPackage, node: Any, relations: Mapping[str, Relation], objects: SheetObjects) -> None:
    """Read the shapes below an element, groups looked through."""
    stack = [node]
    while stack:
        child = stack.pop()
        name = local_name(child)
        if name in {"sp", "cxnSp"}:
            objects.blocks += [paragraph(body_text(body)) for body in child.iterfind("{*}txBody")]
        elif name in {"chart", "relIds"}:
            _read_related(package, child, relations, objects)
        elif name == _ALTERNATIVES:
            stack += reversed(list(_first_choice(child)))
        else:
            stack += reversed(list(child))


def _read_related(
    package: WorkbookPackage, node: Any, relations: Mapping[str, Relation], objects: SheetObjects
) -> None:
    """Read the chart or the diagram that an element refers to."""
    targets = [relations[value] for value in node.attrib.values() if value in relations]
    for relation in targets:
        if relation.kind in {"chart", "chartEx"}:
            try:
                with package.open(relation.target) as file:
                    chart = read_chart(file.read())
            except BROKEN:
                objects.lost["chart(s) damaged and left out"] += 1
                continue
            objects.blocks.append(chart.text)
            if chart.lost:
                objects.lost[chart.lost] += 1
        elif relation.kind == "diagramData":
            try:
                objects.blocks.append(diagram_text(package.tree(relation.target, recover=True)))
            except ValueError:
                objects.lost["diagram(s) damaged and left out"] += 1


def _control_texts(package: WorkbookPackage, part: str) -> Iterator[str]:
    """Yield the texts of buttons and check boxes in the markup of Office 2003 (VML). Its notes are left out.

    Newer programs write some of these texts a second time, as shapes.
    """
    for drawing in package.iter_related(part, "vmlDrawing"):
        try:
            root = package.tree(drawing, recover=True)
        except ValueError:  # nearly always of notes, whose text stands elsewhere
            continue
        for shape in root.iterfind("{*}shape"):
            if all(data.get("ObjectType") != "Note" for data in shape.iterfind("{*}ClientData")):
                for box in shape.iterfind("{*}textbox"):
                    yield paragraph(" ".join(" ".join(box.itertext()).split()))


def _comments(package: WorkbookPackage, part: str, lost: Counter[str]) -> Iterator[str]:
    """Yield the notes and the threads of comments with their cells and authors."""
    threads = list(package.iter_related(part, "threadedComment"))
    people: dict[str, str] = {}
    if threads:
        with suppress(ValueError):  # without the list, the comments have no authors
            for node in package.tree("xl/persons/person.xml", recover=True).iterfind("{*}person"):
                people[str(node.get("id"))] = node.get("displayName") or ""
    for thread in threads:
        root = _tree_or_none(package, thread, lost)
        for node in () if root is None else root.iterfind("{*}threadedComment"):
            yield _comment(node.get("ref"), people.get(str(node.get("personId")), ""), node.findtext("{*}text") or "")
    for comments in package.iter_related(part, "comments"):
        root = _tree_or_none(package, comments, lost)
        if root is None:
            continue
        authors = [author.text or "" for author in root.iterfind("{*}authors/{*}author")]
        for node in root.iterfind("{*}commentList/{*}comment"):
            number = node.get("authorId") or ""
            author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
            text = "".join(map(rich_text, node.iterfind("{*}text")))
            if text and not (threads and text.startswith(_THREADED)):
                yield _comment(node.get("ref"), author, text)


def _tree_or_none(package: WorkbookPackage, part: str, lost: Counter[str]) -> Any:
    try:
        return package.tree(part, recover=True)
    except ValueError:
        lost["comments damaged and left out"] += 1
        return None


def _comment(cell: str | None, author: str, text: str) -> str:
    """Return a comment as a paragraph, without the author's name that Excel begins notes with."""
    text = text.strip()
    if author:
        text = text.removeprefix(f"{author}:").strip()
    return comment(text, "" if author.startswith("tc=") else author, cell or "a cell")
