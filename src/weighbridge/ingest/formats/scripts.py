"""Superscripts, subscripts, note marks and struck-out text, written so that no digit joins the number before it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Script = Literal["normal", "superscript", "subscript", "note"]

_SUPERSCRIPTS = str.maketrans("0123456789+-=()−–ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⁻⁻ⁿⁱ")  # noqa: RUF001 - minus and dash are meant
_SUBSCRIPTS = str.maketrans("0123456789+-=()−–", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₋₋")  # noqa: RUF001 - minus and dash are meant
_RAISED, _LOWERED = (re.compile(f"[{re.escape(''.join(map(chr, table)))}]+") for table in (_SUPERSCRIPTS, _SUBSCRIPTS))
_ORDINALS = frozenset(
    {"st", "nd", "rd", "th", "e", "er", "ers", "re", "res", "ère", "es", "ème", "eme", "ième", "ieme", "nde"}
)
"""Endings of English and French ordinals. Word processors raise them by themselves: "1st" is no power."""
_MARKS = {"TM": "™", "SM": "℠", "o": "º"}
_NO_BASE = re.compile(r"(?:\d{4}|\d[.,'’\u00a0\u202f ]\d{3}|[$€£¥]\s?[\d.,]+\d)$")  # noqa: RUF001 - Swiss apostrophe
"""A number that is hardly ever raised to a power: a year, one with grouped thousands, a price."""
_CONTEXT = 32
"""Characters before a run that tell its meaning: more than a number has."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one form. A "note" is the reference to a footnote as it is to be written, such as "[^3]"."""

    text: str
    script: Script = "normal"
    struck: bool = False


def write_runs(runs: Iterable[Run]) -> str:
    """Write the runs of a paragraph as one text; neighbours in the same form count as one run.

    Every reader writes by this convention:

    - Superscripts of digits, signs, n and i are Unicode's: 10⁶, 10⁻³, 2ⁿ; subscripts of digits and signs: H₂O.
    - Where a character has no such form, the script is written `^(...)` or `_(...)`: e^(-x/2), v_(max).
    - After a year, a price or a number with grouped thousands, a superscript is a footnote mark rather than a power,
      and stands apart: "5,200 ³". References to notes stand apart from any number: "5,200 [^3]", but "Said[^1]".
    - Ordinals stay together ("1st"), TM becomes "™" and o "º". Signs without a letter or a digit, such as "*", stay as
      they are, and so do letters that are not attached to anything.
    - Struck-out text keeps its marks: "~~14 euro~~ 19 euro". Blanks at its ends stand outside of them.
    """
    written: list[str] = []
    before = ""
    for struck, stretch in groupby(runs, key=lambda run: run.struck):
        texts: list[str] = []
        for script, same in groupby(stretch, key=lambda run: run.script):
            texts.append(_write("".join(run.text for run in same), script, before))
            before = (before + texts[-1])[-_CONTEXT:]
        text = "".join(texts)
        if struck and (inner := text.strip()):
            text = text.replace(inner, f"~~{inner}~~", 1)
        written.append(text)
    return "".join(written)


def superscript(text: str) -> str:
    """Return a text as a superscript: in Unicode's characters where each has one, else `^(...)`."""
    return text.translate(_SUPERSCRIPTS) if _RAISED.fullmatch(text) else f"^({text})"


def subscript(text: str) -> str:
    """Return a text as a subscript: in Unicode's characters where each has one, else `_(...)`."""
    return text.translate(_SUBSCRIPTS) if _LOWERED.fullmatch(text) else f"_({text})"


def _write(text: str, script: Script, before: str) -> str:
    if script == "normal":
        return text
    if script == "note":
        return f" {text}" if before[-1:].isdigit() else text
    inner = text.strip()
    attached = bool(before) and not before[-1].isspace() and text[:1] == inner[:1]
    if not re.search(r"\w", inner) or inner[0] == "[":
        return text
    if script == "subscript":
        shown = subscript(inner) if attached or _LOWERED.fullmatch(inner) else inner
    elif inner in _MARKS or (before[-1:].isdigit() and attached and inner.casefold() in _ORDINALS):
        shown = _MARKS.get(inner, inner)
    elif attached and _NO_BASE.search(before):
        shown = f" {superscript(inner)}"
    else:
        shown = superscript(inner) if attached or _RAISED.fullmatch(inner) else inner
    return text.replace(inner, shown, 1)
