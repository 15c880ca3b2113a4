"""A weighing as one self-contained web page: it needs no network, and a script only to browse and to weigh again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup

from weighbridge.arms import bases_of, write_arms
from weighbridge.decide.front import front_sentence
from weighbridge.figures import FIGURES
from weighbridge.formatting import write_difference, write_lead
from weighbridge.report import findings
from weighbridge.report.base_models import compare_bases
from weighbridge.report.charts.drawing import Reach, difference_bar
from weighbridge.report.money import break_evens
from weighbridge.report.page.claim_figures import claim_figures
from weighbridge.report.page.decision_json import decision_island, make_sliders
from weighbridge.report.page.dossier import NO_DOSSIER, Dossier
from weighbridge.report.page.doubt_figures import doubt_figures
from weighbridge.report.page.glossary import GLOSSARY
from weighbridge.report.page.money_figures import money_figures
from weighbridge.report.page.page_figures import (
    KEY_FIGURES,
    figure_groups,
    glance_table,
    outcome_bars,
    scatter_charts,
    series_of,
)
from weighbridge.report.page.questions_json import build_island, is_restricted
from weighbridge.report.page.restricted_messages import withhold_messages
from weighbridge.report.rollout import plan_words
from weighbridge.report.rollout.gantt import gantt, gantt_style
from weighbridge.report.safe_text import ABSENT, one_line
from weighbridge.report.web_page import environment, policy, source
from weighbridge.results import Estimate, Record, Weighing
from weighbridge.types import PUBLIC

_ISLAND_BYTES = 780_000
"""The share of the questions in a page of less than a megabyte."""
_EXCERPT = 5
"""Questions that a page shows without its script."""
_SCRIPTS = ("decision.js", "sliders.js", "report.js")
_SECTIONS = {
    "figures": "Figures",
    "bases": "Base models",
    "front": "Trade-offs",
    "claims": "Claims",
    "money": "Money",
    "doubt": "Doubt",
    "sliders": "Sliders",
    "plan": "Plan",
    "method": "Method",
    "measurements": "Measurements",
    "compared": "Comparisons",
    "glossary": "Words",
    "questions": "Questions",
}
"""The sections of the page in their order, by their anchors; each has a template of its anchor's name."""
_COMMANDS = (
    ("the decision", "weighbridge decide"),
    ("the decision under other needs", "weighbridge decide --what-if volume=50000"),
    ("the money", "weighbridge cost"),
    ("the plan", "weighbridge plan"),
    ("this page", "weighbridge report"),
    ("the measurements themselves", "weighbridge compare"),
    ("the files behind it", "sha256sum weighbridge.yaml .weighbridge/*.json"),
)


@dataclass(frozen=True, slots=True)
class PageSection:
    """A section of the page: its anchor, and its name in the list of sections."""

    anchor: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """The leader against one other, by all priorities or by one figure."""

    rival: str
    by: str
    words: str
    drawn: Markup
    questions: str
    verdict: str = ""


def page(weighing: Weighing, dossier: Dossier = NO_DOSSIER, *, groups: frozenset[str] = PUBLIC) -> str:
    """Return the report as HTML of less than a megabyte, for a reader of these access groups.

    Text that only other groups may read is left out, and so is a section without data. The page needs no other file,
    and its policy forbids fetching any.
    """
    style, script = "\n".join((source("report.css"), gantt_style())), "\n".join(map(source, _SCRIPTS))
    island = build_island(weighing, groups=groups, budget=_ISLAND_BYTES)
    weighing = withhold_messages(weighing, groups)
    series = series_of(weighing)
    written = environment().get_template("report.html.j2").render(
        weighing=weighing,
        sections=_sections(weighing, dossier),
        said=findings.headline(weighing),
        first=findings.leader(weighing.decision),
        winner=weighing.decision.recommended,
        bases=compare_bases(weighing),
        currency=findings.currency(weighing),
        key_figures=[FIGURES[name] for name in KEY_FIGURES],
        measured={measurement.strategy: measurement for measurement in weighing.measurements},
        series=series,
        glance=glance_table(weighing),
        figure_groups=figure_groups(weighing),
        notes=findings.notes(weighing, findings.kinds_taken(weighing)),
        shortfalls=(*findings.shortfalls(weighing, findings.kinds_taken(weighing)), *break_evens(weighing)),
        charts=scatter_charts(weighing),
        hollow=any(place.dominated_by for place in weighing.decision.front),
        dominated=write_arms(front_sentence(weighing.decision.front), series),
        bars=outcome_bars(weighing),
        compared=_comparison_rows(weighing),
        priorities=list(dict.fromkeys(name for verdict in weighing.decision.verdicts for name in verdict.points)),
        excerpt=_excerpt(weighing, groups),
        island=Markup(island.text),  # noqa: S704 - build_island escapes what could end its element
        left_out=island.left_out,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy(style, script),
        **_dossier_parts(weighing, dossier, series),
    )  # fmt: skip
    return written.encode("utf-8", "replace").decode("utf-8")


def _sections(weighing: Weighing, dossier: Dossier) -> tuple[PageSection, ...]:
    """Return the sections that have something to show, in their order."""
    decision = weighing.decision
    present = {
        "bases": len(bases_of(measurement.strategy for measurement in weighing.measurements)) > 1,
        "front": any("accuracy" in measurement.figures for measurement in weighing.measurements),
        "claims": dossier.claims is not None,
        "money": dossier.ownership is not None,
        "doubt": bool(decision.doubt or decision.agreement),
        "sliders": dossier.needs is not None and len(weighing.measurements) > 1,
        "plan": dossier.plan is not None,
    }
    return tuple(PageSection(anchor, label) for anchor, label in _SECTIONS.items() if present.get(anchor, True))


def _dossier_parts(weighing: Weighing, dossier: Dossier, series: Mapping[str, int]) -> dict[str, Any]:
    """Return the values of the sections on money, doubt, the sliders, the plan and the files."""
    own, plan, published = dossier.ownership, dossier.plan, dossier.claims
    return {
        "claims": claim_figures(published.evidence, published.matrix, findings.currency(weighing))
        if published
        else None,
        "money": money_figures(own, series) if own else None,
        "cheapest": own.cheapest if own else "",
        "doubt": doubt_figures(weighing.decision, series),
        "agreement": weighing.decision.agreement,
        "sliders": make_sliders(dossier.needs) if dossier.needs else (),
        "decision_island": Markup(decision_island(weighing, dossier)),  # noqa: S704 - escaped there
        "plan": plan,
        "gantt": gantt(plan) if plan else None,
        "plan_words": plan_words,
        "files": dossier.files,
        "commands": _COMMANDS,
        "glossary": tuple(GLOSSARY.items()),
    }


def _comparison_rows(weighing: Weighing) -> Sequence[ComparedRow]:
    """Return the leads by all priorities with their verdicts, and under each the differences of single figures.

    The figures have no verdict of their own: they may be undecided where all priorities together are not.
    """
    decision, compared = weighing.decision, findings.against_leader(weighing)
    first, ranked_first = findings.leader(decision), next((v.strategy for v in decision.verdicts), None)
    # The leads are those of the first in points, which need not be the cheapest of its equals.
    leads = {lead.over: lead for lead in decision.leads} if first == ranked_first else {}
    widest = {c.figure: max(_farthest(o.difference) for o in compared if o.figure == c.figure) for c in compared}
    all_leads = max((max(abs(lead.low), abs(lead.high)) for lead in leads.values()), default=0.0)
    rows = []
    for rival in dict.fromkeys((*leads, *(comparison.right for comparison in compared))):
        if lead := leads.get(rival):
            reach = Reach(lead.value, lead.low, lead.high)
            rows.append(
                ComparedRow(
                    rival=rival,
                    by="all priorities",
                    words=write_lead(lead),
                    drawn=difference_bar(reach, all_leads or 1.0),
                    questions=f"{lead.questions:,}" if lead.questions else ABSENT,
                    verdict=findings.describe_lead(lead),
                )
            )
        for comparison in (one for one in compared if one.right == rival):
            kind, gap = FIGURES[comparison.figure], comparison.difference
            reach = Reach(gap.value, gap.low, gap.high)
            rows.append(
                ComparedRow(
                    rival=rival,
                    by=kind.label,
                    words=write_difference(kind, gap, findings.currency(weighing)),
                    drawn=difference_bar(reach, widest[comparison.figure] or 1.0),
                    questions=f"{gap.scored:,}",
                )
            )
    return rows


def _farthest(gap: Estimate) -> float:
    return max(abs(gap.low), abs(gap.high))


def _excerpt(weighing: Weighing, groups: frozenset[str]) -> Sequence[dict[str, Any]]:
    """Return the first questions that divide the strategies, for print and for browsers without scripts."""
    asked: dict[str, list[Record]] = {}
    for record in weighing.records:
        asked.setdefault(record.example_id, []).append(record)
    dividing = (
        {
            "question": one_line(example.question.text, 200),
            "accepted": [one_line(answer, 80) for answer in example.answers[:3]],
            "attempts": [_attempt(record) for record in asked.get(example.id, ())],
        }
        for example in weighing.examples
        if example.question.groups <= groups
        and not any(is_restricted(record, groups) for record in asked.get(example.id, ()))
        and len({r.outcome for r in asked.get(example.id, ())}) > 1
    )  # fmt: skip
    return list(islice(dividing, _EXCERPT))


def _attempt(record: Record) -> tuple[str, str, str]:
    """Return the strategy, the outcome and the text of an attempt."""
    if record.answer is None:
        return record.strategy, "error", one_line(record.error, 120)
    return record.strategy, record.outcome or "unscored", one_line(record.answer.text, 120)
