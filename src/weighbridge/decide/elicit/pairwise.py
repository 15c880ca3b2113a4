"""Pairwise comparison: weights from answers to "which matters more, and how much?" (Saaty 1980).

The weights are the geometric means of the rows of the comparison matrix (Crawford and Williams 1985). The consistency
ratio is Saaty's: how far the largest eigenvalue lies above the number of priorities, against that of random answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from weighbridge.errors import UserError

SCALE: Mapping[int, str] = {
    1: "equally",
    3: "somewhat more",
    5: "clearly more",
    7: "very much more",
    9: "extremely more",
}
"""Saaty's scale in words; 2, 4, 6 and 8 lie between."""
MOST_TIMES = 9.0
ACCEPTABLE = 0.10
"""Above this ratio answers contradict each other too much to be used unseen (Saaty 1980)."""
_RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45)
"""The mean consistency index of random answers, by the number of priorities (Saaty 1980)."""
_MOST_STEPS = 1000
_PRECISION = 1e-12
"""The largest eigenvalue is found to this, far below the two digits that are shown."""


@dataclass(frozen=True, slots=True)
class PairAnswer:
    """The answer to one pair: `more` matters `times` as much as `less`; 1 is equally, below 1 is the reverse."""

    more: str
    less: str
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseWeights:
    """The weights of all answers, and how well the answers fit together."""

    weights: Mapping[str, float]
    """As shares of all weights."""
    ratio: float
    """The consistency ratio: 0 for answers that fit together, 1 for those of chance."""
    worst: PairAnswer | None
    """The answer that fits the others least; None where all fit."""
    fitting: float
    """The times of that pair that would fit the weights."""


def pairwise_weights(priorities: Sequence[str], answers: Sequence[PairAnswer]) -> PairwiseWeights:
    """Return the weights of some priorities from an answer for each pair of them.

    Raises:
        UserError: an answer is missing, given twice, out of the scale, or of no priority.
    """
    times = _matrix(priorities, answers)
    number = len(priorities)
    means = {one: math.prod(times[one, other] for other in priorities) ** (1 / number) for one in priorities}
    total = math.fsum(means.values())
    weights = {name: mean / total for name, mean in means.items()}
    ratio = 0.0
    if number < len(_RANDOM_INDEX) and _RANDOM_INDEX[number]:
        index = (_largest_eigenvalue(priorities, times) - number) / (number - 1)
        ratio = max(0.0, index / _RANDOM_INDEX[number])

    def misfit(answer: PairAnswer) -> float:
        return abs(math.log(answer.times * weights[answer.less] / weights[answer.more]))

    worst = max(answers, key=misfit, default=None)
    if worst is None or misfit(worst) < 1e-9:  # noqa: PLR2004 - rounding
        return PairwiseWeights(weights=weights, ratio=ratio, worst=None, fitting=1.0)
    return PairwiseWeights(weights=weights, ratio=ratio, worst=worst, fitting=weights[worst.more] / weights[worst.less])


def describe_times(times: float) -> str:
    """Return a number of times in the words of the scale: `clearly more`, `between equally and somewhat more`."""
    nearest = min(9, max(1, round(times)))
    if nearest in SCALE:
        return SCALE[nearest]
    return f"between {SCALE[nearest - 1]} and {SCALE[nearest + 1]}"


def nearest_times(more: float, less: float) -> float:
    """Return the answer of the scale, 1/9 to 9, that is nearest to the ratio of two weights; 1 where both are 0."""
    if more == less:
        return 1.0
    times = min(MOST_TIMES, float(round(max(more, less) / min(more, less)))) if min(more, less) > 0 else MOST_TIMES
    return times if more > less else 1 / times


def _matrix(priorities: Sequence[str], answers: Sequence[PairAnswer]) -> dict[tuple[str, str], float]:
    times = {(name, name): 1.0 for name in priorities}
    for answer in answers:
        pair = f"pairs: {answer.more} over {answer.less}"
        for name in (answer.more, answer.less):
            if name not in priorities:
                raise UserError(f"{pair}: there is no priority '{name}'; asked are {', '.join(priorities)}")
        if (answer.more, answer.less) in times:
            raise UserError(f"{pair} is given twice; give each pair once")
        if not 1 / MOST_TIMES <= answer.times <= MOST_TIMES:
            raise UserError(f"{pair}: {answer.times:g} is not between 1/9 and 9")
        times[answer.more, answer.less] = answer.times
        times[answer.less, answer.more] = 1 / answer.times
    for left, right in combinations(priorities, 2):
        if (left, right) not in times:
            raise UserError(f"pairs: '{left} over {right}' is missing; answer it with 1/9 to 9")
    return times


def _largest_eigenvalue(priorities: Sequence[str], times: Mapping[tuple[str, str], float]) -> float:
    """Return the largest eigenvalue of a positive matrix, by the power method (it converges: Perron 1907).

    At each step it lies between the least and the greatest growth of an entry (Collatz 1942).
    """
    vector = dict.fromkeys(priorities, 1.0)
    eigenvalue = 0.0
    for _ in range(_MOST_STEPS):
        image = {one: math.fsum(times[one, other] * vector[other] for other in priorities) for one in priorities}
        growth = [image[name] / vector[name] for name in priorities]
        eigenvalue = max(growth)
        vector = {name: value / eigenvalue for name, value in image.items()}
        if eigenvalue - min(growth) <= _PRECISION * eigenvalue:
            break
    return eigenvalue
