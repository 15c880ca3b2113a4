"""Chooses the metrics of a strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.errors import ExtensionError
from weighbridge.evaluate.metrics.behaviour import (
    Accuracy,
    CitationMade,
    Hallucination,
    MissedAbstention,
    NeedlessAbstention,
    Recall,
    Truncated,
)
from weighbridge.evaluate.metrics.form import JsonValid, LabelAlone, Overlap, ShortForm, checked_schema
from weighbridge.extensions import load_extension
from weighbridge.figures import FIGURES
from weighbridge.protocols import Metric
from weighbridge.results import Score
from weighbridge.scoring.json_fields import share_of_fields
from weighbridge.scoring.overlap import exact_match, token_f1
from weighbridge.types import Answer, Example, Task


def metrics_for(
    task: Task, *, reads: bool, schema: Mapping[str, Any] | None = None, labels: Sequence[str] = ()
) -> tuple[Metric, ...]:
    """Return the metrics of a task, for a strategy that reads documents or one that does not.

    Macro F1 is missing here: it is no mean over answers, and is taken when a measurement is summarised.

    Raises:
        DataError: the schema is not a JSON Schema.
    """
    known = tuple(labels) if task == "label" else ()
    cited = (CitationMade(),) if reads and task == "answer" else ()
    behaviour = (Hallucination(task, known), NeedlessAbstention(task), MissedAbstention(), Recall(reads), Truncated())
    return (Accuracy(task, known), *_form_metrics(task, schema, known), *cited, *behaviour)


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A `Metric` of another distribution. If it raises, or gives no share, the answer is unscored."""

    metric: Metric
    origin: str

    @property
    def name(self) -> str:
        return self.metric.name

    def score(self, example: Example, answer: Answer) -> Score:
        try:
            score = self.metric.score(example, answer)
            value = None if score.value is None else float(score.value)
            reason = str(score.reason)
        except Exception as error:  # noqa: BLE001 - code that is not ours
            return Score(self.name, None, f"{self.origin} failed: {type(error).__name__}: {error}")
        if value is not None and not 0.0 <= value <= 1.0:
            return Score(self.name, None, f"{self.origin} gave {value}, which is not between 0 and 1")
        return Score(self.name, value, reason)


def own_metrics(names: Sequence[str]) -> tuple[OwnMetric, ...]:
    """Return the metrics that installed distributions offer under these names.

    Raises:
        ExtensionError: a distribution fails, or its metric takes the name of another figure.
    """
    found: list[OwnMetric] = []
    for name in names:
        own = load_extension("weighbridge.metrics", name)
        try:
            metric = OwnMetric(own.part(), own.origin)
            taken = {*FIGURES, *(each.name for each in found)}
        except Exception as error:
            told = f"{own.origin}: its metric {name!r} cannot be made ({type(error).__name__}: {error}); mend it there"
            raise ExtensionError(told) from error
        if metric.name in taken:
            raise ExtensionError(f"{own.origin}: its metric {name!r} is called {metric.name!r}, as another figure is")
        found.append(metric)
    return tuple(found)


def _form_metrics(task: Task, schema: Mapping[str, Any] | None, labels: tuple[str, ...]) -> tuple[Metric, ...]:
    match task:
        case "answer":
            overlaps = (Overlap("answer", "exact_match", exact_match), Overlap("answer", "token_f1", token_f1))
            return (ShortForm(), *overlaps)
        case "label":
            return (LabelAlone(labels),)
        case "json":
            checked = None if schema is None else checked_schema(schema)
            return (JsonValid(checked), Overlap("json", "json_fields", share_of_fields))
