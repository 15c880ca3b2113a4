"""Prints a plan: phases with their tasks and gates, then risks, targets and the rollback. For 80 columns and more."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge.decide.rollout.rollout_plan import Gate, Phase, RolloutPlan
from weighbridge.formatting import write_day
from weighbridge.report.printed_sentence import Sentence
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


def render_plan(plan: RolloutPlan) -> RenderableType:
    """Return a plan as a rich renderable. An open gate has a cross in its box, so nothing is told by colour alone."""
    parts: list[RenderableType] = [
        Sentence(f"{one_line(plan.name)}, planned on {write_day(plan.made_on)}", "dim"),
        Text(),
        Sentence(one_line(plan.headline), "bold"),
        *(Sentence(one_line(note), first="\N{BULLET} ") for note in plan.notes),
        Sentence(f"{REVIEW}: {write_day(plan.review)}.", first="\N{BULLET} "),
    ]
    for phase in plan.phases:
        parts += _phase(phase, plan)
    hours = ", ".join(f"{role} {hours_words(spent)}" for role, spent in plan.hours.items())
    parts += [Text(), Sentence(f"Hours: {hours}; {hours_words(plan.total_hours)} in all.")]
    risks = [(one.hazard, one.likelihood, one.impact, one.sign) for one in plan.risks]
    parts += [Text(), _table("Risks", ("risk", "likely", "impact", "sign to watch"), risks)]
    targets = [(kpi.label, *kpi_cells(kpi)) for kpi in plan.kpis]
    parts += [Text(), _table("Targets of operation", ("figure", "target", "alarm", "measured"), targets)]
    unmeasured = [kpi for kpi in plan.kpis if kpi.measured is None]
    parts += [Sentence(one_line(f"{kpi.label}: {kpi.basis.words}"), "dim", " ") for kpi in unmeasured]
    parts += [Text(), Text("Rollback", style="bold")]
    parts.append(Sentence(one_line(f"To {plan.rollback.to}, on an alarm of: {signals_words(plan)}.")))
    parts += [Sentence(one_line(step), first=f"{number}. ") for number, step in enumerate(plan.rollback.steps, start=1)]
    return Group(*parts)


def _phase(phase: Phase, plan: RolloutPlan) -> list[RenderableType]:
    title = f"{phase.number}. {phase.title}: {weeks_of(phase)}, {span(phase.start, phase.end)}"
    rows = [
        (task.title, task.role, hours_words(task.hours), span(task.start, task.end).rpartition("\N{NO-BREAK SPACE}")[0])
        for task in phase.tasks
    ]
    table = _table(title, ("task", "owner", "hours", "days"), rows)
    return [Text(), table, *_gates("begin:", phase.entry, plan), *_gates("end:", phase.exit, plan)]


def _gates(word: str, gates: Sequence[Gate], plan: RolloutPlan) -> list[RenderableType]:
    currency = plan_currency(plan)
    return [
        Sentence(gate_words(gate, currency, origin=False), "dim", f"{'[x]' if gate.is_open else '[ ]'} {word} ")
        for gate in gates
    ]


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False,
        show_edge=False, header_style="",
    )  # fmt: skip
    for number, head in enumerate(heads):
        last = number == len(heads) - 1
        table.add_column(head, overflow="fold", no_wrap=0 < number < len(heads) - 1 or (last and head == "days"))
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table
