"""Markdown: front matter is taken off, the rest is kept as it is."""

import re
from itertools import pairwise
from pathlib import Path

from weighbridge.ingest.content import Content, Parsed, UnreadableError
from weighbridge.ingest.decode.text import read_decoded
from weighbridge.types import PUBLIC

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_HEADING_WITHIN = 20_000
"""The first heading is looked for in so many characters: parsing all of a long file for it would be slow."""
_OPENING = re.compile(r"---[ \t]*\n")


def read_markdown(path: Path) -> Parsed:
    """Return Markdown source after its front matter. Title: the front matter's, else the first heading.

    Raises:
        UnreadableError: the front matter cannot be understood. It may hold access groups, so it is never ignored:
            that would make a restricted document public.
    """
    decoded = read_decoded(path)
    return Parsed((content_of(decoded.text),), decoded.losses)


def content_of(text: str) -> Content:
    """Return a Markdown text with the title and groups of its front matter; see `read_markdown`."""
    matter, body = _front_matter(text)
    values = None if matter is None else _mapping(matter)
    if values is None:
        return Content(text=text, title=_first_heading(text))
    title = values.get("title")
    return Content(
        text=body,
        title=" ".join(str(title).split()) if title is not None else _first_heading(body),
        groups=_groups(values.get("groups")),
    )


def _front_matter(text: str) -> tuple[str | None, str]:
    """Return the front matter (None where the text begins with none) and the rest."""
    if not _OPENING.match(text):
        return None, text
    lines = text.split("\n")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in {"---", "..."}:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).lstrip("\n")
    if re.search(r"^groups\s*:", text, re.IGNORECASE | re.MULTILINE):
        raise UnreadableError("line 1: the front matter that begins here has no closing line of ---")
    return None, text


def _mapping(matter: str) -> dict[str, object] | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(matter)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = 2 + (mark.line if mark is not None else 0)
        raise UnreadableError(
            f"line {line}: the front matter is not valid YAML, so its access groups cannot be read; "
            "correct it, or begin the file with an empty line if it is no front matter"
        ) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        return None
    folded = {str(key).strip().casefold(): value for key, value in values.items()}
    if len(folded) < len(values):
        raise UnreadableError("the front matter has keys that differ in case alone, so what it says is not certain")
    return folded


def _groups(value: object) -> frozenset[str]:
    if value is None:
        return PUBLIC
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise UnreadableError("'groups' in the front matter must be a list of names, like [people-team]")
    return frozenset(item.strip() for item in value)


def _first_heading(text: str) -> str:
    from markdown_it import MarkdownIt

    if "#" not in text[:_HEADING_WITHIN] and not re.search(r"^(=+|-+)\s*$", text[:_HEADING_WITHIN], re.MULTILINE):
        return ""
    tokens = MarkdownIt().parse(text[:_HEADING_WITHIN])
    for before, token in pairwise(tokens):
        if before.type == "heading_open" and token.children is not None:
            words = "".join(child.content for child in token.children if child.type in {"text", "code_inline"})
            if words.strip():
                return " ".join(words.split())
    return ""
