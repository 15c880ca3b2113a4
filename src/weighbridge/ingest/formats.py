"""What a file says: its text, title and access groups, one function a format."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from weighbridge.errors import DataError
from weighbridge.types import PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The text of a file, with what it tells about itself."""

    text: str
    title: str = ""
    groups: frozenset[str] = PUBLIC


_HEADING_WITHIN = 20_000
_DROPPED = frozenset({"script", "style", "nav", "noscript", "template", "svg", "head", "iframe", "button", "-comment"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre", "blockquote", "section"})
_BLOCKS = _PARAGRAPHS | {
    "address", "article", "aside", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "hr", "li", "main", "summary", "tbody", "tfoot", "thead", "tr",
}  # fmt: skip


def read_plain(text: str, _place: str) -> Content:
    """Return a plain text as it is."""
    return Content(text=text)


def read_markdown(text: str, place: str) -> Content:
    """Return Markdown source after its front matter. Title: the front matter's, else the first heading.

    Raises:
        DataError: where the front matter, which may hold access groups, cannot be understood. It is never ignored:
            that would make a restricted document public.
    """
    if not re.match(r"---[ \t]*\n", text):
        return Content(text=text, title=_first_heading(text))
    matter, closed, body = _front_matter(text)
    if not closed:
        if re.search(r"^groups\s*:", text, re.IGNORECASE | re.MULTILINE):
            raise DataError(f"{place}:1: the front matter that begins here has no closing line of ---")
        return Content(text=text, title=_first_heading(text))
    values = _mapping(matter, place)
    if values is None:
        return Content(text=text, title=_first_heading(text))
    title = values.get("title")
    return Content(
        text=body,
        title=str(title).strip() if title is not None else _first_heading(body),
        groups=_groups(values.get("groups"), place),
    )


def read_html(text: str, _place: str) -> Content:
    """Return the readable text of a page: paragraphs, headings, list items and table rows as lines.

    Scripts, styles and navigation are dropped. Title: `<title>`, else the first `<h1>`.
    """
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(text)
    titled = tree.css_first("head > title") or tree.css_first("h1")
    title = " ".join(titled.text().split()) if titled is not None else ""
    body = tree.body
    return Content(text=_lines(body) if body is not None else "", title=title)


FORMATS: Mapping[str, Callable[[str, str], Content]] = {
    ".txt": read_plain,
    ".md": read_markdown,
    ".html": read_html,
    ".htm": read_html,
}
"""How to read a file, by its suffix in lower case. The second argument is the place to name in errors."""


def _front_matter(text: str) -> tuple[str, bool, str]:
    lines = text.split("\n")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in {"---", "..."}:
            return "\n".join(lines[1:number]), True, "\n".join(lines[number + 1 :]).lstrip("\n")
    return "", False, text


def _mapping(matter: str, place: str) -> dict[str, object] | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(matter)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = 2 + (mark.line if mark is not None else 0)
        raise DataError(
            f"{place}:{line}: the front matter is not valid YAML, so its access groups cannot be read; "
            "correct it, or begin the file with an empty line if it is no front matter"
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        return None
    return {str(key).strip().casefold(): value for key, value in values.items()}


def _groups(value: object, place: str) -> frozenset[str]:
    if value is None:
        return PUBLIC
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise DataError(f"{place}: 'groups' in the front matter must be a list of names, like [people-team]")
    return frozenset(item.strip() for item in value)


def _first_heading(text: str) -> str:
    from markdown_it import MarkdownIt

    if "#" not in text[:_HEADING_WITHIN] and not re.search(r"^(=+|-+)\s*$", text[:_HEADING_WITHIN], re.MULTILINE):
        return ""
    tokens = MarkdownIt().parse(text[:_HEADING_WITHIN])
    for before, token in pairwise(tokens):
        if before.type == "heading_open" and token.children is not None:
            said = "".join(child.content for child in token.children if child.type in {"text", "code_inline"})
            if said.strip():
                return " ".join(said.split())
    return ""


def _lines(body: object) -> str:
    """Walk the tree with a stack of our own: pages nest deeper than Python recurses.

    Until all is said, a form feed stands for the end of a paragraph and a vertical tab for that of a line.
    """
    said: list[str] = []
    stack: list[object] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            said.append(node)
        else:
            stack.extend(reversed(_unfolded(node)))
    text = re.sub(r"(?<=- )[ \v\f]+", "", "".join(said))
    text = re.sub(r"[ \v]*\f[ \v\f]*", "\n\n", text)
    rows = (re.sub(r"[ \t\u00a0]+", " ", row).strip() for row in re.sub(r" *\v[ \v]*", "\n", text).split("\n"))
    tidy = (row.removesuffix("|").rstrip() for row in rows if row != "-")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(tidy)).strip()


def _unfolded(node: Any) -> list[object]:
    tag = node.tag
    if tag in _DROPPED:
        return []
    if tag == "-text":
        return [_text_of(node)]
    if tag == "br":
        return ["\n"]
    children: list[object] = list(node.iter(include_text=True))
    if tag in {"td", "th"}:
        return [*children, " | "]
    if tag not in _BLOCKS:
        return children
    edge = "\f" if tag in _PARAGRAPHS else "\v"
    return [edge, "- " if tag == "li" else "", *children, edge]


def _text_of(node: Any) -> str:
    text: str = node.text_content or ""
    kept = node.parent is not None and node.parent.tag == "pre"
    return re.sub(r"[^\S\n]" if kept else r"\s+", " ", text)
