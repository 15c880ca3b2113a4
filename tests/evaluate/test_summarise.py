"""Records become figures with intervals, and pairs become comparisons."""

from collections.abc import Callable, Sequence

import pytest

from weighbridge.evaluate.summarise import Footprint, compare_all, seconds_per_answer, summarise
from weighbridge.figures import FIGURES
from weighbridge.results import Record, Score
from weighbridge.types import Answer, Example, Timing

Make = Callable[..., Answer]
MakeExample = Callable[..., Example]


def records_of(answered: Make, values: Sequence[float | None], strategy: str = "rag") -> list[Record]:
    """One record a value; None is a failure."""
    return [
        Record(key=f"{n}", strategy=strategy, example_id=f"{n}", answer=None, error="down")
        if value is None
        else Record(
            key=f"{n}",
            strategy=strategy,
            example_id=f"{n}",
            answer=answered("one two"),
            scores=(
                Score("accuracy", value),
                Score("hallucination", 1 - value),
                Score("recall", None, "the example names no evidence"),
            ),
            outcome="right" if value else "wrong",
            retrieval="missed",
        )
        for n, value in enumerate(values)
    ]


def test_failures_are_counted_and_never_scored(answered: Make):
    measured = summarise(records_of(answered, [1.0, 1.0, 0.0, None]), [], task="answer", strategy="rag", seed=1)
    accuracy = measured.figures["accuracy"]
    assert accuracy.value == pytest.approx(2 / 3)
    assert (accuracy.scored, accuracy.unscored) == (3, 1)
    assert (measured.attempts, measured.failures, measured.errors) == (4, 1, ("down",))
    assert measured.outcomes == {"missed/right": 2, "missed/wrong": 1}
    assert "recall" not in measured.figures
    assert measured.cost is None


def test_figures_stand_in_the_order_of_reports(answered: Make):
    beside = Footprint(
        timings=tuple(Timing(first_token=n / 20, total=n / 10) for n in range(1, 12)),
        untimed=1,
        memory_bytes=5,
        disk_bytes=6,
        setup_seconds=7.5,
        offline=False,
        cites=True,
    )
    records = records_of(answered, [1.0, 0.0])
    measured = summarise(records, [], task="json", strategy="rag", seed=1, footprint=beside)
    assert list(measured.figures) == [name for name in FIGURES if name in measured.figures]
    values = {name: estimate.value for name, estimate in measured.figures.items()}
    assert values["latency_p50"] == pytest.approx(0.6)
    assert values["first_token_p50"] == pytest.approx(0.3)
    assert values["latency_p95"] == pytest.approx(1.05)
    assert (values["memory"], values["disk"], values["setup"]) == (5, 6, 7.5)
    assert (values["input_tokens"], values["output_tokens"]) == (10, 2)
    assert measured.figures["latency_p95"].unscored == 1
    assert (measured.offline, measured.cites) == (False, True)


def test_all_failed_leaves_no_figure(answered: Make):
    measured = summarise(records_of(answered, [None, None]), [], task="answer", strategy="rag", seed=1)
    assert measured.figures == {}
    assert (measured.attempts, measured.failures) == (2, 2)


def test_the_most_frequent_error_comes_first(answered: Make):
    failed = records_of(answered, [None, None, None])
    errors = ["slow", "down", "slow"]
    records = [
        Record(key=r.key, strategy=r.strategy, example_id=r.example_id, answer=None, error=error)
        for r, error in zip(failed, errors, strict=True)
    ]
    assert summarise(records, [], task="answer", strategy="rag", seed=1).errors == ("slow", "down")


def test_labels_get_macro_f1(answered: Make, example: MakeExample):
    examples = [example(label, name=f"{n}") for n, label in enumerate(["a", "a", "b", "b"])]
    records = [
        Record(key=f"{n}", strategy="s", example_id=f"{n}", answer=answered(text) if text else None, error="down")
        for n, text in enumerate(["a", "b", "b", ""])
    ]
    measured = summarise(records, examples, task="label", strategy="s", seed=1)
    assert measured.figures["macro_f1"].value == pytest.approx(2 / 3)
    assert (measured.figures["macro_f1"].scored, measured.figures["macro_f1"].unscored) == (3, 1)


def test_all_pairs_are_compared_on_what_both_answered(answered: Make):
    values = {
        "a": [1.0] * 20 + [0.0] * 4,
        "b": [0.0] * 20 + [0.0] * 3 + [None],
        "c": [1.0] * 10 + [0.0] * 14,
    }
    comparisons = compare_all({name: records_of(answered, v, name) for name, v in values.items()}, seed=1)
    assert [(c.figure, c.left, c.right) for c in comparisons] == [
        (figure, left, right)
        for figure in ("accuracy", "hallucination")
        for left, right in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    ab, ac = comparisons[0], comparisons[1]
    assert ab.difference.value == pytest.approx(20 / 23)
    assert ab.difference.scored == 23
    assert ab.p_adjusted < 0.001
    assert ac.p_value <= ac.p_adjusted < 0.05
    assert ac.examples_needed is not None
    assert ac.examples_needed < 24
    assert comparisons[3].difference.value == pytest.approx(-20 / 23)


def test_strategies_without_a_common_example_are_not_compared(answered: Make):
    left, right = records_of(answered, [1.0, None]), records_of(answered, [None, 1.0])
    assert compare_all({"a": left, "b": right}, seed=1) == ()
    assert compare_all({"a": left}, seed=1) == ()


def test_seconds_per_answer_is_the_mean():
    estimate = seconds_per_answer([Timing(total=1.0), Timing(total=3.0)], 1)
    assert estimate is not None
    assert estimate.value == 2.0
    assert seconds_per_answer([], 1) is None
