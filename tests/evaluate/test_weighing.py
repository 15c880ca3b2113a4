"""A weighing as a file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.evaluate.outcomes import joint_outcomes
from weighbridge.evaluate.weighing import load_measurements, load_weighing, save_weighing
from weighbridge.results import (
    Comparison,
    Cost,
    Decision,
    Estimate,
    Machine,
    Measurement,
    OutcomeRow,
    Record,
    Score,
    SplitReport,
    Verdict,
    Weighing,
)
from weighbridge.types import Answer, Example
from weighbridge.workspace import Workspace

ESTIMATE = Estimate(value=0.5, low=0.4, high=0.6, scored=10, unscored=1)


@pytest.fixture
def weighing(answered: Callable[..., Answer], example: Callable[..., Example]) -> Weighing:
    scores = (Score("accuracy", 1.0), Score("recall", None, "the example names no evidence"))
    record = Record(key="k", strategy="rag", example_id="e", answer=answered("Paris"), scores=scores)
    return Weighing(
        name="demo",
        taken_at="2026-11-20T00:00:00Z",
        task="answer",
        machine=Machine(processor="x", cores=2, memory_bytes=1, system="Linux", python="3.11"),
        settings={"model": "scripted"},
        split=SplitReport(
            train=1, dev=1, test=1, by="family", merged_near_duplicates=0, leaks=0, checked_pairs=3, thresholds="0.9"
        ),
        documents=1,
        chunks=2,
        measurements=(
            Measurement(
                strategy="rag",
                figures={"accuracy": ESTIMATE},
                outcomes={"none/right": 1},
                attempts=1,
                failures=0,
                cost=Cost(upfront=1.0, per_thousand_answers=2.0),
            ),
        ),
        comparisons=(
            Comparison(
                figure="accuracy",
                left="rag",
                right="raft",
                difference=ESTIMATE,
                p_value=0.1,
                p_adjusted=0.2,
                examples_needed=None,
            ),
        ),
        decision=Decision(
            outlook="recommended",
            recommended="rag",
            contenders=("rag",),
            verdicts=(Verdict(strategy="rag", broken_limits=(), points={"accuracy": 0.5}, total=0.5),),
            reasons=("because",),
            would_change=(),
        ),
        examples=(example("Paris", groups=frozenset({"a", "b"})),),
        records=(record,),
        seconds={"ask": 1.5},
    )


def test_what_is_read_is_what_was_saved(tmp_path: Path, weighing: Weighing):
    place = Workspace(tmp_path)
    save_weighing(place, weighing)
    assert load_weighing(place.weighing_file) == weighing
    before = place.weighing_file.read_bytes()
    save_weighing(place, load_weighing(place.weighing_file))
    assert place.weighing_file.read_bytes() == before


def test_the_measurements_are_saved_without_questions_and_answers(tmp_path: Path, weighing: Weighing):
    place = Workspace(tmp_path)
    save_weighing(place, weighing)
    saved = load_measurements(place)
    assert saved.measurements == weighing.measurements
    assert saved.questions == 1
    assert saved.joint.rows == (OutcomeRow(accuracy=(1.0,), hallucination=(None,), questions=1),)
    assert "Paris" not in place.measurements_file.read_text()
    decided = json.loads(place.decision_file.read_text())
    assert decided["format"] == "weighbridge decision"
    assert decided["decision"]["recommended"] == "rag"
    place.measurements_file.unlink()  # as an earlier release left it
    assert load_measurements(place) == saved


def test_measurements_of_nothing_say_what_to_do(tmp_path: Path):
    with pytest.raises(WorkspaceError, match="no weighing here yet; run: weighbridge compare"):
        load_measurements(Workspace(tmp_path))


def test_a_failed_attempt_is_a_wrong_answer_of_the_joint_outcomes(
    answered: Callable[..., Answer], example: Callable[..., Example], weighing: Weighing
):
    def attempt(strategy: str, number: int, scores: tuple[float, float] | None) -> Record:
        if scores is None:
            return Record(key=f"{number}", strategy=strategy, example_id=f"e{number}", answer=None, error="late")
        both = Score("accuracy", scores[0]), Score("hallucination", scores[1])
        return Record(
            key=f"{number}", strategy=strategy, example_id=f"e{number}", answer=answered("Paris"), scores=both
        )

    attempts = {
        "rag": [attempt("rag", 1, (1.0, 0.0)), attempt("rag", 2, None), attempt("rag", 3, (1.0, 0.0))],
        "raft": [attempt("raft", 1, (0.0, 1.0)), attempt("raft", 3, (0.0, 1.0)), attempt("raft", 4, (0.0, 0.0))],
    }
    joint = joint_outcomes(attempts)
    assert joint.strategies == ("rag", "raft")
    assert {(row.accuracy, row.hallucination, row.questions) for row in joint.rows} == {
        ((1.0, 0.0), (0.0, 1.0), 2),
        ((0.0, None), (1.0, None), 1),
        ((None, 0.0), (None, 0.0), 1),
    }


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(WorkspaceError, match="no weighing here yet; run: weighbridge compare"):
        load_weighing(tmp_path / "weighing.json")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        load_weighing(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a weighing file; give the weighing.json"),
        ('{"format": "other"}', "not a weighing file; give the weighing.json"),
        ('{"format": "weighbridge weighing", "version": 0}', "version 0, and this release reads version 2"),
        ('{"format": "weighbridge weighing", "version": 2}', "damaged at"),
    ],
)
def test_a_foreign_file_is_named_as_what_it_is(tmp_path: Path, content: str, message: str):
    path = tmp_path / "weighing.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        load_weighing(path)
    assert str(caught.value).startswith(str(path))


def test_a_damaged_weighing_names_the_place(tmp_path: Path, weighing: Weighing):
    place = Workspace(tmp_path)
    save_weighing(place, weighing)
    path = place.weighing_file
    content = json.loads(path.read_text())
    content["weighing"]["measurements"][0]["attempts"] = "many"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"damaged at measurements\.0\.attempts"):
        load_weighing(path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_measured_number_that_is_none_is_refused(tmp_path: Path, weighing: Weighing, number: str):
    place = Workspace(tmp_path)
    save_weighing(place, weighing)
    text = place.measurements_file.read_text()
    place.measurements_file.write_text(text.replace('"value": 0.5', f'"value": {number}', 1))
    assert number in place.measurements_file.read_text()
    with pytest.raises(DataError, match=f"not JSON \\({number} is no measured number\\); run: weighbridge compare"):
        load_measurements(place)
