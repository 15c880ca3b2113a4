"""Scores an answer against a reference of several sentences: the points it gives, misses or contradicts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from weighbridge.scoring.language.folding import fold
from weighbridge.scoring.language.words import is_stop_word, plain, similarity, tokens
from weighbridge.scoring.matches import ValueMatch
from weighbridge.scoring.values import compare_values

PointRelation = Literal["found", "missed", "contradicted"]
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])|(?<=[。！？])|\n+")
_FEWEST_WORDS = 2
"""Fewest content words of a sentence that makes a point of its own; fewer are a heading or an aside."""
_LIKE = 0.8
"""A word of a point counts as given by one of at least this similarity: "refunded" for "refundable"."""
_RECALL = 0.5
"""A point counts as given with at least this share of its words: people put the rest in words of their own."""
_SHARED = 2
"""Words that a sentence of an answer shares with a point, so that it speaks of the same thing."""


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """One sentence of a reference, and its relation to an answer."""

    text: str
    relation: PointRelation
    values: tuple[ValueMatch, ...] = ()
    """The values that contradict it."""


def split_points(reference: str) -> tuple[str, ...]:
    """Return the sentences of a reference that each make a point; none where it has fewer than two."""
    sentences = [sentence.strip() for sentence in _SENTENCE.split(reference) if sentence.strip()]
    points = tuple(sentence for sentence in sentences if len(_content(sentence)) >= _FEWEST_WORDS)
    return points if len(points) > 1 else ()


def score_points(question: str, reference: str, answer: str) -> tuple[KeyPoint, ...]:
    """Return the points of a reference, compared with an answer; none where it makes fewer than two.

    A point is contradicted where the sentence of the answer that is nearest to it gives another value, or says no
    where it says yes.
    """
    sentences = [sentence for sentence in _SENTENCE.split(fold(answer)) if sentence.strip()]
    said = [_content(sentence) for sentence in sentences]
    points: list[KeyPoint] = []
    for point in split_points(fold(reference)):
        words = _content(point)
        shared = [_count_given(words, own) for own in said]
        nearest = max(range(len(sentences)), key=shared.__getitem__, default=0)
        if shared and shared[nearest] >= _SHARED:
            compared = compare_values(question, point, sentences[nearest])
            different = tuple(match for match in compared if match.relation == "different" and match.kind != "name")
            if different:
                points.append(KeyPoint(point, "contradicted", different))
                continue
        given = _count_given(words, [word for own in said for word in own])
        points.append(KeyPoint(point, "found" if given >= _RECALL * len(words) else "missed"))
    return tuple(points)


def _content(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in tokens(plain(text)) if not is_stop_word(word)))


def _count_given(words: Sequence[str], among: Sequence[str]) -> int:
    return sum(any(similarity(word, other) >= _LIKE for other in among) for word in words)
