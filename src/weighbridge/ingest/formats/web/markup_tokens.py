"""Mends the tags of a page's source before it is parsed, so that the parser is never slow and loses no text.

The source of trouble are empty XHTML elements, tags of endless attributes, and nesting without end. A page without
any of these is left as it is. Tags are told from comments, attributes, scripts and CDATA as HTML's tokenizer does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

_ATTRIBUTES = 2_000
"""Words that a tag may have: the parser takes time by the square of its attributes. One with more loses them all."""
_STEPS = 100_000_000
"""Open elements that the parser may look through, all tags together; a second. By then 14,000 elements lie inside
each other; pages written for readers stay below a thousandth of it."""
DEEPEST = 512
"""Elements that stay inside each other where a page would take longer than that, as in browsers."""

_TOKEN = re.compile(
    r"<!--(?:>|->|(?s:.*?)(?:--!?>|\Z))"
    r"|<!\[CDATA\[(?P<data>(?s:.*?))(?:\]\]>|\Z)"
    r"|<[!?][^>]*+(?:>|\Z)"
    r"|<(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*+)"
    r"""(?P<attributes>(?:=\s*+(?:"[^"]*+"|'[^']*+')|[^>])*+)(?:>|\Z)"""
)
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
"""Elements without tags in their content, and the ends of these."""
_FOREIGN = frozenset({"svg", "math"})
"""Inside these, `/>` closes a tag in HTML, too."""
_XHTML = re.compile(r"<\?xml\b|http://www\.w3\.org/1999/xhtml")
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_CLOSED_OR_NOT = _VOID | {
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rb", "rt",
    "rtc", "rp", "html", "head", "body",
}  # fmt: skip
"""Elements that need no end tag: another one of theirs closes them, so that they nest no deeper than others do."""
_CLOSED_OVER = frozenset({
    "a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "label", "nobr", "s", "small", "span", "strike",
    "strong", "tt", "u",
})  # fmt: skip
"""Elements that the end tag of one around them closes as well."""
_LOOKED_OVER = 64
"""Of these, how many at most: looking through all would take time by the square of a hostile page."""


@dataclass(frozen=True, slots=True)
class MendedSource:
    """The source of a page that the parser reads in time, and how many tags were taken out for that."""

    source: str
    flattened: int = 0


def mend(source: str) -> MendedSource:
    """Return a page that parses in time by its length. A page of usual nesting comes back as it is."""
    xhtml = _XHTML.search(source, 0, 2000) is not None
    pieces: list[str] = []
    copied = 0
    for token in _tokens(source):
        attributes = token["attributes"] or ""
        # The length is looked at first, as splitting all attributes of a page takes long.
        if len(attributes) > _ATTRIBUTES and len(attributes.split(None, _ATTRIBUTES)) > _ATTRIBUTES:
            other = f"<{token['slash']}{token['name']}>"
        else:
            other = _as_html(token) if xhtml else ""
        if other:
            pieces.extend((source[copied : token.start()], other))
            copied = token.end()
    pieces.append(source[copied:])
    return _flatten("".join(pieces))


def _tokens(source: str) -> Iterator[re.Match[str]]:
    """Yield tags and CDATA sections in order, except for texts like them in scripts, comments and attributes."""
    place = 0
    while token := _TOKEN.search(source, place):
        place = token.end()
        yield token
        end = _RAW.get((token["name"] or "").lower())
        if end is not None and not token["slash"] and not token["attributes"].endswith("/"):
            closing = end.search(source, place)
            place = closing.start() if closing else len(source)


def _as_html(token: re.Match[str]) -> str:
    """Return <a/> as <a></a> and CDATA as text: HTML knows elements without an end and comments there."""
    if token["data"] is not None:
        return escape(token["data"], quote=False)
    if not token["name"] or token["slash"] or not token["attributes"].endswith("/"):
        return ""
    name = token["name"]
    return "" if name.lower() in _CLOSED_OR_NOT else f"<{name}{token['attributes'][:-1]}></{name}>"


def _flatten(source: str) -> MendedSource:
    """Take out the tags that lie deeper than `DEEPEST`, a line's end for each, where the parser would need too long.

    The elements counted as open are at least those that the parser holds open, so that pages of broken tags are
    counted as deeper than they are; `_STEPS` leaves room for that.
    """
    steps = 0
    if source.count("<") ** 2 // 2 > _STEPS:
        steps = sum(depth for _, depth, _ in _walk_tags(source))
    if steps <= _STEPS:
        return MendedSource(source)
    pieces: list[str] = []
    copied = flattened = 0
    for tag, depth, nests in _walk_tags(source):
        if nests and depth > DEEPEST:
            pieces.extend((source[copied : tag.start()], "<br>"))
            copied = tag.end()
            flattened += 1
    pieces.append(source[copied:])
    return MendedSource("".join(pieces), flattened)


def _walk_tags(source: str) -> Iterator[tuple[re.Match[str], int, bool]]:
    """Yield each tag, how many elements are open inside it (or were, before it closes one), and whether it nests."""
    open_elements: list[str] = []
    for tag in _tokens(source):
        name = (tag["name"] or "").lower()
        if not name:
            continue
        inside = len(open_elements)
        if name in _CLOSED_OR_NOT:
            pass
        elif tag["slash"]:
            _close(open_elements, name)
        elif not (tag["attributes"].endswith("/") and _FOREIGN & set(open_elements[-8:])):
            open_elements.append(name)
        yield tag, max(inside, len(open_elements)), name not in _CLOSED_OR_NOT


def _close(open_elements: list[str], name: str) -> None:
    place = len(open_elements) - 1
    lowest = max(place - _LOOKED_OVER, -1)
    while place > lowest and open_elements[place] != name and open_elements[place] in _CLOSED_OVER:
        place -= 1
    if place > lowest and open_elements[place] == name:
        del open_elements[place:]
