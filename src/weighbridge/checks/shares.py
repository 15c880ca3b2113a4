"""Figures that several guards share, and how they are said: shares before and after tuning, over the same questions."""

from collections.abc import Mapping, Sequence

from weighbridge import formatting as words
from weighbridge.evaluate.statistics import DIFFERENCE, SHARE, mean_interval
from weighbridge.figures import FIGURES
from weighbridge.results import Estimate

SEED = 7
"""Of the bootstrap: the same answers give the same intervals."""
SHOWN = 4
"""Cases that a guard shows."""
_SHARE = FIGURES["accuracy"]
_NATS = words.Scale(1, 2)


def compare_shares(
    base: Sequence[float | None], tuned: Sequence[float | None], *, called: str = ""
) -> Mapping[str, Estimate]:
    """Return "base", "tuned" and the paired "difference" (tuned less base) of values from 0 to 1.

    Incomplete pairs are left out and counted. `called` is put before the three names. Empty where there is no pair.
    """
    pairs = [(a, b) for a, b in zip(base, tuned, strict=True) if a is not None and b is not None]
    if not pairs:
        return {}
    missing = len(base) - len(pairs)
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    changes = [b - a for a, b in pairs]
    front = f"{called} " if called else ""
    return {
        f"{front}base": mean_interval(before, SEED, bounds=SHARE, unscored=missing),
        f"{front}tuned": mean_interval(after, SEED, bounds=SHARE, unscored=missing),
        f"{front}difference": mean_interval(changes, SEED, bounds=DIFFERENCE, unscored=missing),
    }


def share(estimate: Estimate) -> str:
    """Return a share with its interval: ``62 % (53-70)`` with a dash."""
    return words.figure(_SHARE, estimate)


def change(estimate: Estimate) -> str:
    """Return a difference of shares with its interval: ``-4 points (-9 to +1)``."""
    return words.write_difference(_SHARE, estimate)


def nats(estimate: Estimate) -> str:
    """Return a change of a log-likelihood or loss: ``+0.12 nats per token (-0.03 to +0.27)``."""
    value, low, high = (words.with_sign(_NATS.number(v)) for v in (estimate.value, estimate.low, estimate.high))
    return f"{value}{words.NB}nats per token ({low}{words.NB}to{words.NB}{high})"


def questions(number: int) -> str:
    """Return a number of questions in words."""
    return f"{number:,}{words.NB}question{'' if number == 1 else 's'}"
