"""Single numbers: digits and words with sign, marks, scale and the place of the last digit."""

import re
from dataclasses import dataclass
from fractions import Fraction

from weighbridge.scoring.language.folding import DecimalMark, Language, cover_mask
from weighbridge.scoring.numbers.number_words import find_number_words

_DIGITS = re.compile(
    r"(?<![^\W\u3040-\u30ff\u4e00-\u9fff])(?<!\d[.,])"
    r"(?:[1-9]\d{0,2}(?: \d{3})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,']\d+)*|\.\d+(?![.,]?\d))"
)
_LONGEST_LEAD = 8
"""Characters before the word "second" that may make it a time: "a second", "per second"."""
_LONGEST = 40
"""More digits than this are no quantity, and turning them into a number takes long."""
_MIXED = re.compile(r"(\d+) (\d{1,2})/(\d{1,2})(?![\d/])|(\d{1,4})/(\d{1,4})(?![\d/])")
_POWER = re.compile(r"\s?(?:[x×*·]\s?10\s?(?:\^|\*\*)\s?(-?\d{1,2})|[eE]([+-]?\d{1,2})(?!\w))")
_POWER_OF_TEN = re.compile(r"(?:\^|\*\*)(-?\d{1,2})(?!\d)")
_SECOND_OF_TIME = re.compile(r"(?:\d|\bper|\ba|\bone|\beach|\bevery)[ -]?$", re.IGNORECASE)
_SCALE = re.compile(
    r"(?:\s?-?(?P<word>hundred|thousand|thousands|million|millions|billion|billions|trillion|quadrillion|lakh|crore|dozen|"
    r"tausend|millionen|milliarden?|mille|milliards?|mil|millones|millón|mio\.?|mrd\.?|mln\.?|bn|tn)"
    r"|(?P<letter>[kKM])|\s?(?P<han>[万萬亿億兆]))(?![^\W\u3040-\u30ff\u4e00-\u9fff])",
    re.IGNORECASE,
)
_SCALES = {
    "hundred": 10**2, "dozen": 12, "lakh": 10**5, "crore": 10**7, "k": 10**3, "m": 10**6,
    "thousand": 10**3, "thousands": 10**3, "tausend": 10**3, "mille": 10**3, "mil": 10**3,
    "million": 10**6, "millions": 10**6, "millionen": 10**6, "millones": 10**6, "millón": 10**6,
    "mio": 10**6, "mln": 10**6, "billion": 10**9, "billions": 10**9, "bn": 10**9, "mrd": 10**9,
    "milliarde": 10**9, "milliarden": 10**9, "milliard": 10**9, "milliards": 10**9,
    "trillion": 10**12, "tn": 10**12, "quadrillion": 10**15,
    "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12,
}  # fmt: skip
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|ère|ème|e|º|ª|o|\.?º)(?!\w)")
_SIGN = re.compile(
    r"(?:(?:(?<![\w.,)%])|(?<=\s)|^)(?P<sign>[-+±])|\b(?P<word>minus|negative|moins|menos)\s)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One number as a text writes it."""

    start: int
    end: int
    text: str
    readings: tuple[Fraction, ...]
    """Its value; two where the marks can be read in two ways ("1.000")."""
    step: Fraction = Fraction(1)
    """The place of the last digit: 0.1 for "1.5", 100,000 for "1.2 million"."""
    digits: int = 1
    """How many digits it states, without leading zeros."""
    scaled: bool = False
    """It is written with a word for a thousand or more, so it may be rounded."""
    signed: bool = False
    ordinal: bool = False
    weak: bool = False
    """It may confirm a value but never contradict one."""


def find_numbers(text: str, *, language: Language | None = "en", mark: DecimalMark = ".") -> tuple[Amount, ...]:
    """Find the numbers of a folded text, in order and without overlap."""
    words = list(find_number_words(text, language))
    mixed = cover_mask(text, [word for word in words if text[word.start].isdecimal()])  # "1億2000万" is one number
    digits = (match for match in _DIGITS.finditer(text) if not mixed[match.start()])
    found = [amount for match in digits if (amount := _written_in_digits(text, match, mark))]
    taken = cover_mask(text, found)
    for word in words:
        written = text[word.start : word.end]
        lead = text[max(0, word.start - _LONGEST_LEAD) : word.start]
        if any(taken[word.start : word.end]) or (written.lower() == "second" and _SECOND_OF_TIME.search(lead)):
            continue
        step = last_place(word.value)
        found.append(
            Amount(
                start=word.start, end=word.end, text=written, readings=(word.value,), step=step,
                digits=len(str(abs(word.value // step))), scaled=word.scale >= 1000,
                ordinal=word.ordinal, weak=word.weak,
            )
        )  # fmt: skip
    found.sort(key=lambda amount: amount.start)
    amounts: list[Amount] = []
    for amount in found:
        if not amounts or amounts[-1].end <= amount.start:
            amounts.append(_with_sign(text, amount))
    return tuple(amounts)


def last_place(value: Fraction) -> Fraction:
    """Return the place of the last digit that is not zero: 100,000 for 1,200,000; 1/100 where there is none."""
    step = Fraction(1)
    if value == 0:
        return step
    while value % (step * 10) == 0:
        step *= 10
    while value % step and step > Fraction(1, 100):
        step /= 10
    return step


def _written_in_digits(text: str, match: re.Match[str], mark: DecimalMark) -> Amount | None:
    digits = match[0]
    if len(digits) > _LONGEST:
        return None
    start, end = match.span()
    if (fraction := _MIXED.match(text, start)) and (value := _mixed_value(fraction)) is not None:
        return Amount(start=start, end=fraction.end(), text=fraction[0], readings=(value,), step=Fraction(1, 100))
    readings = read_digits(digits, mark)
    if not readings:
        return None
    decimals = _decimals(digits, readings[0])
    scale, scaled, ordinal = Fraction(1), False, False
    if digits == "10" and (power := _POWER_OF_TEN.match(text, end)):
        value, end = Fraction(10) ** int(power[1]), power.end()
        return Amount(start=start, end=end, text=text[start:end], readings=(value,), step=value, scaled=True)
    if power := _POWER.match(text, end):
        scale, scaled, end = Fraction(10) ** int(power[1] or power[2]), True, power.end()
    if word := _SCALE.match(text, end):
        name = (word["word"] or word["letter"] or word["han"]).lower().rstrip(".")
        scale, scaled, end = scale * _SCALES[name], name != "dozen", word.end()
    elif suffix := _ORDINAL.match(text, end):
        ordinal, end = True, suffix.end()
    return Amount(
        start=start, end=end, text=text[start:end], readings=tuple(value * scale for value in readings),
        step=scale / 10**decimals, digits=len(re.sub(r"\D", "", digits).lstrip("0")) or 1, scaled=scaled,
        ordinal=ordinal,
    )  # fmt: skip


def _mixed_value(fraction: re.Match[str]) -> Fraction | None:
    whole, *parts = (int(part or 0) for part in fraction.groups())
    if fraction[1]:
        return whole + Fraction(parts[0], parts[1]) if parts[1] else None
    return Fraction(parts[2], parts[3]) if parts[3] else None


def read_digits(digits: str, mark: DecimalMark) -> tuple[Fraction, ...]:
    """Return the values that digits with marks can have; the likelier first, none for a version or a code.

    A mark with three digits behind it may stand before thousands or before a fraction: the decimal mark of the text
    decides, and where nothing tells both readings stay.
    """
    digits = digits.replace(" ", "").replace("'", "") if _is_grouped(digits, " '") else digits
    marks = [character for character in digits if character in ".,'"]
    if not marks:
        return (Fraction(digits),)
    last, other = marks[-1], "," if marks[-1] == "." else "."
    whole, _, fraction = digits.rpartition(last)
    if len(marks) > 1 and marks.count(last) == len(marks):
        return (Fraction(digits.replace(last, "")),) if _is_grouped(digits, last) else ()
    if len(marks) > 1 or last == "'":  # both marks: the last one stands before the fraction
        well_formed = marks.count(last) == 1 and _is_grouped(whole, other)
        return (Fraction(f"{whole.replace(other, '')}.{fraction}"),) if well_formed else ()
    as_decimal, as_thousands = Fraction(f"{whole or 0}.{fraction}"), Fraction(f"{whole}{fraction}")
    if mark == last or not _is_grouped(digits, last):
        return (as_decimal,)
    return (as_thousands,) if mark else (as_thousands, as_decimal) if last == "," else (as_decimal, as_thousands)


def _is_grouped(digits: str, marks: str) -> bool:
    """Tell whether marks divide digits as thousands are divided, or as in India ("12,34,567")."""
    head, *groups = re.split(f"[{marks}]", re.split("[.,]", digits)[0] if " " in marks else digits)
    if not groups or not 1 <= len(head) <= 3 or head.startswith("0") or len(groups[-1]) != 3:
        return False
    return all(len(group) == 3 for group in groups) or (
        marks == "," and len(head) <= 2 and all(len(group) == 2 for group in groups[:-1])
    )


def _decimals(digits: str, value: Fraction) -> int:
    """Return how many digits stand behind the decimal mark of the reading that was chosen."""
    behind = len(re.split("[.,]", digits)[-1]) if re.search("[.,]", digits) else 0
    without_mark = Fraction(re.sub(r"\D", "", digits))
    return behind if behind and without_mark == value * 10**behind else 0


def _with_sign(text: str, amount: Amount) -> Amount:
    sign = _SIGN.search(text[max(0, amount.start - 10) : amount.start])
    if sign is None or amount.ordinal:
        return amount
    negative = sign["sign"] not in ("+", "±")
    start = amount.start - len(sign[0])
    return Amount(
        start=start, end=amount.end, text=text[start : amount.end],
        readings=tuple(-value for value in amount.readings) if negative else amount.readings,
        step=amount.step, digits=amount.digits, scaled=amount.scaled, signed=True,
    )  # fmt: skip
