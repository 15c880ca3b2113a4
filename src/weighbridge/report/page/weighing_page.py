"""A weighing as one self-contained web page: it needs no network, and no script but to browse the questions."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from weighbridge import formatting as words
from weighbridge.figures import FIGURES
from weighbridge.formatting import probability, write_difference
from weighbridge.report import findings
from weighbridge.report.charts import drawing
from weighbridge.report.money import break_evens
from weighbridge.report.page.page_figures import figure_groups, outcome_bars, scatter_charts
from weighbridge.report.page.questions_json import build_island, is_restricted
from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.results import Record, Weighing
from weighbridge.types import PUBLIC

_ISLAND_BYTES = 780_000
"""The share of the questions in a page of less than a megabyte."""
_KEY_FIGURES = ("accuracy", "hallucination", "latency_p95", "memory", "cost_per_thousand")
_EXCERPT = 5
"""Questions that a page shows without its script."""
_JOINED = re.compile(r"(?=\S{3,40}(?:\s|$))\S+[-\N{EN DASH}]\S+")
"""Words of moderate length with a hyphen or a dash in them."""


def page(weighing: Weighing, *, groups: frozenset[str] = PUBLIC) -> str:
    """Return the report as HTML of less than a megabyte, for a reader of these access groups.

    Text that only other groups may read is left out. The page needs no other file, and its policy forbids fetching any.
    """
    style, script = source("report.css"), source("report.js")
    island = build_island(weighing, groups=groups, budget=_ISLAND_BYTES)
    weighing = _without_closed_messages(weighing, groups)
    written = environment().get_template("report.html.j2").render(
        weighing=weighing,
        said=findings.headline(weighing),
        first=findings.leader(weighing.decision),
        currency=findings.currency(weighing),
        key_figures=[FIGURES[name] for name in _KEY_FIGURES],
        measured={measurement.strategy: measurement for measurement in weighing.measurements},
        series={measurement.strategy: place for place, measurement in enumerate(weighing.measurements)},
        figure_groups=figure_groups(weighing),
        notes=findings.notes(weighing, findings.kinds_taken(weighing)),
        shortfalls=(*findings.shortfalls(weighing, findings.kinds_taken(weighing)), *break_evens(weighing)),
        charts=scatter_charts(weighing),
        bars=outcome_bars(weighing),
        compared=_comparison_rows(weighing),
        priorities=list(dict.fromkeys(name for verdict in weighing.decision.verdicts for name in verdict.points)),
        excerpt=_excerpt(weighing, groups),
        island=Markup(island.text),  # noqa: S704 - build_island escapes what could end its element
        left_out=island.left_out,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy(style, script),
    )  # fmt: skip
    return written.encode("utf-8", "replace").decode("utf-8")


def _without_closed_messages(weighing: Weighing, groups: frozenset[str]) -> Weighing:
    """Return the weighing without the messages on questions that the reader may not see: they may quote them."""
    closed = {example.id for example in weighing.examples if not example.question.groups <= groups}
    records = tuple(
        replace(record, error="", scores=tuple(replace(score, reason="") for score in record.scores))
        if record.example_id in closed or is_restricted(record, groups)
        else record
        for record in weighing.records
    )
    told = {(record.strategy, record.error) for record in records}
    measurements = tuple(
        replace(one, errors=tuple(error for error in one.errors if (one.strategy, error) in told))
        for one in weighing.measurements
    )
    return replace(weighing, records=records, measurements=measurements)


@cache
def environment() -> Environment:
    """Return the environment of all pages: their filters, and the functions for their templates."""
    made = Environment(
        loader=PackageLoader("weighbridge.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"plain": one_line, "whole": _whole}
    made.globals |= {
        "glyph": drawing.glyph,
        "findings": findings,
        "words": words,
        "count_noun": count_noun,
    }
    return made


def _whole(text: str) -> Markup:
    """Return a text that never breaks at a hyphen or a dash: neither in a name nor in an interval."""
    return Markup(_JOINED.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped before


def source(name: str) -> str:
    """Return a file from beside the templates."""
    return (files("weighbridge.report") / "templates" / name).read_text(encoding="utf-8").strip()


def policy(style: str, script: str = "") -> str:
    """Return a content security policy that allows this style and this script by their hashes, and nothing else."""
    allowed = {"style-src": style, "script-src": script}
    hashes = {key: b64encode(hashlib.sha256(text.encode()).digest()).decode() for key, text in allowed.items() if text}
    listed = "".join(f"{key} 'sha256-{value}'; " for key, value in hashes.items())
    return f"default-src 'none'; {listed}base-uri 'none'; form-action 'none'"


def _comparison_rows(weighing: Weighing) -> Sequence[dict[str, Any]]:
    compared = findings.against_leader(weighing)
    widest = {
        c.figure: max(max(abs(o.difference.low), abs(o.difference.high)) for o in compared if o.figure == c.figure)
        for c in compared
    }
    return [
        {
            "right": c.right,
            "kind": FIGURES[c.figure],
            "words": write_difference(FIGURES[c.figure], c.difference, findings.currency(weighing)),
            "chart": drawing.difference_bar(
                drawing.Reach(c.difference.value, c.difference.low, c.difference.high), widest[c.figure] or 1.0
            ),
            "scored": c.difference.scored,
            "p": probability(c.p_value),
            "adjusted": probability(c.p_adjusted),
            "needed": c.examples_needed,
        }
        for c in compared
    ]


def _excerpt(weighing: Weighing, groups: frozenset[str]) -> Sequence[dict[str, Any]]:
    """Return the first questions that divide the strategies, for print and for browsers without scripts."""
    asked: dict[str, list[Record]] = {}
    for record in weighing.records:
        asked.setdefault(record.example_id, []).append(record)
    told = [
        {
            "question": one_line(example.question.text, 200),
            "accepted": [one_line(answer, 80) for answer in example.answers[:3]],
            "attempts": [_attempt(record) for record in asked.get(example.id, ())],
        }
        for example in weighing.examples
        if example.question.groups <= groups
        and not any(is_restricted(record, groups) for record in asked.get(example.id, ()))
        and len({r.outcome for r in asked.get(example.id, ())}) > 1
    ]  # fmt: skip
    return told[:_EXCERPT]


def _attempt(record: Record) -> tuple[str, str, str]:
    """Return the strategy, the outcome and the text of an attempt."""
    if record.answer is None:
        return record.strategy, "error", one_line(record.error, 120)
    return record.strategy, record.outcome or "unscored", one_line(record.answer.text, 120)
