"""Hard limits: a strategy that breaks one is never recommended.

A figure is held against its limit by its measured value, not by an end of its interval: a small test would else rule
every strategy out. Every limit that is set has the chance that it is truly broken, and where it lies inside
the interval of the figure, its sentence says so. A figure that nothing bounds from above, such as a 95th percentile of
few timings, keeps no upper limit for certain. A figure that was not taken cannot keep a limit.

The chance comes from the interval of the figure, by a normal distribution for shares and a log-normal one for amounts,
each side as wide as its part of the interval. So it agrees with the interval beside it, and no other strategy moves it.

The floor is another matter: it needs evidence, since it can turn down every strategy without the user having asked
for it. A strategy lies below it when its whole interval does.

A strategy keeps `must_cite` when it reads passages and at least nine in ten of the answers it asserts
(`MUST_CITE_SHARE`) carry a verbatim citation, as measured.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from weighbridge.decide.draws import DRAWS, amount_spread
from weighbridge.figures import FIGURES
from weighbridge.formatting import figure, percentage, write_amount, write_chance
from weighbridge.intervals import Z
from weighbridge.results import Estimate, Measurement
from weighbridge.settings.needs import Limits
from weighbridge.verdicts import LimitVerdict

FAILURES_ALLOWED = 0.05
"""Share of attempts that may fail before a strategy is ruled out: its other figures are then of the easy questions."""

FLOOR = 0.5
"""Accuracy that makes a strategy good enough where the user names no `minimum_accuracy`: right more often than not."""

_SEED = 7
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
    chance: float = 1.0
    """The chance that it is truly broken."""


@dataclass(frozen=True, slots=True)
class NumberLimit:
    """A limit on a figure, in the figure's unit."""

    figure: str
    setting: str
    bound: Callable[[Limits], float | None]
    unit: float = 1.0
    """A value of the setting is so many of the figure's units."""


NUMBER_LIMITS = (
    NumberLimit("latency_p95", "maximum_p95_seconds", lambda limits: limits.maximum_p95_seconds),
    NumberLimit(
        "memory",
        "maximum_memory_gib",
        lambda limits: None if limits.maximum_memory_gib is None else limits.maximum_memory_gib * 2**30,
        unit=2.0**30,
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
        excess = failed / asked / FAILURES_ALLOWED - 1
        found.append(Broken(sentence, excess=excess, chance=_chance_of_failures(failed, asked)))
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


def limit_verdicts(measurement: Measurement, broken: Sequence[Broken], limits: Limits) -> tuple[LimitVerdict, ...]:
    """Return the broken limits of a strategy, and those that it keeps, with the chances that they are truly broken."""
    found = [
        LimitVerdict(setting=limit.setting, sentence=limit.sentence, broken=True, chance=limit.chance)
        for limit in broken
    ]
    settings = {limit.setting for limit in broken}
    for limit in NUMBER_LIMITS:
        bound, estimate = limit.bound(limits), measurement.figures.get(limit.figure)
        if bound is None or estimate is None or limit.setting in settings:
            continue
        kind, currency = FIGURES[limit.figure], _currency(measurement)
        wanted = f"you {'ask for' if kind.higher_is_better else 'allow'} {write_amount(kind, bound, currency)}"
        found.append(
            LimitVerdict(
                setting=limit.setting,
                sentence=f"{kind.label} is {write_amount(kind, estimate.value, currency)}; {wanted}",
                broken=False,
                chance=_chance(limit, estimate, bound),
            )
        )
    return tuple(found)


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
            # Where nothing bounds the figure from above, no chance can be told either.
            chance = write_chance(_chance(limit, estimate, bound))
            found.append(
                f"{measurement.strategy} keeps the limit on {kind.label}, {write_amount(kind, bound, currency)}, "
                f"but not for certain: it has {figure(kind, estimate, currency)}"
                + ("" if estimate.open_above else f"; the chance that it truly breaks the limit is {chance}")
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
    return Broken(
        f"{kind.label} is {just}{given}; {wish}",
        limit.setting,
        excess,
        certain=_excess(limit, best, bound) > 0,
        chance=_chance(limit, estimate, bound),
    )


def _chance(limit: NumberLimit, estimate: Estimate, bound: float) -> float:
    """Return the chance that a figure truly breaks a limit."""
    kind = FIGURES[limit.figure]
    if kind.unit == "share":
        below, above = (estimate.value - estimate.low) / Z, (estimate.high - estimate.value) / Z
        off = bound - estimate.value
    elif bound <= 0 or estimate.value <= 0:
        return float(_excess(limit, estimate.value, bound) > 0)
    else:
        below, above = amount_spread(estimate)
        off = math.log(bound / estimate.value)
    spread = above if off > 0 else below
    above_bound = NormalDist().cdf(-off / spread) if spread > 0 else float(off < 0)
    return 1 - above_bound if kind.higher_is_better else above_bound


def _chance_of_failures(failed: int, asked: int) -> float:
    """Return the chance that more than the allowed share fails, by Jeffreys' prior (Brown, Cai and DasGupta 2001)."""
    generator = Random(_SEED)  # noqa: S311 - the same draws for every decision
    rates = (generator.betavariate(failed + 0.5, asked - failed + 0.5) for _ in range(DRAWS))
    return sum(rate > FAILURES_ALLOWED for rate in rates) / DRAWS


def _excess(limit: NumberLimit, value: float, bound: float) -> float:
    """Return by how much a value misses its bound, as a share of the bound; 0 or less where it keeps it."""
    miss = bound - value if FIGURES[limit.figure].higher_is_better else value - bound
    return miss / bound if bound else miss


def _currency(measurement: Measurement) -> str:
    return measurement.cost.currency if measurement.cost else "USD"
