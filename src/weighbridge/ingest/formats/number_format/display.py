"""Displays numbers as spreadsheets do, under a number format code (ECMA-376 part 1, 18.8.31).

Rules that the standard leaves open follow Excel in English: a point before decimals, commas between thousands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile

from weighbridge.ingest.formats.number_format.codes import FormatSection, FormatToken, split_code
from weighbridge.ingest.formats.number_format.dates import format_date

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: '"$"#,##0_);("$"#,##0)',
    6: '"$"#,##0_);[Red]("$"#,##0)', 7: '"$"#,##0.00_);("$"#,##0.00)', 8: '"$"#,##0.00_);[Red]("$"#,##0.00)', 9: "0%",
    10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm",
    17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);[Red](#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)', 42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((32, 33), "h:mm:ss"), **dict.fromkeys((34, 35, 55, 56), "yyyy-mm-dd h:mm:ss"),
}  # fmt: skip
"""Codes of the formats that a workbook names by number alone (ECMA-376 part 1, 18.8.30).

The dates of 14, 22, 27 to 36 and 50 to 58 follow the country of the machine that shows them: 3/1/2024 and 01.03.2024
are the same cell. ISO 8601 is the form that nobody takes for another day.
"""

_MARKS = {"#": "\1", "0": "\2", "?": "\3", ".": "\4"}
"""Stand-ins for the places of digits and the point, to tell them from text: no XML has these characters."""
_PLAIN_PLACES = re.compile("([^\1-\4]*)\1*(\2+)(?:\4\2+)?([^\1-\4]*)")
_GENERAL = FormatSection((FormatToken("general", "General"),), shows="general")
_WIDE = Context(prec=1_400, rounding=ROUND_HALF_UP)
"""Holds the largest number (1E+308) with as many decimals as a format code may have."""
_WIDTH = 9
"""Decimals that General has room for beside "0.": it shows 11 characters."""
_SMALLEST = -4
_PLAIN = range(11, 21)
"""Powers of ten of large numbers that the formula bar writes without an exponent."""
_EXPONENT_DIGITS = 5
"""Digits that General shows after the point of a number with an exponent."""
_MOST_PLACES = 7
"""Digits that the denominator of a fraction may have."""
_NEGLIGIBLE = 5e-8
"""The rest that ends a continued fraction. SheetJS found that Excel computes it in floats, too, so that .3 is 2/7."""


@lru_cache(maxsize=16_384)
def display(value: float, code: str, *, date1904: bool = False) -> str:
    """Return a number as Excel shows it in a wide column, with the blanks that line columns up.

    Empty where the code hides the number (`;;;`). A date that Excel cannot show comes as a plain number.
    """
    exact = Decimal(f"{value:.15g}")  # Excel keeps 15 digits and rounds from them: 1.005 shows as 1.01
    if not exact.is_finite():
        return str(value)
    section, is_absolute = _choose(_numeric_sections(code), value)
    shown = abs(exact) if is_absolute else exact
    if section.shows == "date":
        dated = format_date(exact, section, date1904=date1904)
        return _sign(exact) + general(abs(exact)) if dated is None else dated
    if section.shows == "number":
        return _sign(shown) + _number(abs(shown), section.tokens)
    number = general(abs(shown))
    text = "".join(number if token.kind in {"general", "text"} else token.text for token in section.tokens)
    return _sign(shown) + text if text else ""


def display_text(text: str, code: str) -> str:
    """Return a text as a format's section for text shows it: the fourth, or a last one that has an `@`."""
    if code in {"General", "@"}:
        return text
    sections = split_code(code)
    section = sections[-1]
    if len(sections) < 4 and not section.has("text"):  # noqa: PLR2004 - a format has four sections
        return text
    return "".join(text if token.kind in {"text", "general"} else token.text for token in section.tokens)


@lru_cache(maxsize=65_536)
def general(value: Decimal) -> str:
    """Return a number under the format General: decimals are rounded to fit into 11 characters.

    Where Excel would drop digits with an exponent (a number of 13 digits shows as 4.00638E+12), all digits are written
    as in its formula bar: people look for the numbers of articles and accounts.
    """
    if not value:
        return "0"
    magnitude = value.adjusted()
    if magnitude <= 10:  # noqa: PLR2004 - digits of the widest whole number
        rounded = _round(value, max(_WIDTH - max(magnitude, 0), 0))
        if magnitude >= _SMALLEST or rounded == value:
            return _plain(rounded)
    short = Context(prec=_EXPONENT_DIGITS + 1, rounding=ROUND_HALF_UP).plus(value)
    if short != value and magnitude in _PLAIN:
        return _plain(value)
    magnitude = short.adjusted()
    mantissa = _plain(short.scaleb(-magnitude))
    return f"{mantissa}E{'-' if magnitude < 0 else '+'}{abs(magnitude):02}"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round(value: Decimal, decimals: int) -> Decimal:
    """Return a number with so many decimals; these may be more digits than the default context has."""
    return value.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)


def _sign(value: Decimal) -> str:
    return "-" if value < 0 else ""


@lru_cache(maxsize=4_096)
def _numeric_sections(code: str) -> tuple[FormatSection, ...]:
    """Return the sections of a code that are for numbers, up to three; General where there is none."""
    numeric = split_code(code)
    if len(numeric) < 4 and numeric[-1].has("text"):  # noqa: PLR2004 - a format has four sections
        numeric = numeric[:-1]
    if len(numeric) == 1 and numeric[0].condition:
        return (*numeric, _GENERAL)
    return numeric[:3] or (_GENERAL,)


def _choose(sections: Sequence[FormatSection], value: float) -> tuple[FormatSection, bool]:
    """Return the section for a number, and whether that section leaves out a minus sign.

    Without conditions, the first is for positive numbers, the second for negative ones, the third for zero.
    """
    if len(sections) == 1:
        return sections[0], False
    if sections[0].condition or sections[1].condition:
        return _choose_by_condition(sections, value)
    if value < 0:
        return sections[1], True
    return (sections[2] if value == 0 and len(sections) > 2 else sections[0]), False  # noqa: PLR2004 - the third


def _choose_by_condition(sections: Sequence[FormatSection], value: float) -> tuple[FormatSection, bool]:
    for index, section in enumerate(sections):
        condition = section.condition
        if condition is not None:
            if condition.holds(value):
                return section, condition.is_negative and sections[-1] is not _GENERAL
        elif index == len(sections) - 1 or (index == 1 and value < 0):
            # After a first section for positive numbers, the second has the negative ones alone and no need for a sign.
            first = sections[0].condition
            takes_positive = first is not None and first.symbol in {">", ">="} and first.limit == 0
            return section, value < 0 and index == 1 and takes_positive
    return sections[-1], False


def _number(value: Decimal, tokens: tuple[FormatToken, ...]) -> str:
    """Return a number that is not negative under the tokens of a section with places for digits."""
    kinds = _kinds(tokens)
    if "percent" in kinds:
        value = value.scaleb(2 * kinds.count("percent"))
    if "exponent" in kinds:
        return _scientific(value, tokens, kinds.index("exponent"))
    if "slash" in kinds and "digit" in kinds[: kinds.index("slash")]:
        return _fraction(value, tokens, kinds.index("slash"))
    return _decimal(value, tokens)


@lru_cache(maxsize=4_096)
def _kinds(tokens: tuple[FormatToken, ...]) -> tuple[str, ...]:
    return tuple(token.kind for token in tokens)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the digits of a decimal number stand: tokens up to the point and from it, without commas."""

    whole: tuple[FormatToken, ...]
    rest: tuple[FormatToken, ...]
    thousands: int
    """How often the number is divided by a thousand."""
    grouped: bool
    decimals: int
    plain: tuple[str, int, str] | None
    """The text before the number, its fewest whole digits, and the text after it, if Python can write it by itself: in
    most codes, the places stand together and are zeros, except for those of grouped thousands."""


@lru_cache(maxsize=4_096)
def _layout(tokens: tuple[FormatToken, ...]) -> _Layout:
    kinds = [token.kind for token in tokens]
    last_digit = max((index for index, kind in enumerate(kinds) if kind == "digit"), default=-1)
    point = kinds.index("point") if "point" in kinds else len(kinds)
    thousands, grouped = 0, False
    whole: list[FormatToken] = []
    rest: list[FormatToken] = []
    for index, token in enumerate(tokens):
        if token.kind != "comma" or "digit" not in kinds[:index]:
            (whole if index < point else rest).append(token)
        elif index > last_digit or "digit" not in kinds[index:point]:
            thousands += 1
        else:
            grouped = True
    decimals = sum(token.kind == "digit" for token in rest)
    return _Layout(tuple(whole), tuple(rest), thousands, grouped, decimals, _plain_layout(whole, rest, grouped=grouped))


def _plain_layout(whole: list[FormatToken], rest: list[FormatToken], *, grouped: bool) -> tuple[str, int, str] | None:
    places = {"digit", "point"}
    marked = "".join(_MARKS[token.text] if token.kind in places else token.text for token in [*whole, *rest])
    matched = _PLAIN_PLACES.fullmatch(marked)
    if matched is None or (grouped and len(matched[2]) > 1):
        return None
    return matched[1], len(matched[2]), matched[3]


def _decimal(value: Decimal, tokens: tuple[FormatToken, ...], zero: str = "") -> str:
    """Fill the places for digits: before the point from the right, after it from the left.

    `zero` stands before the point of a number below one, unless the code asks for digits.
    """
    layout = _layout(tokens)
    rounded = _round(value.scaleb(-3 * layout.thousands) if layout.thousands else value, layout.decimals)
    if layout.plain:
        before, fewest, after = layout.plain
        digits = f"{rounded:,f}" if layout.grouped else f"{rounded:f}"
        return before + digits.zfill(fewest + layout.decimals + bool(layout.decimals)) + after
    whole, _, decimals = f"{rounded:f}".partition(".")
    return _whole(whole.lstrip("0") or zero, layout.whole, grouped=layout.grouped) + _decimals(decimals, layout.rest)


def _whole(digits: str, tokens: Sequence[FormatToken], *, grouped: bool) -> str:
    """Return the digits before the point; the first place takes all that the others leave."""
    places = sum(token.kind == "digit" for token in tokens)
    shown: list[str] = [] if places else [digits]
    place = 0
    for token in reversed(tokens):
        if token.kind != "digit":
            shown.append(token.text)
            continue
        last = len(digits) if place == places - 1 else place + 1
        for at in range(place, max(last, place + 1)):
            digit = digits[-1 - at] if at < len(digits) else token.text.strip("#").replace("?", " ")
            comma = "," if grouped and at and at % 3 == 0 and digit.isdigit() else ""
            shown.append(digit + comma)
        place += 1
    return "".join(reversed(shown))


def _decimals(digits: str, tokens: Sequence[FormatToken]) -> str:
    """Return the point and the digits after it; zeros at the end show where the code asks for them."""
    places = "".join(token.text for token in tokens if token.kind == "digit")
    needed = max(places.rfind("0") + 1, len(digits.rstrip("0")))
    shown: list[str] = []
    place = 0
    for token in tokens:
        if token.kind != "digit":
            shown.append(token.text)
            continue
        shown.append(digits[place] if place < needed else token.text.strip("#").replace("?", " "))
        place += 1
    return "".join(shown)


def _scientific(value: Decimal, tokens: tuple[FormatToken, ...], at: int) -> str:
    """Return a number with an exponent, a multiple of the count of places before the point."""
    last = max((index for index in range(at) if tokens[index].kind == "digit"), default=-1)
    mantissa = tuple(token for index, token in enumerate(tokens[:at]) if token.kind != "comma" or index < last)
    kinds = [token.kind for token in mantissa]
    point = kinds.index("point") if "point" in kinds else len(kinds)
    step = max(kinds[:point].count("digit"), 1)
    decimals = kinds[point:].count("digit")
    exponent = value.adjusted() // step * step if value else 0
    shown = _round(value.scaleb(-exponent), decimals)
    if shown.adjusted() >= step:
        exponent += step
        shown = _round(value.scaleb(-exponent), decimals)
    after = [token for token in tokens[at + 1 :] if token.kind != "comma"]
    sign = "-" if exponent < 0 else "+" if tokens[at].text.endswith("+") else ""
    places = sum(token.kind == "digit" and token.text == "0" for token in after)
    digits = iter([sign + str(abs(exponent)).zfill(places)])
    shown_exponent = "".join(next(digits, "") if token.kind == "digit" else token.text for token in after)
    return _decimal(shown, mantissa, zero="0") + tokens[at].text[0] + shown_exponent


def _fraction(value: Decimal, tokens: tuple[FormatToken, ...], slash: int) -> str:
    """Return a number as a whole number and a fraction, or as a fraction alone."""
    end = max(index for index in range(slash) if tokens[index].kind == "digit") + 1
    start = end - len(list(takewhile(lambda token: token.kind == "digit", reversed(tokens[:end]))))
    below = slash + 1
    while below < len(tokens) and not _is_denominator(tokens[below]):
        below += 1
    stop = below + len(list(takewhile(_is_denominator, tokens[below:])))
    above_places = "".join(token.text for token in tokens[start:end])
    below_places = "".join(token.text for token in tokens[below:stop])
    closest = _closest(value, below_places)
    has_whole = any(token.kind == "digit" for token in tokens[:start])
    whole, above = divmod(closest.numerator, closest.denominator) if has_whole else (0, closest.numerator)
    under = str(closest.denominator)
    if _is_named(below_places):
        above, under = above * int(below_places) // closest.denominator, below_places
    under = under.zfill(len(below_places)) if below_places[:1] == "0" else under.ljust(len(below_places))
    before = tokens[:start]
    if has_whole and not above and "0" not in above_places:
        shown = _whole(str(whole), _up_to_digit(before), grouped=False)
        return shown + " " * (stop - len(_up_to_digit(before))) + "".join(token.text for token in tokens[stop:])
    if has_whole and not whole and not any(token.text == "0" for token in before if token.kind == "digit"):
        before = (*_up_to_digit(before), FormatToken("literal", " "))  # without the text between the two numbers
    return "".join([
        _whole(str(whole) if whole else "", before, grouped=False),
        _whole(str(above), tokens[start:end], grouped=False),
        *(token.text for token in tokens[end:below]),
        under,
        *(token.text for token in tokens[stop:]),
    ])  # fmt: skip


def _is_denominator(token: FormatToken) -> bool:
    return token.kind == "digit" or token.text.isdecimal()


def _is_named(places: str) -> bool:
    """Tell a denominator that is written out, such as 16, from places for one."""
    return places.isdecimal() and int(places) > 0


def _up_to_digit(tokens: tuple[FormatToken, ...]) -> tuple[FormatToken, ...]:
    """Return the tokens up to the last place for a digit."""
    last = max((index for index, token in enumerate(tokens) if token.kind == "digit"), default=-1)
    return tokens[: last + 1]


def _closest(value: Decimal, named: str) -> Fraction:
    """Return a fraction near a value, with the named denominator or one of no more digits than places.

    Excel takes the last convergent of the continued fraction that fits; it is not always the closest fraction.
    """
    if value == value.to_integral_value():
        return Fraction(value)
    if _is_named(named):
        parts = int(named)
        return Fraction(int(Fraction(value) * parts + Fraction(1, 2)), parts)
    most = 10 ** max(min(len(named), _MOST_PLACES), 1) - 1
    above, below, above_before, below_before = 1, 0, 0, 1
    rest = float(value)
    while True:
        part = int(rest)
        if below_before + part * below > most:
            break
        above, above_before = part * above + above_before, above
        below, below_before = part * below + below_before, below
        if rest - part < _NEGLIGIBLE:
            break
        rest = 1 / (rest - part)
    return Fraction(above, below)
