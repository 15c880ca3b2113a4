"""The nouns of measurement. The advisor and the reports see these and nothing below them but `types` and `errors`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from weighbridge.types import Answer, Example, Task

Outcome = Literal["right", "wrong", "abstained"]
Retrieval = Literal["retrieved", "missed", "none"]
"""Whether the evidence was among the passages; `none` where the strategy retrieves nothing or no evidence is known."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's verdict on one answer. `value is None` means it could not be scored; it never means zero."""

    metric: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One strategy's attempt at one example: an answer with scores, or an error."""

    key: str
    """Fingerprint of (strategy, example, seed): an attempt with this key need not be repeated."""
    strategy: str
    example_id: str
    answer: Answer | None
    scores: tuple[Score, ...] = ()
    error: str = ""
    outcome: Outcome | None = None
    retrieval: Retrieval = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval, the number of examples it rests on, and of those that could not be scored."""

    value: float
    low: float
    high: float
    scored: int
    unscored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureKind:
    """How a figure is to be read: its words for people, its unit, and which direction is better."""

    name: str
    label: str
    unit: Literal["share", "seconds", "bytes", "tokens", "money"]
    higher_is_better: bool
    meaning: str


FIGURES: Mapping[str, FigureKind] = {
    kind.name: kind
    for kind in (
        FigureKind(
            name="accuracy",
            label="accuracy",
            unit="share",
            higher_is_better=True,
            meaning="the task's primary metric over all test questions; an unanswerable one is right when abstained on",
        ),
        FigureKind(
            name="exact_match",
            label="exact match",
            unit="share",
            higher_is_better=True,
            meaning="answers equal to a reference after SQuAD normalisation",
        ),
        FigureKind(
            name="token_f1",
            label="token F1",
            unit="share",
            higher_is_better=True,
            meaning="token overlap with the best reference as SQuAD defines it, answerable questions only",
        ),
        FigureKind(
            name="macro_f1",
            label="macro F1",
            unit="share",
            higher_is_better=True,
            meaning="mean over the labels of the F1 of each label",
        ),
        FigureKind(
            name="json_valid",
            label="valid JSON",
            unit="share",
            higher_is_better=True,
            meaning="answers that parse as JSON and satisfy the schema",
        ),
        FigureKind(
            name="json_fields",
            label="JSON fields",
            unit="share",
            higher_is_better=True,
            meaning="share of the reference's fields given exactly",
        ),
        FigureKind(
            name="hallucination",
            label="hallucination",
            unit="share",
            higher_is_better=False,
            meaning="answers that assert something wrong, of all questions; an abstention is not one",
        ),
        FigureKind(
            name="needless_abstention",
            label="needless abstention",
            unit="share",
            higher_is_better=False,
            meaning="abstentions on answerable questions",
        ),
        FigureKind(
            name="missed_abstention",
            label="missed abstention",
            unit="share",
            higher_is_better=False,
            meaning="answers given to questions that cannot be answered",
        ),
        FigureKind(
            name="recall",
            label="evidence recall",
            unit="share",
            higher_is_better=True,
            meaning="share of an example's evidence documents that are among the retrieved passages",
        ),
        FigureKind(
            name="citation",
            label="verbatim citations",
            unit="share",
            higher_is_better=True,
            meaning="asserted answers that carry a citation whose quote stands verbatim in a retrieved passage",
        ),
        FigureKind(
            name="first_token_p50",
            label="first token p50",
            unit="seconds",
            higher_is_better=False,
            meaning="median seconds to the first token, one question at a time",
        ),
        FigureKind(
            name="latency_p50",
            label="latency p50",
            unit="seconds",
            higher_is_better=False,
            meaning="median seconds to the whole answer, one question at a time",
        ),
        FigureKind(
            name="latency_p95",
            label="latency p95",
            unit="seconds",
            higher_is_better=False,
            meaning="95th percentile of the seconds to the whole answer, one question at a time",
        ),
        FigureKind(
            name="memory",
            label="memory",
            unit="bytes",
            higher_is_better=False,
            meaning="peak resident memory of a fresh process that answers with this strategy alone",
        ),
        FigureKind(
            name="disk",
            label="disk",
            unit="bytes",
            higher_is_better=False,
            meaning="files this strategy needs to answer: model, adapter, index, embedder",
        ),
        FigureKind(
            name="setup",
            label="set-up",
            unit="seconds",
            higher_is_better=False,
            meaning="seconds of indexing and training before the first answer",
        ),
        FigureKind(
            name="input_tokens",
            label="tokens in",
            unit="tokens",
            higher_is_better=False,
            meaning="mean prompt tokens per answer",
        ),
        FigureKind(
            name="output_tokens",
            label="tokens out",
            unit="tokens",
            higher_is_better=False,
            meaning="mean generated tokens per answer",
        ),
        FigureKind(
            name="cost_per_thousand",
            label="cost per 1,000",
            unit="money",
            higher_is_better=False,
            meaning="cost of a thousand answers at the user's volume: running cost, plus set-up spread over the months",
        ),
    )
}
"""Every figure that can stand in a measurement, in the order in which reports show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money, split so that a break-even volume can be read off. All in one currency."""

    upfront: float
    """Once: the measured seconds of indexing and training, at the machine's price."""
    per_thousand_answers: float
    """Running: measured seconds at the machine's price, or measured tokens at the endpoint's."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Everything learnt about one strategy; `figures` by the names in `FIGURES`. A figure not taken is absent."""

    strategy: str
    primary: str
    """The name of the task's primary metric; `figures["accuracy"]` holds its value."""
    figures: Mapping[str, Estimate]
    outcomes: Mapping[str, int]
    """How many records fell into each "<retrieval>/<outcome>", for example "missed/wrong"."""
    attempts: int
    failures: int
    errors: tuple[str, ...] = ()
    """The distinct messages of the failures, most frequent first."""
    cost: Cost | None = None
    offline: bool = True
    cites: bool = False
    """Whether this strategy reads passages and can show where an answer stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired comparison of two strategies over the examples both answered."""

    figure: str
    left: str
    right: str
    difference: Estimate
    """Mean of left minus right over the pairs, with its 95 % bootstrap interval."""
    p_value: float
    """Two-sided sign-flip permutation test."""
    p_adjusted: float
    """The same after Holm's correction over all pairs of strategies compared."""
    examples_needed: int | None
    """Test examples at which this difference would be decisive with 80 % power; None where it is zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One strategy in the decision: the limits it breaks, and its points per priority (0 to 1), weighted in `total`."""

    strategy: str
    broken_limits: tuple[str, ...]
    points: Mapping[str, float]
    total: float


Outlook = Literal["recommended", "not decisive", "none meets your limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which strategy to use, if the measurements carry that far, and why."""

    outlook: Outlook
    recommended: str | None
    contenders: tuple[str, ...]
    """The strategies it lies between when not decisive (the best by points first); else the recommended one alone."""
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...]
    """Sentences, each naming the figures it rests on."""
    would_change: tuple[str, ...]
    """What would change the decision, each naming a figure: a price, a limit, more questions."""
    examples_needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What it was measured on."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """How the examples were divided, and what the leak check found."""

    train: int
    dev: int
    test: int
    by: Literal["family", "evidence", "similarity"]
    merged_near_duplicates: int
    """Pairs of near-duplicate questions that were put on the same side."""
    leaks: int
    """Near-duplicate pairs that straddle the split after that; 0 or the run stops."""
    checked_pairs: int
    thresholds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """Everything a report is made of: one complete comparison, as saved in the workspace."""

    name: str
    taken_at: str
    """ISO 8601, UTC."""
    task: Task
    machine: Machine
    settings: Mapping[str, str]
    """What mattered: model, quantisation, embedder, limit, seeds, prices; as words for people."""
    split: SplitReport
    documents: int
    chunks: int
    measurements: tuple[Measurement, ...]
    comparisons: tuple[Comparison, ...]
    decision: Decision
    examples: tuple[Example, ...]
    """The test examples that were asked."""
    records: tuple[Record, ...]
    seconds: Mapping[str, float]
    """Wall-clock seconds of each step of the run, in order."""
