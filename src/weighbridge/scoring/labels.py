"""Finds the label of an answer: the label alone, or in a sentence that names no other."""

import re
from collections.abc import Collection, Sequence

from weighbridge.scoring.language.words import plain

_AROUND_A_LABEL = " \t\n\r\"'`*_"
_AFTER_A_LABEL = ".,;:!?" + _AROUND_A_LABEL
_NEGATED = re.compile(r"(?:\b(?:not|no|never|neither|nor|rather than|instead of)|n't)\b(?:\W+(?!but\b)\w+){0,3}\W*$")
"""A "not" up to three words before; the words after a "but" are meant again."""
_LONGEST_SENTENCE = 400
"""Longest text to find a label in: a longer one argues, and names labels that it does not give."""


def normalise_label(text: str) -> str:
    """Return a label as it is compared: case, surrounding white space, quotes and final punctuation do not count."""
    return " ".join(plain(text).casefold().lstrip(_AROUND_A_LABEL).rstrip(_AFTER_A_LABEL).split())


def same_label(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text is one of the accepted labels and nothing else. An empty text is none."""
    label = normalise_label(text)
    return bool(label) and any(label == normalise_label(reference) for reference in references)


def find_label(text: str, labels: Collection[str]) -> str:
    """Return the one label that a text gives, as `labels` writes it; empty where it gives none or several.

    The whole text may be the label, or a sentence may name it: "The queue is billing." A label after a negation is not
    given ("not billing"). A label inside a longer one that is named counts for the longer one only.
    """
    whole = normalise_label(text)
    for label in labels:
        if whole and whole == normalise_label(label):
            return label
    if len(text) > _LONGEST_SENTENCE:
        return ""
    named = []
    rest = whole
    for label in sorted(labels, key=len, reverse=True):
        known = normalise_label(label)
        if not known:
            continue
        pattern = re.compile(rf"(?<!\w){re.escape(known)}(?!\w)")
        places = [place for place in pattern.finditer(rest) if not _NEGATED.search(rest[: place.start()])]
        if places:
            named.append(label)
        rest = pattern.sub("\0", rest)
    return named[0] if len(named) == 1 else ""
