"""The brief: the report for those who decide on two pages, to be printed or read on a screen."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from weighbridge.decide.money.cost_sentences import cost_headline, write_years
from weighbridge.decide.rollout.rollout_plan import Risk, RolloutPlan
from weighbridge.figures import FIGURES
from weighbridge.report import findings
from weighbridge.report.page.claim_figures import claim_figures
from weighbridge.report.page.dossier import NO_DOSSIER, Dossier
from weighbridge.report.page.doubt_figures import doubt_figures
from weighbridge.report.page.money_figures import money_figures
from weighbridge.report.page.page_figures import KEY_FIGURES, glance_table, scatter_charts, series_of
from weighbridge.report.page.restricted_messages import withhold_messages
from weighbridge.report.rollout import plan_words
from weighbridge.report.web_page import environment, policy, source
from weighbridge.results import Weighing
from weighbridge.types import PUBLIC

_ROWS, _REASONS, _CHANGES, _RISKS = 6, 4, 3, 3
"""As many strategies, reasons, changes and risks as two pages hold with texts of the length below."""
_LETTERS = 290
_GLANCE = ("accuracy", "hallucination", "latency_p50", "cost_per_thousand")
"""The figures behind the usual priorities."""
_WEIGHT = {"low": 0, "medium": 1, "high": 2}


def brief(weighing: Weighing, dossier: Dossier = NO_DOSSIER, *, groups: frozenset[str] = PUBLIC) -> str:
    """Return the two-page version as HTML, for a reader of these access groups.

    Figures and sentences are those of the report, shortened. It quotes no question and no answer.
    """
    weighing = withhold_messages(weighing, groups)
    style = source("brief.css")
    series = series_of(weighing)
    own, plan, claims = dossier.ownership, dossier.plan, dossier.claims
    decision = weighing.decision
    glance = glance_table(weighing, _GLANCE)
    charts = scatter_charts(weighing)
    parts: dict[str, Any] = {
        "said": findings.headline(weighing),
        "first": findings.leader(decision),
        "key_figures": [FIGURES[name] for name in KEY_FIGURES],
        "measured": {measurement.strategy: measurement for measurement in weighing.measurements},
        "glance": glance,
        "rows": glance.rows[:_ROWS],
        "more": max(0, len(glance.rows) - _ROWS),
        "charts": charts[:2],
        "doubt": doubt_figures(decision, series),
        "reasons": decision.reasons[:_REASONS],
        "changes": decision.would_change[:_CHANGES],
        "currency": findings.currency(weighing),
        "money": money_figures(own, series) if own else None,
        "money_sentences": cost_headline(own) if own else (),
        "years": write_years(own.months) if own else "",
        "totals": {row.strategy: row.total for row in money_figures(own, series).rows} if own else {},
        "claims": claim_figures(claims.evidence, claims.matrix, findings.currency(weighing)) if claims else None,
        "plan": plan,
        "plan_words": plan_words,
        "risks": _heaviest(plan) if plan else (),
        "files": dossier.files,
        "letters": _LETTERS,
    }
    return (
        environment()
        .get_template("brief.html.j2")
        .render(weighing=weighing, series=series, style=Markup(style), policy=policy(style), **parts)  # noqa: S704 - our own file
        .encode("utf-8", "replace")
        .decode("utf-8")
    )


def _heaviest(plan: RolloutPlan) -> Sequence[Risk]:
    """Return the risks with the highest likelihood and impact together, in the order of the plan among equals."""
    return sorted(plan.risks, key=lambda risk: -(_WEIGHT[risk.likelihood] + _WEIGHT[risk.impact]))[:_RISKS]
