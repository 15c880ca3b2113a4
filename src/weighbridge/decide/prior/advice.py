"""Puts the advice together: scores, disagreements, studies, dated facts and the comparison that tests it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from weighbridge.decide.prior.answers import complete_answers
from weighbridge.decide.prior.matrix import (
    MIDDLE,
    AdviceMatrix,
    Answer,
    PublishedClaim,
    Scenario,
    Study,
    published_claims,
)
from weighbridge.decide.prior.score import PriorVerdict, StrategyScore, judge_prior, score_answers, score_strategies
from weighbridge.decide.prior.trial import TrialPlan, plan_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A question on which the sources contradict each other."""

    factor: str
    for_rag: tuple[str, ...]
    """The sources that let RAG gain as the score rises."""
    for_tuning: tuple[str, ...]
    matters: bool
    """Whether the answer is off the middle, so that it moves points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedFact:
    """A time-bound fact, in the words that hold on the day of the advice."""

    date: str
    text: str
    is_past: bool
    source: str
    strategies: tuple[str, ...]
    """Those that it concerns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The prior for one situation. Nothing in it was measured on the user's data."""

    today: str
    matrix_dated: str
    answers: Mapping[str, Answer]
    scores: Mapping[str, int]
    """From 1 to 5, by question."""
    strategies: tuple[StrategyScore, ...]
    """Most points first; those that cannot be built stand last."""
    verdict: PriorVerdict
    disagreements: tuple[Disagreement, ...]
    studies: tuple[Study, ...]
    """Those about questions whose answer is off the middle; all of them if none is."""
    facts: tuple[DatedFact, ...]
    claims: tuple[PublishedClaim, ...]
    """Published, not measured."""
    scenarios: tuple[Scenario, ...]
    """The published scenarios that these answers fit."""
    trial: TrialPlan


def draw_up_advice(matrix: AdviceMatrix, given: Mapping[str, object], today: date) -> Advice:
    """Return the prior for a situation on a day. A question without an answer is left at its default.

    Raises:
        ValueError: `key: problem; remedy`, a line for each answer that is wrong.
    """
    answers = complete_answers(matrix, given)
    scores = score_answers(matrix, answers)
    verdict = judge_prior(matrix, answers)
    off_middle = {name for name, score in scores.items() if score != MIDDLE}
    studies = tuple(study for study in matrix.studies if off_middle & set(study.factors))
    return Advice(
        today=today.isoformat(),
        matrix_dated=matrix.dated.isoformat(),
        answers=answers,
        scores=scores,
        strategies=score_strategies(matrix, answers),
        verdict=verdict,
        disagreements=find_disagreements(matrix, scores),
        studies=studies or matrix.studies,
        facts=word_notices(matrix, today),
        claims=published_claims(matrix),
        scenarios=tuple(one for one in matrix.scenarios if fits_scenario(matrix, one, scores)),
        trial=plan_trial(matrix, answers, verdict),
    )


def find_disagreements(matrix: AdviceMatrix, scores: Mapping[str, int]) -> tuple[Disagreement, ...]:
    """Return the questions on which some sources favour RAG and others fine-tuning, in the order of the matrix.

    None of them matters where no score is given.
    """
    sides: dict[str, tuple[dict[str, None], dict[str, None]]] = {name: ({}, {}) for name in matrix.factors}
    for cell in matrix.cells:
        rag, tuned = cell.effect.get("rag", 0.0), cell.effect.get("fine-tuning", 0.0)
        if cell.factor and rag != tuned:
            sides[cell.factor][rag < tuned][cell.source] = None
    for pair in matrix.claims:
        if pair.factor and pair.effect("rag"):
            sides[pair.factor][pair.effect("rag") < 0][pair.source] = None
    return tuple(
        Disagreement(
            factor=name, for_rag=tuple(rag), for_tuning=tuple(tuned), matters=scores.get(name, MIDDLE) != MIDDLE
        )
        for name, (rag, tuned) in sides.items()
        if rag and tuned
    )


def fits_scenario(matrix: AdviceMatrix, scenario: Scenario, scores: Mapping[str, int]) -> bool:
    """Tell whether every answer of a scenario is on the side of the middle on which the user's is."""
    for name, answer in scenario.answers.items():
        published = matrix.factors[name].score(answer)
        if (scores[name] - MIDDLE) * (published - MIDDLE) <= 0:
            return False
    return True


def word_notices(matrix: AdviceMatrix, today: date) -> tuple[DatedFact, ...]:
    """Return the time-bound facts in the words that hold on a day, the earliest first."""
    facts = []
    for notice in sorted(matrix.notices, key=lambda notice: notice.date):
        is_past = notice.date <= today
        facts.append(
            DatedFact(
                date=notice.date.isoformat(),
                text=notice.past if is_past else notice.ahead,
                is_past=is_past,
                source=notice.source,
                strategies=notice.strategies,
            )
        )
    return tuple(facts)
