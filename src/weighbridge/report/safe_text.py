"""The texts around figures: counts, marks of notes, and foreign text made safe to show on one line.

How a figure itself is written is told by `weighbridge.formatting`, for reasons and reports alike.
"""

import re
import unicodedata

from weighbridge.formatting import DASH, NB

ABSENT = DASH
"""Stands in place of an absent figure; a note beside it says why."""

_TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Marks that turn the direction of the text after them, and can so disguise it."""
_BREAKS = re.compile(rf"[^\S{NB}]+")
"""White space but for no-break spaces: those keep a number and its unit on one line."""


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 question``, ``1,000 questions``."""
    return f"{number:,}{NB}{noun if number == 1 else plural or noun + 's'}"


def superscript_number(number: int) -> str:
    """Return the mark of a note."""
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def one_line(text: str, limit: int = 0) -> str:
    """Return a foreign text on one line, safe to show; one longer than `limit` (unless 0) ends with an ellipsis."""
    return clip(_BREAKS.sub(" ", visible(text)).strip(), limit)


def visible(text: str) -> str:
    """Return a foreign text of the same length without control characters and marks that turn its direction."""
    shown = []
    for mark in text:
        is_hidden = mark != "\n" and (mark in _TURNS or unicodedata.category(mark) in {"Cc", "Cs"})
        shown.append(" " if is_hidden else mark)
    return "".join(shown)


def clip(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters (any number, if 0); a longer one ends with an ellipsis."""
    return f"{text[: limit - 1]}…" if 0 < limit < len(text) else text
