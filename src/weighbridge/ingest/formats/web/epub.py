"""E-books in the EPUB format: a ZIP package of web pages, read in the order of its spine."""

import posixpath
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag
from zipfile import BadZipFile, ZipFile

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.formats.markdown_writer import Assembly
from weighbridge.ingest.formats.web import html
from weighbridge.ingest.formats.web.html import parse_page, read_page

PARSER = 100 * html.PARSER + 2
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_LARGEST_PAGE = 20_000_000
_LARGEST_INDEX = 5_000_000
_UNPACKED = 500_000_000
"""Bytes of a page, of any other file that is parsed, and of all pages: more is a bomb."""
_POINTERS = {"a": "href", "content": "src"}
"""Elements of a table of contents that point into a page, and their attributes: of EPUB 3, and of EPUB 2 (NCX)."""
_CHAPTERS = 10_000
_LONGEST_NAME = 120
"""Characters of a chapter's name; a longer heading is a paragraph."""
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
_HARMLESS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
"""Ways to obfuscate fonts: they do not encrypt the text."""
_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""Errors of reading a damaged member. A password raises a RuntimeError, unknown compression a NotImplementedError."""


@dataclass(frozen=True, slots=True)
class _Package:
    """The package file: its place, its title and authors, the pages in order, and the places of contents.

    `unread` are entries between the pages that are none or are missing.
    """

    place: str
    title: str = ""
    authors: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    unread: tuple[Loss, ...] = ()


@dataclass(slots=True)
class _Book:
    """The chapters read so far."""

    text: Assembly = field(default_factory=Assembly)
    unpacked: int = 0
    losses: list[Loss] = field(default_factory=list)


def read_epub(path: Path) -> Parsed:
    """Return the text of a book, one part a chapter, each read as a web page. Title: "title - authors".

    A chapter has its name from the table of contents, else from its page. The losses name covers, pages of pictures
    alone, and pages that are not in the package.

    Raises:
        UnreadableError: the file is damaged, no EPUB, or locked by DRM.
    """
    try:
        with ZipFile(path) as file:
            _refuse_locked(file)
            package = _package(file)
            if package is None:
                raise UnreadableError("not an EPUB: it has no package file")
            book = _book(file, package)
    except _BROKEN as error:
        raise UnreadableError("damaged: it is no whole ZIP package") from error
    authors = ", ".join(package.authors)
    title = f"{package.title} - {authors}" if package.title and authors else package.title
    return Parsed((Content(text=book.text.text, title=title, parts=book.text.parts),), tuple(book.losses))


def _book(file: ZipFile, package: _Package) -> _Book:
    book = _Book(losses=list(package.unread))
    names = _names(file, package)
    for number, place in enumerate(package.pages[:_CHAPTERS], start=1):
        if book.text.length > LARGEST or book.unpacked > _UNPACKED:
            book.losses.append(Loss(f"chapters from {number:,} on", "left out, for those before are too large"))
            break
        if place not in package.contents:
            _add_chapter(file, book, place, names.get(place, ""))
    if len(package.pages) > _CHAPTERS:
        book.losses.append(Loss(f"chapters from {_CHAPTERS + 1:,} on", "left out, for there are too many"))
    return book


def _add_chapter(file: ZipFile, book: _Book, place: str, name: str) -> None:
    try:
        source = _member(file, place, _LARGEST_PAGE)
        book.unpacked += len(source)
        parsed = read_page(source)
    except UnreadableError as error:
        book.losses.append(Loss(place, f"left out: {error}"))
        return
    page = parsed.contents[0]
    heading = page.text.split("\n", 1)[0]
    title = name or (heading.lstrip("# ") if heading.startswith("#") else page.title)
    chapter = f"chapter {(title or posixpath.basename(place))[:_LONGEST_NAME]}"
    book.text.add(chapter, page.text)
    book.losses.extend(Loss(chapter, loss.what) for loss in parsed.losses)
    if not page.text and not parsed.losses:
        book.losses.append(Loss(chapter, "no text"))


def _member(file: ZipFile, name: str, largest: int = _LARGEST_INDEX) -> bytes:
    """Return the content of a member. One that is too large is unpacked up to its limit only."""
    try:
        with file.open(name) as member:
            content = member.read(largest + 1)
    except KeyError as error:
        raise UnreadableError("not in the package") from error
    except _BROKEN as error:
        raise UnreadableError("damaged") from error
    if len(content) > largest:
        raise UnreadableError(f"larger than {largest // 1_000_000} MB")
    return content


def _refuse_locked(file: ZipFile) -> None:
    if any(member.flag_bits & 1 for member in file.infolist()):
        raise UnreadableError("encrypted")
    if "META-INF/encryption.xml" not in file.namelist():
        return
    for node in _nodes(_member(file, "META-INF/encryption.xml")):
        if _local(node) == "encryptionmethod" and node.attributes.get("algorithm") not in _HARMLESS:
            raise UnreadableError("locked by DRM; get a copy without")


def _package(file: ZipFile) -> _Package | None:
    """Read the package file that the container names, else the first there is."""
    names = file.namelist()
    listed = (
        node.attributes.get("full-path") or ""
        for node in (_nodes(_member(file, "META-INF/container.xml")) if "META-INF/container.xml" in names else ())
        if _local(node) == "rootfile"
    )
    place = next((name for name in listed if name in names), None)
    place = place or next((name for name in names if name.casefold().endswith(".opf")), None)
    return None if place is None else _read_package(place, _member(file, place))


def _read_package(place: str, source: bytes) -> _Package:
    items: dict[str, str] = {}
    others: dict[str, Loss] = {}
    contents: list[str] = []
    spine: list[str] = []
    metadata: dict[str, list[str]] = {"title": [], "creator": []}
    for node in _nodes(source):
        tag, attributes = _local(node), node.attributes
        if tag in metadata and ":" in (node.tag or ""):
            metadata[tag].append(" ".join(node.text().split()))
        elif tag == "item" and attributes.get("href"):
            href = _resolve(place, attributes["href"])
            media = attributes.get("media-type") or ""
            if media in _PAGES:
                items[attributes.get("id") or ""] = href
            else:
                others[attributes.get("id") or ""] = Loss(href, f"left out: {media or 'of an unknown type'}")
            if "nav" in (attributes.get("properties") or "").split() or media == "application/x-dtbncx+xml":
                contents.append(href)
        elif tag == "itemref":
            spine.append(attributes.get("idref") or "")
    pages = tuple(dict.fromkeys(items[name] for name in spine if name in items)) or tuple(items.values())
    titles = list(filter(None, metadata["title"]))
    authors = tuple(dict.fromkeys(filter(None, metadata["creator"])))
    missing = [others.get(name, Loss(name, "not in the package")) for name in spine if name not in items]
    unread = (loss for loss in missing if loss.place not in contents)
    return _Package(place, titles[0] if titles else "", authors, pages, tuple(contents), tuple(dict.fromkeys(unread)))


def _names(file: ZipFile, package: _Package) -> Mapping[str, str]:
    """Return the name of each page in the tables of contents: the first entry that points into it."""
    names: dict[str, str] = {}
    for place in package.contents:
        try:
            nodes = list(_nodes(_member(file, place)))
        except UnreadableError:
            continue
        label = ""
        for node in nodes:
            tag = _local(node)
            target = node.attributes.get(_POINTERS[tag]) if tag in _POINTERS else ""
            if tag in {"a", "text"}:
                label = " ".join(node.text().split())
            if target and label:
                names.setdefault(_resolve(place, target), label)
    return names


def _nodes(source: bytes) -> Iterator[Any]:
    """Yield the elements of XML in order. The parser is that of HTML, for it expands no entities but HTML's."""
    stack = [parse_page(source).tree.root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(node.iter())))


def _local(node: Any) -> str:
    tag: str = node.tag or ""
    return tag.rpartition(":")[2].casefold()


def _resolve(place: str, target: str) -> str:
    """Return the name in the package of the file that a link leads to, without the place inside it."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(urldefrag(target)[0])))
