"""Hard limits: a strategy that breaks one is never recommended.

A figure is held against its limit by its measured value, not by an end of its interval: a small test would else rule
every strategy out. Where the limit lies inside the interval, it is said that it is uncertain: by `close_calls` of a
limit that is kept, by `Broken.certain` of one that is broken. A figure that nothing bounds from above, such as a 95th
percentile of few timings, keeps no upper limit for certain. A figure that was not taken cannot keep a limit.

The floor is another matter: it needs evidence, since it can turn down every strategy without the user having asked
for it. A strategy lies below it when its whole interval does.

A strategy keeps `must_cite` when it reads passages and at least nine in ten of the answers it asserts
(`MUST_CITE_SHARE`) carry a verbatim citation, as measured.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from weighbridge.figures import FIGURES
from weighbridge.formatting import figure, percentage, write_amount
from weighbridge.results import Measurement
from weighbridge.settings.needs import Limits

FAILURES_ALLOWED = 0.05
"""Share of attempts that may fail before a strategy is ruled out: its other figures are then of the easy questions."""

FLOOR = 0.5
"""Accuracy that makes a strategy good enough where the user names no `minimum_accuracy`: right more often than not."""

MUST_CITE_SHARE = 0.9
"""Share of asserted answers that must carry a citation where the user requires citations."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A limit that a strategy breaks: in words, and by how much of the limit it is missed (1 where not a number).

    `setting` is its name under `needs.limits`; empty for a limit that always holds.
    """

    sentence: str
    setting: str = ""
    excess: float = 1.0
    certain: bool = True
    """Whether the whole interval of the figure breaks it."""


@dataclass(frozen=True, slots=True)
class NumberLimit:
    """A limit on a figure, in the figure's unit."""

    figure: str
    setting: str
    bound: Callable[[Limits], float | None]


NUMBER_LIMITS = (
    NumberLimit("latency_p95", "maximum_p95_seconds", lambda limits: limits.maximum_p95_seconds),
    NumberLimit(
        "memory",
        "maximum_memory_gib",
        lambda limits: None if limits.maximum_memory_gib is None else limits.maximum_memory_gib * 2**30,
    ),
    NumberLimit("cost_per_thousand", "maximum_cost_per_thousand", lambda limits: limits.maximum_cost_per_thousand),
    NumberLimit("accuracy", "minimum_accuracy", lambda limits: limits.minimum_accuracy),
    NumberLimit("hallucination", "maximum_hallucination", lambda limits: limits.maximum_hallucination),
    NumberLimit("citation", "must_cite", lambda limits: MUST_CITE_SHARE if limits.must_cite else None),
)


def broken_limits(measurement: Measurement, limits: Limits) -> tuple[Broken, ...]:
    """Return every limit a strategy breaks.

    Some always hold: few failures, and an accuracy that was measured.
    """
    found: list[Broken | None] = []
    failed, asked = measurement.failures, measurement.attempts
    if failed > FAILURES_ALLOWED * asked:
        sentence = f"{failed} of {asked} attempts failed; at most {percentage(FAILURES_ALLOWED)} may"
        found.append(Broken(sentence, excess=failed / asked / FAILURES_ALLOWED - 1))
    if "accuracy" not in measurement.figures:
        found.append(Broken("no answer could be scored"))
    # A strategy that cannot cite has no citations to count, and gets a sentence of its own.
    countable = (limit for limit in NUMBER_LIMITS if limit.figure != "citation" or measurement.cites)
    found.extend(_number(measurement, limit, limits) for limit in countable)
    if limits.offline and not measurement.offline:
        found.append(Broken("it sends questions to an endpoint; you allow offline strategies only", "offline"))
    if limits.must_cite and not measurement.cites:
        found.append(Broken("it reads no passages and cannot cite; you require citations", "must_cite"))
    return tuple(broken for broken in found if broken)


def below_floor(measurement: Measurement, limits: Limits) -> bool:
    """Tell whether a strategy is certainly right less often than not, where no other accuracy is asked for."""
    return limits.minimum_accuracy is None and measurement.figures["accuracy"].high < FLOOR


def close_calls(measurement: Measurement, limits: Limits) -> tuple[str, ...]:
    """Return, for the limits that a strategy keeps, those that lie inside the figure's interval, in words."""
    found = []
    for limit in NUMBER_LIMITS:
        bound, estimate = limit.bound(limits), measurement.figures.get(limit.figure)
        if bound is None or estimate is None or _number(measurement, limit, limits):
            continue
        kind = FIGURES[limit.figure]
        highest = math.inf if estimate.open_above else estimate.high
        if _excess(limit, estimate.low if kind.higher_is_better else highest, bound) > 0:
            currency = _currency(measurement)
            found.append(
                f"{measurement.strategy} keeps the limit on {kind.label}, {write_amount(kind, bound, currency)}, "
                f"but not for certain: it has {figure(kind, estimate, currency)}"
            )
    return tuple(found)


def _number(measurement: Measurement, limit: NumberLimit, limits: Limits) -> Broken | None:
    bound = limit.bound(limits)
    if bound is None:
        return None
    kind, estimate, currency = FIGURES[limit.figure], measurement.figures.get(limit.figure), _currency(measurement)
    wanted = write_amount(kind, bound, currency)
    wish = f"you {'ask for' if kind.higher_is_better else 'allow'} {wanted}"
    if estimate is None:
        return Broken(f"{kind.label} was not measured; {wish}", limit.setting)
    excess = _excess(limit, estimate.value, bound)
    if excess <= 0:
        return None
    given = write_amount(kind, estimate.value, currency)
    just = f"just {'under' if kind.higher_is_better else 'over'} " if given == wanted else ""
    best = estimate.high if kind.higher_is_better else estimate.low
    certain = _excess(limit, best, bound) > 0
    return Broken(f"{kind.label} is {just}{given}; {wish}", limit.setting, excess, certain)


def _excess(limit: NumberLimit, value: float, bound: float) -> float:
    """Return by how much a value misses its bound, as a share of the bound; 0 or less where it keeps it."""
    miss = bound - value if FIGURES[limit.figure].higher_is_better else value - bound
    return miss / bound if bound else miss


def _currency(measurement: Measurement) -> str:
    return measurement.cost.currency if measurement.cost else "USD"
