"""Numbers, and how a spreadsheet shows them: a table written by hand, of a format's code and what it displays.

The displays follow what Excel shows in English (ECMA-376, part 1, 18.8.30 and 18.8.31). None of the product's code
is used: each function here does the arithmetic of its format alone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Format:
    """A format's code, how a value for it is drawn, and what is displayed of it."""

    family: str
    code: str
    draw: Callable[[random.Random], float]
    show: Callable[[float], str]


def round_half_up(value: float, places: int) -> Decimal:
    """Round as a spreadsheet does: away from zero, by the decimal digits that the number is written with."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def fixed(places: int, *, grouped: bool = False) -> Callable[[float], str]:
    """Return what shows a number with so many decimal places."""
    return lambda value: f"{round_half_up(value, places):{',' if grouped else ''}.{places}f}"


def scaled(divisor: int, places: int, unit: str = "", *, grouped: bool = False) -> Callable[[float], str]:
    """Return what shows a number divided, with a unit after it."""
    return lambda value: f"{round_half_up(value / divisor, places):{',' if grouped else ''}.{places}f}{unit}"


def percent(places: int) -> Callable[[float], str]:
    """Return what shows a share as percent."""

    def show(value: float) -> str:
        shown = (Decimal(repr(value)) * 100).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        return f"{shown:.{places}f}%"

    return show


def signed(positive: Callable[[float], str], negative: str, zero: str | None = None) -> Callable[[float], str]:
    """Return what shows a negative number as `negative` has it, where {} is its size."""

    def show(value: float) -> str:
        if value == 0 and zero is not None:
            return zero
        return positive(value) if value >= 0 else negative.format(positive(-value))

    return show


def scientific(value: float) -> str:
    """Show 0.00E+00."""
    mantissa, exponent = f"{Decimal(repr(value)):.2E}".split("E")
    return f"{mantissa}E{int(exponent):+03d}"


def in_eighths(value: float) -> str:
    """Show # ?/8."""
    whole, rest = divmod(Fraction(value), 1)
    return f"{whole} {rest * 8}/8" if rest else f"{whole}"


def in_lowest_terms(value: float) -> str:
    """Show # ?/? of a number whose denominator has one digit."""
    whole, rest = divmod(Fraction(value).limit_denominator(9), 1)
    return f"{whole} {rest.numerator}/{rest.denominator}" if rest else f"{whole}"


def moment(value: float) -> datetime:
    """Return the time that a serial number stands for."""
    return _EPOCH + timedelta(seconds=round(value * 86_400))


def dated(pattern: str) -> Callable[[float], str]:
    """Return what shows a serial number by a pattern of {y}, {m}, {d} and other parts."""

    def show(value: float) -> str:
        at = moment(value)
        month = _MONTHS[at.month - 1]
        return pattern.format(
            y=at.year, yy=at.year % 100, m=at.month, mmm=month[:3], mmmm=month, d=at.day, h=at.hour, M=at.minute,
            s=at.second, h12=at.hour % 12 or 12, half="AM" if at.hour < 12 else "PM",
        )  # fmt: skip

    return show


def elapsed(pattern: str) -> Callable[[float], str]:
    """Return what shows a duration in hours {h}, minutes {m} of the hour, all minutes {mm}, and seconds {s}."""

    def show(value: float) -> str:
        seconds = round(value * 86_400)
        return pattern.format(h=seconds // 3600, m=seconds // 60 % 60, mm=seconds // 60, s=seconds % 60)

    return show


_GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()  # noqa: SIM905
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905


def german(value: float) -> str:
    """Show d. mmmm yyyy in German, as [$-407] asks for."""
    at = moment(value)
    return f"{at.day}. {_GERMAN[at.month - 1]} {at.year}"


def weekday(value: float) -> str:
    """Show dddd, d mmm."""
    at = moment(value)
    return f"{_DAYS[at.weekday()]}, {at.day} {_MONTHS[at.month - 1][:3]}"


def engineering(value: float) -> str:
    """Show ##0.0E+0: the exponent is a multiple of three."""
    exponent = (len(f"{int(value)}") - 1) // 3 * 3
    return f"{round_half_up(value / 10**exponent, 1):.1f}E+{exponent}"


def general(value: float) -> str:
    """Show General: as many digits as fit into eleven characters; for numbers from 0.1 to 99,999,999,999.

    Larger ones are left out: Excel shows 9.44E+12, and a reader that keeps all their digits changes nothing.
    """
    places = 9 if value < 1 else 10 - len(f"{int(value)}")
    shown = f"{round_half_up(value, places):f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _amount(dice: random.Random) -> float:
    return round(dice.uniform(0, 10 ** dice.randint(1, 7)), dice.choice([0, 1, 2, 2, 3]))


def _either(dice: random.Random) -> float:
    """Draw a number of at least 1 or at most -1: none is rounded to zero, of which some show the sign."""
    return (_amount(dice) + 1) * dice.choice([1, -1])


def _billions(dice: random.Random) -> float:
    return dice.randint(10**9, 10**13)


def _whole(dice: random.Random) -> float:
    return dice.randint(0, 10 ** dice.randint(1, 8))


def _share(dice: random.Random) -> float:
    return round(dice.uniform(0, 2), dice.choice([2, 3, 4]))


def _day(dice: random.Random) -> float:
    return dice.randint(20_000, 55_000)


def _minute(dice: random.Random) -> float:
    return dice.randint(20_000, 55_000) + dice.randint(0, 1439) / 1440


def _second(dice: random.Random) -> float:
    return dice.randint(1, 86_399) / 86_400


def _span(dice: random.Random) -> float:
    return dice.randint(60, 400_000) / 86_400


def _eighth(dice: random.Random) -> float:
    return dice.randint(1, 99) + dice.randint(1, 7) / 8


def _ratio(dice: random.Random) -> float:
    bottom = dice.randint(2, 9)
    return dice.randint(1, 99) + dice.randint(1, bottom - 1) / bottom


def _drop_zeros(value: float) -> str:
    """Show #.##, which keeps the point of whole numbers and no zero before it."""
    whole, _, rest = f"{value:.2f}".partition(".")
    return f"{whole.lstrip('0')}.{rest.rstrip('0')}"


def _improper(value: float) -> str:
    shown = Fraction(value).limit_denominator(9)
    return f"{shown.numerator}/{shown.denominator}"


def _tenths(value: float) -> str:
    tenths = round(value * 864_000)
    return f"{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"


FORMATS = (
    Format("general", "General", _whole, lambda value: f"{value:.0f}"),
    Format("decimals", "0", _amount, fixed(0)),
    Format("decimals", "0.0", _amount, fixed(1)),
    Format("decimals", "0.00", _amount, fixed(2)),
    Format("decimals", "0.000", _either, signed(fixed(3), "-{}")),
    Format("thousands", "#,##0", _amount, fixed(0, grouped=True)),
    Format("thousands", "#,##0.00", _amount, fixed(2, grouped=True)),
    Format("thousands", "#,##0.00;[Red]-#,##0.00", _either, signed(fixed(2, grouped=True), "-{}")),
    Format("percent", "0%", _share, percent(0)),
    Format("percent", "0.0%", _share, percent(1)),
    Format("percent", "0.00%", _share, percent(2)),
    Format("scaled", "#,##0,", _whole, scaled(1_000, 0, grouped=True)),
    Format("scaled", '0.0,"k"', _whole, scaled(1_000, 1, "k")),
    Format("scaled", '0.00,,"M"', _whole, scaled(1_000_000, 2, "M")),
    Format("scaled", '#,##0.0,,," bn"', _billions, scaled(10**9, 1, " bn", grouped=True)),
    Format("currency", "$#,##0.00", _amount, lambda value: "$" + fixed(2, grouped=True)(value)),
    Format("currency", "$#,##0", _amount, lambda value: "$" + fixed(0, grouped=True)(value)),
    Format("currency", "[$€-407]#,##0.00", _amount, lambda value: "€" + fixed(2, grouped=True)(value)),
    Format("currency", "#,##0.00 [$€-1]", _amount, lambda value: fixed(2, grouped=True)(value) + " €"),
    Format("currency", "[$CHF-807] #,##0.00", _amount, lambda value: "CHF " + fixed(2, grouped=True)(value)),
    Format("currency", "[$£-809]#,##0.00", _amount, lambda value: "£" + fixed(2, grouped=True)(value)),
    Format("currency", "[$¥-411]#,##0", _amount, lambda value: "¥" + fixed(0, grouped=True)(value)),
    Format("negative", "#,##0.00_);(#,##0.00)", _either, signed(fixed(2, grouped=True), "({})")),
    Format("negative", "$#,##0_);($#,##0)", _either, signed(lambda v: "$" + fixed(0, grouped=True)(v), "({})")),
    Format("negative", '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', _either,
           lambda v: "$" + signed(fixed(2, grouped=True), "({})")(v)),
    Format("negative", '0.0;-0.0;"nil"', lambda dice: dice.choice([0, 1]) * _either(dice),
           signed(fixed(1), "-{}", "nil")),
    Format("negative", "+0.0;-0.0;0.0", _either, lambda v: "+" + fixed(1)(v) if v > 0 else signed(fixed(1), "-{}")(v)),
    Format("leading zeros", "00000", lambda dice: dice.randint(1, 99_999), lambda value: f"{value:05.0f}"),
    Format("leading zeros", "0000000000", lambda dice: dice.randint(1, 9_999_999), lambda value: f"{value:010.0f}"),
    Format("leading zeros", "000-00-0000", lambda dice: dice.randint(1, 999_999_999),
           lambda v: f"{int(v):09d}"[:3] + "-" + f"{int(v):09d}"[3:5] + "-" + f"{int(v):09d}"[5:]),
    Format("units", '0.0" kg"', _amount, lambda value: fixed(1)(value) + " kg"),
    Format("units", '"No. "0', lambda dice: dice.randint(1, 9_999), lambda value: f"No. {value:.0f}"),
    Format("units", r"0\°", lambda dice: dice.randint(0, 360), lambda value: f"{value:.0f}°"),
    Format("units", '0.00"x"', _share, lambda value: fixed(2)(value) + "x"),
    Format("conditions", '[>=1000]0.0,"k";0', _whole,
           lambda value: scaled(1_000, 1, "k")(value) if value >= 1000 else f"{value:.0f}"),
    Format("scientific", "0.00E+00", lambda dice: dice.uniform(1, 10) * 10.0 ** dice.randint(-8, 12), scientific),
    Format("fractions", "# ?/8", _eighth, in_eighths),
    Format("fractions", "# ?/?", _ratio, in_lowest_terms),
    Format("dates", "yyyy-mm-dd", _day, dated("{y}-{m:02}-{d:02}")),
    Format("dates", "dd.mm.yyyy", _day, dated("{d:02}.{m:02}.{y}")),
    Format("dates", "d mmm yyyy", _day, dated("{d} {mmm} {y}")),
    Format("dates", "mmmm d, yyyy", _day, dated("{mmmm} {d}, {y}")),
    Format("dates", "dd/mm/yy", _day, dated("{d:02}/{m:02}/{yy:02}")),
    Format("dates", "mmm-yy", _day, dated("{mmm}-{yy:02}")),
    Format("dates", "yyyy-mm-dd hh:mm", _minute, dated("{y}-{m:02}-{d:02} {h:02}:{M:02}")),
    Format("general", "General", lambda dice: dice.randint(1, 99_999) / dice.choice([3, 7, 9, 11]), general),
    Format("optional digits", "#.##", lambda dice: dice.randint(1, 999) / 100, _drop_zeros),
    Format("optional digits", "#,###", lambda dice: dice.choice([0, 1]) * dice.randint(1, 10**6),
           lambda value: f"{value:,.0f}" if value else ""),
    Format("nothing shown", ";;;", _whole, lambda _: ""),
    Format("nothing shown", "0;-0;;@", lambda dice: dice.choice([0, 1]) * dice.randint(1, 999),
           lambda value: f"{value:.0f}" if value else ""),
    Format("words only", '"yes";"no";"none"', _either, lambda value: "yes" if value > 0 else "no"),
    Format("text", "@", lambda dice: dice.randint(1, 99_999), lambda value: f"{value:.0f}"),
    Format("phone", "(000) 000-0000", lambda dice: dice.randint(2_000_000_000, 9_999_999_999),
           lambda v: f"({v:.0f}"[:4] + ") " + f"{v:.0f}"[3:6] + "-" + f"{v:.0f}"[6:]),
    Format("colour", "[Blue]0.0;[Red]-0.0", _either, signed(fixed(1), "-{}")),
    Format("fill", "* #,##0", _whole, fixed(0, grouped=True)),
    Format("spaces", "0.00_-;-0.00_-", _either, signed(fixed(2), "-{}")),
    Format("scientific", "##0.0E+0", lambda dice: dice.randint(1_000, 99_999) * 100, engineering),
    Format("fractions", "?/?", lambda dice: dice.randint(3, 40) / dice.choice([2, 4, 8]), _improper),
    Format("dates", "[$-407]d. mmmm yyyy", _day, german),
    Format("dates", "dddd, d mmm", _day, weekday),
    Format("dates", 'yyyy"年"m"月"d"日"', _day, dated("{y}年{m}月{d}日")),
    Format("dates", "m/d/yyyy", _day, dated("{m}/{d}/{y}")),
    Format("times", "mm:ss.0", lambda dice: dice.randint(1, 35_999) / 864_000, _tenths),
    Format("times", "hh:mm", lambda dice: dice.randint(0, 1439) / 1440, dated("{h:02}:{M:02}")),
    Format("times", "h:mm:ss", _second, dated("{h}:{M:02}:{s:02}")),
    Format("times", "h:mm AM/PM", lambda dice: dice.randint(0, 1439) / 1440, dated("{h12}:{M:02} {half}")),
    Format("durations", "[h]:mm:ss", _span, elapsed("{h}:{m:02}:{s:02}")),
    Format("durations", "[h]:mm", lambda dice: dice.randint(1, 9_000) / 1440, elapsed("{h}:{m:02}")),
    Format("durations", "[mm]:ss", _span, elapsed("{mm:02}:{s:02}")),
)  # fmt: skip
