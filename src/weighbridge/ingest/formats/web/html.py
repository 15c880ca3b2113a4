"""Pages of the web."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Loss, Parsed
from weighbridge.ingest.decode.encodings import decode
from weighbridge.ingest.decode.text import read_bytes
from weighbridge.ingest.formats.web.furniture import find_furniture
from weighbridge.ingest.formats.web.markup_tokens import DEEPEST, mend
from weighbridge.ingest.formats.web.to_markdown import DROPPED, RenderedPage, render_page

PARSER = 13
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_FOR_NO_SCRIPTS = f"words left out, {DROPPED['noscript']}"
_MANY_WORDS = 30
"""Words for browsers without scripts, or for search engines, that are more than advice or a summary. Where they are
more than all others, they are the page."""
_FEW_LETTERS, _FEW_OF_ALL = 20, 0.01
"""Letters, and the share of all, that may be missing without a report: of 990 pages of the web, none lacked any."""
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)\b[^<>]{0,400}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,30})", re.IGNORECASE
)


def read_html(path: Path) -> Parsed:
    """Return the visible text of a page: headings, lists, tables and code as Markdown, the rest as paragraphs.

    Scripts, styles, navigation, buttons and hidden elements are dropped. Title: `<title>`, else the first `<h1>`.

    Raises:
        UnreadableError: the file is no text, or larger than 50 MB.
    """
    return read_page(read_bytes(path), furniture=False)


def read_page(source: bytes, *, furniture: bool = True) -> Parsed:
    """Return the visible text of a page, HTML or XHTML, given as bytes; see `read_html`.

    Without `furniture`, the blocks around an article are left out (`find_furniture`), and their words counted as lost.
    """
    page = parse_page(source)
    titled = page.tree.css_first("head > title") or page.tree.css_first("h1")
    title = " ".join(titled.text().split()) if titled is not None else ""
    if page.tree.body is None:
        return Parsed((Content(text="", title=title),), page.losses)
    left_out = {} if furniture else find_furniture(page.tree.body)
    rendered = render_page(page.tree.body, left_out)
    if rendered.lost[_FOR_NO_SCRIPTS] > max(len(rendered.text.split()), _MANY_WORDS):
        rendered = render_page(page.tree.body, left_out, scripts=False)
    text = "\n\n".join(filter(None, (rendered.text, _article_of_scripts(page.tree, rendered.text))))
    lost = [Loss("the page", f"{what}: {count:,}") for what, count in sorted(rendered.lost.items())]
    lost += _find_missing_letters(page.tree, rendered)
    return Parsed((Content(text=text, title=title),), (*page.losses, *lost))


def _article_of_scripts(tree: Any, shown: str) -> str:
    """Return the article that only scripts show and that the page keeps for search engines (JSON-LD).

    Empty where the page itself shows half as much.
    """
    from selectolax.lexbor import LexborHTMLParser

    longest = ""
    for script in tree.css("script[type='application/ld+json']"):
        with suppress(ValueError, RecursionError):
            for article in _article_bodies(json.loads(script.text())):
                longest = max(longest, article, key=len)
    if len(longest.split()) <= max(2 * len(shown.split()), _MANY_WORDS):
        return ""
    body = LexborHTMLParser(mend(longest.replace("\n", "<br>")).source).body
    return render_page(body).text if body is not None else ""


def _article_bodies(data: Any) -> Iterator[str]:
    """Yield the values of `articleBody` in the objects of JSON, however deep."""
    stack = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            stack.extend(inner for inner in value.values() if isinstance(inner, dict | list))
            if isinstance(body := value.get("articleBody"), str):
                yield body


def _find_missing_letters(tree: Any, rendered: RenderedPage) -> list[Loss]:
    """Compare the letters and digits of the parsed page with those of its text: a gap is a fault of this reader.

    The tree loses its scripts and styles.
    """
    tree.strip_tags(["script", "style"])
    there = _letters(tree.body.text())
    missing = (there - _letters(rendered.text) - _letters(rendered.left_out)).total()
    if missing <= max(_FEW_LETTERS, _FEW_OF_ALL * there.total()):
        return []
    return [Loss("the page", f"letters that the text lacks, of {there.total():,} on the page: {missing:,}")]


def _letters(text: str) -> Counter[str]:
    letters = Counter(unicodedata.normalize("NFKC", text))
    for character in [character for character in letters if not character.isalnum()]:
        del letters[character]
    return letters


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A parsed page, and the doubts about its encoding and nesting."""

    tree: Any
    losses: tuple[Loss, ...]


def parse_page(source: bytes) -> ParsedPage:
    """Parse HTML, XHTML or other XML, in time that grows with its length only. No entity of its own is expanded.

    Raises:
        UnreadableError: the bytes are no text.
    """
    from selectolax.lexbor import LexborHTMLParser

    declared = _DECLARED.search(source[:4096])  # browsers look at the first 1,024 bytes
    decoded = decode(source, declared[1].decode("ascii") if declared else "")
    mended = mend(decoded.text)
    losses = list(decoded.losses)
    if mended.flattened:
        losses.append(Loss("the page", f"tags nested deeper than {DEEPEST}, read as plain text: {mended.flattened:,}"))
    return ParsedPage(LexborHTMLParser(mended.source), tuple(losses))
