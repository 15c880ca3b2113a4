"""The package of a workbook: its parts and their relations, its sheets, shared texts and cell styles.

Names of elements are looked up without their namespace, for files saved as "Strict Open XML" have others. A broken part
costs only itself.
"""

import posixpath
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import unquote
from zipfile import BadZipFile, ZipFile, ZipInfo

from weighbridge.ingest.content import Loss, UnreadableError
from weighbridge.ingest.formats.markdown_writer import join_lines
from weighbridge.ingest.formats.number_format.display import BUILT_IN
from weighbridge.ingest.formats.office.package import refuse_entities
from weighbridge.ingest.formats.office.xml_parsing import local_name, parse_xml, whole_number
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

BROKEN = (KeyError, ValueError, SyntaxError, OSError, RuntimeError, EOFError, BadZipFile, zlib.error, UnreadableError)
"""Errors of reading a part of a package: it is missing, no XML (a `SyntaxError`), or packed in a broken way."""
_OPEN_BREAK = re.compile(rb"<br\s*>", re.IGNORECASE)
_SHEET_NAME = re.compile(r"xl/worksheets/sheet(\d{1,6})\.xml")
_LARGEST_XML = 1_000_000_000
"""Bytes of a part; sheets and shared texts are read piece by piece."""
_SCRIPTS: Mapping[str, Script] = {"superscript": "superscript", "subscript": "subscript"}
_FALSE = frozenset({"0", "false", "off", "none"})


@dataclass(frozen=True, slots=True)
class Relation:
    """From one part of a package to another: its kind is the last word of its type, such as "drawing"."""

    kind: str
    target: str


class WorkbookPackage:
    """The parts of a package by their names. Slashes either way, and capital letters, make no difference."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, ZipInfo] = {_part_name(info.filename): info for info in archive.infolist()}
        self.unread = set(self._members)
        """Names of the parts that nobody has opened yet."""

    def open(self, part: str) -> IO[bytes]:
        """Open a part.

        Raises:
            KeyError: there is none of that name.
            UnreadableError: it declares a document type.
        """
        name = _part_name(part)
        self.unread.discard(name)
        member = self._members[name]
        refuse_entities(self._archive, member, largest=_LARGEST_XML)
        return self._archive.open(member)

    def tree(self, part: str, *, recover: bool = False) -> Any:
        """Return the root element of a part. With `recover`, broken XML is read as far as it can be.

        Office 2003 left the `<br>` of drawings open; they are read as closed.

        Raises:
            ValueError: there is no such part, or it is no XML.
        """
        try:
            with self.open(part) as file:
                content = file.read()
            content = _OPEN_BREAK.sub(b"<br/>", content) if recover else content
            root = parse_xml(content, recover=recover, remove_comments=True)
        except BROKEN as error:
            raise ValueError(part) from error
        if root is None:
            raise ValueError(part)
        return root

    def relations(self, part: str) -> dict[str, Relation]:
        """Return the relations of a part by their ids; the package itself is the part "". Broken ones are left out."""
        folder, name = posixpath.split(part)
        try:
            root = self.tree(posixpath.join(folder, "_rels", f"{name}.rels"), recover=True)
        except ValueError:
            return {}
        related: dict[str, Relation] = {}
        for node in root.iterfind("{*}Relationship"):
            target, kind = node.get("Target"), str(node.get("Type")).rpartition("/")[2]
            if target and node.get("TargetMode") != "External":
                related[str(node.get("Id"))] = Relation(kind, posixpath.join(f"/{folder}", unquote(target)))
        return related

    def iter_related(self, part: str, *kinds: str) -> Iterator[str]:
        """Yield the names of the parts that a part is related to by one of some kinds."""
        for relation in self.relations(part).values():
            if relation.kind in kinds:
                yield relation.target

    def find_related_or_usual(self, part: str, kind: str) -> list[str]:
        """Return the related parts, or the part of the usual name where the relation is missing."""
        usual = posixpath.join(posixpath.dirname(part), f"{kind}.xml")
        return list(self.iter_related(part, kind)) or [name for name in (usual,) if _part_name(name) in self._members]

    def usual_sheets(self) -> list[str]:
        """Return the parts that are sheets by the names that Excel gives, in the order of their numbers."""
        by_number = {int(match[1]): match[0] for match in map(_SHEET_NAME.fullmatch, self._members) if match}
        return [name for _, name in sorted(by_number.items())]


def _part_name(name: str) -> str:
    return posixpath.normpath(f"/{name}".replace("\\", "/")).lstrip("/").lower()


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet as the workbook lists it; `part` is empty where it leads nowhere."""

    name: str
    part: str
    kind: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class CellStyle:
    """The format of a cell: its number format code, and whether its text is struck out."""

    code: str = "General"
    struck: bool = False


@dataclass(slots=True)
class Workbook:
    """The texts, styles and settings that the sheets of a workbook share."""

    sheets: Sequence[SheetPart]
    date1904: bool = False
    strings: list[str] = field(default_factory=list)
    styles: Sequence[CellStyle] = (CellStyle(),)
    losses: list[Loss] = field(default_factory=list)


def read_workbook(package: WorkbookPackage) -> Workbook:
    """Read all that the sheets share. A broken list of sheets, shared texts or styles are reported as losses.

    Raises:
        ValueError: the list of sheets is broken, and the package has none of the names that Excel gives.
    """
    main = next(package.iter_related("", "officeDocument"), "xl/workbook.xml")
    try:
        root = package.tree(main, recover=True)
    except ValueError:
        root = None
    relations = package.relations(main)
    sheets = [] if root is None else list(_listed_sheets(root, relations))
    book = Workbook(sheets)
    if not sheets or not relations:
        usual = [(posixpath.splitext(posixpath.basename(part))[0], part) for part in package.usual_sheets()]
        book.sheets = [SheetPart(name, part, "worksheet", hidden=False) for name, part in usual]
        if not book.sheets:
            raise ValueError(main)
        book.losses.append(Loss("workbook", "the list of its sheets is broken: they come by the names of their parts"))
    for properties in () if root is None else root.iterfind("{*}workbookPr"):
        book.date1904 = str(properties.get("date1904") or "0") not in _FALSE
    _read_strings(package, main, book)
    for part in package.find_related_or_usual(main, "styles"):
        try:
            book.styles = tuple(_styles(package.tree(part)))
        except ValueError:
            book.losses.append(Loss("workbook", "styles are broken: numbers and dates come without their formats"))
    return book


def _listed_sheets(root: Any, relations: Mapping[str, Relation]) -> Iterator[SheetPart]:
    for number, node in enumerate(root.iterfind("{*}sheets/{*}sheet"), start=1):
        named = next((value for key, value in node.attrib.items() if key.endswith("}id")), "")
        relation = relations.get(str(named), Relation("", ""))
        hidden = str(node.get("state") or "visible") != "visible"
        yield SheetPart(join_lines(node.get("name") or f"{number}"), relation.target, relation.kind, hidden)


def _read_strings(package: WorkbookPackage, main: str, book: Workbook) -> None:
    from lxml import etree

    for part in package.find_related_or_usual(main, "sharedStrings"):
        try:
            with package.open(part) as file:
                parts = etree.iterparse(file, tag="{*}si", resolve_entities=False, no_network=True)
                for _, node in parts:
                    book.strings.append(rich_text(node))
                    discard(node)
        except BROKEN:
            lost = f"shared texts are broken: those after the first {len(book.strings):,} left out"
            book.losses.append(Loss("workbook", lost))


def _styles(root: Any) -> Iterator[CellStyle]:
    codes = dict(BUILT_IN)
    for node in root.iterfind("{*}numFmts/{*}numFmt"):
        number, code = whole_number(node.get("numFmtId"), -1), node.get("formatCode")
        if code is not None:
            codes[number] = code
    struck = [_is_struck(font) for font in root.iterfind("{*}fonts/{*}font")]
    for node in root.iterfind("{*}cellXfs/{*}xf"):
        font = whole_number(node.get("fontId"), -1)
        code = codes.get(whole_number(node.get("numFmtId"), -1)) or "General"
        yield CellStyle(code, struck=0 <= font < len(struck) and struck[font])


def _is_struck(font: Any) -> bool:
    marks = list(font.iterfind("{*}strike"))
    return bool(marks) and str(marks[0].get("val", "1")) not in _FALSE


def rich_text(node: Any) -> str:
    """Return the text of a cell, a shared text or a comment: runs of their own form, without readings in kana."""
    runs: list[Run] = []
    for child in node:
        name = local_name(child)
        if name == "t":
            runs.append(Run(child.text or ""))
        elif name == "r":
            raised = child.find("{*}rPr/{*}vertAlign")
            script = _SCRIPTS.get(str(raised.get("val")), "normal") if raised is not None else "normal"
            properties = child.find("{*}rPr")
            struck = properties is not None and _is_struck(properties)
            runs.append(Run("".join(text.text or "" for text in child.iterfind("{*}t")), script, struck))
    return runs[0].text if len(runs) == 1 and not runs[0].struck else write_runs(runs)


def discard(node: Any) -> None:
    """Free the memory of an element that has been read, and of those before it."""
    node.clear()
    while node.getprevious() is not None:
        del node.getparent()[0]
