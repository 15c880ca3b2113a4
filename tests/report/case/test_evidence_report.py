"""The verdicts on claims in words, and as the terminal shows them."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from weighbridge.decide.prior.evidence import OUTCOMES, read_claims
from weighbridge.evaluate.weighing import measurements_of
from weighbridge.report.case.evidence_report import (
    claim_sentence,
    evidence_rows,
    render_evidence,
    untested_by_reason,
    write_ratio,
)
from weighbridge.results import Estimate

from ..sample import weighing
from .cases import MATRIX, evidence_of


def printed(width: int) -> str:
    value = weighing()
    evidence = evidence_of(measurements_of(value), value.decision)
    file = StringIO()
    console = Console(file=file, width=width, color_system=None, legacy_windows=False)
    console.print(render_evidence(evidence, evidence_rows(evidence, MATRIX)))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().replace("\u00a0", " ").splitlines())


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("evidence_terminal.txt"), printed(100))


@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_is_wider_than_the_console(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    assert "55 % (28–79)" in text  # noqa: RUF001 - as it is written


def test_every_verdict_is_shown_once_and_the_refuted_first() -> None:
    value = weighing()
    evidence = evidence_of(measurements_of(value), value.decision)
    rows = evidence_rows(evidence, MATRIX)
    assert len(rows) == len(evidence.verdicts)
    outcomes = [row.outcome for row in rows]
    assert outcomes == sorted(outcomes, key=OUTCOMES.index)
    named = [claim for claims in untested_by_reason(rows).values() for claim in claims]
    assert len(named) == outcomes.count("untested") > 0


def test_a_claim_is_a_sentence_of_its_own() -> None:
    sentences = [claim_sentence(claim, MATRIX).replace("\u00a0", " ") for claim in read_claims(MATRIX)]
    assert len(set(sentences)) == len(sentences)
    assert {
        "fine-tuned answers faster than rag",
        "accuracy of rag: 85 %",
        "latency p50 of fine-tuned: 1.50 s",
        "fine-tuned is more accurate than rag, by about 7 percentage points",
        "rag answers faster than fine-tuned, by about a factor of 1.25",
        "legal and medical precision: fine-tuned or raft",
        "retention over three months: RAG 80 %, fine-tuning 90 %",
    } <= set(sentences)


@pytest.mark.parametrize(
    ("value", "low", "high", "open_above", "text"),
    [
        (0.351, 0.295, 0.418, False, "2.85 times less (2.39 to 3.39)"),
        (0.061, 0.061, 0.061, False, "16 times less"),
        (0.015, 0.012, 0.018, False, "67 times less (56 to 83)"),
        (1234.5, 1200.0, 1300.0, False, "1,234 times as much (1,200 to 1,300)"),
        (0.758, 0.57, 1.27, False, "1.32 times less (1.75 times less to 1.27 times as much)"),
        (2.0, 1.5, 2.5, True, "2.00 times as much (at least 1.50)"),
        (0.5, 0.25, 2.5, True, "2.00 times less (at most 4.00 times less)"),
        (0.5, 0.0, 2.5, True, "2.00 times less"),
        (0.5, 0.0, 0.8, False, "2.00 times less (at least 1.25 times less)"),
        (2.0, 0.0, 2.5, False, "2.00 times as much (up to 2.50 times as much)"),
        (2.0, 2.0, 2.0, False, "2.00 times as much"),
    ],
)
def test_a_ratio_is_written_with_its_interval(
    value: float,
    low: float,
    high: float,
    open_above: bool,  # noqa: FBT001 - a case
    text: str,
) -> None:
    estimate = Estimate(value=value, low=low, high=high, scored=9, open_above=open_above)
    assert write_ratio(estimate).replace("\u00a0", " ") == text
