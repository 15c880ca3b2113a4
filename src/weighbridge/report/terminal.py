"""Prints a weighing: the decision first, then its reasons and figures.

Made for 80 columns and more; nothing is told by colour alone.
"""

from collections.abc import Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge.arms import base_of, strategy_of
from weighbridge.figures import FIGURES, FigureKind
from weighbridge.formatting import figure, write_amount, write_difference, write_lead
from weighbridge.report.base_models import ACROSS, BaseModels, compare_bases
from weighbridge.report.findings import (
    against_leader,
    currency,
    describe_lead,
    headline,
    leader,
    leak_check,
    limit_sentences,
    notes,
    shortfalls,
    steps,
    too_small_model,
    what_was_tested,
    why_absent,
)
from weighbridge.report.money import break_evens
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import ABSENT, one_line, superscript_number
from weighbridge.results import Measurement, Weighing

_WINNER = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
_GOOD = (("accuracy",), ("hallucination",), ("needless_abstention", "missed_abstention"), ("recall",))
_TAKES = (("latency_p50",), ("latency_p95",), ("memory",), ("disk",), ("setup",), ("cost_per_thousand",))
"""The columns of the two tables; figures that share a column stand beside each other."""
_WITH_INTERVAL = frozenset({"accuracy", "hallucination"})
_HEADS = {
    "needless_abstention": "abstention\nneedless/\nmissed",
    "recall": "evidence\nrecall",
    "latency_p50": "latency\np50",
    "latency_p95": "latency\np95",
    "cost_per_thousand": "cost per\n1,000",
}
"""Headers over several lines, where the label is wider than the figures under it."""
_Columns = Sequence[tuple[str, ...]]
_NAME = 18
"""Most letters of a strategy's name: fine-tuned@small has 16."""
_BASES_BESIDE = 3
"""Base models in one table of 80 columns; more have further tables."""


def render_weighing(weighing: Weighing) -> RenderableType:
    """Return a weighing as a rich renderable for a console of at least 80 columns."""
    said = headline(weighing)
    return Group(
        Sentence(f"{one_line(weighing.name)}, weighed {one_line(weighing.taken_at)}", "dim"),
        Text(),
        Sentence(said.text, "bold"),
        Sentence(one_line(said.sure)),
        *_points([too_small_model(weighing)]),
        *_points(weighing.decision.reasons),
        *_points(limit_sentences(weighing.decision)),
        Text(),
        _figures(weighing, "How good the answers are", _GOOD),
        Text(),
        _figures(weighing, "Time, memory and cost", _TAKES),
        *_notes(weighing),
        *_base_models(compare_bases(weighing)),
        *_comparison_table(weighing),
        *_section("What would change it", _points(weighing.decision.would_change)),
        *_section("How it was measured", _points((what_was_tested(weighing), leak_check(weighing), steps(weighing)))),
    )


def _figures(weighing: Weighing, title: str, columns: _Columns) -> Table:
    shown = [kinds for names in columns if (kinds := _taken_kinds(weighing, [names]))]
    reasons = notes(weighing, _taken_kinds(weighing, (*_GOOD, *_TAKES)))
    table = _table(title)
    table.add_column("strategy", no_wrap=True)
    for kinds in shown:
        table.add_column(_HEADS.get(kinds[0].name, kinds[0].label), justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    winner = weighing.decision.recommended
    for measurement in weighing.measurements:
        cells = [" / ".join(_cell(kind, measurement, reasons, currency(weighing)) for kind in kinds) for kinds in shown]
        wins = measurement.strategy == winner
        named = f"{_WINNER if wins else ' '} {one_line(measurement.strategy, _NAME)}"
        failed = f"{measurement.failures:,}/{measurement.attempts:,}"
        table.add_row(*map(Text, (named, *cells, failed)), style="bold" if wins else "")
    return table


def _base_models(compared: BaseModels | None) -> list[RenderableType]:
    """Return accuracy by strategy and base model, and the differences that are beyond chance."""
    if compared is None:
        return []
    parts: list[RenderableType] = [Text(), Text("Base model against strategy: accuracy", style="bold")]
    for start in range(0, len(compared.bases), _BASES_BESIDE):
        table = _table("")
        table.title = None  # it would break at the width of a narrow table
        table.add_column("strategy", no_wrap=True)
        for base in compared.bases[start : start + _BASES_BESIDE]:
            table.add_column(one_line(base, 20), justify="right", no_wrap=True)
        for strategy, row in zip(compared.strategies, compared.cells, strict=True):
            cells = [
                Text(f"{cell.accuracy} ({cell.bounds})" if cell.bounds else cell.accuracy, "bold" * cell.is_best)
                for cell in row[start : start + _BASES_BESIDE]
            ]
            table.add_row(Text(f"  {one_line(strategy, 14)}"), *cells)
        parts += [Text(), table] if start else [table]
    if compared.pairs:
        table = _table("The best of each base model against its others, then across")
        for name in ("against", "difference", "corrected", "verdict"):
            table.add_column(name, no_wrap=True)
        for (scope, left), pairs in groupby(compared.pairs, key=lambda pair: (pair.scope, pair.left)):
            table.add_row(Text(f"{one_line(left, _NAME)}{', across' if scope == ACROSS else ''}", "bold"))
            for pair in pairs:
                table.add_row(*map(Text, (f"  {one_line(pair.right, _NAME)}", pair.words, pair.test, pair.verdict)))
        parts += [Text(), table]
    return [*parts, *(Sentence(one_line(line), "dim", " ") for line in compared.sentences)]


def _taken_kinds(weighing: Weighing, columns: _Columns) -> tuple[FigureKind, ...]:
    names = [name for column in columns for name in column]
    return tuple(FIGURES[name] for name in names if any(name in m.figures for m in weighing.measurements))


def _cell(kind: FigureKind, measurement: Measurement, reasons: Sequence[str], money: str) -> str:
    estimate = measurement.figures.get(kind.name)
    if estimate is None:
        return ABSENT + superscript_number(reasons.index(why_absent(kind, measurement)) + 1)
    return figure(kind, estimate, money) if kind.name in _WITH_INTERVAL else write_amount(kind, estimate.value, money)


def _notes(weighing: Weighing) -> list[RenderableType]:
    shown = _taken_kinds(weighing, (*_GOOD, *_TAKES))
    reasons = notes(weighing, shown)
    marked = "; ".join(f"{superscript_number(number)} {reason}" for number, reason in enumerate(reasons, start=1))
    absent = f" {ABSENT} {marked}." if marked else ""
    lines = [f"In brackets: the 95\N{NO-BREAK SPACE}% interval.{absent}", *shortfalls(weighing, shown)]
    lines += break_evens(weighing)
    return [Sentence(line, "dim", " ") for line in lines]


def _comparison_table(weighing: Weighing) -> list[RenderableType]:
    """Return the leads by all priorities, with their verdicts, and under each the differences of single figures.

    The figures have no verdict of their own: they may be undecided where all priorities together are not.
    """
    first, leads = leader(weighing.decision), {lead.over: lead for lead in weighing.decision.leads}
    compared = against_leader(weighing)
    # The leads are those of the first in points, which need not be the cheapest of its equals.
    ranked_first = next((v.strategy for v in weighing.decision.verdicts), None)
    rivals = list(dict.fromkeys((*(leads if first == ranked_first else ()), *(c.right for c in compared))))
    if first is None or not rivals:
        return []
    table = _table(f"{one_line(first)} against the others, on the questions both answered")
    for name in ("against", "by", "difference"):
        table.add_column(name, no_wrap=True)
    table.add_column("questions", justify="right", no_wrap=True)
    table.add_column("verdict")
    for rival in rivals:
        names = iter(_name_lines(rival))
        if first == ranked_first and (lead := leads.get(rival)) is not None:
            asked = f"{lead.questions:,}" if lead.questions else ABSENT
            cells = (next(names), "all priorities", write_lead(lead), asked, describe_lead(lead))
            table.add_row(*map(Text, cells))
        for comparison in compared:
            if comparison.right == rival:
                kind, gap = FIGURES[comparison.figure], comparison.difference
                words = write_difference(kind, gap, currency(weighing), unit="pp")
                table.add_row(*map(Text, (next(names, ""), kind.label, words, f"{gap.scored:,}", "")))
    units = Sentence("pp: percentage points. Points are of 100, by all priorities together.", "dim", " ")
    return [Text(), table, units]


def _name_lines(arm: str) -> tuple[str, ...]:
    """Return a name for the first rows of a group: narrower with the base model under the strategy."""
    strategy, base = strategy_of(arm), base_of(arm)
    return (f"  {one_line(strategy, 14)}", *([f"  @{one_line(base, 13)}"] if base else []))


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False,
        show_edge=False, header_style="",
    )  # fmt: skip


def _section(title: str, lines: Sequence[RenderableType]) -> list[RenderableType]:
    return [Text(), Text(title, style="bold"), *lines] if lines else []


def _points(sentences: Sequence[str]) -> list[RenderableType]:
    return [Sentence(one_line(sentence), first="\N{BULLET} ") for sentence in sentences if sentence]
