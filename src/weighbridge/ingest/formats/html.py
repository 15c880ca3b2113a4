"""Pages of the web."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.markup import render
from weighbridge.ingest.text import LARGEST, Decoded, decoded_text

PARSER = 3
"""To be raised whenever the same bytes would give another result: what was read before is then read anew."""

_DEEPEST = 512
"""Elements that may lie inside each other, as in browsers. Parsing takes time by this times the length of the page."""
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)\b[^<>]{0,400}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,30})", re.IGNORECASE
)
_ENCODINGS = re.compile(
    r"utf-?8|(us-)?ascii|iso-?(8859|2022)|latin|windows-|cp\d|ibm\d|koi8|mac|s(hift)?_?jis|euc|gb|big5|hz|tis|johab|ks"
)
_ATTRIBUTES = 2_000
"""Words that a tag may have: parsing takes time by the square of its attributes. One with more loses them all."""
_LONG_TAG = re.compile(r"<([a-zA-Z][^\s/<>]*+)([^<>]{4000,}+)>")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*+)[^<>]*+>")
_EMPTY = re.compile(r"<([a-zA-Z][^\s/<>]*+)([^<>]*)/>")
_XHTML = re.compile(r"<\?xml\b|http://www\.w3\.org/1999/xhtml")
_CLOSED_OR_NOT = frozenset({
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rb", "rt",
    "rtc", "rp", "html", "head", "body", "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta",
    "param", "source", "track", "wbr",
})  # fmt: skip


def read_html(path: Path) -> Parsed:
    """Return the visible text of a page: headings, lists, tables and code as Markdown, the rest as paragraphs.

    Scripts, styles, navigation, buttons and what is hidden are dropped. Title: `<title>`, else the first `<h1>`.

    Raises:
        UnreadableError: where the file is no text, or larger than 50 MB.
    """
    with path.open("rb") as file:
        source = file.read(LARGEST + 1)
    if len(source) > LARGEST:
        raise UnreadableError(f"larger than {LARGEST // 1_000_000} MB")
    return read_page(source)


def read_page(source: bytes) -> Parsed:
    """Return the visible text of a page, HTML or XHTML, given as bytes; see `read_html`."""
    page = tree_of(source)
    titled = page.tree.css_first("head > title") or page.tree.css_first("h1")
    title = " ".join(titled.text().split()) if titled is not None else ""
    if page.tree.body is None:
        return Parsed((Content(text="", title=title),), page.losses)
    rendered = render(page.tree.body)
    lost = (Loss("the page", f"{what}: {count:,}") for what, count in sorted(rendered.lost.items()))
    return Parsed((Content(text=rendered.text, title=title),), (*page.losses, *lost))


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed page, and what is doubtful about its encoding."""

    tree: Any
    losses: tuple[Loss, ...]


def tree_of(source: bytes) -> Tree:
    """Parse HTML, XHTML or other XML, in time that grows with its length only. No entity of its own is expanded.

    Raises:
        UnreadableError: where the bytes are no text.
    """
    from selectolax.lexbor import LexborHTMLParser

    decoded = _decoded(source)
    if decoded is None:
        raise UnreadableError("not text")
    return Tree(LexborHTMLParser(_shallow(_opened(_spared(decoded.text)))), decoded.losses)


def _decoded(source: bytes) -> Decoded | None:
    """Return the text of a page. What it declares is believed only where it is not UTF-8 in truth.

    Encodings that use ASCII bytes alone (ISO-2022, HZ) are valid UTF-8 too; there, the declaration is right.
    """
    declared = _DECLARED.search(source[:4096])
    name = declared[1].decode("ascii").casefold().removeprefix("x-") if declared else ""
    trusted = _ENCODINGS.match(name) is not None and b"\0" not in source
    if trusted and (source.isascii() or _valid(source, "utf-8") is None):
        name = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}.get(name, name)
        if (text := _valid(source, name)) is not None:
            return Decoded(text)
    return decoded_text(source)


def _valid(source: bytes, encoding: str) -> str | None:
    try:
        return source.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _spared(text: str) -> str:
    def bare(tag: re.Match[str]) -> str:
        return f"<{tag[1]}>" if len(tag[2].split(None, _ATTRIBUTES)) > _ATTRIBUTES else tag[0]

    return _LONG_TAG.sub(bare, text)


def _opened(text: str) -> str:
    """Return XHTML with <a/> as <a></a>: what parses HTML would take it for an element without an end."""
    if not _XHTML.search(text, 0, 2000):
        return text

    def opened(tag: re.Match[str]) -> str:
        return tag[0] if tag[1].casefold() in _CLOSED_OR_NOT else f"<{tag[1]}{tag[2]}></{tag[1]}>"

    return _EMPTY.sub(opened, text)


def _shallow(text: str) -> str:
    """Return a page without the tags that lie deeper than browsers would nest them; a space stands for each."""
    depth = 0

    def kept(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag[2].casefold() in _CLOSED_OR_NOT:
            return tag[0]
        inside = depth
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        return tag[0] if max(inside, depth) <= _DEEPEST else "<br>"

    return _TAG.sub(kept, text) if text.count("<") > _DEEPEST else text
