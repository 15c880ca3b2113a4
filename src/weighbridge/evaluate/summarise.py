"""Records become measurements, and pairs of strategies become comparisons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from weighbridge.arms import base_of
from weighbridge.evaluate.macro_f1 import label_pairs, macro_f1
from weighbridge.evaluate.outcomes import paired_differences, scored_values
from weighbridge.evaluate.statistics import (
    SHARE,
    compare_pairs,
    examples_needed,
    mean_interval,
    quantile_interval,
)
from weighbridge.figures import FIGURES
from weighbridge.intervals import holm
from weighbridge.results import Comparison, Estimate, Measurement, Record
from weighbridge.types import Answer, Example, Task, Timing

COMPARED = ("accuracy", "hallucination")
"""The figures that strategies are compared by, pair by pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Figures of a strategy from outside its records; those not measured are absent."""

    timings: tuple[Timing, ...] = ()
    """Of the single-file pass."""
    untimed: int = 0
    """Questions of that pass that failed."""
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    setup_seconds: float | None = None
    offline: bool = True
    cites: bool = False


def summarise(
    records: Sequence[Record],
    examples: Sequence[Example],
    *,
    task: Task,
    strategy: str,
    seed: int,
    footprint: Footprint | None = None,
) -> Measurement:
    """Return all that one strategy's records and footprint say; its cost is added by `decide.money.cost.with_cost`.

    A failure has no scores: it is counted in `failures`, and among the `unscored` of every figure. A figure that no
    record has a score for is absent.
    """
    beside = footprint or Footprint()
    answered = [record for record in records if record.answer is not None]
    figures = {
        **_metric_figures(records, seed),
        **_label_figures(records, examples, task, seed),
        **_token_figures(records, seed),
        **_footprint_figures(beside),
    }
    errors = Counter(record.error for record in records if record.answer is None)
    outcomes = Counter(f"{record.retrieval}/{record.outcome}" for record in answered if record.outcome)
    return Measurement(
        strategy=strategy,
        figures={name: figures[name] for name in (*FIGURES, *sorted(figures.keys() - FIGURES)) if name in figures},
        outcomes=dict(sorted(outcomes.items())),
        attempts=len(records),
        failures=len(records) - len(answered),
        errors=tuple(sorted(errors, key=lambda error: (-errors[error], error))),
        offline=beside.offline,
        cites=beside.cites,
        base=base_of(strategy),
    )


def compare_all(records: Mapping[str, Sequence[Record]], *, seed: int) -> tuple[Comparison, ...]:
    """Compare every two strategies, over the examples that both have a score for, by accuracy and hallucination.

    Holm's correction runs over the pairs of one figure: over those on one base model, and apart from these over those
    across two, because they answer another question. Two strategies without a common example are not compared.
    Each comparison of accuracy carries the differences that the decision weighs: see `paired_differences`.
    """
    return tuple(comparison for figure in COMPARED for comparison in _compare(figure, records, seed))


def seconds_per_answer(timings: Sequence[Timing], seed: int) -> Estimate | None:
    """Return the mean seconds of an answer, the basis of a machine's price; None without timings."""
    return mean_interval([timing.total for timing in timings], seed) if timings else None


def _compare(figure: str, records: Mapping[str, Sequence[Record]], seed: int) -> list[Comparison]:
    values = {name: scored_values(figure, attempts) for name, attempts in records.items()}
    found = []
    for left, right in combinations(values, 2):
        common = sorted(values[left].keys() & values[right].keys())
        if common:
            lefts, rights = ([values[name][example] for example in common] for name in (left, right))
            needed = examples_needed([a - b for a, b in zip(lefts, rights, strict=True)])
            found.append((left, right, compare_pairs(lefts, rights, seed), needed))
    adjusted = [0.0] * len(found)
    for across in (False, True):
        places = [place for place, (left, right, *_) in enumerate(found) if (base_of(left) != base_of(right)) == across]
        for place, p_adjusted in zip(places, holm([found[place][2].p_value for place in places]), strict=True):
            adjusted[place] = p_adjusted
    return [
        Comparison(
            figure=figure,
            left=left,
            right=right,
            difference=pair.difference,
            p_value=pair.p_value,
            p_adjusted=p_adjusted,
            examples_needed=needed,
            pairs=paired_differences(records[left], records[right]) if figure == "accuracy" else (),
        )
        for (left, right, pair, needed), p_adjusted in zip(found, adjusted, strict=True)
    ]


def _metric_figures(records: Sequence[Record], seed: int) -> dict[str, Estimate]:
    names = {score.metric for record in records for score in record.scores}
    values = {name: list(scored_values(name, records).values()) for name in names}
    return {
        name: mean_interval(found, seed, bounds=SHARE, unscored=len(records) - len(found))
        for name, found in values.items()
        if found
    }


def _label_figures(
    records: Sequence[Record], examples: Sequence[Example], task: Task, seed: int
) -> dict[str, Estimate]:
    if task != "label":
        return {}
    by_id = {example.id: example for example in examples}
    pairs = label_pairs((by_id[r.example_id], r.answer) for r in records if r.answer and r.example_id in by_id)
    estimate = macro_f1(pairs, seed, unscored=len(records) - len(pairs))
    return {"macro_f1": estimate} if estimate else {}


def _token_figures(records: Sequence[Record], seed: int) -> dict[str, Estimate]:
    answers: list[Answer] = [record.answer for record in records if record.answer is not None]
    if not any(answer.usage.input_tokens or answer.usage.output_tokens for answer in answers):
        return {}
    unscored = len(records) - len(answers)
    inputs = [float(answer.usage.input_tokens) for answer in answers]
    outputs = [float(answer.usage.output_tokens) for answer in answers]
    return {
        "input_tokens": mean_interval(inputs, seed, unscored=unscored),
        "output_tokens": mean_interval(outputs, seed, unscored=unscored),
    }


def _footprint_figures(beside: Footprint) -> dict[str, Estimate]:
    once = {"memory": beside.memory_bytes, "disk": beside.disk_bytes, "setup": beside.setup_seconds}
    figures = {
        name: Estimate(value=float(value), low=float(value), high=float(value), scored=1)
        for name, value in once.items()
        if value is not None
    }
    if beside.timings:
        first = [timing.first_token for timing in beside.timings]
        total = [timing.total for timing in beside.timings]
        figures["first_token_p50"] = quantile_interval(first, 0.5, unscored=beside.untimed)
        figures["latency_p50"] = quantile_interval(total, 0.5, unscored=beside.untimed)
        figures["latency_p95"] = quantile_interval(total, 0.95, unscored=beside.untimed)
    return figures
