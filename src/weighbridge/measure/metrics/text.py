"""How short answers and labels are compared with their references."""

import re
import string
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
_PIECE = re.compile(rf"{_NUMBER.pattern}|[^\W\d_]+")
_NUMERALS = {
    word: str(value)
    for values, words in (
        (
            range(21),
            (
                "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
                "seventeen eighteen nineteen twenty"
            ),
        ),
        (range(30, 101, 10), "thirty forty fifty sixty seventy eighty ninety hundred"),
    )
    for value, word in zip(values, words.split(), strict=True)
    if word != "one"
}
"""Words that are numbers wherever they stand; "one" often is none ("one of the nurses")."""
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_AROUND_A_LABEL = " \t\n\r\"'`*\u201c\u201d\u2018\u2019"
_AFTER_A_LABEL = ".,;:!?" + _AROUND_A_LABEL


def normalised(text: str) -> str:
    """Return a text as SQuAD v1.1 compares it: lower case, without punctuation, articles and extra white space.

    Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", official evaluation script.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text equals a reference after normalisation. An empty text equals none."""
    return bool(text.strip()) and any(_compared(text, reference) for reference in references)


def token_f1(text: str, references: Sequence[str]) -> float:
    """Return the token F1 with the best reference, as SQuAD v1.1 defines it; 0 where there is no reference.

    A reference of nothing but articles or punctuation ("A", "?") normalises to no tokens: it is compared whole.
    """
    return max((_f1(text, reference) for reference in references), default=0.0)


def by_value(text: str) -> str:
    """Return a text in lower case with its numbers written in one way, so that equal ones are equal texts.

    No leading zeros, no zeros at the end of a fraction, no separators of thousands: "08:00" is "8:0", "12.0" is "12",
    "2,318" is "2318". English number words up to a hundred become digits, but for "one". Signs and units stay.
    """
    return _PIECE.sub(lambda found: _NUMERALS.get(found[0]) or _value(found[0]), text.lower())


def contradicts(text: str, reference: str) -> bool:
    """Tell whether a text gives other numbers than a reference, by value.

    It does where it lacks a number of the reference ("12 weeks" or "weeks" for "5 weeks"), and where it offers another
    one for the same thing: one beside "or", or before a word that follows a number of the reference ("5 or 6 weeks",
    "5-6 weeks"). Any other number may be added ("Monday 5 May 2024" for "5 May"). "One" is the number 1 where either
    side gives another number, and else a word.
    """
    given, wanted = _pieces(text), _pieces(reference)
    if any(map(_is_number, (*given, *wanted))):
        given, wanted = (["1" if piece == "one" else piece for piece in pieces] for pieces in (given, wanted))
    expected = set(filter(_is_number, wanted))
    counted = {after for number, after in pairwise(wanted) if _is_number(number)}
    others = (place for place, piece in enumerate(given) if _is_number(piece) and piece not in expected)
    return not expected <= set(given) or any(
        "or" in given[max(0, place - 1) : place + 2] or not counted.isdisjoint(given[place + 1 : place + 2])
        for place in others
    )


def normalised_label(text: str) -> str:
    """Return a label as it is compared: case, surrounding white space, quotes and final punctuation do not count.

    A sentence that mentions the label is not that label: what reads the answer expects the label alone.
    """
    return " ".join(text.casefold().lstrip(_AROUND_A_LABEL).rstrip(_AFTER_A_LABEL).split())


def same_label(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text is one of the accepted labels. An empty text is none."""
    label = normalised_label(text)
    return bool(label) and any(label == normalised_label(reference) for reference in references)


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(by_value(text))


def _is_number(piece: str) -> bool:
    return piece[0].isdecimal()


def _value(piece: str) -> str:
    """Return digits in their one way of writing; a word as it is."""
    return ":".join(map(_plain, _THOUSANDS.sub("", piece).split(":"))) if _is_number(piece) else piece


def _plain(number: str) -> str:
    whole, *fractions = number.split(".")
    if len(fractions) == 1:
        fractions = [part for part in (fractions[0].rstrip("0"),) if part]
    return ".".join((whole.lstrip("0") or "0", *fractions))


def _compared(text: str, reference: str) -> bool:
    wanted = normalised(reference)
    return normalised(text) == wanted if wanted else text.strip().lower() == reference.strip().lower()


def _f1(text: str, reference: str) -> float:
    wanted = normalised(reference).split()
    if not wanted:
        return float(_compared(text, reference))
    given = normalised(text).split()
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted))
