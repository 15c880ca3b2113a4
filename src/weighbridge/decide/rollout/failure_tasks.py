"""Tasks that mend what went wrong in the comparison: one for each class of failures that was measured."""

from collections.abc import Iterator

from weighbridge.decide.rollout.data_tasks import effort
from weighbridge.decide.rollout.facts import RolloutFacts, count_of, share_of, shorten_text
from weighbridge.decide.rollout.rollout_plan import Basis, Role
from weighbridge.decide.rollout.schedule import TaskDraft

IMPROVEMENT = 5
_MINUTES_AN_ANSWER = 20
"""To read a wrong answer with its passages, find the cause, and try a remedy. An estimate of ours."""
_GOOD_FORM = 0.95
"""Share of answers in the asked form below which a program that reads them fails more than once in twenty."""


def failure_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the tasks of weeks 9 and 10 that the measured failures ask for; a class without failures has none."""
    mending = [*_failed_attempts(facts)]
    if facts.reads:
        mending += _search_failures(facts)
    mending += _wrong_answers(facts)
    mending += _abstentions(facts)
    mending += _form_failures(facts)
    mending += _broken_limits(facts)
    yield from mending
    done = tuple(draft.key for draft in mending)
    if facts.trains:
        yield TaskDraft(
            key="train-again",
            phase=IMPROVEMENT,
            role="ML engineer",
            hours=8,
            title="Train again with the new examples",
            detail=f"`weighbridge train {facts.arm}`. It is promoted only if it beats the adapter before it.",
            basis=facts.training_basis(),
            after=done,
        )
    yield TaskDraft(
        key="compare-improved",
        phase=IMPROVEMENT,
        role="ML engineer",
        hours=4,
        title="Compare again, and check the gates",
        detail="`weighbridge compare` on the frozen test questions. Changes that did not help are taken back.",
        basis=facts.figure_basis("accuracy"),
        after=(*done, "train-again"),
    )


def _mend(key: str, title: str, detail: str, basis: Basis, *, cases: int, role: Role = "ML engineer") -> TaskDraft:
    hours = effort(cases, _MINUTES_AN_ANSWER, least=2)
    return TaskDraft(key=key, phase=IMPROVEMENT, role=role, hours=hours, title=title, detail=detail, basis=basis)


def _failed_attempts(facts: RolloutFacts) -> Iterator[TaskDraft]:
    failed = facts.chosen.failures
    if not failed:
        return
    message = f" First message: {shorten_text(facts.chosen.errors[0], 160)}." if facts.chosen.errors else ""
    yield _mend(
        "failed-attempts",
        f"Remove the causes of {count_of(failed, 'failed attempt')}",
        f"A failed attempt is an error page for its user.{message}",
        Basis(
            figure=f"measurements.{facts.arm}.failures",
            words=f"{share_of(failed, facts.chosen.attempts)} attempts failed",
        ),
        cases=failed,
        role="engineer",
    )


def _search_failures(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the work on questions without their evidence among the passages."""
    classes = ("missed/wrong", "missed/abstained")
    if missed := facts.count(*classes):
        yield _mend(
            "missed-evidence",
            f"Search: find the evidence of {count_of(missed, 'question')} that it missed",
            "Run `weighbridge search --explain` on each. Try retrieval.candidates, rerank and chunks.tokens on dev "
            "questions, or `weighbridge train embedder`.",
            facts.outcome_basis(*classes),
            cases=missed,
        )


def _wrong_answers(facts: RolloutFacts) -> Iterator[TaskDraft]:
    if wrong := facts.count("retrieved/wrong"):
        if facts.trains:
            title = f"Training: {count_of(wrong, 'answer')} wrong with the evidence at hand"
            detail = "Add training examples like them, with distractors (training.raft), and train again."
        else:
            title = f"Reading: {count_of(wrong, 'answer')} wrong with the evidence at hand"
            detail = "Rework the instructions, show fewer or longer passages (retrieval.limit, neighbours), or try a "
            detail += "larger model."
        yield _mend("wrong-with-evidence", title, detail, facts.outcome_basis("retrieved/wrong"), cases=wrong)
    if wrong := facts.count("none/wrong"):
        if facts.reads:
            title = f"Look into {count_of(wrong, 'wrong answer')} to questions without known evidence"
            detail = "Name their evidence in the examples where there is any; the others should be abstained on."
        elif facts.trains:
            title = f"Training: {count_of(wrong, 'wrong answer')} from memory"
            detail = "Add training examples on the same facts in other words, and train again. A fact that no example "
            detail += "holds is not learnt."
        elif facts.demonstrates:
            title = f"Demonstrations: {count_of(wrong, 'wrong answer')}"
            detail = "Add examples near these questions to the train split, or show more (measure.demonstrations)."
        else:
            title = f"Instructions: {count_of(wrong, 'wrong answer')} without documents"
            detail = "Put the facts that fit into the instructions, and ask for an abstention on the rest."
        yield _mend("wrong-from-memory", title, detail, facts.outcome_basis("none/wrong"), cases=wrong)


def _abstentions(facts: RolloutFacts) -> Iterator[TaskDraft]:
    needless, missed = facts.estimate("needless_abstention"), facts.estimate("missed_abstention")
    if needless and (count := round(needless.value * needless.scored)):
        yield _mend(
            "needless-abstentions",
            f"Reduce {count_of(count, 'needless abstention')}",
            "The question has an answer, and none was given. Soften the instructions, or add such examples to the "
            "training.",
            facts.figure_basis("needless_abstention"),
            cases=count,
        )
    if missed and (count := round(missed.value * missed.scored)):
        yield _mend(
            "missed-abstentions",
            f"Reduce {count_of(count, 'answer')} to questions that cannot be answered",
            "Ask for an abstention in the instructions, or train with such questions (training.raft.withheld).",
            facts.figure_basis("missed_abstention"),
            cases=count,
        )


def _form_failures(facts: RolloutFacts) -> Iterator[TaskDraft]:
    cut = facts.estimate("truncated")
    if cut and (count := round(cut.value * cut.scored)):
        yield _mend(
            "truncated",
            f"Give {count_of(count, 'answer')} more room",
            f"model.maximum_tokens ({facts.settings.model.maximum_tokens}) cut them. Raise it, or ask for shorter "
            "answers.",
            facts.figure_basis("truncated"),
            cases=1,
            role="engineer",
        )
    for name in ("form", "json_valid"):
        form = facts.estimate(name)
        if form and form.value < _GOOD_FORM:
            yield _mend(
                f"form-{name.replace('_', '-')}",
                "Make the answers keep the asked form",
                "Show the form in the instructions with one example, and check it before an answer is used.",
                facts.figure_basis(name),
                cases=round((1 - form.value) * form.scored),
                role="engineer",
            )


def _broken_limits(facts: RolloutFacts) -> Iterator[TaskDraft]:
    if not facts.is_settled:
        return  # weeks 1 to 4 are about them already
    for number, sentence in enumerate(facts.limits_broken, start=1):
        yield TaskDraft(
            key=f"broken-limit-{number}",
            phase=IMPROVEMENT,
            role="engineer",
            hours=8,
            title=f"Mend a broken limit: {sentence}",
            detail=f"{facts.arm} breaks it as measured. Without a remedy the strategy does not go into use.",
            basis=Basis(figure="decision.verdicts", words=f"{facts.arm}: {sentence}"),
        )
