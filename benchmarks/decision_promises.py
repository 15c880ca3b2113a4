"""Whether decisions keep what they promise, in simulated weighings where the truth is known.

Two promises. Between strategies that are truly equal, "Use X" comes in at most about 5 % of the runs, and never with a
p-value above .05. After "about N more questions", a test of that size is decisive in about 80 % of the cases (a fresh
test, and one that keeps the first answers), unless the strategies are as good as equal.

Answers are right, wrong or abstained (or graded), and those of different strategies to one question agree more often
than chance: every question has a difficulty that all strategies share. Run: python benchmarks/decision_promises.py
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from weighbridge.decide.decide import decide
from weighbridge.decide.leads import lead_over
from weighbridge.decide.points import rank
from weighbridge.intervals import score_interval, tally
from weighbridge.results import Comparison, Decision, Estimate, Measurement, PairedDifference
from weighbridge.settings.needs import Limits, Needs

NEEDS = Needs(limits=Limits(minimum_accuracy=0.0))
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Strategies by their true share of right answers; of the others, a share abstains."""

    right: tuple[float, ...]
    shared: float
    """Correlation of the difficulty that two strategies meet in a question."""
    abstains: float = 0.0
    graded: bool = False
    """Accuracy in fifths instead of right or wrong, with the same mean."""

    @property
    def name(self) -> str:
        """How the scenario is called in the table."""
        kind = "graded" if self.graded else f"abstains {self.abstains:.0%}" if self.abstains else "right/wrong"
        return f"{' '.join(f'{share:.3g}' for share in self.right)}, r {self.shared:g}, {kind}"

    def ask(self, questions: int, generator: np.random.Generator) -> list[Points]:
        """Return accuracy and hallucination of every answer, an array of shape (questions, 2) for each strategy."""
        common = generator.standard_normal(questions)
        answers = []
        for share in self.right:
            own = generator.standard_normal(questions)
            skill = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * own
            right = (skill < NormalDist().inv_cdf(share)).astype(float)
            if self.graded:
                right = generator.binomial(5, np.where(right, 0.4 + 0.6 * share, 0.4 * share)) / 5
                answers.append(np.stack([right, 1 - np.ceil(right)], axis=1))
                continue
            asserts = generator.random(questions) >= self.abstains
            answers.append(np.stack([right, (1 - right) * asserts], axis=1))
        return answers


def decision_on(answers: Sequence[Points]) -> Decision:
    """Return the decision on some answers."""
    measurements = [measurement(f"arm{number}", values) for number, values in enumerate(answers)]
    comparisons = [
        comparison(f"arm{left}", f"arm{right}", answers[left] - answers[right])
        for left, right in combinations(range(len(answers)), 2)
    ]
    return decide(measurements, comparisons, NEEDS)


def measurement(name: str, values: Points) -> Measurement:
    """Return the measurement of one strategy's answers."""
    figures = {
        figure: estimate(values[:, column].tolist(), 0.0) for column, figure in enumerate(("accuracy", "hallucination"))
    }
    asked = len(values)
    return Measurement(strategy=name, figures=figures, outcomes={}, attempts=asked, failures=0)


def comparison(left: str, right: str, apart: Points) -> Comparison:
    """Return the comparison of two strategies by the differences of each question."""
    seen, counts = np.unique(np.round(apart, 9), axis=0, return_counts=True)
    pairs = tuple(
        PairedDifference(accuracy=float(accuracy), hallucination=float(hallucination), questions=int(count))
        for (accuracy, hallucination), count in zip(seen, counts, strict=True)
    )
    return Comparison(
        figure="accuracy",
        left=left,
        right=right,
        difference=estimate(apart[:, 0].tolist(), -1.0),
        p_value=1.0,
        p_adjusted=1.0,
        examples_needed=None,
        pairs=pairs,
    )


def estimate(values: Sequence[float], lowest: float) -> Estimate:
    """Return the mean of some values with its interval."""
    value = float(np.mean(values))
    low, high = score_interval(tally(round(each, 9) for each in values), lowest, 1.0)
    return Estimate(value=value, low=min(low, value), high=max(high, value), scored=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How often the promises were kept in the runs of one scenario."""

    told: float
    """Of the runs without one, the share that named a number of questions."""
    median_more: float
    fresh: float
    """Of those, the share in which a fresh test of that size was decisive."""
    pooled: float
    """The same of a test that keeps the first answers."""


def simulate_use(scenario: Scenario, *, questions: int, runs: int, seed: int) -> tuple[float, float]:
    """Return how often one strategy is recommended, and the largest p-value beside which it was."""
    generator = np.random.default_rng(seed)
    used, largest = 0, 0.0
    for _ in range(runs):
        found = p_value_of_use(scenario.ask(questions, generator))
        if found is not None:
            used += 1
            largest = max(largest, found)
    return used / runs, largest


def simulate(scenario: Scenario, *, questions: int, runs: int, seed: int) -> Kept:
    """Weigh the strategies of a scenario many times over, and again with the questions asked for."""
    generator = np.random.default_rng(seed)
    undecided, more, fresh, pooled = 0, [], 0, 0
    for _ in range(runs):
        answers = scenario.ask(questions, generator)
        decision = decision_on(answers)
        if decision.outlook == "recommended":
            continue
        undecided += 1
        if decision.examples_needed is not None:
            needed = decision.examples_needed
            more.append(needed - questions)
            fresh += p_value_of_use(scenario.ask(needed, generator)) is not None
            added = scenario.ask(needed - questions, generator)
            kept = [np.concatenate(both) for both in zip(answers, added, strict=True)]
            pooled += p_value_of_use(kept) is not None
    told = len(more)
    return Kept(
        told=told / max(1, undecided),
        median_more=float(np.median(more)) if more else float("nan"),
        fresh=fresh / max(1, told),
        pooled=pooled / max(1, told),
    )


def p_value_of_use(answers: Sequence[Points]) -> float | None:
    """Return the largest p-value beside which a strategy is recommended; None where none is.

    By the leads alone, as `decide` takes them, which is much faster.
    """
    measurements = [measurement(f"arm{number}", values) for number, values in enumerate(answers)]
    ranking = rank(measurements, NEEDS)
    first, *others = ranking.rows
    by_name = {f"arm{number}": values for number, values in enumerate(answers)}
    leads = []
    for other in others:
        apart = comparison(first.strategy, other.strategy, by_name[first.strategy] - by_name[other.strategy])
        leads.append(lead_over(first, other, ranking, [apart]))
    return max(lead.p_value for lead in leads) if all(lead.certain for lead in leads) else None


EQUAL = (
    Scenario(right=(0.5, 0.5), shared=0.0),
    Scenario(right=(0.5, 0.5), shared=0.6),
    Scenario(right=(0.5, 0.5), shared=0.95),
    Scenario(right=(0.9, 0.9), shared=0.6),
    Scenario(right=(0.1, 0.1), shared=0.6),
    Scenario(right=(0.5, 0.5), shared=0.6, abstains=0.4),
    Scenario(right=(0.5, 0.5), shared=0.6, graded=True),
    Scenario(right=(0.5, 0.5, 0.5), shared=0.6),
    Scenario(right=(0.5, 0.5, 0.5, 0.5), shared=0.6),
    Scenario(right=(0.5, 0.5, 0.2, 0.1), shared=0.6),
)
UNEQUAL = (
    Scenario(right=(0.5, 0.53), shared=0.6),
    Scenario(right=(0.5, 0.55), shared=0.6),
    Scenario(right=(0.5, 0.58), shared=0.6),
    Scenario(right=(0.5, 0.62), shared=0.6),
    Scenario(right=(0.5, 0.55), shared=0.0),
    Scenario(right=(0.5, 0.6), shared=0.0),
    Scenario(right=(0.85, 0.9), shared=0.6),
    Scenario(right=(0.1, 0.15), shared=0.6),
    Scenario(right=(0.5, 0.6), shared=0.6, abstains=0.4),
    Scenario(right=(0.5, 0.6), shared=0.6, graded=True),
    Scenario(right=(0.5, 0.5, 0.58), shared=0.6),
    Scenario(right=(0.4, 0.5, 0.52, 0.6), shared=0.6),
    Scenario(right=(0.5, 0.52, 0.54, 0.6), shared=0.6),
)


def main() -> None:
    """Print a row for every scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(f"\n| {given.questions} questions | Use X | largest p beside it |\n|---|---|---|")
    for scenario in EQUAL:
        used, largest = simulate_use(scenario, questions=given.questions, runs=10 * given.runs, seed=given.seed)
        print(f"| {scenario.name} | {used:.1%} | {largest:.3f} |", flush=True)
    print(f"\n| {given.questions} questions | N told | median N | decisive, fresh | decisive, first answers kept |")
    print("|---|---|---|---|---|")
    for scenario in (*UNEQUAL, *EQUAL):
        kept = simulate(scenario, questions=given.questions, runs=given.runs, seed=given.seed)
        shares = " | ".join(f"{share:.0%}" for share in (kept.fresh, kept.pooled))
        print(f"| {scenario.name} | {kept.told:.0%} | {kept.median_more:,.0f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
