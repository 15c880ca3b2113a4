"""The leak check compares every test question with every other, by another route than the grouping.

The grouping looks for close pairs with sketches, and these may miss some. Here the cosine and the exact overlap of
shingles are computed for every pair with one side in test, block by block. Both use the same rule by which two close
questions are told apart (`likeness.differ`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weighbridge.dataset.near_duplicates import (
    LEAST_OVERLAP,
    DistinctQuestions,
    ask_different_things,
    rare_words,
    shingle_table,
)
from weighbridge.types import Split

ROUNDING = 1e-5
"""By how much closeness must exceed a threshold: products of other blocks round otherwise."""

# Test questions compared at once: their shingles are dense rows, so a block is small.
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Leak:
    """A test question and one of another split that is its near-duplicate, as positions; equal where it is the same."""

    tested: int
    other: int
    closeness: float


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """The leaks in order of position, and the number of pairs compared."""

    leaks: tuple[Leak, ...]
    compared: int


def find_leaks(
    questions: DistinctQuestions, splits: Sequence[Split], vectors: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> LeakCheck:
    """Find the near-duplicates of test questions in train and dev.

    `splits` has one entry an example; `vectors` (unit rows) and `thresholds` (on the scale of the cosine) have one a
    distinct question. The higher threshold of the two holds for a pair.
    """
    sides = [frozenset(splits[place] == "test" for place in places) for places in questions.places]
    tested = np.array([place for place, side in enumerate(sides) if True in side], dtype=np.int64)
    others = np.array([place for place, side in enumerate(sides) if False in side], dtype=np.int64)
    asked, rare = questions.asked, rare_words(questions.asked)
    leaks: list[Leak] = []
    compared = 0
    for rows, closeness in _compare_blocks(questions, vectors, tested, others):
        compared += closeness.size
        wanted = np.maximum(thresholds[rows][:, None], thresholds[others][None, :]) + ROUNDING
        for row, column in np.argwhere((closeness >= wanted) | (rows[:, None] == others[None, :])).tolist():
            left, right = int(rows[row]), int(others[column])
            if left == right or not ask_different_things(asked[left], asked[right], rare):
                leaks.append(Leak(left, right, min(float(closeness[row, column]), 1.0)))
    return LeakCheck(tuple(leaks), compared)


def _compare_blocks(
    questions: DistinctQuestions, vectors: NDArray[np.float32], tested: NDArray[np.int64], others: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield some test questions and their closeness to all others, shape (those, others), until all had their turn."""
    if not len(others):
        return
    table = shingle_table(questions.asked)
    sizes, held = np.diff(table.indptr), table[others]
    columns = np.ascontiguousarray(vectors[others].T)
    for start in range(0, len(tested), _BLOCK):
        rows = tested[start : start + _BLOCK]
        shared = (held @ table[rows].toarray().T).T
        overlap = shared / (sizes[rows][:, None] + sizes[others][None, :] - shared)
        lexical = np.where(overlap >= LEAST_OVERLAP, (1 + overlap) / 2, 0)
        yield rows, np.maximum(vectors[rows] @ columns, lexical)
