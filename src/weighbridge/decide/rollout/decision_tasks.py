"""Tasks that lead to a decision, where the measurements recommend no strategy yet."""

import math
from collections.abc import Iterator

from weighbridge.decide.rollout.data_tasks import MINUTES_A_QUESTION, effort
from weighbridge.decide.rollout.facts import FEW_EXAMPLES, RolloutFacts, count_of
from weighbridge.decide.rollout.rollout_plan import Basis
from weighbridge.decide.rollout.schedule import TaskDraft
from weighbridge.formatting import join_words

_GOOD_RECALL = 0.9
"""Recall below which the search is worth work before the model: it hides the evidence of a tenth of the questions."""


def decision_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the tasks of weeks 1 to 4 that get a decision; none where there is one."""
    if facts.is_settled:
        return
    decision = facts.decision
    if decision is None:
        basis = Basis(figure="questions", words="no decision is saved")
    elif decision.outlook == "not decisive":
        yield from _more_questions(facts)
        basis = Basis(figure="decision.outlook", words=f"not decisive between {join_words(decision.contenders)}")
    else:
        yield from _better_strategies(facts)
        basis = Basis(figure="decision.outlook", words=f"{decision.outlook}: no strategy is recommended")
    yield TaskDraft(
        key="decide-again",
        phase=2,
        least_days=2,
        role="ML engineer",
        hours=6,
        title="Compare again, and take the decision",
        detail="Run `weighbridge compare`, then `weighbridge plan` for the strategy that it recommends. Stored answers "
        "are used again.",
        basis=basis,
    )


def _more_questions(facts: RolloutFacts) -> Iterator[TaskDraft]:
    decision = facts.decision
    needed = decision.examples_needed if decision else None
    contenders = join_words(decision.contenders if decision else ())
    if needed is None:
        yield TaskDraft(
            key="choose-equals",
            phase=1,
            role="product owner",
            hours=4,
            title=f"Choose between {contenders} by another figure",
            detail="No number of questions within reach separates them: they may be equally good. Take the cheaper "
            "one, or the one that your people can run, and plan it with --strategy.",
            basis=Basis(figure="decision.contenders", words=f"the contenders are {contenders}"),
        )
        return
    asked = decision.examples_asked if decision and decision.examples_asked else facts.taken.questions
    more = max(1, needed - asked)
    hours = effort(more, MINUTES_A_QUESTION, least=2)
    within = math.floor(hours * 60 / MINUTES_A_QUESTION)
    detail = f"They separate {contenders} with a chance of 80 %."
    if within < more:
        detail += f" The hours are enough for about {within:,}. If they do not suffice, choose the cheaper strategy."
    yield TaskDraft(
        key="decisive-questions",
        phase=1,
        role="domain expert",
        hours=hours,
        title=f"Write {count_of(more, 'more test question')} to decide: {needed:,} in all",
        detail=detail,
        basis=Basis(figure="decision.examples_needed", words=f"decisive from about {needed:,} test questions on"),
    )


def _better_strategies(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the ways to a strategy that is good enough: a larger model, a better search, more examples, the limits."""
    yield TaskDraft(
        key="larger-model",
        phase=1,
        role="ML engineer",
        hours=16,
        title="Weigh a larger base model",
        detail=f"{facts.model} may be too small for this work. `weighbridge models list` shows others; set "
        "model.reference, and compare.",
        basis=facts.figure_basis("accuracy"),
    )
    recalls = [
        (one.figures["recall"].value, one.strategy) for one in facts.taken.measurements if "recall" in one.figures
    ]
    if recalls and max(recalls)[0] < _GOOD_RECALL:
        value, arm = max(recalls)
        yield TaskDraft(
            key="better-search",
            phase=1,
            role="ML engineer",
            hours=16,
            title="Improve the search first",
            detail="Run `weighbridge search --explain` on missed questions, and `weighbridge train embedder`.",
            basis=Basis(figure=f"measurements.{arm}.figures.recall", words=f"evidence recall of {arm}: {value:.0%}"),
        )
    have = facts.taken.split.train
    if have < FEW_EXAMPLES:
        yield TaskDraft(
            key="more-training-examples",
            phase=1,
            role="domain expert",
            hours=16,
            title=f"Collect training examples for the tuned strategies: {have:,} of {FEW_EXAMPLES:,}",
            detail="Tuned strategies learn from these alone.",
            basis=Basis(figure="split.train", words=f"{have:,} examples are for training"),
        )
    for number, sentence in enumerate(facts.limits_broken, start=1):
        yield TaskDraft(
            key=f"limit-{number}",
            phase=1,
            role="product owner",
            hours=3,
            title=f"Settle the limit: {sentence}",
            detail=f"{facts.arm} comes nearest. Find a remedy, or ease the limit in weighbridge.yaml and say why.",
            basis=Basis(figure="decision.verdicts", words=f"{facts.arm}: {sentence}"),
        )
