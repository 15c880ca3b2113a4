"""How short answers and labels are compared with their references."""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[a-z]+")
_NUMERALS = {
    word: value
    for values, words in (
        (
            range(21),
            ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty"),
        ),
        (range(30, 101, 10), "thirty forty fifty sixty seventy eighty ninety hundred"),
    )
    for value, word in zip(values, words.split(), strict=True)
}
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


def numbers(text: str) -> frozenset[str]:
    """Return the numbers a text gives, in digits or in English words up to a hundred, digits as they are written.

    Separators inside stay ("07:30", "1.14") but for thousands ("2,318" is "2318"); signs and units are not part.
    """
    lower = text.lower()
    digits = {found.replace(",", "") for found in _NUMBER.findall(lower)}
    return frozenset(digits | {str(_NUMERALS[word]) for word in _WORD.findall(lower) if word in _NUMERALS})


def normalised_label(text: str) -> str:
    """Return a label as it is compared: case, surrounding white space, quotes and final punctuation do not count.

    A sentence that mentions the label is not that label: what reads the answer expects the label alone.
    """
    return " ".join(text.casefold().lstrip(_AROUND_A_LABEL).rstrip(_AFTER_A_LABEL).split())


def same_label(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text is one of the accepted labels. An empty text is none."""
    label = normalised_label(text)
    return bool(label) and any(label == normalised_label(reference) for reference in references)


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
