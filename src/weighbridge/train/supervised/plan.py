"""What a training will do, settled before its first step: which examples in which order, and how many steps.

The settings and the examples alone decide it, never a clock. It is saved first, so that a training that was killed, or
stopped by a time limit, repeats the very same steps.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.workspace import read_json, write_json

_WARM_UP = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of one training: `batches[e]` are the batches of epoch e, each a tuple of example numbers."""

    fingerprint: str
    """Of all that the training depends on: a plan made for anything else is not used."""
    batches: tuple[tuple[tuple[int, ...], ...], ...]
    row_tokens: int
    """Tokens run through the model at a time. Bounds the memory, and changes no step but for rounding."""
    notes: tuple[str, ...] = ()
    """What had to be changed on the way, and why."""

    @property
    def steps(self) -> int:
        return sum(len(epoch) for epoch in self.batches)

    @property
    def ends(self) -> tuple[int, ...]:
        """The step, counted from 1, that each epoch ends with."""
        sizes = [len(epoch) for epoch in self.batches]
        return tuple(sum(sizes[: number + 1]) for number in range(len(sizes)))

    @property
    def order(self) -> tuple[tuple[int, ...], ...]:
        """The batches of all epochs, a step each."""
        return tuple(batch for epoch in self.batches for batch in epoch)


def epoch_batches(examples: int, batch: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Return one epoch: every example once, shuffled by the seed, in batches of which the last may be smaller."""
    import numpy as np

    order = [int(number) for number in np.random.default_rng(seed).permutation(examples)]
    return tuple(tuple(order[start : start + batch]) for start in range(0, examples, batch))


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
        "row_tokens": plan.row_tokens,
        "notes": plan.notes,
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
        row_tokens=found["row_tokens"],
        notes=tuple(found["notes"]),
    )
