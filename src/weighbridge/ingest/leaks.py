"""The leak check: every test question is compared with every other, by another route than the one that made the groups.

Cosines are those of all pairs, block by block. Overlaps of five-character shingles are exact, and no pair that
reaches the wanted overlap can be missed: with the shingles of all questions in one order, rarest first, two sets that
overlap that much share one of the first `size - ceil(wanted * size) + 1` of either (prefix filtering; Bayardo, Ma and
Srikant, "Scaling up all pairs similarity search", 2007). What the grouping shares with the check is the rule by which
two close questions are told apart (`likeness.differ`).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from weighbridge.ingest.likeness import LEAST_OVERLAP, Questions, differ, rare_words, shingles
from weighbridge.types import Split

ROUNDING = 1e-5
"""By how much closeness must exceed a threshold: products of other blocks round otherwise."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Leak:
    """A test question and one of another split that is its near-duplicate, as positions; equal where it is the same."""

    tested: int
    other: int
    closeness: float


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """What was found, in order of position, and how many pairs were compared."""

    leaks: tuple[Leak, ...]
    compared: int


def leaks_between(
    questions: Questions, splits: Sequence[Split], vectors: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> LeakCheck:
    """Find the near-duplicates of test questions in train and dev.

    `splits` has one entry an example; `vectors` (unit rows) and `thresholds` (on the scale of the cosine) have one a
    distinct question. The higher threshold of the two holds for a pair.
    """
    sides = [frozenset(splits[place] == "test" for place in places) for places in questions.places]
    tested = np.array([place for place, side in enumerate(sides) if True in side], dtype=np.int64)
    others = np.array([place for place, side in enumerate(sides) if False in side], dtype=np.int64)
    if not len(tested) or not len(others):
        return LeakCheck((), 0)
    close = {(place, place): 1.0 for place, side in enumerate(sides) if len(side) > 1}
    overlapping = _overlapping(questions, tested.tolist(), others.tolist(), float(thresholds.min()))
    for left, right, closeness in chain(_near(vectors, tested, others, float(thresholds.min())), overlapping):
        if closeness >= max(thresholds[left], thresholds[right]) + ROUNDING:
            close[left, right] = max(closeness, close.get((left, right), 0.0))
    asked, rare = questions.asked, rare_words(questions.asked)
    leaks = sorted(pair for pair in close if pair[0] == pair[1] or not differ(asked[pair[0]], asked[pair[1]], rare))
    return LeakCheck(tuple(Leak(*pair, close[pair]) for pair in leaks), len(tested) * len(others))


def _near(
    vectors: NDArray[np.float32], tested: NDArray[np.int64], others: NDArray[np.int64], threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield every pair whose cosine exceeds a threshold, with the cosine."""
    columns = np.ascontiguousarray(vectors[others].T)
    for start in range(0, len(tested), _BLOCK):
        rows = tested[start : start + _BLOCK]
        cosines = vectors[rows] @ columns
        over = np.nonzero(cosines >= threshold + ROUNDING)
        yield from zip(rows[over[0]].tolist(), others[over[1]].tolist(), cosines[over].tolist(), strict=True)


def _overlapping(
    questions: Questions, tested: Sequence[int], others: Sequence[int], threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield every pair whose overlap reaches what the threshold wants, with its closeness."""
    wanted = max(2 * threshold - 1, LEAST_OVERLAP)
    pieces = [shingles(question.plain) for question in questions.asked]
    counts = Counter(piece for own in pieces for piece in own)
    first = [_rarest(own, counts, wanted) for own in pieces]
    holding: dict[str, list[int]] = defaultdict(list)
    for other in others:
        for piece in first[other]:
            holding[piece].append(other)
    for test in tested:
        for other in sorted({place for piece in first[test] for place in holding.get(piece, ())}):
            shared = len(pieces[test] & pieces[other])
            overlap = shared / (len(pieces[test]) + len(pieces[other]) - shared)
            if overlap >= wanted:
                yield test, other, (1 + overlap) / 2


def _rarest(own: frozenset[str], counts: Counter[str], wanted: float) -> list[str]:
    size = len(own) - math.ceil(wanted * len(own) - ROUNDING) + 1
    return sorted(own, key=lambda piece: (counts[piece], piece))[:size]
