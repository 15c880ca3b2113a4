"""Every figure that can stand in a measurement: its words for people, its unit, and the better direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureKind:
    """The reading of a figure: its words for people, its unit, and the better direction."""

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
            meaning="questions answered right, by content, in however many words; one that cannot be answered is right "
            "when abstained on",
        ),
        FigureKind(
            name="form",
            label="asked form",
            unit="share",
            higher_is_better=True,
            meaning="answers in the asked form, right or wrong: short, or a label alone; for JSON see `json_valid`",
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
            label="verbatim citation",
            unit="share",
            higher_is_better=True,
            meaning="asserted answers that stand verbatim in a retrieved passage, whether or not the model marked it",
        ),
        FigureKind(
            name="truncated",
            label="cut short",
            unit="share",
            higher_is_better=False,
            meaning="answers cut by the length limit, of all answers; reports show it where there are any",
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
            meaning="95th percentile of the seconds to the whole answer, one question at a time; "
            "bounded from 59 timings on",
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
"""Every figure of our own that can stand in a measurement, in the order of the reports."""


def figure_kind(name: str) -> FigureKind:
    """Return how a figure is to be read; one that is not ours is the share that a metric of one's own gives."""
    return FIGURES.get(name) or FigureKind(
        name=name,
        label=name.replace("_", " "),
        unit="share",
        higher_is_better=True,
        meaning="a metric of an installed distribution",
    )
