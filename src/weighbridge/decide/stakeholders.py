"""The views of several stakeholders with weights of their own, and how well they agree."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from weighbridge.decide.points import SAME, order_key, rank
from weighbridge.errors import SettingsError
from weighbridge.formatting import join_words
from weighbridge.results import Measurement
from weighbridge.settings.needs import Needs, Priorities
from weighbridge.verdicts import StakeholderAgreement, StakeholderView

_TWO = 2
_CLOSE, _LOOSE = 0.7, 0.3
"""From this concordance on, people agree largely, and below it hardly: the usual reading of Kendall's W (Schmidt 1997,
Managing Delphi surveys, calls 0.7 strong and 0.3 weak agreement)."""


def agreement_of(measurements: Sequence[Measurement], needs: Needs) -> StakeholderAgreement | None:
    """Return the rankings of all stakeholders and their agreement; None where the needs name no stakeholder.

    Raises:
        SettingsError: nothing that a stakeholder weighs was measured for every strategy.
    """
    if not needs.stakeholders or not measurements:
        return None
    by_name = {measurement.strategy: measurement for measurement in measurements}
    views = tuple(_view(name, needs, by_name) for name in sorted(needs.stakeholders))
    concordance = kendall_w([dict(zip(view.order, view.totals, strict=True)) for view in views])
    return StakeholderAgreement(views=views, concordance=concordance, summary=_summary(views, concordance))


def kendall_w(totals: Sequence[Mapping[str, float]]) -> float | None:
    """Return Kendall's coefficient of concordance, with the correction for ties (Kendall and Babington Smith 1939).

    `totals` has the points of the same strategies for each judge. None with fewer than two judges or strategies, or
    where every judge sees all strategies equal.
    """
    judges, items = len(totals), len(totals[0]) if totals else 0
    if judges < _TWO or items < _TWO:  # agreement is between two, about two
        return None
    sums = dict.fromkeys(totals[0], 0.0)
    ties = 0
    for points in totals:
        rounded = {name: round(total / SAME) for name, total in points.items()}
        counts = Counter(rounded.values())
        ties += sum(count**3 - count for count in counts.values())
        for name, total in rounded.items():
            ahead = sum(count for value, count in counts.items() if value > total)
            sums[name] += ahead + (counts[total] + 1) / 2  # tied items share the mean of their ranks
    mean = math.fsum(sums.values()) / items
    spread = math.fsum((value - mean) ** 2 for value in sums.values())
    most = judges**2 * (items**3 - items) - judges * ties
    return 12 * spread / most if most > 0 else None


def _view(name: str, needs: Needs, by_name: Mapping[str, Measurement]) -> StakeholderView:
    given = needs.stakeholders[name]
    weights = Priorities(**{priority: given.get(priority, 0.0) for priority in Priorities.model_fields})
    try:
        ranking = rank(list(by_name.values()), needs.model_copy(update={"priorities": weights}))
    except SettingsError as error:
        raise SettingsError(
            f"weighbridge.yaml: needs.stakeholders.{name}: nothing to rank by: give a priority a weight above 0 that "
            "was measured for every strategy"
        ) from error
    totals = {row.strategy: row.total for row in ranking.rows}
    order = sorted(totals, key=lambda strategy: order_key(totals[strategy], by_name[strategy]))
    return StakeholderView(stakeholder=name, order=tuple(order), totals=tuple(totals[strategy] for strategy in order))


def _summary(views: Sequence[StakeholderView], concordance: float | None) -> str:
    if len(views[0].order) == 1:
        return f"Only {views[0].order[0]} keeps every limit, so no stakeholder would decide otherwise."
    firsts: dict[str, list[str]] = {}
    for view in views:
        firsts.setdefault(view.order[0], []).append(view.stakeholder)
    if len(firsts) == 1:
        number = "Both" if len(views) == _TWO else f"All {len(views)}"
        who = views[0].stakeholder if len(views) == 1 else f"{number} stakeholders"
        sentence = f"{who} would put {views[0].order[0]} first"
    else:
        sentence = "The stakeholders would decide differently: " + "; ".join(
            f"{join_words(names)} would put {first} first"
            for first, names in sorted(firsts.items(), key=lambda item: (-len(item[1]), item[0]))
        )
    if concordance is None:
        return f"{sentence}."
    degree = "largely agree" if concordance >= _CLOSE else "agree in part" if concordance >= _LOOSE else "hardly agree"
    return f"{sentence}. Their whole rankings {degree} (Kendall's W {concordance:.2f}, from 0 to 1)."
