"""Exact match and token F1 as SQuAD v1.1 defines them: figures about the form of an answer, strict on purpose.

Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", official evaluation script.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Return a text in lower case, without punctuation, articles and extra white space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text equals a reference after normalisation. An empty text equals none."""
    return bool(text.strip()) and any(_equals(text, reference) for reference in references)


def token_f1(text: str, references: Sequence[str]) -> float:
    """Return the token F1 with the best reference, as SQuAD v1.1 defines it; 0 where there is no reference.

    A reference of nothing but articles or punctuation ("A", "?") normalises to no tokens: it is compared whole.
    """
    return max((_f1(text, reference) for reference in references), default=0.0)


def _equals(text: str, reference: str) -> bool:
    wanted = normalise(reference)
    return normalise(text) == wanted if wanted else text.strip().lower() == reference.strip().lower()


def _f1(text: str, reference: str) -> float:
    wanted = normalise(reference).split()
    if not wanted:
        return float(_equals(text, reference))
    given = normalise(text).split()
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted))
