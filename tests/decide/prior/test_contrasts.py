"""How far two strategies are apart, against sums done by hand."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.decide.prior.contrasts import (
    ClaimedSpan,
    FigureContrast,
    Untestable,
    claimed_figure,
    contrast_pair,
    locate_in_span,
)
from weighbridge.figures import FIGURES
from weighbridge.results import (
    Comparison,
    Cost,
    Estimate,
    JointOutcomes,
    Measurement,
    OutcomeRow,
    ResourceUse,
)

NOBODY = JointOutcomes(strategies=(), rows=())


def measure(name: str, *, cites: bool = False, cost: Cost | None = None, **figures: Estimate) -> Measurement:
    return Measurement(
        strategy=name, figures=figures, outcomes={}, attempts=100, failures=0, cites=cites, cost=cost
    )  # fmt: skip


def between(value: float, low: float, high: float, scored: int = 20, *, open_above: bool = False) -> Estimate:
    return Estimate(value=value, low=low, high=high, scored=scored, open_above=open_above)


def once(value: float) -> Estimate:
    return between(value, value, value, 1)


def outcomes(*rows: tuple[float | None, float | None, int]) -> JointOutcomes:
    """The accuracy of rag and fine-tuned on so many questions; each wrong answer is a hallucination."""
    return JointOutcomes(
        strategies=("rag", "fine-tuned"),
        rows=tuple(
            OutcomeRow(
                accuracy=(one, other),
                hallucination=tuple(None if value is None else 1 - value for value in (one, other)),
                questions=count,
            )
            for one, other, count in rows
        ),
    )


def contrast(name: str, left: Measurement, right: Measurement, joint: JointOutcomes = NOBODY) -> FigureContrast:
    found = contrast_pair(name, left, right, joint, ())
    assert isinstance(found, FigureContrast), found
    return found


def test_right_or_wrong_is_compared_on_the_questions_that_both_answered() -> None:
    joint = outcomes((1, 0, 12), (0, 1, 4), (1, 1, 20), (0, 0, 4), (1, None, 50))
    found = contrast("accuracy", measure("rag"), measure("fine-tuned"), joint)
    assert (found.kind, found.is_paired, found.estimate.scored) == ("difference", True, 40)
    assert found.estimate.value == pytest.approx(8 / 40)
    # McNemar's exact test: 12 or more heads of 16 coins, and as many tails.
    assert found.sign_flip == pytest.approx(2 * sum(math.comb(16, k) for k in range(12, 17)) / 2**16)
    wrong = contrast("hallucination", measure("rag"), measure("fine-tuned"), joint)
    assert wrong.estimate.value == pytest.approx(-8 / 40)


def test_a_comparison_stands_in_for_outcomes_that_were_not_saved() -> None:
    known = Comparison(
        figure="accuracy", left="fine-tuned", right="rag", difference=between(0.1, 0.02, 0.2, 30), p_value=0.03,
        p_adjusted=0.3, examples_needed=None,
    )  # fmt: skip
    found = contrast_pair("accuracy", measure("rag"), measure("fine-tuned"), NOBODY, (known,))
    assert found == FigureContrast(
        kind="difference", estimate=between(-0.1, -0.2, -0.02, 30), is_paired=True, sign_flip=0.03
    )  # fmt: skip


def test_a_ratio_has_the_interval_of_both_logarithms() -> None:
    left = measure("rag", latency_p50=between(2.0, 1.0, 4.0))
    right = measure("fine-tuned", latency_p50=between(1.0, 0.5, 2.0))
    found = contrast("latency_p50", left, right).estimate
    # Each is a factor of 2 from its ends, so the ratio is a factor of 2 to the power of the root of 2.
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2 / 2**2**0.5, 2 * 2**2**0.5))


def test_each_end_of_a_ratio_comes_of_the_ends_that_lie_that_way() -> None:
    left = measure("rag", latency_p50=between(2.0, 1.0, 8.0))
    right = measure("fine-tuned", latency_p50=between(1.0, 0.125, 2.0))
    found = contrast("latency_p50", left, right).estimate
    # Below: a factor of 2 of the left one and 2 of the right one; above: 4 and 8, added as squares of logarithms.
    assert (found.low, found.high) == pytest.approx((2 / 2**2**0.5, 2 * 2 ** (4 + 9) ** 0.5))


def test_a_time_that_nothing_bounds_leaves_its_ratio_open() -> None:
    slow = measure("rag", latency_p95=between(2.0, 1.0, 4.0, open_above=True))
    known = measure("fine-tuned", latency_p95=between(1.0, 0.5, 2.0))
    assert contrast("latency_p95", slow, known).estimate.open_above
    other_way = contrast("latency_p95", known, slow).estimate
    assert (other_way.low, other_way.open_above) == (0.0, False)


def test_shares_that_are_not_paired_have_the_difference_of_their_intervals() -> None:
    left = measure("rag", form=between(0.9, 0.8, 0.95))
    right = measure("fine-tuned", form=between(0.5, 0.4, 0.6))
    found = contrast("form", left, right)
    assert (found.estimate.value, found.is_paired) == (pytest.approx(0.4), False)
    assert found.estimate.low == pytest.approx(0.4 - math.hypot(0.1, 0.1))
    assert found.estimate.high == pytest.approx(0.4 + math.hypot(0.05, 0.1))


def test_cost_is_split_into_setting_up_and_running() -> None:
    cost = Cost(upfront=12.0, per_thousand_answers=0.5)
    tuned = measure("fine-tuned", cost=cost, cost_per_thousand=between(0.8, 0.7, 1.0))
    running, setup = claimed_figure(tuned, "running_cost"), claimed_figure(tuned, "setup_cost")
    assert running
    assert (running.value, running.low, running.high) == pytest.approx((0.5, 0.4, 0.7))
    assert setup == once(12.0)


def test_new_knowledge_is_taken_in_by_indexing_or_else_by_training() -> None:
    def seconds(indexing: float, training: float) -> Estimate | None:
        usage = ResourceUse(indexing_seconds=indexing, training_seconds=training)
        return claimed_figure(
            Measurement(strategy="x", figures={}, outcomes={}, attempts=1, failures=0, usage=usage), "update"
        )

    assert [seconds(6, 0), seconds(0, 400), seconds(6, 400)] == [once(6), once(400), once(6)]
    assert claimed_figure(measure("x"), "update") is None


def test_a_strategy_without_passages_cites_nothing() -> None:
    reads = measure("rag", cites=True, citation=between(0.8, 0.7, 0.9))
    found = contrast("citation", reads, measure("fine-tuned"))
    assert found.estimate.value == 0.8


@pytest.mark.parametrize(
    ("name", "left", "right", "joint", "reason"),
    [
        ("memory", measure("rag"), measure("fine-tuned"), NOBODY, "memory of rag was not measured"),
        ("citation", measure("rag"), measure("fine-tuned"), NOBODY, "neither of the two can cite in this task"),
        ("accuracy", measure("rag"), measure("fine-tuned"), outcomes((1, 0, 9)), "9 questions that both answered are"),
        ("accuracy", measure("rag"), measure("other"), outcomes((1, 0, 90)), "0 questions that both answered are"),
        ("form", measure("rag", form=between(1, 1, 1, 9)), measure("x", form=between(0, 0, 1)), NOBODY, "9 questions"),
        ("setup", measure("rag", setup=once(0)), measure("x", setup=once(9)), NOBODY, "one of the two is 0"),
    ],
)
def test_there_is_a_reason_where_nothing_can_be_tested(
    name: str, left: Measurement, right: Measurement, joint: JointOutcomes, reason: str
) -> None:
    found = contrast_pair(name, left, right, joint, ())
    assert isinstance(found, Untestable)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(("value", "z"), [(0.5, 1.0), (0.1, 0.2), (0.0, 0.0), (1.0, 0.0), (-0.1, 0.2), (1.2, 0.4)])
def test_a_value_lies_in_a_span_by_its_distance_from_the_nearest_end(value: float, z: float) -> None:
    """The interval reaches half a unit to each side, so that this is 1.96 standard deviations."""
    found = locate_in_span(between(value, value - 0.5, value + 0.5), ClaimedSpan(0.0, 1.0), in_logs=False)
    assert found.is_inside == (0 < value < 1)
    assert found.p_value == pytest.approx(math.erfc(z * 1.959964 / math.sqrt(2)), rel=1e-5)


numbers = st.floats(-2, 2).map(lambda value: round(value, 3))
widths = st.floats(0, 1).map(lambda value: round(value, 3))


@given(value=numbers, below=widths, above=widths, more=widths, ends=st.tuples(numbers, numbers))
def test_an_interval_that_reaches_over_no_end_is_certain_and_a_wider_one_is_never_more_certain(
    value: float, below: float, above: float, more: float, ends: tuple[float, float]
) -> None:
    span = ClaimedSpan(min(ends), max(ends))
    assume(all(abs(abs(value - end) - width) > 1e-6 for end in ends for width in (below, above)))
    found = locate_in_span(between(value, value - below, value + above), span, in_logs=False)
    reaches = any(value - below < end < value + above for end in ends) or value in ends
    assert (found.p_value <= 0.05) == (not reaches)
    wider = locate_in_span(between(value, value - below - more, value + above), span, in_logs=False)
    widest = locate_in_span(between(value, value - below - more, value + above + more), span, in_logs=False)
    assert found.is_inside == wider.is_inside == widest.is_inside
    assert found.p_value <= wider.p_value <= widest.p_value


def test_the_figures_of_claims_are_not_figures_already() -> None:
    assert not {"setup_cost", "running_cost", "update"} & set(FIGURES)
