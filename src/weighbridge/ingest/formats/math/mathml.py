"""Equations of web pages (MathML) as a line of text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from weighbridge.ingest.formats.math import math_text

_DEEPEST = 60
"""Structures inside each other: no equation has more, and deeper ones would exhaust the interpreter's stack."""
_RELATIONS = frozenset("=<>≤≥≈≠≡≪≫∈→⇒")
"""Operators with blanks around them."""
_TOKENS = frozenset({"mi", "mn", "mo", "ms", "mtext"})
_SILENT = frozenset({"annotation", "annotation-xml", "mphantom", "none", "mprescripts", "maligngroup", "malignmark"})
"""Elements that only take up room, or repeat the formula: an annotation has it in TeX."""
_BLANKS = frozenset({"mspace", "br"})
_ACCENTS = {
    "^": "\u0302", "\u02c6": "\u0302", "~": "\u0303", "\u02dc": "\u0303", "¯": "\u0305", "‾": "\u0305", "_": "\u0332",
    "→": "\u20d7", "\u20d7": "\u20d7", "˙": "\u0307", ".": "\u0307", "¨": "\u0308", "ˇ": "\u030c",
}  # fmt: skip
"""Signs over a letter, and the characters that put them there."""


def mathml_text(equation: Any) -> str:
    """Return the text of a <math> element of a selectolax tree; see `math_text` for the form."""
    return math_text.tidy(_text(equation, 0))


def _elements(node: Any) -> list[Any]:
    return [child for child in node.iter() if child.tag not in {"-comment", "annotation", "annotation-xml"}]


def _text(node: Any, depth: int) -> str:
    """Return the text of an element of an equation."""
    tag: str = node.tag
    if tag in _SILENT:
        return ""
    if tag in _BLANKS:
        return " "
    if tag in _TOKENS or depth >= _DEEPEST:
        text = math_text.symbols(" ".join(node.text(separator=" " if depth >= _DEEPEST else "").split()))
        return f" {text} " if tag == "mo" and text in _RELATIONS else text
    read = _STRUCTURES.get(tag)
    return read(node, depth + 1) if read else _join(_elements(node), depth + 1)


def _join(nodes: Sequence[Any], depth: int) -> str:
    """Return the texts of elements in a row; digits of two of them do not touch."""
    text = ""
    for node in nodes:
        following = _text(node, depth)
        touching = text[-1:].isdigit() and following[:1].isdigit()
        text += f" {following}" if touching or (node.tag == "mtext" and text[-1:].isalnum()) else following
    return text


def _parts(node: Any, depth: int, number: int) -> list[str]:
    """Return the texts of an element's children, as many as it should have."""
    texts = [_text(child, depth) for child in _elements(node)[:number]]
    return texts + [""] * (number - len(texts))


def _fraction(node: Any, depth: int) -> str:
    above, below = _parts(node, depth, 2)
    if (node.attributes.get("linethickness") or "").rstrip("ptemx% ") == "0":
        return math_text.lines([above, below])
    return math_text.fraction(above, below)


def _superscript(node: Any, depth: int) -> str:
    base, upper = _parts(node, depth, 2)
    return math_text.with_scripts(base, "", upper)


def _over(node: Any, depth: int) -> str:
    base, upper = _parts(node, depth, 2)
    if accent := _ACCENTS.get(upper.strip()):
        return math_text.put_accent(base, accent)
    return math_text.with_scripts(base, "", upper)


def _multiscripts(node: Any, depth: int) -> str:
    """Return a base with scripts after it and, behind <mprescripts>, before it."""
    after: list[str] = []
    before: list[str] = []
    scripts = after
    base, *others = _elements(node) or [node]
    for child in others:
        if child.tag == "mprescripts":
            scripts = before
        else:
            scripts.append(_text(child, depth))
    text = math_text.with_scripts(_text(base, depth) if others else "", "".join(after[::2]), "".join(after[1::2]))
    return math_text.with_prescripts(text, "".join(before[::2]), "".join(before[1::2])) if any(before) else text


def _brackets(node: Any, depth: int) -> str:
    attributes = node.attributes
    separators = (attributes.get("separators") or ",").strip()[:1]
    parts = [_text(child, depth) for child in _elements(node)]
    opening, closing = (attributes.get(name, default) or "" for name, default in (("open", "("), ("close", ")")))
    return math_text.delimit(parts, opening, closing, f"{separators} ")


def _table(node: Any, depth: int) -> str:
    """Return a matrix, or equations below each other where each row is one."""
    rows = [
        [_text(cell, depth) for cell in _elements(row)[row.tag == "mlabeledtr" :]]
        for row in _elements(node)
        if row.tag in {"mtr", "mlabeledtr"}
    ]
    aligned = all(not row or "=" in row[-1][:2] or len(row) == 1 for row in rows)
    return math_text.lines(["".join(row) for row in rows]) if aligned else math_text.matrix(rows)


def _first(node: Any, depth: int) -> str:
    """Return the first of several forms of one formula."""
    forms = _elements(node)
    if forms:
        return _text(forms[0], depth)
    notes = [child for child in node.iter() if child.tag == "annotation"]
    return " ".join(notes[0].text().split()) if notes else ""


_STRUCTURES: Mapping[str, Callable[[Any, int], str]] = {
    "mfrac": _fraction,
    "msup": _superscript,
    "msub": lambda node, depth: math_text.with_scripts(*_parts(node, depth, 2)),
    "msubsup": lambda node, depth: math_text.with_scripts(*_parts(node, depth, 3)),
    "munder": lambda node, depth: math_text.with_scripts(*_parts(node, depth, 2)),
    "mover": _over,
    "munderover": lambda node, depth: math_text.with_scripts(*_parts(node, depth, 3)),
    "mmultiscripts": _multiscripts,
    "mroot": lambda node, depth: math_text.radical(*_parts(node, depth, 2)),
    "msqrt": lambda node, depth: math_text.radical(_join(_elements(node), depth)),
    "mfenced": _brackets,
    "mtable": _table,
    "semantics": _first,
    "maction": _first,
}
