"""What is in files, as others publish it: found in folders that hold copies of public repositories.

docling: `tests/data/FORMAT/{sources,groundtruth}`; trafilatura: `tests/evaldata.json`; markitdown:
`tests/_test_vectors.py`; unstructured: `expected-structured-output`; SheetJS: a CSV of each sheet, as displayed, beside
a workbook. And the raw XML of every Word, PowerPoint and Excel file, whoever it is from.
"""

import ast
import csv
import hashlib
import json
import posixpath
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from lxml import etree

_OFFICE = {".docx": "DOCX", ".docm": "DOCX", ".pptx": "PPTX", ".pptm": "PPTX", ".xlsx": "XLSX", ".xlsm": "XLSX"}
_KINDS = {**_OFFICE, ".html": "HTML", ".htm": "HTML", ".pdf": "PDF", ".epub": "EPUB", ".csv": "CSV", ".txt": "text",
          ".ipynb": "notebook", ".json": "JSON", ".zip": "ZIP"}  # fmt: skip
_SKIPPED = frozenset({"latex", "ocr"})
"""Folders of docling's whose files only illustrate sources, or are pictures: here no reader recognises text."""
_PARTS = {
    "DOCX": re.compile(r"word/(?:document|footnotes|endnotes)\.xml"),
    "PPTX": re.compile(r"ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml"),
    "XLSX": re.compile(r"xl/(?:worksheets/sheet\d+|drawings/drawing\d+)\.xml"),
}
_AROUND = re.compile(r"word/(?:header\d*|footer\d*|comments)\.xml|ppt/comments/\w+\.xml|xl/comments\d*\.xml")
"""What stands around a document: a reader may leave it out, if it says so."""
_APART = frozenset({"p", "tab", "br", "cr", "c", "row", "tc", "oMath", "si", "noBreakHyphen"})
"""Elements around which text does not run on."""
_UNSEEN = frozenset({"Fallback", "moveFrom", "del", "instrText", "delText", "rPh", "f"})
"""Elements whose text no reader of the page sees, or sees a second time."""
_UNPACKED = 20_000_000
"""Bytes that a package may unpack to: fixtures hold bombs, which a benchmark of text needs not to survive."""
_LONGEST_CELL = 32_767
"""Characters, as Excel has it."""
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is in a file: its text, or strings that must be in it and strings that are not of the article."""

    source: str
    kind: str
    path: Path
    text: str = ""
    required: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


def gather(folders: Sequence[Path], largest: int) -> list[Truth]:
    """Return what is known of the files in folders; copies, and files of more than so many bytes, are left out."""
    truths: list[Truth] = []
    for folder in folders:
        for source in (_of_docling, _of_trafilatura, _of_markitdown, _of_unstructured, _of_raw_xml):
            truths += source(folder)
        truths += _of_sheetjs(folder, folders)
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for truth in truths:
        content = truth.path.read_bytes()
        mark = (truth.source, truth.kind, hashlib.sha256(content).hexdigest())
        says = truth.required or any(map(str.isalnum, truth.text))
        if says and mark not in seen and len(content) <= largest:
            seen.add(mark)
            kept.append(truth)
    return kept


def _kind(path: Path) -> str | None:
    return _KINDS.get(path.suffix.lower())


def _of_docling(folder: Path) -> Iterator[Truth]:
    for source in sorted(folder.glob("**/tests/data/*/sources/*")):
        kind = _kind(source)
        truths = source.parent.parent / "groundtruth"
        for name in (f"{source.name}.md", f"{source.stem}.md"):
            if kind is not None and (truths / name).is_file() and source.parent.parent.name not in _SKIPPED:
                text = (truths / name).read_text(encoding="utf-8")
                yield Truth(source="docling", kind=kind, path=source, text=text)
                break


def _of_trafilatura(folder: Path) -> Iterator[Truth]:
    for listed in sorted(folder.glob("**/tests/evaldata.json")):
        for page in json.loads(listed.read_text(encoding="utf-8")).values():
            for path in (listed.parent / "cache" / page["file"], listed.parent / "eval" / page["file"]):
                if path.is_file():
                    strings = {"required": tuple(page["with"]), "unwanted": tuple(page["without"])}
                    yield Truth(source="trafilatura", kind="HTML", path=path, **strings)
                    break


def _of_markitdown(folder: Path) -> Iterator[Truth]:
    for listed in sorted(folder.glob("**/tests/_test_vectors.py")):
        for node in ast.walk(ast.parse(listed.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "FileTestVector":
                continue
            values = {each.arg: ast.literal_eval(each.value) for each in node.keywords}
            path = listed.parent / "test_files" / values["filename"]
            kind = _kind(path)
            wanted = (text for text in values["must_include"] if not text.startswith(("data:", "](")))
            if kind is not None and path.is_file():
                yield Truth(source="markitdown", kind=kind, path=path, required=tuple(wanted))
    for expected in sorted(folder.glob("**/test_files/expected_outputs/*.md")):
        path = expected.parent.parent / f"{expected.stem}.pdf"
        if path.is_file():
            yield Truth(source="markitdown's output", kind="PDF", path=path, text=expected.read_text(encoding="utf-8"))


def _of_unstructured(folder: Path) -> Iterator[Truth]:
    examples: dict[str, Path] = {}
    for path in sorted(folder.glob("**/example-docs/**/*")):
        examples.setdefault(path.name, path)
    for expected in sorted(folder.glob("**/expected-structured-output/**/*.json")):
        path = examples.get(expected.stem)
        kind = _kind(path) if path is not None else None
        if path is not None and kind is not None:
            elements = json.loads(expected.read_text(encoding="utf-8"))
            text = "\n".join(element["text"] for element in elements)
            yield Truth(source="unstructured", kind=kind, path=path, text=text)


def _of_sheetjs(folder: Path, folders: Sequence[Path]) -> Iterator[Truth]:
    """Pair a workbook with the sheets as displayed; "apachepoi_x.xlsx" is what x.xlsx is called there."""
    expected: dict[str, list[Path]] = {}
    for sheets in (folder, folder / "2016"):
        for sheet in sorted(sheets.glob("*.xls[xm].[0-9]*.csv"), key=lambda path: _natural(path.stem)):
            expected.setdefault(str(sheets / sheet.name.rsplit(".", 2)[0]), []).append(sheet)
    if not expected:
        return
    books = {path.name: path for each in folders for path in sorted(each.rglob("*.xls[xm]"), reverse=True)}
    for name, sheets in expected.items():
        own = Path(name).name
        path = books.get(own) or books.get(own.partition("_")[2])
        if path is not None:
            yield Truth(source="SheetJS", kind="XLSX", path=path, text="\n".join(map(_displayed, sheets)))


def _displayed(sheet: Path) -> str:
    text = sheet.read_text(encoding="utf-8", errors="replace").replace("\0", "")
    return "\n".join(" ".join(row) for row in csv.reader(text.splitlines(keepends=True)))


def _of_raw_xml(folder: Path) -> Iterator[Truth]:
    for path in sorted(folder.rglob("*")):
        kind = _OFFICE.get(path.suffix.lower())
        if kind is not None and path.is_file():
            if (text := read_raw(path, kind, _PARTS[kind])).strip():
                yield Truth(source="raw XML", kind=kind, path=path, text=text)
            if (text := read_raw(path, kind, _AROUND)).strip():
                yield Truth(source="raw XML of headers, footers and comments", kind=kind, path=path, text=text)


def read_raw(path: Path, kind: str, parts: re.Pattern[str]) -> str:
    """Return the text of some parts of an office file as it stands there; empty where it cannot be read."""
    try:
        with ZipFile(path) as package:
            if sum(member.file_size for member in package.infolist()) > _UNPACKED:
                return ""
            names = [name for name in package.namelist() if parts.fullmatch(name)]
            strings = _shared_strings(package) if kind == "XLSX" else ()
            texts = [
                _text(etree.fromstring(package.read(name), _PARSER), strings) for name in sorted(names, key=_natural)
            ]
    except (BadZipFile, OSError, KeyError, ValueError, RuntimeError, NotImplementedError, etree.XMLSyntaxError):
        return ""
    return "\n".join(texts)


def _natural(name: str) -> tuple[str, int]:
    stem = posixpath.splitext(name)[0]
    digits = re.search(r"\d*$", stem)
    return stem.rstrip("0123456789"), int(digits[0] or 0) if digits else 0


def _shared_strings(package: ZipFile) -> Sequence[str]:
    name = "xl/sharedStrings.xml"
    if name not in package.namelist():
        return ()
    strings = [_text(item, ()) for item in etree.fromstring(package.read(name), _PARSER) if _local(item) == "si"]
    if any(len(string) > _LONGEST_CELL for string in strings):
        raise ValueError("a string that no cell of Excel can hold")
    return strings


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _text(element: etree._Element, strings: Sequence[str]) -> str:
    """Return the text under an element: of cells, what they share or hold as text; what is raised stands apart."""
    name = _local(element)
    if not name or name in _UNSEEN:
        return ""
    if name == "c":
        return f" {_cell(element, strings)} "
    if name in {"t", "text"} and not len(element):
        return element.text or ""
    text = "".join(_text(child, strings) for child in element)
    if name == "r" and _is_raised(element):
        return f" {text} "
    return f"\n{text}\n" if name in _APART else text


def _cell(cell: etree._Element, strings: Sequence[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(_text(child, strings) for child in cell)
    values = [child.text or "" for child in cell if _local(child) == "v"]
    if kind == "s" and values and values[0].isdigit() and int(values[0]) < len(strings):
        return strings[int(values[0])]
    return values[0] if kind == "str" and values else ""


def _is_raised(run: etree._Element) -> bool:
    for child in run.iter():
        name = _local(child)
        if name == "vertAlign" or (name == "rPr" and child.get("baseline") not in {None, "0"}):
            return True
    return False
