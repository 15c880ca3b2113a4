"""The brief: the report's own figures and sentences, inert, without restricted text."""

from dataclasses import replace

import pytest
from selectolax.lexbor import LexborHTMLParser

from weighbridge.report import findings
from weighbridge.report.page.brief_page import brief
from weighbridge.results import Measurement

from ..sample_dossier import full_dossier, full_weighing, long_weighing

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")


@pytest.mark.parametrize("outlook", OUTLOOKS)
def test_it_says_what_the_report_says(outlook: str) -> None:
    value = full_weighing(outlook)
    tree = LexborHTMLParser(brief(value, full_dossier(outlook)))
    assert tree.css_first("h1").text() == findings.headline(value).text
    assert len(tree.css(".sheet")) == 2
    shown = [row.css_first("th").text() for row in tree.css(".sheet:first-child table tbody tr")]
    assert shown == [verdict.strategy for verdict in value.decision.verdicts]


def test_it_needs_no_dossier() -> None:
    text = LexborHTMLParser(brief(full_weighing())).body.text()
    assert "What it costs" not in text
    assert "The next 90 days" not in text


def test_it_counts_the_strategies_that_it_leaves_out() -> None:
    text = LexborHTMLParser(brief(long_weighing(), full_dossier())).body.text()
    assert "And 2\u00a0other strategies, in report.html." in text


def test_hostile_text_is_inert_and_messages_are_withheld() -> None:
    value = full_weighing()
    closed = "</style><img src=x onerror=alert(1)> about pay band C"
    reasons = (f"prompt failed on 1 of 12 questions; these earn no points; most often: {closed}.", "<b>why</b>")

    def with_error(one: Measurement) -> Measurement:
        return replace(one, errors=(closed,)) if one.strategy == "prompt" else one

    told = replace(
        value,
        measurements=tuple(map(with_error, value.measurements)),
        decision=replace(value.decision, reasons=reasons),
    )
    html = brief(told, full_dossier())
    tree = LexborHTMLParser(html)
    assert not tree.css("img, script, b b, [onerror], [style]")
    assert "pay band C" not in html
    assert "these earn no points." in tree.body.text()
