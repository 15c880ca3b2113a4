"""Answers graded from a file: verdicts in its order, agreement with people, and lines that are no rows."""

import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from weighbridge.cli.app import app
from weighbridge.errors import DataError
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.score import STANDARD_INPUT, score_file

Write = Callable[..., Path]
QUIET = Reporter(lambda _: None, lambda _: None, lambda _: None)
FERRY = {"question": "When does the ferry leave?", "references": ["at 17:05"], "answer": "It leaves at 5:05 pm."}


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(*rows: Mapping[str, Any] | str) -> Path:
        path = tmp_path / "answers.jsonl"
        path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
        return path

    return write


def test_each_row_gets_a_verdict_and_a_reason_in_the_order_of_the_file(written: Write):
    path = written(
        FERRY,
        {**FERRY, "answer": "at 17:50"},
        {**FERRY, "answer": "I'm sorry, but I don't know."},
        {**FERRY, "references": []},
        {**FERRY, "references": [], "answerable": False, "answer": "No idea."},
        {"question": "Which queue?", "references": ["billing"], "answer": "The queue is billing.", "task": "label"},
        {"question": "Which queue?", "references": ["refund"], "answer": "refund or billing", "task": "label"},
        {"question": "The record?", "references": ['{"a": 1}'], "answer": 'Here: {"a": 1.0}', "task": "json"},
        {**FERRY, "answer": "<think>17:50? No.</think>At five past five in the afternoon, 17:05."},
        {**FERRY, "answer": ""},
    )
    scores = score_file(path, QUIET)
    verdicts = [row.verdict for row in scores.rows]
    assert verdicts == [
        *("right", "wrong", "abstained", "unscored", "right"),
        *("right", "wrong", "right", "right", "wrong"),
    ]
    assert all(row.reason for row in scores.rows)
    assert scores.totals == {"right": 5, "wrong": 3, "abstained": 1, "unscored": 1}
    assert scores.accuracy is not None
    assert (scores.accuracy.value, scores.accuracy.scored, scores.accuracy.unscored) == (5 / 9, 9, 1)
    assert scores.agreement is None
    assert scores.rows[1].compared == ("17:50 is not 17:05",)
    assert scores.rows[8].answer == "At five past five in the afternoon, 17:05."


def test_agreement_with_people_is_counted_over_the_rows_that_tell_it(written: Write):
    wrong = {**FERRY, "answer": "at 17:50"}
    path = written(
        *[{**FERRY, "right": True}] * 5, *[{**wrong, "right": False}] * 2, {**FERRY, "right": False}, FERRY,
        *[{**wrong, "right": True}] * 2,
    )  # fmt: skip
    found = score_file(path, QUIET).agreement
    assert found is not None
    assert found.rows == 10
    assert found.agreement.value == 0.7
    assert (found.false_right.value, found.false_wrong.value) == (0.1, 0.2)
    # By hand: ours right 6 of 10, theirs 7 of 10; chance 0.6 x 0.7 + 0.4 x 0.3 = 0.54; (0.7 - 0.54) / 0.46.
    assert found.kappa == pytest.approx(0.3478, abs=1e-4)
    assert found.agreement.low < 0.7 < found.agreement.high


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "2: not JSON"),
        ("[]", "2: not a JSON object"),
        ('{"question": "?", "answer": "a"}', "2: 'references' is missing; give a list of texts"),
        ('{"question": "?", "answer": "a", "references": "a"}', "2: 'references' is not a list of texts"),
        ('{"question": "?", "answer": null, "references": []}', "2: 'answer' is not a text"),
        ('{"question": "?", "answer": "a", "references": [1]}', "2: 'references' holds something that is not a text"),
        ('{"question": "?", "answer": "a", "references": [], "task": "sum"}', "2: task 'sum' is not one of answer"),
        ('{"question": "?", "answer": "a", "references": [], "right": 1}', "2: 'right' is not true or false"),
    ],
)
def test_a_line_that_is_no_row_is_named_with_its_number(written: Write, line: str, problem: str):
    with pytest.raises(DataError) as caught:
        score_file(written(FERRY, line, FERRY), QUIET)
    assert problem in str(caught.value)


def test_many_bad_lines_are_told_together_and_counted(written: Write):
    with pytest.raises(DataError, match=r"\(3 more lines are no rows either\)"):
        score_file(written(*["{"] * 8), QUIET)


def test_what_holds_no_rows_is_refused(written: Write, tmp_path: Path):
    with pytest.raises(DataError, match="no rows"):
        score_file(written("", " "), QUIET)
    with pytest.raises(DataError, match="cannot be read"):
        score_file(tmp_path, QUIET)
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{}\n{"question": "caf\xe9"}')
    with pytest.raises(DataError, match=r"latin\.jsonl:2: not UTF-8"):
        score_file(latin, QUIET)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(FERRY).encode())))
    assert score_file(STANDARD_INPUT, QUIET).totals["right"] == 1


def test_the_command_prints_json_in_the_order_of_the_file_or_lines_for_people(written: Write):
    path = written({**FERRY, "right": True}, {**FERRY, "answer": "at 17:50", "right": True})
    done = CliRunner().invoke(app, ["score", str(path), "--json"], catch_exceptions=False)
    printed = json.loads(done.stdout)
    assert [row["verdict"] for row in printed["rows"]] == ["right", "wrong"]
    assert all(row["reason"] for row in printed["rows"])
    assert printed["agreement"]["agreement"]["value"] == 0.5
    shown = CliRunner().invoke(app, ["score", str(path)], catch_exceptions=False).stdout
    assert "wrong, a person says otherwise: 17:50 is not 17:05" in shown
    assert "2 answers: 1 right, 1 wrong" in shown
    assert "agreement with people" in shown
