"""Splits number format codes of spreadsheets (ECMA-376 part 1, 18.8.31) into sections of tokens."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from weighbridge.ingest.formats.number_format.calendar_names import ENGLISH, CalendarNames, names_of

TokenKind = Literal[
    "literal", "general", "text", "digit", "point", "comma", "percent", "exponent", "slash", "date", "elapsed", "noon",
]  # fmt: skip

_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"?
    | \\(?P<escaped>.?)
    | _(?P<padding>.?)
    | \*(?P<fill>.?)
    | \[(?P<bracket>[^\]]*)\]
    | (?P<general>general)
    | (?P<noon>AM/PM|A/P|上午/下午)
    | (?P<exponent>E[+-])
    | (?P<date>y+|m+|d+|h+|s+|e+|g+|b(?!\d)b*)
    | (?P<calendar>b\d)
    | (?P<digit>[0\#?])
    | (?P<point>\.)
    | (?P<comma>,)
    | (?P<percent>%)
    | (?P<slash>/)
    | (?P<text>@)
    | (?P<end>;)
    | (?P<literal>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_DROPPED = frozenset({"fill", "calendar"})
"""A fill is as wide as the column allows, so it says nothing; dates of other calendars are shown in ours."""
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CURRENCY = re.compile(r"\$([^-]*)(?:-(.*))?", re.DOTALL)
_CONDITION = re.compile(r"(<>|[<>]=?|=)\s*(-?[\d.]+(?:E[+-]?\d+)?)", re.IGNORECASE)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_LONGEST = 500
"""Characters of a code that are read; Excel allows 255. So many signs of percent make no number too long."""
_SECTIONS = 4
_DATES = frozenset({"date", "elapsed", "noon"})


@dataclass(frozen=True, slots=True)
class FormatToken:
    """One element of a format code: its kind, and its text as it is written or as it shows."""

    kind: TokenKind
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """The numbers that a section is meant for."""

    symbol: str
    limit: float

    def holds(self, number: float) -> bool:
        """Tell whether a number meets the condition."""
        return _COMPARE[self.symbol](number, self.limit)

    @property
    def is_negative(self) -> bool:
        """Whether only numbers below zero meet it: Excel then leaves out their sign."""
        return (self.symbol == "<" and self.limit <= 0) or (self.symbol in {"<=", "="} and self.limit < 0)


@dataclass(frozen=True, slots=True)
class FormatSection:
    """One of the up to four parts of a format code."""

    tokens: tuple[FormatToken, ...]
    condition: Condition | None = None
    shows: Literal["date", "general", "number", "literal"] = "literal"
    """The form that it gives a number; "literal" leaves the number out."""
    names: CalendarNames = ENGLISH
    """Those that dates have in the language that the section asks for."""

    def has(self, kind: TokenKind) -> bool:
        """Tell whether a token of a kind is in it."""
        return any(token.kind == kind for token in self.tokens)


@lru_cache(maxsize=4_096)
def split_code(code: str) -> tuple[FormatSection, ...]:
    """Split a format code into its sections: one at least, four at most."""
    sections: list[FormatSection] = []
    tokens: list[FormatToken] = []
    condition: Condition | None = None
    names = ENGLISH
    for match in _TOKEN.finditer(code[:_LONGEST]):
        if match.lastgroup == "end":
            sections.append(_section(tokens, condition, names))
            tokens, condition = [], None  # the language of a section holds for those after it
        elif match.lastgroup == "bracket":
            text = match["bracket"]
            condition = _read_condition(text) or condition
            currency = _CURRENCY.fullmatch(text)
            if _ELAPSED.fullmatch(text):
                tokens.append(FormatToken("elapsed", text.lower()))
            elif currency and currency[1]:  # colours and scripts, the other brackets, show nothing
                tokens.append(FormatToken("literal", currency[1]))
            names = names_of(currency[2]) if currency and currency[2] else names
        elif match.lastgroup not in _DROPPED:
            tokens.append(_token(match))
    sections.append(_section(tokens, condition, names))
    return tuple(sections[:_SECTIONS])


def _section(tokens: Sequence[FormatToken], condition: Condition | None, names: CalendarNames) -> FormatSection:
    """Return a section of tokens. Letters of dates among the digits of a number are literal: `0.0 dB`."""
    kinds = {token.kind for token in tokens}
    digits = [index for index, token in enumerate(tokens) if token.kind == "digit"]
    of_seconds = all(
        tokens[index].text == "0" and index and (tokens[index - 1].kind == "point" or tokens[index - 1].text == "0")
        for index in digits
    )
    if kinds & {"general", "text"}:
        return FormatSection(tuple(tokens), condition, "general", names)
    if of_seconds and kinds & _DATES:
        return FormatSection(tuple(tokens), condition, "date", names)
    literal = (FormatToken("literal", token.text) if token.kind in _DATES else token for token in tokens)
    return FormatSection(tuple(literal), condition, "number" if digits else "literal", names)


def _token(match: re.Match[str]) -> FormatToken:
    kinds: dict[str, TokenKind] = {
        "general": "general", "text": "text", "digit": "digit", "point": "point", "comma": "comma", "slash": "slash",
        "percent": "percent", "exponent": "exponent", "date": "date", "noon": "noon",
    }  # fmt: skip
    group = str(match.lastgroup)
    if group == "padding":
        return FormatToken("literal", " ")
    return FormatToken(kinds.get(group, "literal"), match[group])


def _read_condition(text: str) -> Condition | None:
    matched = _CONDITION.fullmatch(text.strip())
    try:
        return Condition(matched[1], float(matched[2])) if matched else None
    except ValueError:
        return None
