"""Equations of Office files (OMML) as a line of text."""

from collections.abc import Callable, Mapping
from typing import Any

from weighbridge.ingest.formats.math import math_text

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
EQUATION = f"{_M}oMath"
_PROPERTIES = "Pr"
_BLANKS = frozenset({"br", "cr", "tab"})
_DELETED = frozenset({"del", "moveFrom"})
_DEEPEST = 60
"""Structures inside each other: no equation has more, and deeper ones would exhaust the interpreter's stack."""


def omml_text(equation: Any) -> str:
    """Return the text of an `m:oMath` element, such as "x = (-b ± √(b² - 4ac))/(2a)"; see `math_text` for the form."""
    return math_text.tidy(_text(equation))


def _text(node: Any, depth: int = 0) -> str:
    """Return the text of all that is inside an element; a missing element has none."""
    if node is None:
        return ""
    text = ""
    for child in node.iterchildren("*"):
        name = child.tag.rpartition("}")[2]
        if name == "t":
            text += math_text.symbols(child.text or "")
        elif name in _BLANKS:
            text += " "
        elif depth >= _DEEPEST:
            text += f" {math_text.symbols(' '.join(child.itertext(f'{_M}t')))} "
        elif name in _STRUCTURES and child.tag.startswith(_M):
            structure = _STRUCTURES[name](child, lambda part: _text(part, depth + 1))
            touching = text[-1:].isdigit() and structure[:1].isdigit()
            text += f" {structure}" if touching else structure
        elif not name.endswith(_PROPERTIES) and name not in _DELETED:
            text += _text(child, depth + 1)
    return text


Read = Callable[[Any], str]


def _property(node: Any, name: str, default: str = "") -> str:
    """Return a property of a structure: empty if it has no value, the default if it is absent."""
    found = node.find(f"{_M}{node.tag.rpartition('}')[2]}{_PROPERTIES}/{_M}{name}")
    return default if found is None else str(found.get(f"{_M}val") or "")


def _texts(node: Any, read: Read, *names: str) -> list[str]:
    """Return the texts of the parts of a structure by their names; a missing part has none, and neither has ""."""
    return [read(node.find(f"{_M}{name}")) if name else "" for name in names]


def _elements(node: Any, read: Read) -> list[str]:
    """Return the texts of all elements of a row, a list or brackets."""
    return [read(part) for part in node.iterfind(f"{_M}e")]


def _fraction(node: Any, read: Read) -> str:
    above, below = _texts(node, read, "num", "den")
    if _property(node, "type") == "noBar":  # a binomial coefficient, in the brackets around it
        return math_text.lines([above, below])
    return math_text.fraction(above, below)


def _n_ary(node: Any, read: Read) -> str:
    operator = _property(node, "chr", "∫") or "∫"
    return math_text.n_ary(operator, *_texts(node, read, "sub", "sup", "e"))


def _bar(node: Any, read: Read) -> str:
    sign = "\u0305" if _property(node, "pos") == "top" else "\u0332"
    return math_text.put_accent(read(node.find(f"{_M}e")), sign)


def _brackets(node: Any, read: Read) -> str:
    opening, closing = _property(node, "begChr", "("), _property(node, "endChr", ")")
    return math_text.delimit(_elements(node, read), opening, closing, _property(node, "sepChr", "|"))


def _phantom(node: Any, read: Read) -> str:
    """Return the text of a phantom, or nothing if it only takes up room."""
    return "" if _property(node, "show", "1") in {"0", "off", "false"} else read(node.find(f"{_M}e"))


_STRUCTURES: Mapping[str, Callable[[Any, Read], str]] = {
    "sSup": lambda node, read: math_text.with_scripts(*_texts(node, read, "e", "sub", "sup")),
    "sSub": lambda node, read: math_text.with_scripts(*_texts(node, read, "e", "sub", "sup")),
    "sSubSup": lambda node, read: math_text.with_scripts(*_texts(node, read, "e", "sub", "sup")),
    "sPre": lambda node, read: math_text.with_prescripts(*_texts(node, read, "e", "sub", "sup")),
    "f": _fraction,
    "rad": lambda node, read: math_text.radical(*_texts(node, read, "e", "deg")),
    "nary": _n_ary,
    "func": lambda node, read: math_text.function(*_texts(node, read, "fName", "e")),
    "limLow": lambda node, read: math_text.with_scripts(*_texts(node, read, "e", "lim")),
    "limUpp": lambda node, read: math_text.with_scripts(*_texts(node, read, "e", "", "lim")),
    "d": _brackets,
    "m": lambda node, read: math_text.matrix([_elements(row, read) for row in node.iterfind(f"{_M}mr")]),
    "eqArr": lambda node, read: math_text.lines(_elements(node, read)),
    "acc": lambda node, read: math_text.put_accent(read(node.find(f"{_M}e")), _property(node, "chr", "\u0302")),
    "bar": _bar,
    "groupChr": lambda node, read: f"{_property(node, 'chr', '⏟')}({math_text.tidy(read(node.find(f'{_M}e')))})",
    "phant": _phantom,
}
