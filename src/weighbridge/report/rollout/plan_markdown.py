"""A plan as Markdown: for a wiki, an issue or a printer."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from weighbridge.decide.rollout.rollout_plan import Gate, Phase, Role, RolloutPlan
from weighbridge.formatting import NB, write_day
from weighbridge.report.rollout.plan_words import (
    REVIEW,
    gate_words,
    hours_words,
    kpi_cells,
    plan_currency,
    signals_words,
    span,
    weeks_of,
)
from weighbridge.report.safe_text import one_line

_SPECIAL = re.compile(r"[\\|<>\[\]*&]")


def plan_markdown(plan: RolloutPlan) -> str:
    """Return the whole plan. Texts from files stay texts: no table, link or tag comes of them."""
    lines = [
        f"# Roll-out of {_plain(plan.strategy)}: {_plain(plan.name)}",
        "",
        f"**{_plain(plan.headline)}**",
        "",
        *(f"- {_plain(note)}" for note in plan.notes),
        f"- {REVIEW}: {write_day(plan.review)}.",
        f"- Made on {write_day(plan.made_on)} from saved measurements. Hours are estimates.",
        "",
        *_table(("phase", "when", "days", "hours"), _phase_rows(plan)),
    ]
    for phase in plan.phases:
        lines += _phase(phase, plan)
    lines += ["## Hours", "", *_table(("role", *(f"phase {p.number}" for p in plan.phases), "all"), _hours_rows(plan))]
    risks = ((one.hazard, one.title, one.likelihood, one.impact, one.why, one.sign, one.answer) for one in plan.risks)
    heads = ("risk", "what may happen", "likelihood", "impact", "why", "sign to watch", "answer")
    lines += ["## Risks", "", *_table(heads, risks)]
    lines += ["## Rollback", ""]
    signals = f"when one of these targets reaches its alarm: {signals_words(plan)}"
    lines += [_plain(f"To {plan.rollback.to} ({plan.rollback.basis.words}), {signals}."), ""]
    lines += [f"{number}. {_plain(step)}" for number, step in enumerate(plan.rollback.steps, start=1)]
    targets = ((kpi.label, *kpi_cells(kpi), kpi.basis.words, kpi.how) for kpi in plan.kpis)
    lines += ["", "## Targets of operation", ""]
    lines += _table(("figure", "target", "alarm", "measured", "target from", "how to measure"), targets)
    return "\n".join(lines).rstrip() + "\n"


def _phase_rows(plan: RolloutPlan) -> Iterator[Sequence[str]]:
    for phase in plan.phases:
        yield (
            f"{phase.number}. {phase.title}",
            weeks_of(phase),
            span(phase.start, phase.end),
            hours_words(sum(phase.hours.values())),
        )
    yield "", "", "all", hours_words(plan.total_hours)


def _phase(phase: Phase, plan: RolloutPlan) -> list[str]:
    days = span(phase.start, phase.end)
    lines = [f"## {phase.number}. {phase.title} ({weeks_of(phase)}, {days})", ""]
    lines += ["Before it begins:", "", *_gates(phase.entry, plan)]
    rows = (
        (f"{task.title}. {task.detail}" if task.detail else task.title, task.role, hours_words(task.hours),
         span(task.start, task.end), task.basis.words)
        for task in phase.tasks
    )  # fmt: skip
    lines += _table(("task", "owner", "hours", "days", "because of"), rows)
    return [*lines, "Before the next one:", "", *_gates(phase.exit, plan)]


def _gates(gates: Sequence[Gate], plan: RolloutPlan) -> list[str]:
    currency = plan_currency(plan)
    return [*(f"- [{'x' if gate.is_open else ' '}] {_plain(gate_words(gate, currency))}" for gate in gates), ""]


def _hours_rows(plan: RolloutPlan) -> Iterator[Sequence[str]]:
    for role in get_args(Role):
        if role in plan.hours:
            by_phase = (f"{phase.hours[role]:g}" if role in phase.hours else "" for phase in plan.phases)
            yield role, *by_phase, f"{plan.hours[role]:g}"
    yield "all", *(f"{sum(phase.hours.values()):g}" for phase in plan.phases), f"{plan.total_hours:g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(map(_plain, row))} |" for row in rows]
    return [*lines, ""]


def _plain(text: str) -> str:
    """Return a text on one line in which no character is Markdown, but for code between backticks."""
    parts = re.split(r"(`[^`]*`)", one_line(text).replace(NB, " "))
    return "".join(
        part.replace("|", r"\|") if part.startswith("`") else _SPECIAL.sub(lambda found: f"\\{found[0]}", part)
        for part in parts
    )
