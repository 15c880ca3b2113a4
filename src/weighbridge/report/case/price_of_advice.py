"""The price of following the published table: its strategy against the decision's, figure by figure."""

from dataclasses import dataclass

from weighbridge.decide.prior.contrasts import Untestable, claimed_figure, contrast_pair, figure_words
from weighbridge.formatting import figure, points, with_sign, write_difference
from weighbridge.report.case.evidence_report import write_ratio
from weighbridge.report.findings import leader
from weighbridge.report.safe_text import ABSENT, one_line
from weighbridge.results import Decision, Measurements

_PRICED = ("accuracy", "hallucination", "latency_p50", "memory", "setup", "cost_per_thousand")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedFigure:
    """A figure of both strategies, and the difference that following the table makes, in words."""

    label: str
    followed: str
    first: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvicePrice:
    """Both strategies side by side."""

    followed: str
    """The strategy of the table."""
    first: str
    """The strategy that is recommended, or that has the most points."""
    summary: str
    rows: tuple[PricedFigure, ...]
    """None where the two are the same, or where one was not measured."""


def price_advice(followed: str, found: Measurements, decision: Decision) -> AdvicePrice:
    """Return the difference between following the table and following the decision."""
    first = leader(decision) or ""
    measured = {measurement.strategy: measurement for measurement in found.measurements}
    names = {"followed": one_line(followed), "first": one_line(first)}
    if followed not in measured:
        summary = f"{names['followed']} was not weighed, so the price of the table is not known."
        return AdvicePrice(**names, summary=summary, rows=())
    if followed == first:
        summary = f"{names['first']} has the most points here, too: following the table costs nothing."
        return AdvicePrice(**names, summary=summary, rows=())
    table, own = measured[followed], measured[first]
    money = next((m.cost.currency for m in found.measurements if m.cost), "USD")
    rows = [_points_row(followed, first, decision)]
    for name in _PRICED:
        kind, one, other = figure_words(name), claimed_figure(table, name), claimed_figure(own, name)
        if one is None or other is None:
            continue
        contrast = contrast_pair(name, table, own, found.joint, found.comparisons)
        price = ABSENT
        if not isinstance(contrast, Untestable):
            is_ratio = contrast.kind == "ratio"
            price = write_ratio(contrast.estimate) if is_ratio else write_difference(kind, contrast.estimate)
        written = [figure(kind, estimate, money) for estimate in (one, other)]
        rows.append(PricedFigure(label=kind.label, followed=written[0], first=written[1], price=price))
    if decision.recommended:
        summary = f"The decision is for {names['first']}, and the table begins with {names['followed']}."
    else:
        is_open = decision.outlook == "not decisive" and followed in decision.contenders
        close = ", whose distance may be chance" if is_open else ""
        summary = f"No strategy is recommended; {names['first']} has the most points, and the table begins with "
        summary += f"{names['followed']}{close}."
    if broken := next((v.broken_limits for v in decision.verdicts if v.strategy == followed), ()):
        summary += f" It breaks a limit: {'; '.join(map(one_line, broken))}."
    return AdvicePrice(**names, summary=summary, rows=tuple(rows))


def _points_row(followed: str, first: str, decision: Decision) -> PricedFigure:
    totals = {verdict.strategy: verdict.total for verdict in decision.verdicts}
    one, other = totals.get(followed), totals.get(first)
    if one is None or other is None:
        return PricedFigure(label="points", followed=ABSENT, first=ABSENT, price=ABSENT)
    return PricedFigure(
        label="points", followed=points(one), first=points(other), price=with_sign(points(one - other))
    )  # fmt: skip
