"""The examples of one optimiser step as rows that a network reads once, whatever they have in common.

A row is a tree: sorted by their tokens, each example goes on where it first differs from the one before, so a prefix
that several share (instructions, labels, passages) lies in the row once. A token sees what stands before it in its own
example, at the distance it has there, and nothing else: hidden states, loss and gradients are those of the examples
read one by one, but for rounding. Nothing is padded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weighbridge.train.data.tokens import Encoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

ROW_TOKENS = 1024
"""Tokens a row may hold; an example that is longer by itself has a row of its own. Bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedRow:
    """Some examples of one step. Arrays of shape (tokens,) unless said otherwise."""

    tokens: "Integers"
    positions: "Integers"
    """The place of each token in its example, from 0."""
    sees: "Flags"
    """Shape (tokens, tokens): the attention mask; each token sees itself too."""
    places: "Integers"
    """Shape (labels,): the place that predicts a label, one before the label itself; places may repeat."""
    targets: "Integers"
    """Shape (labels,): the tokens to be learnt."""

    @property
    def plain(self) -> bool:
        """Whether the row is one run of text, so that the ordinary causal mask is enough."""
        return bool((self.positions[1:] > self.positions[:-1]).all())


def pack(examples: Sequence[Encoded], *, limit: int = ROW_TOKENS, window: int | None = None) -> tuple[PackedRow, ...]:
    """Return rows of at most `limit` tokens that hold every example once.

    An example longer than that has a row of its own, and so has one longer than the `window` that a block of the
    network attends to: in a row of several, its tokens would see farther. The same examples in the same order give the
    same rows.
    """
    if window is not None:
        wide = [one for one in examples if len(one.tokens) > window]
        fitting = [one for one in examples if len(one.tokens) <= window]
        return (*(pack(fitting, limit=limit) if fitting else ()), *(_row([one], [0]) for one in wide))
    order = sorted(range(len(examples)), key=lambda number: (examples[number].tokens, number))
    rows: list[list[int]] = []
    size = 0
    for number in order:
        own = examples[number].tokens
        fresh = len(own) - (shared_prefix_length(examples[rows[-1][-1]].tokens, own) if rows else 0)
        if not rows or size + fresh > limit:
            rows.append([])
            size, fresh = 0, len(own)
        rows[-1].append(number)
        size += fresh
    return tuple(_row(examples, numbers) for numbers in rows)


def labels(examples: Sequence[Encoded]) -> int:
    """Return the number of tokens with loss: all from `start` on, except the first token of a text."""
    return sum(len(one.tokens) - max(one.start, 1) for one in examples)


def shared_prefix_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _row(examples: Sequence[Encoded], numbers: Sequence[int]) -> PackedRow:
    import numpy as np

    tokens: list[int] = []
    positions: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    before: tuple[int, ...] = ()
    path: list[int] = []
    paths = []
    for number in numbers:
        own = examples[number].tokens
        kept = shared_prefix_length(before, own)
        before, path = own, [*path[:kept], *range(len(tokens), len(tokens) + len(own) - kept)]
        paths.append((kept, path))
        tokens.extend(own[kept:])
        positions.extend(range(kept, len(own)))
        first = max(examples[number].start, 1)
        places.extend(path[first - 1 : len(own) - 1])
        targets.extend(own[first:])
    sees = np.zeros((len(tokens), len(tokens)), dtype=np.bool_)
    for kept, path in paths:
        if fresh := path[kept:]:
            place = slice(fresh[0], fresh[-1] + 1)
            sees[place, path[:kept]] = True
            sees[place, place] = np.tri(len(fresh), dtype=np.bool_)
    made = {"tokens": tokens, "positions": positions, "places": places, "targets": targets}
    return PackedRow(sees=sees, **{name: np.asarray(values, dtype=np.int64) for name, values in made.items()})
