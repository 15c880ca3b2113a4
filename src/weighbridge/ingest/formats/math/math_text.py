"""Equations as a line of text: signs mark scripts, fractions and roots, so that no digits run together.

The form is close to UnicodeMath and reads like a typed formula: `x = (-b ± √(b² - 4ac))/(2a)`. Readers of
MathML and of Office's equations share these functions.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from weighbridge.ingest.formats.scripts import subscript, superscript

_ATOM = re.compile(r"\d[\d.,]*[^\W\d_a-zA-Z]*|[^\W\d_]+")
"""A number or a name, either of them with superscripts: it needs no brackets above or below a fraction's bar."""
_PAIRS = {"(": ")", "[": "]", "{": "}", "|": "|", "‖": "‖", "⌊": "⌋", "⌈": "⌉", "⟨": "⟩"}
_ALWAYS_RAISED = frozenset("'′″‴*†‡°∘")  # noqa: RUF001 - a prime is meant
"""Characters that stand above without any sign for it."""
_STYLED = range(0x1D400, 0x1D800)
"""Mathematical letters and digits in bold, italics, script: the same characters in another face."""
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}


def symbols(text: str) -> str:
    """Return the characters of an equation in their plain face, without those that are not shown."""
    plain = [unicodedata.normalize("NFKC", one) if ord(one) in _STYLED else one for one in text]
    return "".join(one for one in plain if one not in "\u2061\u2062\u2063\u2064\u200b")


def fraction(numerator: str, denominator: str) -> str:
    """Return `(a + b)/2`, with blanks around it: 3 and a half is "3 1/2"."""
    return f" {put_in_brackets(numerator)}/{put_in_brackets(denominator)} "


def with_scripts(base: str, lower: str = "", upper: str = "") -> str:
    """Return a base with the scripts below and above its end: `x²`, `v_(max)`, `∑_(i=1)^(n)`."""
    text = put_in_brackets(base)
    if lower := tidy(lower):
        text += subscript(lower)
    if upper := tidy(upper):
        text += upper if _ALWAYS_RAISED.issuperset(upper) else superscript(upper)
    return text


def with_prescripts(base: str, lower: str, upper: str) -> str:
    """Return a base with the scripts below and above its beginning: `²³⁵₉₂U`, with a blank before it."""
    return f" {with_scripts('', lower, upper)}{put_in_brackets(base)}"


def radical(radicand: str, degree: str = "") -> str:
    """Return `√(x)`, `∛(x)` or `ⁿ√(x)`; a degree that is written out has a blank before it."""
    degree = tidy(degree)
    root = _ROOTS[degree] if degree in _ROOTS else f" {superscript(degree)}√"
    return f"{root}({tidy(radicand)})"


def n_ary(operator: str, lower: str, upper: str, body: str) -> str:
    """Return a sum, an integral or the like over its body: `∑_(i=1)^(n) i²`."""
    return f" {with_scripts(operator, lower, upper)} {tidy(body)} "


def function(name: str, argument: str) -> str:
    """Return `sin(x)`, `log₂(8)`, `lim_(x→0)(1/x)`."""
    argument = tidy(argument)
    return f" {tidy(name)}{argument if _is_bracketed(argument) else f'({argument})'}"


def delimit(parts: Iterable[str], opening: str = "(", closing: str = ")", between: str = "|") -> str:
    """Return parts in brackets, such as `(a, b)`; of cases, one side may be empty."""
    return f"{opening}{between.join(map(tidy, parts))}{closing}"


def matrix(rows: Sequence[Sequence[str]]) -> str:
    """Return `[a, b; c, d]`, rows apart by semicolons."""
    return f"[{'; '.join(', '.join(map(tidy, cells)) for cells in rows)}]"


def lines(rows: Iterable[str]) -> str:
    """Return equations that stand below each other, or the cases behind a brace, apart by semicolons."""
    return "; ".join(map(tidy, rows))


def put_accent(base: str, accent: str) -> str:
    """Return a base with a sign over or under it: a combining character such as U+0302 follows its base."""
    base = tidy(base)
    return f"{base if len(base) == 1 else f'({base})'}{accent}"


def put_in_brackets(text: str) -> str:
    """Return a text in brackets, unless it is a single number, a name, or in brackets by itself."""
    text = tidy(text)
    return text if len(text) < 2 or _ATOM.fullmatch(text) or _is_bracketed(text) else f"({text})"  # noqa: PLR2004 - a sign


def tidy(text: str) -> str:
    """Return a text without blanks at its ends, inside of brackets, or in runs."""
    text = re.sub(r"\s+", " ", text.strip())
    return re.sub(r"(?<=[(\[{√]) | (?=[)\]}])", "", text)


def _is_bracketed(text: str) -> bool:
    """Tell whether a text is one bracket from its first to its last character."""
    if len(text) < 2 or _PAIRS.get(text[0]) != text[-1]:  # noqa: PLR2004 - an opening and a closing bracket
        return False
    opening, closing = text[0], text[-1]
    depth = 0
    for place, character in enumerate(text):
        depth += (character == opening) - (character == closing and opening != closing)
        if depth == (0 if opening != closing else 2) and place < len(text) - 1:
            return False
    return True
