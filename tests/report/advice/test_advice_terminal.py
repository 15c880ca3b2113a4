"""The prior in the terminal: complete, within 80 columns, and the same as its golden files."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from rich.console import Console

from weighbridge.decide.prior.advice import draw_up_advice
from weighbridge.formatting import MINUS
from weighbridge.report.advice.advice_terminal import render_advice
from weighbridge.report.advice.wording import (
    describe_answer,
    describe_score,
    plain_number,
    signed_points,
    write_points,
)

from ...decide.prior.situations import MATRIX, any_answers

DAY = date(2026, 12, 1)


def printed(given: object, day: date = DAY) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=False)
    console.print(render_advice(MATRIX, draw_up_advice(MATRIX, given, day)))  # type: ignore[arg-type]
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(
    ("name", "given", "day"),
    [
        ("open", {"change": "daily", "sources": "must", "documents": 2_000_000, "labels": 400, "accuracy": 90}, DAY),
        ("settled", {"complexity": "specialised", "labels": 15_000, "change": "never", "scale": 5e5}, date(2027, 2, 1)),
        ("little", {"labels": 0, "documents": 10, "deployment": 1, "privacy": "isolated"}, DAY),
        ("defaults", {}, DAY),
    ],
)
def test_it_reads_as_the_golden_file(
    name: str, given: dict[str, object], day: date, golden: Callable[[Path, str], None]
) -> None:
    golden(Path("advice") / f"{name}.txt", printed(given, day).replace("\u00a0", " "))


@settings(max_examples=40)
@given(any_answers())
def test_every_advice_says_that_nothing_was_measured_and_how_to_test_it(answers: dict[str, object]) -> None:
    text = printed(answers)
    words = " ".join(text.split())
    assert "Nothing in it was measured on your data: test it." in words
    assert "published, not measured" in words
    assert "weighbridge compare --workspace mine" in words
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_date_that_has_gone_by_is_worded_as_past() -> None:
    before, after = (" ".join(printed({}, day).split()) for day in (date(2027, 1, 13), date(2027, 1, 14)))
    assert "From 14 January 2027: OpenAI will switch off" in before
    assert "Since 14 January 2027: OpenAI has switched off" in after


@pytest.mark.parametrize(
    ("points", "written", "signed"),
    [
        (0.0, "0", "0"),
        (-0.04, "0", "0"),
        (16.5, "16.5", "+16.5"),
        (-1.25, f"{MINUS}1.3", f"{MINUS}1.3"),
        (10.0, "10", "+10"),
    ],
)
def test_points_are_written_to_a_tenth(points: float, written: str, signed: str) -> None:
    assert (write_points(points), signed_points(points)) == (written, signed)


def test_a_score_is_described_by_the_answers_that_have_it() -> None:
    labels, latency, change = (MATRIX.factors[name] for name in ("labels", "latency", "change"))
    assert [describe_score(labels, score) for score in (1, 2, 5)] == [
        "under 100 examples",
        "100 to 500 examples",
        "10,000 examples or more",
    ]
    assert describe_score(latency, 5) == "under 0.5\u00a0s"
    assert describe_score(change, 5) == "daily"
    weeks = MATRIX.factors["deployment"]
    assert [describe_answer(weeks, number) for number in (1.0, 1.5, 2.0)] == ["1 week", "1.5 weeks", "2 weeks"]
    assert plain_number(1234567.0) == "1234567"
