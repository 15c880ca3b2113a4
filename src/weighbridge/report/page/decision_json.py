"""Writes the data of the page's sliders: everything that `templates/decision.js` needs to take the decision again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.decide.draws import QUALITY
from weighbridge.decide.limits import below_floor, broken_limits
from weighbridge.decide.points import judged_value, priority_weights
from weighbridge.formatting import money_scale
from weighbridge.report.findings import currency
from weighbridge.report.page.dossier import Dossier
from weighbridge.report.page.questions_json import write_island
from weighbridge.results import Measurement, Weighing
from weighbridge.settings.curves import curve_for
from weighbridge.settings.needs import Needs

_STEPS = 40
"""Steps of a slider of weights: a step of the usual ones is a quarter of a point."""
_LEAST_TOP = 10.0
_VOLUMES = tuple(digit * 10**power for power in range(2, 8) for digit in (1, 2, 5))
"""Answers a month: from a hundred, a small team, to fifty million."""

TEXTS = {
    "recommended": "Use {first}.",
    "the cheapest of the equals": "Use {first}: it is the cheapest of {count} that are equal for practical purposes.",
    "not decisive": "No clear winner between {names}.",
    "none is good enough": "None of the strategies is good enough.",
    "none meets your limits": "No strategy can be recommended.",
    "not computed": "{first} has the most points. A curve of yours bends, so only the command says how sure that is.",
    "nothing": "Give at least one figure a weight above 0.",
}
"""The headlines of `findings.headline`, for the page to fill in; a test holds them equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """A slider over a list of values, `start` being the place of the present one."""

    id: str
    name: str
    label: str
    values: tuple[float, ...]
    start: int


def make_sliders(needs: Needs) -> tuple[Slider, ...]:
    """Return a slider for each priority with a weight, and one for the volume."""
    weights = priority_weights(needs.priorities)
    top = max(_LEAST_TOP, 2 * max(weights.values()))
    steps = [top * step / _STEPS for step in range(_STEPS + 1)]
    sliders = [_slider(f"weight-{name}", f"weight.{name}", name, steps, now) for name, now in weights.items()]
    return (*sliders, _slider("volume", "volume", "answers a month", _VOLUMES, needs.answers_per_month))


def _slider(id_: str, name: str, label: str, values: Sequence[float], now: float) -> Slider:
    every = sorted({*values, now})
    return Slider(id=id_, name=name, label=label, values=tuple(every), start=every.index(now))


def decision_island(weighing: Weighing, dossier: Dossier) -> str:
    """Return what the page needs to decide again, as JSON for a script element; null without the needs."""
    needs = dossier.needs
    if needs is None:
        return "null"
    weights = priority_weights(needs.priorities)
    money = money_scale(1.0, currency(weighing))
    strategies = [measurement.strategy for measurement in weighing.measurements]
    curves = {name: curve_for(name, needs.curves) for name in weights}
    return write_island(
        {
            "arms": [_arm(measurement, needs, dossier, tuple(weights)) for measurement in weighing.measurements],
            "weights": weights,
            "curves": {
                name: {
                    "points": curve.points,
                    "logarithmic": curve.logarithmic,
                    "unit": curve.unit,
                    "relative": curve.relative,
                    "slope": curve.slope,
                }
                for name, curve in curves.items()
            },
            "volume": needs.answers_per_month,
            "months": needs.months,
            "indifference": needs.indifference / 100,
            "costLimit": needs.limits.maximum_cost_per_thousand,
            "compared": [
                {
                    "figure": comparison.figure,
                    "left": strategies.index(comparison.left),
                    "right": strategies.index(comparison.right),
                    "p": comparison.p_value,
                    "value": comparison.difference.value,
                    "low": comparison.difference.low,
                    "high": comparison.difference.high,
                    "scored": comparison.difference.scored,
                    "pairs": [[pair.accuracy, pair.hallucination, pair.questions] for pair in comparison.pairs],
                }
                for comparison in weighing.comparisons
                if comparison.figure in QUALITY
            ],
            "money": {"before": money.before, "after": money.after},
            "texts": TEXTS,
        }
    )


def _arm(measurement: Measurement, needs: Needs, dossier: Dossier, priorities: Sequence[str]) -> Mapping[str, Any]:
    """Return one strategy: its values and costs, and by how much it misses its limits, the one on cost aside."""
    limits = needs.limits.model_copy(update={"maximum_cost_per_thousand": None})
    cost = measurement.cost
    own = dossier.ownership
    priced = own is not None and measurement.strategy in {arm.name for arm in own.arms}
    curve = own.arm(measurement.strategy).curve if own is not None and priced else None
    return {
        "strategy": measurement.strategy,
        "values": {name: judged_value(name, measurement) for name in priorities},
        "cost": {"once": cost.upfront, "thousand": cost.per_thousand_answers} if cost else None,
        "total": {
            "fixed": curve.fixed,
            "slope": curve.slope,
            "steps": [[step.weight, step.load] for step in curve.steps],
        }
        if curve
        else None,
        "accuracy": measurement.figures["accuracy"].value if "accuracy" in measurement.figures else None,
        "broken": [limit.excess for limit in broken_limits(measurement, limits)],
        "low": "accuracy" in measurement.figures and below_floor(measurement, needs.limits),
    }
