"""The arithmetic of `compare --estimate`: from measured paces and counts to seconds and memory of each step.

Everything here is pure. `workflow/estimate.py` measures the paces and counts what is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from weighbridge.report.safe_text import count_noun
from weighbridge.results import AppliedCap
from weighbridge.settings.schema import Settings

_SHIPPED = 40
"""Questions without an answer that every adapter is asked (checks/unanswerable.jsonl)."""
_REWORDED = 1.7
"""Questions in other words that the checks ask for each dev question: 20 for 12 on handbook."""
_EXPORT_TOKENS = 23_000
"""Trained tokens that take as long as merging, exporting and comparing all forms: 49 s at 468 tokens a second.

Both grow with the parameters, and with other load on the machine, so their ratio is kept (docs/log.md, 2026-12-01)."""
_LIKELIHOOD_TOKENS = 4500
"""Trained tokens that take as long as reading the questions of general knowledge once: 9.5 s at 468 tokens a second."""
_TIMED_ANSWERS = 14
"""Answers in the comparison of serving speeds."""
_REPORT_SECONDS = 3.0
"""Statistics, decision and report: an assumption, for they take seconds beside the minutes of the other steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPace:
    """How one tuned arm trains here."""

    load_seconds: float
    row_tokens: float
    """Mean tokens of a training example."""
    tokens_per_second: float
    dev_seconds: float
    """To answer one dev question with the weights as they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """A short measurement of a workload with its model on this machine."""

    prompt_tokens_per_second: float
    """Of one worker, while all work."""
    answer_tokens_per_second: float
    model_seconds: float
    """To load the model for all workers."""
    process_seconds: float
    """To start a process that answers."""
    reading_seconds: float
    chunks: int
    chunk_seconds: float
    """To embed one chunk."""
    prompt_tokens: Mapping[str, float]
    """Mean tokens of a prompt, by arm."""
    answer_tokens: Mapping[str, float]
    """Mean tokens of an answer."""
    training: Mapping[str, TrainingPace] = field(default_factory=dict)
    answer_seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds of one answer of the strategies of installed distributions, whose tokens are their own business."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Arms that answered none of the questions they were asked, each with the reason."""
    indexing_bytes: int = 0
    """Peak memory of the process while it reads and embeds."""
    answering_bytes: int = 0
    training_bytes: int = 0

    def question_seconds(self, arm: str) -> float:
        """Return the seconds of one answer on one worker."""
        if arm in self.answer_seconds:
            return self.answer_seconds[arm]
        reading = self.prompt_tokens[arm] / self.prompt_tokens_per_second
        return reading + self.answer_tokens[arm] / self.answer_tokens_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainingWork:
    """What is left to do: counts of questions and examples, after everything that is stored already."""

    indexed: bool = False
    train: Mapping[str, int] = field(default_factory=dict)
    """Training examples of each tuned arm that has no adapter yet."""
    hosted: Mapping[str, bool] = field(default_factory=dict)
    """Arms that are tuned at a provider, and whether each still has to be."""
    dev: int = 0
    questions: Mapping[str, int]
    """Test questions of each arm without a stored answer."""
    timed: Mapping[str, int]
    """Questions of each arm to time alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedStep:
    """One step of a comparison, by its name in the report."""

    step: str
    seconds: float | None
    """None where nothing here can tell; the note says why."""
    memory_bytes: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedPrice:
    """The tokens of asking an arm at an endpoint, and their price."""

    arm: str
    questions: int
    input_tokens: float
    output_tokens: float
    longest: bool
    """Whether each answer is taken to be as long as it may be; else as long as a few that were measured."""
    amount: float | None
    """None where there is no price."""
    currency: str
    source: str
    """Where the prices are from, or why there are none."""

    @property
    def sentence(self) -> str:
        """The tokens and the price in words."""
        most = "at most " if self.longest else ""
        asked = f"{self.arm}: {count_noun(self.questions, 'question')}"
        amounts = f"about {self.input_tokens:,.0f} tokens in and {most}{self.output_tokens:,.0f} out"
        if self.amount is None:
            return f"{asked}, {amounts}; their price is unknown, because {self.source}"
        digits = 2 if self.amount >= 1 else 4
        bound = " at most" if self.longest else ""
        return f"{asked}, {amounts}: about {self.amount:,.{digits}f} {self.currency}{bound}, by {self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEstimate:
    """What a comparison will take."""

    steps: tuple[EstimatedStep, ...]
    caps: tuple[AppliedCap, ...]
    """What numbers of the settings will leave out."""
    measured: str
    """How the paces were found, in words."""
    warnings: tuple[str, ...] = ()
    """Steps that take more memory than this machine has, as sentences without a full stop."""
    prices: tuple[EstimatedPrice, ...] = ()
    """Of the arms that are asked at an endpoint."""

    @property
    def seconds(self) -> float:
        """The sum of all steps whose time is known."""
        return sum(step.seconds or 0.0 for step in self.steps)

    @property
    def complete(self) -> bool:
        """Whether the time of each step is known."""
        return all(step.seconds is not None for step in self.steps)

    @property
    def memory_bytes(self) -> int:
        """The most memory of any step."""
        return max((step.memory_bytes for step in self.steps), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReckonedBase:
    """One base model of a comparison, with its arms as the strategies of the settings."""

    settings: Settings
    paces: Paces
    work: RemainingWork


def reckon_steps(bases: Sequence[ReckonedBase]) -> Iterator[EstimatedStep]:
    """Yield the steps of a comparison in their order. A step that is done takes no time, and is told so.

    Documents are read and indexed once for all base models.
    """
    paces, indexed = bases[0].paces, bases[0].work.indexed
    yield EstimatedStep(step="fetch and convert models", seconds=0.0, memory_bytes=0, note="done")
    yield EstimatedStep(
        step="read, split and index",
        seconds=paces.reading_seconds + (0.0 if indexed else paces.chunks * paces.chunk_seconds),
        memory_bytes=paces.indexing_bytes,
        note="indexed already" if indexed else f"{paces.chunks:,} chunks",
    )
    for base in bases:
        yield from _trainings(base)
    for base in bases:
        yield from _answers(base)
    for base in bases:
        yield from _timings(base)
    yield EstimatedStep(step="report", seconds=_REPORT_SECONDS, memory_bytes=0)


def _trainings(base: ReckonedBase) -> Iterator[EstimatedStep]:
    for arm, missing in base.work.hosted.items():
        yield EstimatedStep(
            step=f"train: {arm}",
            seconds=None if missing else 0.0,
            memory_bytes=0,
            note="at the provider, who alone knows when; the price is told before it begins" if missing else "done",
        )
    for arm, pace in base.paces.training.items():
        examples = base.work.train.get(arm, 0)
        if examples and arm in base.paces.unknown:
            yield EstimatedStep(step=f"train: {arm}", seconds=None, memory_bytes=0, note=base.paces.unknown[arm])
            continue
        yield EstimatedStep(
            step=f"train: {arm}",
            seconds=_train_seconds(arm, examples, base, pace) if examples else 0.0,
            memory_bytes=base.paces.training_bytes if examples else 0,
            note=f"{examples:,} examples, {base.settings.training.epochs} epochs" if examples else "done",
        )


def _answers(base: ReckonedBase) -> Iterator[EstimatedStep]:
    for arm, questions in base.work.questions.items():
        if arm in base.paces.unknown:
            yield EstimatedStep(step=f"answer: {arm}", seconds=None, memory_bytes=0, note=base.paces.unknown[arm])
            continue
        asking = questions / base.settings.measure.workers * base.paces.question_seconds(arm)
        yield EstimatedStep(
            step=f"answer: {arm}",
            seconds=base.paces.model_seconds + asking if questions else 0.0,
            memory_bytes=base.paces.answering_bytes if questions else 0,
            note=f"{questions:,} questions" if questions else "done",
        )


def _timings(base: ReckonedBase) -> Iterator[EstimatedStep]:
    for arm, timed in base.work.timed.items():
        if arm in base.paces.unknown:
            continue
        yield EstimatedStep(
            step=f"time alone: {arm}",
            seconds=base.paces.process_seconds + timed * base.paces.question_seconds(arm) if timed else 0.0,
            memory_bytes=base.paces.answering_bytes if timed else 0,
            note=f"{timed:,} questions" if timed else "done",
        )


def _train_seconds(arm: str, examples: int, base: ReckonedBase, pace: TrainingPace) -> float:
    """Return the seconds of a training with its export and all checks."""
    settings, paces, work = base.settings, base.paces, base.work
    epochs, tokens = settings.training.epochs, examples * pace.row_tokens
    training = epochs * (tokens / pace.tokens_per_second + work.dev * pace.dev_seconds)
    if settings.training.learning_curve:
        training *= 2.5  # on a quarter, a half and three quarters of the examples again
    first = arm == next(iter(paces.training))
    # The base model reads the general questions once for all arms.
    read = (_EXPORT_TOKENS + _LIKELIHOOD_TOKENS * (2 if first else 1)) / pace.tokens_per_second
    asked = 2 * (work.dev + _SHIPPED) + _REWORDED * work.dev
    checks = read + (asked / settings.measure.workers + _TIMED_ANSWERS) * paces.question_seconds(arm)
    return pace.load_seconds + training + checks
