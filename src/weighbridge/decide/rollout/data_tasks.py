"""Tasks about documents, questions and training examples, drawn from the reading report and the split."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from weighbridge.decide.rollout.facts import FEW_EXAMPLES, WANTED_REACH, RolloutFacts, count_of, shorten_text
from weighbridge.decide.rollout.rollout_plan import Basis
from weighbridge.decide.rollout.schedule import TaskDraft
from weighbridge.fingerprint import fingerprint
from weighbridge.formatting import NB
from weighbridge.intervals import Z
from weighbridge.results import Omission, ReadingReport

DATA_PHASE = 2
_REASONS = 3
"""Reasons with a task of their own, the most frequent first; the others share one."""
# Estimates of ours, to be corrected by whoever plans. A week and a half of one person is the most for a single task:
# larger heaps are worked on by sample.
_MOST_HOURS = 60.0
MINUTES_A_QUESTION = 10
"""To write a question with its answer and its evidence. Six an hour is the pace of the sample workloads' authors."""
_MINUTES_AN_OMISSION = 6
_MINUTES_A_CONFLICT = 30
_MINUTES_A_REPETITION = 5
_NAMED = 3


def effort(items: int, minutes: float, *, least: float = 1.0) -> float:
    """Return hours for so many items, to half an hour, between `least` and the most for a task."""
    return min(_MOST_HOURS, max(least, math.ceil(items * minutes / 30) / 2))


def data_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the tasks of weeks 3 and 4."""
    reading = facts.taken.reading
    if reading is not None:
        yield from _omission_tasks("skipped", reading.skipped, reading)
        yield from _omission_tasks("losses", reading.losses, reading)
        yield from _consistency_tasks(reading)
    yield from _question_tasks(facts)
    if facts.trains or facts.demonstrates:
        yield from _example_tasks(facts)
    if facts.reads:
        count = facts.taken.documents
        yield TaskDraft(
            key="document-owners",
            phase=DATA_PHASE,
            role="domain expert",
            hours=effort(count, 0.5, least=4),
            title=f"Name an owner and an update rhythm for {count:,} documents",
            detail="Each folder or source gets a person who says when it changes, and who hears of contradictions.",
            basis=Basis(figure="documents", words=f"{count:,} documents are searched"),
        )


def _omission_tasks(kind: str, omissions: Sequence[Omission], reading: ReadingReport) -> Iterator[TaskDraft]:
    """Yield a task for each frequent reason, and one for the rest."""
    counts = sorted(Counter(omission.reason for omission in omissions).items(), key=lambda item: (-item[1], item[0]))
    for reason, count in counts[:_REASONS]:
        places = [shorten_text(omission.place, 60) for omission in omissions if omission.reason == reason]
        more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
        named = "; ".join(places[:_NAMED])
        yield _omission_task(
            kind,
            key=f"{kind}-{fingerprint(reason)[:8]}",
            count=count,
            reason=shorten_text(reason, 90),
            detail=f"{named}{more}. Repair or convert them at their source, and index again.",
            reading=reading,
        )
    if rest := sum(count for _, count in counts[_REASONS:]):
        kinds = len(counts) - _REASONS
        yield _omission_task(
            kind,
            key=f"{kind}-others",
            count=rest,
            reason=f"{kinds} other reason{'s' if kinds > 1 else ''}",
            detail="report.html lists them under the reading of the sources. Repair the ones that people ask about.",
            reading=reading,
        )


def _omission_task(kind: str, *, key: str, count: int, reason: str, detail: str, reading: ReadingReport) -> TaskDraft:
    if kind == "skipped":
        title = f"Bring in {count_of(count, 'place')} without a document: {reason}"
        words = f"left out of {reading.files:,} files: {count:,}, because {reason}"
    else:
        title = f"Recover {count_of(count, 'part')} of files: {reason}"
        words = f"parts of files lost: {count:,}, because {reason}"
    return TaskDraft(
        key=key,
        phase=DATA_PHASE,
        role="engineer",
        hours=effort(count, _MINUTES_AN_OMISSION, least=2),
        title=title,
        detail=detail,
        basis=Basis(figure=f"reading.{kind}", words=words),
    )


def _consistency_tasks(reading: ReadingReport) -> Iterator[TaskDraft]:
    if count := len(reading.conflicts):
        # A statement of restricted documents is counted and never quoted: plans are passed around.
        subjects = [shorten_text(conflict.subject, 80) for conflict in reading.conflicts if not conflict.restricted]
        quoted = ", ".join(f'"{subject}"' for subject in subjects[:_NAMED])
        about = f"First {quoted}. " if subjects else ""
        yield TaskDraft(
            key="conflicts",
            phase=DATA_PHASE,
            role="domain expert",
            hours=effort(count, _MINUTES_A_CONFLICT),
            title=f"Settle {count_of(count, 'contradiction')} between documents",
            detail=f"{about}Their owners decide which value holds, and correct or remove the other.",
            basis=Basis(
                figure="reading.conflicts", words=f"documents give different values for {count_of(count, 'thing')}"
            ),
        )
    if count := len(reading.repeated):
        repeats = count_of(count, "document repeats another", "documents repeat another")
        yield TaskDraft(
            key="repeated",
            phase=DATA_PHASE,
            role="domain expert",
            hours=effort(count, _MINUTES_A_REPETITION),
            title=f"Remove old copies: {repeats}",
            detail="Keep the valid version of each. reading.duplicates: drop leaves exact copies out of the index.",
            basis=Basis(figure="reading.repeated", words=repeats),
        )


def _question_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the tasks on test questions: enough for the gates, and a set that nobody tunes on."""
    asked, accuracy = facts.taken.questions, facts.estimate("accuracy")
    reach = (accuracy.high - accuracy.low) / 2 if accuracy else 1.0
    # Those that a decision waits for are written in weeks 1 and 2.
    waiting = 0 if facts.is_settled or facts.decision is None else facts.decision.examples_needed or 0
    wanted = max(asked, waiting)
    if accuracy and reach > WANTED_REACH:
        # The usual size of a sample for a share, p (1 - p) (z / reach)^2, at least for p of 0.2 or 0.8.
        spread = max(accuracy.value * (1 - accuracy.value), 0.16)
        wanted = max(wanted, math.ceil(spread * (Z / WANTED_REACH) ** 2))
    more = wanted - max(asked, waiting)
    if accuracy and more > 0:
        yield TaskDraft(
            key="gate-questions",
            phase=DATA_PHASE,
            role="domain expert",
            hours=effort(more, MINUTES_A_QUESTION, least=2),
            title=f"Write {count_of(more, 'more test question')} for the gates",
            detail=f"Gates compare accuracy with a threshold, and {asked:,} questions leave it open by "
            f"{100 * reach:.0f}{NB}points to each side. Add questions that users really asked.",
            basis=facts.figure_basis("accuracy"),
        )
    yield TaskDraft(
        key="freeze-test",
        phase=DATA_PHASE,
        role="product owner",
        hours=2,
        after=("gate-questions",),
        title=f"Freeze the {wanted:,} test questions",
        detail="Nobody trains, prompts or tunes the search on them. They decide every gate from week 7 on.",
        basis=Basis(figure="questions", words=f"{asked:,} test questions were asked"),
    )


def _example_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    have = facts.taken.split.train
    basis = Basis(figure="split.train", words=f"{have:,} examples are for training")
    if facts.trains and have < FEW_EXAMPLES:
        yield TaskDraft(
            key="train-examples",
            phase=DATA_PHASE,
            role="domain expert",
            hours=effort(FEW_EXAMPLES - have, MINUTES_A_QUESTION, least=2),
            title=f"Collect training examples: {have:,} of {FEW_EXAMPLES:,}",
            detail="Take questions from tickets and logs, with answers that an expert has read. `weighbridge "
            "make-examples` adds made ones, and the learning curve says whether more would help.",
            basis=basis,
        )
    yield TaskDraft(
        key="clean-examples",
        phase=DATA_PHASE,
        role="ML engineer",
        hours=effort(have, 0.5, least=2),
        title=f"Clean the {have:,} examples that the model learns from",
        detail="`weighbridge train` prints what its lint finds: cut answers, doubles, labels that contradict.",
        basis=basis,
    )
