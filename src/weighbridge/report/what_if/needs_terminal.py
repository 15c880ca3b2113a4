"""Prints needs in words: limits, weights and curves, and what proposed needs would change."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge.decide.elicit.swing import SwingRange
from weighbridge.decide.what_if.contrast import DecisionContrast, describe_outlook
from weighbridge.decide.what_if.retake import Retaken
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, percentage, write_amount
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import one_line
from weighbridge.settings.curves import CRITERIA, curve_for
from weighbridge.settings.needs import Needs, Prices, Priorities

_ARROW = "\N{RIGHTWARDS ARROW}"


def render_needs(needs: Needs, prices: Prices) -> RenderableType:
    """Return the present needs for 80 columns: limits, weights with their curves, stakeholders and load."""
    set_limits = [
        f"{name}: {'true' if value is True else f'{value:g}'}. {field.description}"
        for name, field in type(needs.limits).model_fields.items()
        if (value := getattr(needs.limits, name)) not in (None, False)
    ]
    weights = {name: getattr(needs.priorities, name) for name in CRITERIA}
    people = [
        f"{one_line(name)}: {', '.join(f'{priority} {weight:g}' for priority, weight in given.items())}"
        for name, given in needs.stakeholders.items()
    ]
    load = (
        f"{needs.answers_per_month:,} answers a month for {needs.months} months, at {prices.machine_per_hour:g} "
        f"{prices.currency} for an hour of the machine. Leads surely below {needs.indifference:g} points are equal."
    )
    return Group(
        Text("Limits: a strategy that breaks one is never recommended", style="bold"),
        *_bullets(set_limits or ["None is set. needs.limits in weighbridge.yaml, or a preset, sets some."]),
        Text(),
        Text("Priorities: what the others are ranked by", style="bold"),
        _weights_table(weights, needs),
        *([Text(), Text("Stakeholders", style="bold"), *_bullets(people)] if people else []),
        Text(),
        Sentence(load),
        Sentence("To be asked: weighbridge needs --by swing, or --by pairs. For a usual case: --preset support-desk."),
    )


def render_proposed(
    weights: Mapping[str, float],
    remarks: Sequence[str],
    needs: Needs,
    decisions: tuple[Retaken, Retaken, DecisionContrast] | None,
    lines: Sequence[str],
) -> RenderableType:
    """Return proposed weights, how they came about, the decision they lead to, and the lines that would change."""
    parts: list[RenderableType] = [Text("Weights", style="bold"), _weights_table(weights, needs), *_bullets(remarks)]
    if decisions is None:
        parts += [Text(), Sentence("Nothing is weighed here yet, so there is no decision: weighbridge compare")]
    else:
        now, then, contrast = decisions
        parts += [
            Text(),
            Sentence(f"Now {one_line(describe_outlook(now.decision))}.", "bold"),
            Sentence(f"With these needs {one_line(describe_outlook(then.decision))}.", "bold"),
            *_bullets(contrast.differences or ("Nothing changes.",)),
        ]
    changed = [Text(f"  {line}") for line in lines]
    return Group(*parts, *([Text(), Text("In weighbridge.yaml", style="bold"), *changed] if changed else []))


def describe_range(one: SwingRange, currency: str) -> str:
    """Return an improvement in words: `from 36 % to 83 %`."""
    relative = not one.measured and CRITERIA[one.priority].relative
    worst, best = (_amount(one.priority, value, currency, relative=relative) for value in (one.worst, one.best))
    return f"from {worst} to {best}"


def describe_priority(name: str) -> str:
    """Return a priority with its meaning: `accuracy (right answers)`."""
    meaning = (Priorities.model_fields[name].description or "").split(".")[0]
    return f"{name} ({meaning[:1].lower()}{meaning[1:]})"


def _weights_table(weights: Mapping[str, float], needs: Needs) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="")
    table.add_column("priority", no_wrap=True)
    table.add_column("weight", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("points of 100")
    total = sum(weights.values())
    for name in CRITERIA:
        if weight := weights.get(name, 0.0):
            table.add_row(*map(Text, (name, f"{weight:g}", percentage(weight / total), _curve_words(name, needs))))
    without = [name for name in CRITERIA if not weights.get(name)]
    if without:
        table.add_row(Text("weight 0:", style="dim"), "", "", Text(", ".join(without), style="dim"))
    return table


def _curve_words(name: str, needs: Needs) -> str:
    curve = curve_for(name, needs.curves)
    return ", ".join(
        f"{_amount(name, value * curve.unit, 'USD', relative=curve.relative)}{NB}{_ARROW}{NB}{100 * utility:g}"
        for value, utility in curve.points
    )


def _amount(name: str, value: float, currency: str, *, relative: bool) -> str:
    if relative:
        return "the cheapest" if value == 1 else f"{value:g}{NB}times the cheapest"
    return write_amount(FIGURES[CRITERIA[name].figure], value, currency)


def _bullets(sentences: Sequence[str]) -> list[RenderableType]:
    return [Sentence(one_line(sentence), first="\N{BULLET} ") for sentence in sentences]
