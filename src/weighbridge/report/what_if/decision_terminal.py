"""Prints a decision that was taken again, and two decisions side by side."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge.decide.what_if.contrast import DecisionContrast, describe_outlook
from weighbridge.decide.what_if.reprice import COST
from weighbridge.decide.what_if.retake import Retaken
from weighbridge.figures import FIGURES
from weighbridge.formatting import points, write_amount
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import ABSENT, one_line
from weighbridge.results import Measurement, Verdict

_FIGURES = ("accuracy", "hallucination", "latency_p50", "memory", COST)
_HEADS = {"latency_p50": "latency\np50", COST: "cost per\n1,000"}


def render_decision(taken: Retaken) -> RenderableType:
    """Return a decision as a rich renderable for 80 columns: the sentence, its reasons, the points, its sensitivity."""
    found = taken.measurements
    table = _table()
    shown = [FIGURES[name] for name in _FIGURES if any(name in one.figures for one in found.measurements)]
    for head in ("strategy", "points", *(_HEADS.get(kind.name, kind.label) for kind in shown)):
        table.add_column(head, no_wrap=True, justify="left" if head == "strategy" else "right")
    measured = {one.strategy: one for one in found.measurements}
    for verdict in taken.decision.verdicts:
        cells = [_amount(measured[verdict.strategy], kind.name) for kind in shown]
        name = f"{_OUT if verdict.broken_limits else ' '} {one_line(verdict.strategy, 20)}"
        table.add_row(*map(Text, (name, points(verdict.total), *cells)))
    return Group(
        Sentence(f"{one_line(found.name)}, weighed {one_line(found.taken_at)}, decided again", "dim"),
        Text(),
        Sentence(_capital(describe_outlook(taken.decision)) + ".", "bold"),
        *_bullets(taken.decision.reasons),
        Text(),
        table,
        *_note(taken.decision.verdicts),
        *_section("What would change it", taken.decision.would_change),
    )


def render_what_if(now: Retaken, then: Retaken, contrast: DecisionContrast, changes: Sequence[str]) -> RenderableType:
    """Return two decisions side by side; `changes` are the differences of the needs and prices, in words."""
    table = _table()
    table.add_column("strategy", no_wrap=True)
    for head in ("points\nnow", "points\nthen", "cost per\n1,000 now", "cost per\n1,000 then"):
        table.add_column(head, justify="right", no_wrap=True)
    before = {one.strategy: one for one in now.measurements.measurements}
    after = {one.strategy: one for one in then.measurements.measurements}
    later = {verdict.strategy: verdict for verdict in then.decision.verdicts}
    for verdict in now.decision.verdicts:
        name, other = verdict.strategy, later.get(verdict.strategy)
        scores = _points(verdict), _points(other)
        costs = _amount(before[name], COST), _amount(after[name], COST) if name in after else ABSENT
        table.add_row(*map(Text, (one_line(name, 20), *scores, *costs)))
    out = any(one.broken_limits for one in (*now.decision.verdicts, *then.decision.verdicts))
    return Group(
        Sentence(f"What if: {'; '.join(map(one_line, changes))}", "dim"),
        Text(),
        Sentence(f"Now {one_line(describe_outlook(now.decision))}.", "bold"),
        Sentence(f"Then {one_line(describe_outlook(then.decision))}.", "bold"),
        Text(),
        table,
        *([Sentence(f"{_OUT} breaks a limit.", "dim", " ")] if out else []),
        *_section("What changes", contrast.differences or ("Nothing.",)),
        *_section("What stays", contrast.same),
        *_section("Why, then", then.decision.reasons),
    )


_OUT = "\N{MULTIPLICATION SIGN}"
"""Marks a strategy that breaks a limit; nothing is shown by colour alone."""


def _points(verdict: Verdict | None) -> str:
    if verdict is None:
        return ABSENT
    return f"{_OUT} {points(verdict.total)}" if verdict.broken_limits else points(verdict.total)


def _amount(measurement: Measurement, figure: str) -> str:
    estimate = measurement.figures.get(figure)
    if estimate is None:
        return ABSENT
    return write_amount(FIGURES[figure], estimate.value, measurement.cost.currency if measurement.cost else "USD")


def _note(verdicts: Sequence[Verdict]) -> list[RenderableType]:
    broken = [
        f"{_OUT} {one_line(one.strategy)} breaks a limit: {'; '.join(map(one_line, one.broken_limits))}."
        for one in verdicts
        if one.broken_limits
    ]
    return [Sentence(line, "dim", " ") for line in broken]


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="")


def _section(title: str, sentences: Sequence[str]) -> list[RenderableType]:
    return [Text(), Text(title, style="bold"), *_bullets(sentences)] if sentences else []


def _bullets(sentences: Sequence[str]) -> list[RenderableType]:
    return [Sentence(one_line(sentence), first="\N{BULLET} ") for sentence in sentences if sentence]


def _capital(text: str) -> str:
    """Return a sentence with its first letter as a capital, but never that of a strategy's name."""
    return text[:1].upper() + text[1:] if text.startswith(("there", "no ", "none")) else text
