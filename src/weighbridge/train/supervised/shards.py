"""Who reads what: the examples of one step, divided so that the busiest process reads as little as can be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from weighbridge.train.data.tokens import Encoded
from weighbridge.train.supervised.prefix_packing import Row, labels, pack, shared

Read = Callable[[Sequence[Row]], Any]
"""Reads rows forward and back, and gives their share of the step's loss, as a tensor."""

Take = Callable[[int, Read], Any]
"""Takes a step, counted from 0: rows are read by this process, and perhaps by others. Gives the loss of the whole
batch, and leaves its gradients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All steps of a training, and how many processes share each of them."""

    encoded: Sequence[Encoded]
    order: Sequence[Sequence[int]]
    """The batch of each step."""
    row_tokens: int
    processes: int = 1

    def rows(self, step: int, rank: int) -> tuple[Row, ...]:
        """Return what a process reads in a step; every process can tell for each of them."""
        batch = self.order[step]
        part = batch if self.processes == 1 else divide(self.encoded, batch, self.processes)[rank]
        return pack(self.encoded, among=part, limit=self.row_tokens)

    def labels(self, step: int) -> int:
        """Return how many tokens a step teaches, all processes together; at least 1."""
        return max(1, labels([self.encoded[number] for number in self.order[step]]))

    def longest(self) -> int:
        """Return the tokens of the longest row that is read at a time."""
        every = (self.rows(step, rank) for step in range(len(self.order)) for rank in range(self.processes))
        return max(len(row.tokens) for rows in every for row in rows)


def alone(work: Work) -> Take:
    """Return how a step is taken where one process does it all."""

    def take(step: int, read: Read) -> Any:
        return read(work.rows(step, 0))

    return take


def divide(examples: Sequence[Encoded], batch: Sequence[int], processes: int) -> tuple[tuple[int, ...], ...]:
    """Cut a batch in as many parts as there are processes, so that the largest is as small as can be.

    The batch is sorted by its tokens and cut in between; the first part is never empty.
    What examples begin with in common counts once in each part, as `pack` reads it once: examples that share most of
    their tokens may so stay together, and some processes without work.
    """
    order = sorted(batch, key=lambda number: (examples[number].tokens, number))
    whole = [len(examples[number].tokens) for number in order]
    common = [0, *(shared(examples[one].tokens, examples[other].tokens) for one, other in pairwise(order))]
    low, high = max(whole), sum(whole) - sum(common)
    while low < high:
        middle = (low + high) // 2
        if len(_ends(whole, common, middle)) <= processes:
            high = middle
        else:
            low = middle + 1
    ends = _ends(whole, common, high)
    parts = [tuple(order[start:end]) for start, end in pairwise((0, *ends))]
    return (*parts, *[()] * (processes - len(parts)))


def _ends(whole: Sequence[int], common: Sequence[int], limit: int) -> list[int]:
    """Return where runs of at most `limit` tokens end, each as long as it can be."""
    ends: list[int] = []
    size = 0
    for place, (own, before) in enumerate(zip(whole, common, strict=True)):
        fresh = own - before
        if place and size + fresh > limit:
            ends.append(place)
            size, fresh = 0, own
        size += fresh
    return [*ends, len(whole)]
