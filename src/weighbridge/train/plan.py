"""What a training will do, settled before its first step: which examples in which order, and how many steps.

The plan is saved first, so that a training that was killed repeats the very same steps, whatever the clock says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.workspace import read_json, write_json

_JITTER = 0.1
_WARM_UP = 0.06
_TOKENS_AT_ONCE = 1024
_OWN_SHARE = 0.9
"""Of the budget for the steps themselves: the rest is for loading, scoring and saving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of one training: `batches[e]` are the batches of epoch e, each a tuple of example numbers."""

    fingerprint: str
    """Of all that the training depends on: a plan made for anything else is not used."""
    batches: tuple[tuple[tuple[int, ...], ...], ...]
    at_once: int
    """Examples run through the model at a time; a batch is a multiple of it. Bounds the memory."""
    seconds_per_token: float
    """Measured before the plan was made."""

    @property
    def steps(self) -> int:
        return sum(len(epoch) for epoch in self.batches)

    def tokens(self, lengths: Sequence[int]) -> int:
        """Return how many tokens the training will read."""
        return sum(lengths[number] for epoch in self.batches for batch in epoch for number in batch)


def epoch_batches(lengths: Sequence[int], batch: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Return one epoch: every example once, in batches of like length, batches and likenesses shuffled by the seed.

    All batches have the same size: the last one is filled up with examples that the epoch has had already.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    size = min(batch, len(lengths))
    keys = np.asarray(lengths) * random.uniform(1 - _JITTER, 1 + _JITTER, len(lengths))
    order = [int(number) for number in np.argsort(keys, kind="stable")]
    missing = -len(order) % size
    fill = [int(number) for number in random.choice(len(order) - len(order) % size, missing, replace=False)]
    order = sorted(order + [order[place] for place in fill], key=lambda number: keys[number])
    cut = [tuple(order[start : start + size]) for start in range(0, len(order), size)]
    return tuple(cut[int(place)] for place in random.permutation(len(cut)))


def examples_at_once(lengths: Sequence[int], batch: int) -> int:
    """Return the most examples, a divisor of the batch, whose padded tokens stay within bounds; at least 1."""
    size = min(batch, len(lengths))
    fitting = [n for n in range(1, size + 1) if size % n == 0 and n * max(lengths) <= _TOKENS_AT_ONCE]
    return max(fitting, default=1)


def within_budget(
    epochs: Sequence[tuple[tuple[int, ...], ...]], lengths: Sequence[int], *, rate: float, seconds: float
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Return the epochs that fit: whole ones, or the start of the first where not even that fits (one step at least).

    `rate` is in seconds per token, `seconds` the budget for the steps.
    """
    left = seconds * _OWN_SHARE
    kept: list[tuple[tuple[int, ...], ...]] = []
    for epoch in epochs:
        costs = [rate * sum(lengths[number] for number in batch) for batch in epoch]
        if sum(costs) <= left:
            kept.append(epoch)
            left -= sum(costs)
            continue
        if not kept:
            fitting = [n for n in range(1, len(epoch)) if sum(costs[:n]) <= left]
            kept.append(epoch[: max(fitting, default=1)])
        break
    return tuple(kept)


def rate_share(step: int, steps: int) -> float:
    """Return the share of the learning rate to take a step with, counted from 0: a linear rise, then half a cosine."""
    rise = max(1, round(_WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 + 0.5 * math.cos(math.pi * (step - rise + 1) / (steps - rise + 1))


def save_plan(plan: Plan, folder: Path) -> None:
    """Write `plan.json` into the folder."""
    value = {
        "fingerprint": plan.fingerprint,
        "at_once": plan.at_once,
        "seconds_per_token": plan.seconds_per_token,
        "batches": plan.batches,
    }
    write_json(folder / "plan.json", value)


def read_plan(folder: Path, fingerprint: str) -> Plan | None:
    """Return the folder's plan for this very training; None where there is none."""
    found: Any = read_json(folder / "plan.json")
    if not found or found["fingerprint"] != fingerprint:
        return None
    batches = tuple(tuple(tuple(batch) for batch in epoch) for epoch in found["batches"])
    return Plan(
        fingerprint=fingerprint,
        batches=batches,
        at_once=found["at_once"],
        seconds_per_token=found["seconds_per_token"],
    )
