"""Which metrics a strategy is measured by."""

from collections.abc import Mapping
from typing import Any

from weighbridge.measure.metrics.behaviour import (
    Accuracy,
    CitationMade,
    Hallucination,
    MissedAbstention,
    NeedlessAbstention,
    Recall,
    Truncated,
)
from weighbridge.measure.metrics.form import JsonValid, Overlap, checked_schema
from weighbridge.measure.metrics.structure import share_of_fields
from weighbridge.measure.metrics.text import exact_match, token_f1
from weighbridge.protocols import Metric
from weighbridge.types import Task


def metrics_for(task: Task, *, reads: bool, schema: Mapping[str, Any] | None = None) -> tuple[Metric, ...]:
    """Return the metrics of a task, for a strategy that reads documents or one that does not.

    Macro F1 is missing here: it is no mean over answers, and is taken when a measurement is summarised.

    Raises:
        DataError: the schema is not a JSON Schema.
    """
    valid = (JsonValid(None if schema is None else checked_schema(schema)),) if task == "json" else ()
    cited = (CitationMade(),) if reads and task == "answer" else ()
    by_form: tuple[Metric, ...] = (*valid, *_OVERLAPS[task], *cited)
    behaviour = (Hallucination(task), NeedlessAbstention(task), MissedAbstention(), Recall(reads), Truncated())
    return (Accuracy(task), *by_form, *behaviour)


_OVERLAPS: Mapping[Task, tuple[Metric, ...]] = {
    "answer": (Overlap("answer", "exact_match", exact_match), Overlap("answer", "token_f1", token_f1)),
    "label": (),
    "json": (Overlap("json", "json_fields", share_of_fields),),
}
