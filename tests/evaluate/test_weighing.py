"""A weighing as a file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.evaluate.weighing import load_weighing, save_weighing
from weighbridge.results import (
    Comparison,
    Cost,
    Decision,
    Estimate,
    Machine,
    Measurement,
    Record,
    Score,
    SplitReport,
    Verdict,
    Weighing,
)
from weighbridge.types import Answer, Example

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
    path = tmp_path / "state" / "weighing.json"
    save_weighing(path, weighing)
    assert load_weighing(path) == weighing
    before = path.read_bytes()
    save_weighing(path, load_weighing(path))
    assert path.read_bytes() == before


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(WorkspaceError, match="no weighing here yet; weigh the strategies first"):
        load_weighing(tmp_path / "weighing.json")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        load_weighing(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a weighing; give the weighing.json"),
        ('{"format": "other"}', "not a weighing; give the weighing.json"),
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
    path = tmp_path / "weighing.json"
    save_weighing(path, weighing)
    content = json.loads(path.read_text())
    content["weighing"]["measurements"][0]["attempts"] = "many"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"damaged at measurements\.0\.attempts"):
        load_weighing(path)
