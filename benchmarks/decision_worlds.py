"""How good decisions are in simulated worlds, where the truth is known.

Each world has 2 to 8 strategies with true shares of right and abstained answers, true seconds and a true cost, and a
correlation of the difficulty that all strategies meet in a question. A test of 30 to 1,000 questions measures it. Then
the decision is compared with the truth:

- calibration: of the strategies that get a probability of being the best of 20 to 30 %, about a quarter should be;
- regret: the points (of 100) that are lost by choosing the first in the ranking instead of the truly best strategy;
- wrong decisions: how often a confident recommendation is not truly the best, by more than the margin of equals where
  the cheapest of the equals is recommended.

Run: python benchmarks/decision_worlds.py --worlds 2000 --plot reliability.svg
"""

import argparse
import json
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np
from decision_promises import comparison, measurement
from numpy.typing import NDArray

from weighbridge.decide.decide import decide
from weighbridge.decide.points import rank
from weighbridge.results import Decision, Estimate, JointOutcomes, Measurement, OutcomeRow
from weighbridge.settings.needs import Limits, Needs

NEEDS = Needs(limits=Limits(minimum_accuracy=0.0))
QUESTIONS = (30, 60, 120, 250, 500, 1000)
TIMINGS = 12
"""Questions that are timed one by one, as by default."""
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The truth about some strategies; one value each, but for the shared difficulty."""

    right: NDArray[np.float64]
    abstains: NDArray[np.float64]
    """Share of the answers that are not right, and abstain."""
    seconds: NDArray[np.float64]
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One decision against the truth."""

    questions: int
    strategies: int
    outlook: str
    probabilities: tuple[float, ...]
    """Of being the best, a strategy each."""
    is_best: tuple[bool, ...]
    regret: float
    """Points of 100 that the first in the ranking is truly behind the best."""
    expected_regret: float
    confident: bool
    wrong: bool
    """A confident decision that is behind the truly best strategy, by more than its outlook allows."""


def draw_world(generator: np.random.Generator) -> World:
    """Draw a truth: strategies that are close together in half of the worlds, and spread out in the others."""
    count = int(generator.integers(2, 9))
    centre, spread = generator.uniform(0.2, 0.9), generator.choice([0.03, 0.2])
    right = np.clip(centre + spread * generator.standard_normal(count), 0.02, 0.98)
    return World(
        right=right,
        abstains=generator.uniform(0, 0.5, count),
        seconds=np.exp(generator.normal(0.5, 0.7, count)),
        shared=float(generator.uniform(0.0, 0.9)),
    )


def ask(world: World, questions: int, generator: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return accuracy and hallucination of every answer, an array of shape (questions, 2) for each strategy."""
    common = generator.standard_normal(questions)
    answers = []
    for share, abstains in zip(world.right, world.abstains, strict=True):
        skill = math.sqrt(world.shared) * common + math.sqrt(1 - world.shared) * generator.standard_normal(questions)
        right = (skill < NormalDist().inv_cdf(float(share))).astype(float)
        asserts = generator.random(questions) >= abstains
        answers.append(np.stack([right, (1 - right) * asserts], axis=1))
    return answers


def true_points(world: World) -> NDArray[np.float64]:
    """Return the points of 100 of every strategy, from the truth."""
    whole = [
        _with_time(
            Measurement(
                strategy=f"arm{number}",
                figures={
                    "accuracy": _exact(right),
                    "hallucination": _exact((1 - right) * (1 - world.abstains[number])),
                },
                outcomes={},
                attempts=1,
                failures=0,
            ),
            _exact(world.seconds[number]),
        )
        for number, right in enumerate(world.right)
    ]
    totals = {row.strategy: 100 * row.total for row in rank(whole, NEEDS).rows}
    return np.array([totals[f"arm{number}"] for number in range(len(world.right))])


def measure(world: World, answers: Sequence[NDArray[np.float64]], generator: np.random.Generator) -> Decision:
    """Return the decision on a test of this world."""
    measurements = []
    for number, values in enumerate(answers):
        timings = world.seconds[number] * np.exp(generator.normal(0, 0.25, TIMINGS))
        middle, error = float(np.median(timings)), 1.25 * 0.25 / math.sqrt(TIMINGS)
        time = Estimate(
            value=middle, low=middle * math.exp(-1.96 * error), high=middle * math.exp(1.96 * error), scored=TIMINGS
        )
        measurements.append(_with_time(measurement(f"arm{number}", values), time))
    comparisons = [
        comparison(f"arm{left}", f"arm{right}", answers[left] - answers[right])
        for left, right in combinations(range(len(answers)), 2)
    ]
    return decide(measurements, comparisons, NEEDS, joint=joint_of(answers))


def joint_of(answers: Sequence[NDArray[np.float64]]) -> JointOutcomes:
    """Return the outcomes question by question."""
    table = np.concatenate(answers, axis=1)
    seen, counts = np.unique(table, axis=0, return_counts=True)
    rows = [
        OutcomeRow(accuracy=tuple(row[0::2].tolist()), hallucination=tuple(row[1::2].tolist()), questions=int(count))
        for row, count in zip(seen, counts, strict=True)
    ]
    return JointOutcomes(strategies=tuple(f"arm{number}" for number in range(len(answers))), rows=tuple(rows))


def _with_time(measured: Measurement, seconds: Estimate) -> Measurement:
    """Add the median latency, and a cost that grows with it."""
    cost = replace(seconds, value=0.02 * seconds.value, low=0.02 * seconds.low, high=0.02 * seconds.high)
    return replace(measured, figures={**measured.figures, "latency_p50": seconds, "cost_per_thousand": cost})


def _exact(value: float) -> Estimate:
    return Estimate(value=float(value), low=float(value), high=float(value), scored=1)


def judge_world(seed: int) -> Judged:
    """Draw a world, test it, decide, and compare the decision with the truth."""
    generator = np.random.default_rng([20261201, seed])
    world = draw_world(generator)
    questions = int(generator.choice(QUESTIONS))
    decision = measure(world, ask(world, questions, generator), generator)
    points = true_points(world)
    names = [f"arm{number}" for number in range(len(points))]
    chosen = decision.recommended or decision.contenders[0]
    regret = float(points.max() - points[names.index(chosen)])
    allowed = NEEDS.indifference if decision.outlook == "the cheapest of the equals" else 0.0
    doubts = {arm.strategy: arm for arm in decision.doubt.arms} if decision.doubt else {}
    return Judged(
        questions=questions,
        strategies=len(names),
        outlook=decision.outlook,
        probabilities=tuple(doubts[name].best for name in names),
        is_best=tuple(bool(value == points.max()) for value in points),
        regret=regret,
        expected_regret=100 * doubts[chosen].regret,
        confident=decision.recommended is not None,
        wrong=decision.recommended is not None and regret > allowed + 1e-9,
    )


def print_regret(judged: Sequence[Judged]) -> None:
    """Print regret and wrong decisions by the number of questions, and over all worlds."""
    print("| questions | worlds | regret | expected | recommended | wrong of all | wrong of recommended |")
    print("|---|---|---|---|---|---|---|")
    groups = [(f"{count:,}", [one for one in judged if one.questions == count]) for count in QUESTIONS]
    for name, some in (*groups, ("all", list(judged))):
        if not some:
            continue
        confident = [one for one in some if one.confident]
        wrong = sum(one.wrong for one in confident)
        regret, expected = (np.mean([getattr(one, key) for one in some]) for key in ("regret", "expected_regret"))
        print(
            f"| {name} | {len(some):,} | {regret:.2f} | {expected:.2f} | {len(confident) / len(some):.0%} "
            f"| {wrong / len(some):.1%} | {wrong / max(1, len(confident)):.1%} |"
        )


def reliability(judged: Sequence[Judged]) -> list[tuple[float, float, int]]:
    """Return, per bin of probability, the mean probability, the share that is truly the best, and their number."""
    said = np.array([value for one in judged for value in one.probabilities])
    true = np.array([value for one in judged for value in one.is_best], dtype=float)
    places = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = [places == place for place in range(BINS)]
    return [(float(said[own].mean()), float(true[own].mean()), int(own.sum())) for own in bins if own.any()]


def calibration_error(bins: Sequence[tuple[float, float, int]]) -> float:
    """Return the expected calibration error (Naeini et al. 2015): mean distance, weighed by the number in each bin."""
    return sum(count * abs(stated - true) for stated, true, count in bins) / sum(count for *_, count in bins)


def draw_plot(bins: Sequence[tuple[float, float, int]]) -> str:
    """Return the reliability plot as SVG: probability stated across, share that was truly the best upwards."""
    size, edge = 360, 50

    def place(share: float) -> float:
        return edge + share * (size - 2 * edge)

    marks = []
    for stated, true, count in bins:
        error = 1.96 * math.sqrt(max(true * (1 - true), 0.25 / count) / count)
        x = place(stated)
        ends = [size - place(min(1, max(0, true + sign * error))) for sign in (1, -1)]
        marks.append(
            f'<path d="M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}" stroke="#0a6a94"/>'
            f'<circle cx="{x:.1f}" cy="{size - place(true):.1f}" r="4" fill="#0a6a94"><title>{count:,}</title></circle>'
        )
    ticks = "".join(
        f'<text x="{place(n / 4):.0f}" y="{size - edge + 18}" text-anchor="middle">{25 * n}</text>'
        f'<text x="{edge - 8}" y="{size - place(n / 4) + 4:.0f}" text-anchor="end">{25 * n}</text>'
        for n in range(5)
    )
    low, high = place(0), place(1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" font-family="sans-serif" font-size="12">'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="M{low} {size - low}H{high}M{low} {size - low}V{size - high}" stroke="#888"/>'
        f'<path d="M{low} {size - low}L{high} {size - high}" stroke="#888" stroke-dasharray="4 4"/>{ticks}'
        f"{''.join(marks)}"
        f'<text x="{size / 2}" y="{size - 8}" text-anchor="middle">probability of being the best, %</text>'
        f'<text x="8" y="{edge - 18}">truly the best, %</text></svg>\n'
    )


def main() -> None:
    """Judge many worlds, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="write the reliability plot here, as SVG")
    parser.add_argument("--save", type=Path, help="write a JSON line for every world here")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers) as pool:
        judged = list(pool.map(judge_world, range(options.worlds), chunksize=20))
    print_regret(judged)
    bins = reliability(judged)
    print("\n| probability of being the best | truly the best | strategies |\n|---|---|---|")
    for stated, true, count in bins:
        print(f"| {stated:.1%} | {true:.1%} | {count:,} |")
    print(f"\nexpected calibration error {calibration_error(bins):.2%}")
    outlooks = {outlook: sum(one.outlook == outlook for one in judged) for outlook in {one.outlook for one in judged}}
    print("; ".join(f"{outlook}: {count:,}" for outlook, count in sorted(outlooks.items())))
    if options.plot:
        options.plot.write_text(draw_plot(bins))
    if options.save:
        options.save.write_text("".join(json.dumps(asdict(one)) + "\n" for one in judged))


if __name__ == "__main__":
    main()
