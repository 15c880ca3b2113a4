"""Strategies are asked and their answers graded: one record an attempt, failures included."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from time import monotonic

from weighbridge.distribute.local import LOCAL
from weighbridge.errors import WeighbridgeError
from weighbridge.evaluate.metrics.marking import outcome_of, retrieval_of
from weighbridge.fingerprint import fingerprint
from weighbridge.formatting import seconds
from weighbridge.protocols import Clock, Metric, Notify, RemoteWork, Strategy, silent
from weighbridge.results import Record
from weighbridge.scoring.grade import scorer_fingerprint
from weighbridge.types import Example, Progress, Task

KeyedExample = tuple[str, Example]
"""An example with the key of its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSpec:
    """The questions for one strategy, and the grading of its answers."""

    task: Task
    examples: Sequence[Example]
    metrics: Sequence[Metric]
    reads: bool
    """Whether the strategy reads documents: a search with no hits is then a miss."""
    seed: int
    workers: int = 1
    labels: tuple[str, ...] = ()
    """All labels of a label task."""
    scorer: str = ""
    """Fingerprint of the scorer where metrics of one's own are part of it; empty: ours alone."""


_ASKING = "asking "


class _Stopped(BaseException):
    """Raised out of a stream to end an answer that nobody waits for; not an `Exception`, so no strategy swallows it."""


def record_key(strategy_fingerprint: str, example: Example, seed: int) -> str:
    """Return the key of an attempt: it changes with the strategy, the seed and all that the example asks and accepts.

    Its split and family do not matter to an answer, so records outlive a new split.
    """
    question = example.question
    history = [[turn.role, turn.content] for turn in question.history]
    asked = [question.text, history, sorted(question.groups)]
    accepted = [list(example.answers), list(example.evidence), example.answerable]
    return fingerprint(strategy_fingerprint, example.id, asked, accepted, seed)


@dataclass(frozen=True, slots=True)
class Attempts:
    """The `Work` of asking a strategy of this process."""

    strategy: Strategy
    exam: EvaluationSpec
    stop: Event = field(default_factory=Event)
    """Ends the answers on their way at their next piece of text."""

    def open(self, stack: ExitStack) -> Callable[[KeyedExample], Record]:
        return partial(_attempt, self.strategy, self.exam, self.stop)

    def end(self) -> None:
        self.stop.set()


def evaluate(
    strategy: Strategy,
    exam: EvaluationSpec,
    *,
    done: Mapping[str, Record] | None = None,
    notify: Notify = silent,
    remote: RemoteWork[KeyedExample, Record] | None = None,
) -> Generator[Record]:
    """Ask a strategy every question not answered yet, and yield each record as soon as there is one.

    `done` are stored records by key; those that failed are tried again. Records come in no particular order. An
    error, ours or any the strategy raises, makes a record without an answer. `remote` asks the same strategy in other
    processes. When the iterator is closed or
    interrupted no new question is asked, and answers on their way end at their next piece of text.
    """
    missing = missing_examples(strategy, exam, done or {})
    executor, work = (remote.executor, remote.work) if remote else (LOCAL, Attempts(strategy, exam))
    total = len(_by_key(strategy, exam))
    failed, finished = 0, total - len(missing)
    with closing(executor.map(work, missing.items(), threads=exam.workers, in_order=False)) as records:
        for record in records:
            failed, finished = failed + (record.answer is None), finished + 1
            notify(
                Progress(
                    task=f"{_ASKING}{strategy.name}",
                    done=finished,
                    total=total,
                    unit="questions",
                    note=f"{failed} failed" if failed else "",
                )
            )
            yield record


def grade_record(exam: EvaluationSpec, example: Example, record: Record) -> Record:
    """Return a record with the scores, outcome and retrieval that its answer earns; a failure as it is."""
    answer = record.answer
    if answer is None:
        return record
    return replace(
        record,
        scores=tuple(metric.score(example, answer) for metric in exam.metrics),
        outcome=outcome_of(exam.task, example, answer, exam.labels),
        scorer=exam.scorer or scorer_fingerprint(),
        retrieval=retrieval_of(example, answer, reads=exam.reads),
    )


def stored_records(strategy: Strategy, exam: EvaluationSpec, stored: Mapping[str, Record]) -> tuple[Record, ...]:
    """Return the stored records of an exam, in the order of its examples, graded by its metrics as they are now."""
    wanted = _by_key(strategy, exam)
    return tuple(grade_record(exam, example, stored[key]) for key, example in wanted.items() if key in stored)


def missing_examples(strategy: Strategy, exam: EvaluationSpec, stored: Mapping[str, Record]) -> dict[str, Example]:
    """Return the examples, by the key of their record, that have no stored answer yet."""
    wanted = _by_key(strategy, exam)
    return {key: example for key, example in wanted.items() if (r := stored.get(key)) is None or r.answer is None}


def _by_key(strategy: Strategy, exam: EvaluationSpec) -> dict[str, Example]:
    name = strategy.fingerprint
    return {record_key(name, example, exam.seed): example for example in exam.examples}


def _attempt(strategy: Strategy, exam: EvaluationSpec, stop: Event, item: KeyedExample) -> Record:
    key, example = item

    def end_if_stopped(_text: str) -> None:
        if stop.is_set():
            raise _Stopped

    record = Record(key=key, strategy=strategy.name, example_id=example.id, answer=None)
    try:
        answer = strategy.answer(example.question, emit=end_if_stopped)
    except WeighbridgeError as error:
        return replace(record, error=str(error) or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a strategy may be the user's own code: what it raises is its result
        return replace(record, error=f"{type(error).__name__}: {error}")
    return grade_record(exam, example, replace(record, answer=answer))


class RemainingRun:
    """Reckons what is left of asking and timing all arms, by the pace that was measured in this run.

    An arm that was not asked yet is taken to be as fast as the mean of those that were, and to have no stored answers:
    so the figure is high rather than low. One question at a time is taken to be as slow as the workers together.
    """

    def __init__(
        self, arms: Sequence[str], *, questions: int, timed: int, workers: int, clock: Clock = monotonic
    ) -> None:
        self._arms, self._questions, self._clock = tuple(arms), questions, clock
        self._timing_questions = timed * min(workers, max(questions, 1))
        self._begun: dict[str, tuple[float, int]] = {}
        self._paces: dict[str, float] = {}

    def watch(self, notify: Notify) -> Notify:
        """Return a `Notify` that passes each step on, with the time of the whole in its note."""

        def tell(step: Progress) -> None:
            arm = step.task.removeprefix(_ASKING)
            if step.task.startswith(_ASKING) and arm in self._arms:
                whole = self._whole(arm, step)
                step = replace(step, note=", ".join(filter(None, (step.note, whole))))
            notify(step)

        return tell

    def _whole(self, arm: str, step: Progress) -> str:
        """Return the time of all that is left, in words; empty until there is a pace."""
        now = self._clock()
        start, first = self._begun.setdefault(arm, (now, step.done))
        if step.done > first and now > start:
            self._paces[arm] = (now - start) / (step.done - first)
        if not self._paces:
            return ""
        mean = sum(self._paces.values()) / len(self._paces)
        later = len(self._arms) - self._arms.index(arm) - 1
        left = (step.total - step.done) * self._paces.get(arm, mean)
        left += (later * self._questions + len(self._arms) * self._timing_questions) * mean
        return f"the whole about {seconds(left)}"
