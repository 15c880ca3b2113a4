"""The words of a plan that all its forms share: days, gates, targets, and texts made safe."""

from collections.abc import Sequence
from datetime import date

from weighbridge.decide.rollout.rollout_plan import Gate, GateUnit, Kpi, Phase, RolloutPlan, RolloutTask
from weighbridge.figures import FigureKind
from weighbridge.formatting import NB, write_amount, write_day
from weighbridge.report.safe_text import count_noun, one_line

REVIEW = "Review of all targets"


def write_figure(unit: GateUnit, value: float, currency: str = "USD") -> str:
    """Return a threshold or a target in its unit: ``83 %``, ``10 percentage points``, ``2.00 s``, ``82 days``."""
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "points":  # a distance of two shares
        return f"{100 * value:.0f}{NB}percentage{NB}points"
    if unit == "days":
        return count_noun(round(value), "day")
    kind = FigureKind(name="", label="", unit=unit, higher_is_better=True, meaning="")
    return write_amount(kind, value, currency)


def span(first: date, last: date) -> str:
    """Return two days with the year once: ``7 Dec to 18 Dec 2026``; one day alone where they are the same."""
    if first == last:
        return write_day(first)
    begin = write_day(first)
    return f"{begin if first.year != last.year else begin.rpartition(NB)[0]} to {write_day(last)}"


def weeks_of(phase: Phase) -> str:
    """Return the weeks of a phase: ``weeks 1 to 2``."""
    first, last = phase.weeks
    return f"week {first}" if first == last else f"weeks {first} to {last}"


def hours_words(hours: float) -> str:
    """Return hours: ``6 h``, ``8.5 h``."""
    return f"{hours:,g}{NB}h"


def gate_words(gate: Gate, currency: str, *, origin: bool = True) -> str:
    """Return a gate in words: the figure, its threshold, its value now, and the origin of the threshold."""
    wanted = f"{gate.label} {gate.direction} {write_figure(gate.unit, gate.threshold, currency)}"
    now = "unknown" if gate.measured is None else write_figure(gate.unit, gate.measured, currency)
    # A threshold of something that nobody measured yet needs its origin most.
    origin = origin or gate.measured is None
    return one_line(f"{wanted} (now {now}{f'; {gate.basis.words}' if origin else ''})")


def plan_currency(plan: RolloutPlan) -> str:
    """Return the currency of the costs."""
    return next((kpi.currency for kpi in plan.kpis if kpi.currency), "USD")


def kpi_cells(kpi: Kpi) -> tuple[str, str, str]:
    """Return the target, the alarm and the measured value of a figure."""
    target, alarm = (write_figure(kpi.unit, value, kpi.currency) for value in (kpi.target, kpi.alarm))
    beyond = "below" if kpi.direction == "at least" else "above"
    now = "not yet" if kpi.measured is None else write_figure(kpi.unit, kpi.measured, kpi.currency)
    return f"{kpi.direction} {target}", f"{beyond} {alarm}", now


def signals_words(plan: RolloutPlan) -> str:
    """Return the signals of the rollback, by the labels of the targets."""
    labels = {kpi.name: kpi.label for kpi in plan.kpis}
    return ", ".join(labels[name] for name in plan.rollback.signals)


def work_runs(task: RolloutTask, plan: RolloutPlan) -> Sequence[tuple[date, date]]:
    """Return the stretches of a task that no holiday or weekend interrupts, as first and last days."""
    runs: list[tuple[date, date]] = []
    for ordinal in range(task.start.toordinal(), task.end.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day.weekday() not in plan.working_days or day in plan.holidays:
            continue
        if runs and (day - runs[-1][1]).days == 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
