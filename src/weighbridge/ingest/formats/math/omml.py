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


def _part(node: Any, name: str) -> Any:
    return node.find(f"{_M}{name}")


def _property(node: Any, name: str, default: str = "") -> str:
    """Return a property of a structure: empty if it has no value, the default if it is absent."""
    found = node.find(f"{_M}{node.tag.rpartition('}')[2]}{_PROPERTIES}/{_M}{name}")
    return default if found is None else str(found.get(f"{_M}val") or "")


def _scripts(node: Any, read: Read) -> str:
    return math_text.with_scripts(*(read(_part(node, name)) for name in ("e", "sub", "sup")))


def _prescripts(node: Any, read: Read) -> str:
    return math_text.with_prescripts(*(read(_part(node, name)) for name in ("e", "sub", "sup")))


def _fraction(node: Any, read: Read) -> str:
    above, below = read(_part(node, "num")), read(_part(node, "den"))
    if _property(node, "type") == "noBar":  # a binomial coefficient, in the brackets around it
        return math_text.lines([above, below])
    return math_text.fraction(above, below)


def _radical(node: Any, read: Read) -> str:
    return math_text.radical(read(_part(node, "e")), read(_part(node, "deg")))


def _n_ary(node: Any, read: Read) -> str:
    operator = _property(node, "chr", "∫") or "∫"
    return math_text.n_ary(operator, *(read(_part(node, name)) for name in ("sub", "sup", "e")))


def _function(node: Any, read: Read) -> str:
    return math_text.function(read(_part(node, "fName")), read(_part(node, "e")))


def _limit(node: Any, read: Read) -> str:
    base, limit = read(_part(node, "e")), read(_part(node, "lim"))
    return math_text.with_scripts(base, limit) if node.tag == f"{_M}limLow" else math_text.with_scripts(base, "", limit)


def _brackets(node: Any, read: Read) -> str:
    parts = [read(part) for part in node.iterfind(f"{_M}e")]
    opening, closing = _property(node, "begChr", "("), _property(node, "endChr", ")")
    return math_text.delimit(parts, opening, closing, _property(node, "sepChr", "|"))


def _matrix(node: Any, read: Read) -> str:
    return math_text.matrix([[read(cell) for cell in row.iterfind(f"{_M}e")] for row in node.iterfind(f"{_M}mr")])


def _array(node: Any, read: Read) -> str:
    return math_text.lines([read(row) for row in node.iterfind(f"{_M}e")])


def _accent(node: Any, read: Read) -> str:
    return math_text.put_accent(read(_part(node, "e")), _property(node, "chr", "\u0302"))


def _bar(node: Any, read: Read) -> str:
    return math_text.put_accent(read(_part(node, "e")), "\u0305" if _property(node, "pos") == "top" else "\u0332")


def _brace(node: Any, read: Read) -> str:
    return f"{_property(node, 'chr', '⏟')}({math_text.tidy(read(_part(node, 'e')))})"


def _phantom(node: Any, read: Read) -> str:
    """Return the text of a phantom, or nothing if it only takes up room."""
    return "" if _property(node, "show", "1") in {"0", "off", "false"} else read(_part(node, "e"))


_STRUCTURES: Mapping[str, Callable[[Any, Read], str]] = {
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "sPre": _prescripts,
    "f": _fraction,
    "rad": _radical,
    "nary": _n_ary,
    "func": _function,
    "limLow": _limit,
    "limUpp": _limit,
    "d": _brackets,
    "m": _matrix,
    "eqArr": _array,
    "acc": _accent,
    "bar": _bar,
    "groupChr": _brace,
    "phant": _phantom,
}
