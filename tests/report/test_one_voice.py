"""Headline, reasons, tables and page speak with one voice: one winner, one number of questions, one certainty."""

import re
from dataclasses import replace
from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from weighbridge.decide.decide import decide
from weighbridge.evaluate.outcomes import joint_outcomes
from weighbridge.evaluate.summarise import Footprint, compare_all, summarise
from weighbridge.report.findings import describe_lead, headline
from weighbridge.report.page.weighing_page import page
from weighbridge.report.terminal import render_weighing
from weighbridge.results import Estimate, Weighing
from weighbridge.settings.needs import Limits, Needs, Priorities

from ..decide.test_known_answers import record
from .sample import weighing

NAMES = ("alpha", "beta", "gamma")


@st.composite
def weighings(draw: st.DrawFn) -> Weighing:
    """Return a weighing of two or three strategies, decided by some needs."""
    names = NAMES[: draw(st.integers(2, 3))]
    asked = draw(st.sampled_from([12, 60, 300]))
    common = draw(st.integers(0, asked))
    marks = {
        name: "r" * common + "w" * (asked - common - won) + "r" * won
        for name in names
        for won in [draw(st.integers(0, min(6, asked - common)))]
    }
    records = {name: [record(name, number, mark) for number, mark in enumerate(row)] for name, row in marks.items()}
    measured = []
    for name, rows in records.items():
        made = summarise(rows, [], task="answer", strategy=name, seed=7, footprint=Footprint(cites=True))
        cost = draw(st.sampled_from([1.0, 1.1, 4.0]))
        price = Estimate(value=cost, low=cost, high=cost, scored=1)
        measured.append(replace(made, figures={**made.figures, "cost_per_thousand": price}))
    needs = Needs(
        limits=Limits(minimum_accuracy=draw(st.sampled_from([None, 0.0, 0.5]))),
        priorities=Priorities(accuracy=5, hallucination=3, latency=0, cost=draw(st.sampled_from([0.0, 1.0]))),
    )
    comparisons = compare_all(records, seed=7)
    return replace(
        weighing(),
        measurements=tuple(measured),
        comparisons=comparisons,
        decision=decide(measured, comparisons, needs, joint_outcomes(records)),
        records=(),
    )


def printed(value: Weighing) -> str:
    file = StringIO()
    Console(file=file, width=500, color_system=None, legacy_windows=False).print(render_weighing(value))
    return file.getvalue().replace("\u00a0", " ")


def text_of(html: str) -> str:
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", plain.replace("\u00a0", " ").replace("&nbsp;", " "))


@settings(max_examples=25, deadline=None)
@given(weighings())
def test_headline_terminal_and_page_say_the_same(value: Weighing):
    decision = value.decision
    said = headline(value)
    shown = {"terminal": printed(value), "page": text_of(page(value))}
    for place, text in shown.items():
        assert " ".join(said.text.replace("\u00a0", " ").split()) in " ".join(text.split()), place
        used = set(re.findall(r"\bUse (\w+)", text))
        assert used == ({decision.recommended} if decision.recommended else set()), place
        numbers = set(re.findall(r"About ([\d,]+) more questions? would settle", text))
        assert len(numbers) <= 1, f"{place} names different numbers of questions"
    assert ("\u25b8" in shown["terminal"]) == bool(decision.recommended), "the mark of the winner"


@settings(max_examples=25, deadline=None)
@given(weighings())
def test_nothing_is_called_certain_that_is_not(value: Weighing):
    decision, said = value.decision, headline(value).sure
    for lead in decision.leads:
        words = describe_lead(lead)
        assert (words in {"beyond chance", "as measured"}) == lead.certain
        claimed = re.search(r"ahead of (.*?) beyond chance", said)
        if claimed and lead.over in claimed[1]:
            assert lead.certain
    if decision.outlook == "recommended":
        assert all(lead.certain for lead in decision.leads)
        assert "could be chance" not in said
    if decision.outlook == "the cheapest of the equals":
        assert all(lead.certain or lead.equal for lead in decision.leads)
    if decision.outlook == "not decisive":
        assert any(not lead.certain for lead in decision.leads)
