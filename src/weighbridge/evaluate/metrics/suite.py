"""Chooses the metrics of a strategy."""

from collections.abc import Mapping, Sequence
from typing import Any

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
from weighbridge.protocols import Metric
from weighbridge.scoring.json_fields import share_of_fields
from weighbridge.scoring.overlap import exact_match, token_f1
from weighbridge.types import Task


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
