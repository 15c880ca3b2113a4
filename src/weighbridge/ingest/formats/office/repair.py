"""Repairs Office packages before a library opens them, so that one bad part costs that part and not the file."""

import posixpath
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from weighbridge.ingest.content import Enclosed, Loss, Parsed
from weighbridge.ingest.formats.office.xml_parsing import parse_xml, recover_xml

_TYPES = "[Content_Types].xml"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_RENAMED = {b"/extendedProperties": b"/extended-properties", b"/customProperties": b"/custom-properties"}
_ROOT_RELATIONS = "_rels/.rels"
_MAIN_PARTS = ("word/document.xml", "word/document2.xml", "ppt/presentation.xml")
_TELLING = frozenset({_ROOT_RELATIONS, *_MAIN_PARTS})
"""Members that begin with the names of strict Open XML if a package is of that kind."""
_PROLOG = 4_096
"""Bytes in which the root element declares its namespaces."""
_PIECE = 1 << 20
"""Bytes of a member that are held at once."""
_SMALL = 64
"""Bytes of a damaged member that are unpacked at once."""
_TEXTLESS = frozenset({
    "theme", "themeOverride", "fontTable", "font", "settings", "webSettings", "printerSettings", "thumbnail",
    "customXml", "customXmlProps", "tableStyles", "presProps", "viewProps", "stylesWithEffects", "vbaProject", "tags",
    "customXmlDataProps", "extended-properties", "attachedTemplate", "calcChain",
})  # fmt: skip
"""Kinds of parts that hold no text of the document: where one is missing, nothing is lost."""
_TEXTLESS_MEMBER = re.compile(r"(?:^|/)(?:theme|fontTable|webSettings|stylesWithEffects|itemProps|presProps|viewProps|"
                              r"tableStyles)\w*\.xml$")  # fmt: skip
"""Members that no reader parses; those of the default template of Word are half of a short document."""
_TYPES_SPACE = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS_SPACE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BY_NAME = ("styles", "numbering", "footnotes", "endnotes", "comments")
"""Parts of a Word file that are found by their kind, not by the number that the text refers to them by."""
_PART_TYPES = tuple(
    (re.compile(pattern), f"application/vnd.openxmlformats-{kind}+xml")
    for pattern, kind in (
        (r"docProps/core\.xml", "package.core-properties"),
        (r"word/document2?\.xml", "officedocument.wordprocessingml.document.main"),
        *((rf"word/{kind}\.xml", f"officedocument.wordprocessingml.{kind}") for kind in (*_BY_NAME, "settings")),
        (r"ppt/presentation\.xml", "officedocument.presentationml.presentation.main"),
        *(
            (rf"ppt/{kind}s/{kind}\d+\.xml", f"officedocument.presentationml.{kind}")
            for kind in ("slide", "slideLayout", "slideMaster", "notesSlide", "notesMaster")
        ),
    )
)
"""Types of parts by the names that Office gives them, for packages that fail to declare them."""
_MAIN = {
    b"ms-word": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    b"wordprocessingml": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    b"ms-powerpoint": b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    b"presentationml": b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
_SPECIAL = re.compile(
    rb"application/vnd\.(?:openxmlformats-officedocument\.)?(ms-word|ms-powerpoint|wordprocessingml|presentationml)"
    rb"\.(?:document|template|presentation|slideshow)(?:\.macroEnabled(?:Template)?)?\.main\+xml"
)
_UNREADABLE = (BadZipFile, zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class RepairedPackage:
    """A package that libraries can open: the path of the file itself where nothing had to be repaired."""

    file: str | BytesIO
    losses: tuple[Loss, ...] = ()


@dataclass(slots=True)
class _Repair:
    """The changes to a package: new bytes of members by their proper names, None for those to be left out."""

    members: dict[str, ZipInfo]
    changed: dict[str, bytes | None] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    strict: bool = False

    def lose(self, place: str, what: str) -> None:
        self.losses.append(Loss(place, what))

    def has(self, name: str) -> bool:
        return name in self.members and self.changed.get(name, b"") is not None


def repair_package(path: Path, *, thorough: bool = True) -> RepairedPackage:
    """Return a package as the libraries expect one, and the losses.

    - Members with backslashes in their names are named with slashes.
    - Strict Open XML gets the names of the transitional kind; the rest is the same for a reader.
    - Macros, templates and shows are declared to be ordinary documents.
    - Missing or broken declarations are restored by the names that Office gives to parts.
    - Relations to parts that the package lacks are dropped; those to a part in other case or spelling are mended.
    - If `thorough`, damaged XML is kept as far as it can be parsed, and other damaged members are dropped.

    The package must have passed `check_package`: that refuses bombs.
    """
    with ZipFile(path) as package:
        infos = [info for info in package.infolist() if not info.is_dir()]
        repair = _Repair({_proper_name(info.filename): info for info in infos})
        if thorough:
            for name in repair.members:
                _check_member(package, name, repair)
        else:
            for name, info in repair.members.items():
                if name in _TELLING and not repair.strict:
                    with package.open(info) as file:
                        repair.strict = _STRICT.search(file.read(_PROLOG)) is not None
        _restore_relations(package, repair)
        for name in [name for name in repair.members if name.endswith(".rels")]:
            _mend_spelling(package, name, repair)
        for name in [name for name in repair.members if name.endswith(".rels")]:
            _mend_relations(package, name, repair)
        _mend_types(package, repair)
        misnamed = any(name != info.filename for name, info in repair.members.items())
        if not (repair.changed or repair.strict or misnamed):
            return RepairedPackage(str(path))
        return RepairedPackage(_rewrite(package, repair), tuple(repair.losses))


def read_repaired(path: Path, read: Callable[[RepairedPackage], Parsed]) -> Parsed:
    """Read a package once; where that fails, read it once more after every part of it was checked and mended.

    Checking takes a quarter of the time of reading, and few packages are damaged.
    """
    try:
        return read(repair_package(path, thorough=False))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - libraries raise anything; if it was not for damage, the second reading raises it
        return read(repair_package(path))


def stored_title(relations: Iterable[Any]) -> str:
    """Return the title among a document's properties, empty where there is none."""
    for relation in relations:
        if relation.reltype.endswith("/core-properties") and not relation.is_external:
            return " ".join((parse_xml(relation.target_part.blob).findtext("{*}title") or "").split())
    return ""


def enclose(part: Any) -> Enclosed | None:
    """Return a part that is a whole file, None for an object that only its own program can read."""
    name = posixpath.basename(str(part.partname))
    return None if name.lower().endswith(".bin") else Enclosed(name, part.blob)


def _proper_name(name: str) -> str:
    name = name.replace("\\", "/").lstrip("/")
    return _TYPES if name.casefold() == _TYPES.casefold() else name


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _check_member(package: ZipFile, name: str, repair: _Repair) -> None:
    """Note the damage of a member, and whether it is in the strict kind of Open XML."""
    damaged = ""
    pieces: list[bytes] = []
    try:
        with package.open(repair.members[name]) as file:
            while piece := file.read(_PIECE):
                if _is_xml(name):
                    pieces.append(piece)
        data = b"".join(pieces)
    except _UNREADABLE:
        damaged = "damaged: its bytes cannot be unpacked"
        data = b"".join(_first_bytes(package, repair.members[name]))
    textless = _TEXTLESS_MEMBER.search(name) is not None
    if textless or not _is_xml(name):
        if damaged:
            repair.changed[name] = None
        if damaged and not textless:
            repair.lose(name, f"left out; {damaged}")
        return
    repair.strict = repair.strict or _STRICT.search(data) is not None
    mended, fault = recover_xml(data)
    if mended is None:
        repair.changed[name] = None
        repair.lose(name, f"left out; {damaged or fault}")
    elif damaged or fault:
        repair.changed[name] = _transitional(mended)
        repair.lose(name, f"read as far as it can be; {damaged or fault}")


def _first_bytes(package: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    """Yield the sound beginning of a damaged member, in small pieces because the last is lost with the error."""
    try:
        with package.open(member) as file:
            while piece := file.read(_SMALL):
                yield piece
    except _UNREADABLE:
        return


def _relations(package: ZipFile, name: str, repair: _Repair) -> Any:
    """Return the root element of a member that holds relations, None where it is damaged beyond reading."""
    from lxml import etree

    if not repair.has(name):
        return None
    data = repair.changed.get(name) or package.read(repair.members[name])
    root = parse_xml(_transitional(data))
    sound = [node for node in root.iter("*") if all(node.get(key) for key in ("Id", "Type", "Target"))]
    if root.tag == f"{{{_RELATIONS_SPACE}}}Relationships" and len(sound) == len(root):
        return root
    anew = etree.Element(f"{{{_RELATIONS_SPACE}}}Relationships")
    for node in sound:
        etree.SubElement(anew, f"{{{_RELATIONS_SPACE}}}Relationship", dict(node.attrib))
    repair.changed[name] = etree.tostring(anew)
    return anew


def _inner_targets(name: str, root: Any) -> Iterator[tuple[Any, list[str]]]:
    """Yield the relations to members of the package, each with the names that may be meant, the written one first."""
    folder = name.rpartition("_rels/")[0]
    for relation in [] if root is None else list(root.iterchildren("{*}Relationship")):
        if relation.get("TargetMode") != "External":
            target = str(relation.get("Target") or "")
            spellings = (target, target.replace("\\", "/"), unquote(target.replace("\\", "/")))
            yield relation, [posixpath.normpath(posixpath.join("/", folder, one)).lstrip("/") for one in spellings]


def _mend_spelling(package: ZipFile, name: str, repair: _Repair) -> None:
    """Rename members as relations spell them, where names differ in upper and lower case alone."""
    root = _relations(package, name, repair)
    spelled: dict[str, str] = {}
    for _, names in _inner_targets(name, root):
        if any(map(repair.has, names)):
            continue
        spelled = spelled or {known.casefold(): known for known in repair.members}
        wanted = names[-1]
        rels = posixpath.join(posixpath.dirname(wanted), "_rels", f"{posixpath.basename(wanted)}.rels")
        for new in (wanted, rels):
            if (old := spelled.get(new.casefold())) and old != new and old in repair.members:
                repair.members[new] = repair.members.pop(old)
                if old in repair.changed:
                    repair.changed[new] = repair.changed.pop(old)


def _mend_relations(package: ZipFile, name: str, repair: _Repair) -> None:
    """Drop the relations to missing members, and report the losses."""
    from lxml import etree

    root = _relations(package, name, repair)
    source = name.replace("_rels/", "").removesuffix(".rels")
    mended = False
    for relation, names in _inner_targets(name, root):
        target = str(relation.get("Target") or "")
        found = next(filter(repair.has, names), "")
        if found == names[0] and target:
            continue
        mended = True
        if target.startswith("#"):  # a place in the document itself, such as a link to a heading
            relation.set("TargetMode", "External")
        elif found:
            relation.set("Target", f"/{found}")
        else:
            root.remove(relation)
            kind = str(relation.get("Type") or "").rpartition("/")[2]
            if kind not in _TEXTLESS and names[0] not in repair.members:
                repair.lose(source, f"{kind} left out: the package has no {target!r}")
    if mended:
        repair.changed[name] = etree.tostring(root)


def _mend_types(package: ZipFile, repair: _Repair) -> None:
    """Declare special documents to be ordinary, and give each member a type: the libraries refuse those without one."""
    from lxml import etree

    data = repair.changed.get(_TYPES) or (package.read(repair.members[_TYPES]) if repair.has(_TYPES) else b"")
    mended = _SPECIAL.sub(lambda match: _MAIN[bytes(match[1])], data).replace(b"\\", b"/")
    root = parse_xml(mended) if repair.has(_TYPES) else etree.Element(f"{{{_TYPES_SPACE}}}Types")
    added = root.tag != f"{{{_TYPES_SPACE}}}Types"
    root = etree.Element(f"{{{_TYPES_SPACE}}}Types") if added else root
    for node in list(root):
        if not (node.get("Extension") or node.get("PartName")) or not node.get("ContentType"):
            root.remove(node)
            added = True
    known = {str(node.get("Extension") or node.get("PartName")).casefold() for node in root.iterchildren("*")}
    for name in repair.members:
        extension = name.rpartition(".")[2].casefold() if "." in posixpath.basename(name) else ""
        if name == _TYPES or not extension or f"/{name}".casefold() in known:
            continue
        if kind := next((kind for pattern, kind in _PART_TYPES if pattern.fullmatch(name)), ""):
            etree.SubElement(root, f"{{{_TYPES_SPACE}}}Override", PartName=f"/{name}", ContentType=kind)
            added = True
        elif extension not in known:
            kind = {"xml": "xml", "rels": "vnd.openxmlformats-package.relationships+xml"}.get(extension, "octet-stream")
            etree.SubElement(root, f"{{{_TYPES_SPACE}}}Default", Extension=extension, ContentType=f"application/{kind}")
            known.add(extension)
            added = True
    if added or mended != data:
        repair.members.setdefault(_TYPES, ZipInfo(_TYPES))
        repair.changed[_TYPES] = etree.tostring(root) if added else mended


def _restore_relations(package: ZipFile, repair: _Repair) -> None:
    """Restore missing and damaged relations to parts with the names that Office gives."""
    from lxml import etree

    main = next((name for name in _MAIN_PARTS if repair.has(name)), "")
    if not main:
        return
    folder, base = posixpath.split(main)
    wanted = {_ROOT_RELATIONS: {"officeDocument": main}}
    if folder == "word":
        wanted[f"word/_rels/{base}.rels"] = {
            kind: f"word/{kind}.xml" for kind in _BY_NAME if repair.has(f"word/{kind}.xml")
        }
    for name, targets in wanted.items():
        if name != _ROOT_RELATIONS and repair.has(name) and name not in repair.changed:
            continue
        root = _relations(package, name, repair)
        root = parse_xml(f'<Relationships xmlns="{_RELATIONS_SPACE}"/>'.encode()) if root is None else root
        present = {str(node.get("Type")).rpartition("/")[2] for node in root.iterchildren("*")}
        missing = sorted(targets.keys() - present)
        for kind in missing:
            relation = {"Id": f"restored-{kind}", "Type": f"{_OFFICE_RELATIONS}/{kind}", "Target": f"/{targets[kind]}"}
            etree.SubElement(root, f"{{{_RELATIONS_SPACE}}}Relationship", relation)
        if missing:
            repair.members.setdefault(name, ZipInfo(name))
            repair.changed[name] = etree.tostring(root)


def _transitional(data: bytes) -> bytes:
    """Return XML with the names of transitional Open XML in place of the strict ones."""
    if not _STRICT.search(data):
        return data
    data = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", data)
    for strict, name in _RENAMED.items():
        data = data.replace(strict, name)
    return data


def _rewrite(package: ZipFile, repair: _Repair) -> BytesIO:
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED, compresslevel=1) as target:
        for name, info in repair.members.items():
            if not repair.has(name):
                continue
            with target.open(name, "w", force_zip64=info.file_size > _PIECE) as copy:
                copy.writelines(_pieces(package, name, repair))
    written.seek(0)
    return written


def _pieces(package: ZipFile, name: str, repair: _Repair) -> Iterable[bytes]:
    """Yield a member piece by piece: a film may be too large to hold in memory."""
    new = repair.changed.get(name)
    if new is not None:
        yield _transitional(new)
        return
    with package.open(repair.members[name]) as file:
        while piece := file.read(_PIECE):
            yield _transitional(piece) if repair.strict and _is_xml(name) else piece
