"""The nouns of measurement. The advisor and the reports see these and nothing below them but `types` and `errors`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from weighbridge.types import Answer, Example, Task
from weighbridge.verdicts import Doubt, FrontPlace, LeadVerdict, LimitVerdict, StakeholderAgreement

Outcome = Literal["right", "wrong", "abstained"]
Retrieval = Literal["retrieved", "missed", "none"]
"""Whether the evidence was among the passages; `none` where the strategy retrieves nothing or no evidence is known."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's verdict on one answer. `value is None` means it could not be scored; it never means zero.

    `reason` says why it could not, or why an answer is right or wrong; other scores need none.
    """

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
    scorer: str = ""
    """Fingerprint of the scorer that graded it; graded again where another one is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval, the number of examples it rests on, and of those that could not be scored."""

    value: float
    low: float
    high: float
    scored: int
    unscored: int = 0
    open_above: bool = False
    """Whether too few values were seen to bound the figure from above; `high` is then the highest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """The difference of two strategies on some questions in the figures that the decision weighs: left minus right.

    A failed attempt counts here as an answer that is wrong: it earns no points, and no figure holds it.
    """

    accuracy: float
    hallucination: float
    questions: int
    """On how many questions they differ by just this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money, split so that a break-even volume can be read off. All in one currency."""

    upfront: float
    """Once: the measured seconds of indexing and training, at the machine's price."""
    per_thousand_answers: float
    """Running: measured seconds at the machine's price, or measured tokens at the endpoint's."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """Everything a strategy was measured to use up and that costs money, beside the tokens among its figures."""

    seconds_per_answer: Estimate | None = None
    """Mean seconds that the machine is busy with an answer, one question at a time."""
    indexing_seconds: float = 0.0
    """One indexing of all documents; 0 for a strategy that reads none."""
    training_seconds: float = 0.0
    """One training of the adapter, with those that it continues; 0 for a strategy without one."""
    training_paid: float = 0.0
    """Money paid for that training at an endpoint."""
    by_token: bool = False
    """Whether answers are paid for by the token: the model runs at an endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Everything learnt about one strategy; `figures` by name, as in `figures.FIGURES`. One not taken is absent."""

    strategy: str
    figures: Mapping[str, Estimate]
    outcomes: Mapping[str, int]
    """How many records fell into each "<retrieval>/<outcome>", for example "missed/wrong"."""
    attempts: int
    failures: int
    errors: tuple[str, ...] = ()
    """The distinct messages of the failures, most frequent first."""
    cost: Cost | None = None
    usage: ResourceUse | None = None
    """None in files of earlier releases."""
    offline: bool = True
    cites: bool = False
    """Whether this strategy reads passages and can show where an answer stands."""
    base: str = ""
    """The name of its base model, as in its own name after the @; empty where one model answers for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired comparison of two strategies over the examples both answered."""

    figure: str
    left: str
    right: str
    difference: Estimate
    """Mean of left minus right over the pairs, with its 95 % score interval."""
    p_value: float
    """Two-sided exact sign-flip test; McNemar's for right or wrong."""
    p_adjusted: float
    """The same after Holm's correction over all pairs of strategies compared, or where there are several base models
    over all pairs on one of them, and over all pairs across two."""
    examples_needed: int | None
    """Test examples needed to find this difference with 80 % power if it is as measured; None if zero."""
    pairs: tuple[PairedDifference, ...] = ()
    """The differences that the decision weighs, question by question: with accuracy only, over failed attempts too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One strategy in the decision: the limits it breaks, and its points per priority, weighted in `total`.

    Points are shares of all points, 0 to 1; people read them as points of 100.
    """

    strategy: str
    broken_limits: tuple[str, ...]
    points: Mapping[str, float]
    total: float
    limits: tuple[LimitVerdict, ...] = ()
    """Every limit that was set, kept or broken, with the chance that it is truly broken."""


Outlook = Literal[
    "recommended", "the cheapest of the equals", "not decisive", "none is good enough", "none meets your limits"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseOutlook:
    """The decision among the strategies of one base model alone."""

    base: str
    outlook: Outlook
    recommended: str | None
    contenders: tuple[str, ...]
    """As in `Decision`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The strategy to use, if the measurements carry that far, with the reasons."""

    outlook: Outlook
    recommended: str | None
    contenders: tuple[str, ...]
    """The strategies it lies between when not decisive (the best by points first); the recommended one alone, or
    followed by its equals; the best alone when none is good enough; none when no strategy meets the limits."""
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...]
    """Sentences, each naming the figures it rests on."""
    would_change: tuple[str, ...]
    """Changes that would change the decision, each naming a figure: a price, a limit, more questions."""
    examples_needed: int | None = None
    """Total test questions that would make the decision certain with a chance of 80 %."""
    examples_range: tuple[int, int | None] | None = None
    """The same with a chance of 50 % and of 90 %; None for the latter if no number within reach would do."""
    examples_asked: int | None = None
    """The test questions that `examples_needed` contains: those put to all contenders."""
    leads: tuple[LeadVerdict, ...] = ()
    """The lead of the first in points over each other strategy that keeps every limit."""
    indifference: float = 0.0
    """Leads certainly smaller than this share of all points count as equal."""
    doubt: Doubt | None = None
    front: tuple[FrontPlace, ...] = ()
    """Every strategy with accuracy, latency and cost."""
    agreement: StakeholderAgreement | None = None
    """The views of the stakeholders; None where the settings name none."""
    by_base: tuple[BaseOutlook, ...] = ()
    """The decision on each base model alone, in the order of the settings; empty where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine of the measurements."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """The division of the examples, and the result of the leak check."""

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


@dataclass(frozen=True, slots=True)
class Omission:
    """Something in the sources that did not become text: where, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCap:
    """A number of the settings that left something out of a comparison."""

    what: str
    """What is counted, as the end of a sentence: "training examples are learnt"."""
    used: int
    available: int
    remedy: str
    """The setting that lifts it, in words."""

    @property
    def sentence(self) -> str:
        """The cap for people, without a full stop."""
        return f"{self.used:,} of {self.available:,} {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Documents that give different values for one thing, for their owner to settle."""

    subject: str
    """The statement with an ellipsis for the value; of a table or a "key: value" line, the name of the value."""
    values: Mapping[str, tuple[str, ...]]
    """Each value with the ids of the documents that give it."""
    score: float
    """How sure it is that they speak of one thing, times how much it matters; up to 1."""
    reasons: tuple[str, ...]
    restricted: bool = False
    """Whether it quotes documents that not everybody may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingReport:
    """The fate of the sources: everything in them is either in a document, or named here."""

    files: int
    documents: int
    seconds: float
    skipped: tuple[Omission, ...] = ()
    """Files, or lines of one, that gave no document."""
    losses: tuple[Omission, ...] = ()
    """Parts of files that were read otherwise: pages without text, flattened tables."""
    repeated: tuple[str, ...] = ()
    """Documents that repeat another, a sentence each."""
    conflicts: tuple[Contradiction, ...] = ()
    """Documents that give different values for one thing, the surest and weightiest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """Everything a report is made of: one complete comparison, as saved in the workspace."""

    name: str
    taken_at: str
    """ISO 8601, UTC."""
    task: Task
    machine: Machine
    settings: Mapping[str, str]
    """The settings that mattered: model, quantisation, embedder, limit, seeds, prices; as words for people."""
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
    left_out: tuple[str, ...] = ()
    """Strategies that could not be built, each with the reason, as sentences."""
    reading: ReadingReport | None = None
    """The fate of the sources; None where there are none."""
    caps: tuple[AppliedCap, ...] = ()
    """Examples, questions and documents that a number of the settings left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """The outcomes of all strategies on a question, and the number of questions with just these outcomes.

    None stands for a strategy that was not asked, or that could not be scored. A failed attempt counts as a wrong
    answer: accuracy 0, and hallucination 1.
    """

    accuracy: tuple[float | None, ...]
    hallucination: tuple[float | None, ...]
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JointOutcomes:
    """The outcomes of all strategies, question by question. A row has one value per strategy, in this order."""

    strategies: tuple[str, ...]
    rows: tuple[OutcomeRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """A weighing without its questions, answers and decision: all that a decision, a price and a plan need."""

    name: str
    taken_at: str
    """ISO 8601, UTC."""
    task: Task
    machine: Machine
    settings: Mapping[str, str]
    """As in `Weighing`."""
    split: SplitReport
    questions: int
    """The test questions that were asked."""
    documents: int
    chunks: int
    measurements: tuple[Measurement, ...]
    comparisons: tuple[Comparison, ...]
    joint: JointOutcomes
    seconds: Mapping[str, float]
    left_out: tuple[str, ...] = ()
    reading: ReadingReport | None = None
    caps: tuple[AppliedCap, ...] = ()
