"""The learning curve says what a doubling adds, or that it cannot be told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.curve import CurvePoint, dev_losses, learning_curve
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import encode
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message


def points(shares: list[float], count: int = 40, losses: tuple[float, ...] = (1, 1, 1, 1)) -> list[CurvePoint]:
    """Return trainings on 32 to 256 examples that get these shares of the dev questions right."""
    return [
        CurvePoint(
            share=2.0 ** (n - 3),
            examples=32 * 2**n,
            scores=tuple(float(q < right * count) for q in range(count)),
            losses=tuple(losses[n] + q / count for q in range(count)),
        )
        for n, right in enumerate(shares)
    ]


def test_a_rising_curve_says_that_more_would_help() -> None:
    guard = learning_curve(points([0.1, 0.3, 0.5, 0.7]))
    assert guard.passed is None
    assert guard.summary.startswith("More data would help: ")
    assert guard.figures["doubling"].value == pytest.approx(0.2)
    assert [guard.figures[f"score at {n}"].value for n in (32, 64, 128, 256)] == [0.1, 0.3, 0.5, 0.7]


def test_a_flat_curve_says_that_more_would_hardly_help() -> None:
    assert learning_curve(points([0.5] * 4, count=400)).summary.startswith("More data would hardly help: ")


def test_trainings_that_lie_off_the_line_widen_the_interval() -> None:
    even, uneven = (
        learning_curve(points(scores, count=400)) for scores in ([0.1, 0.3, 0.5, 0.7], [0.3, 0.1, 0.7, 0.5])
    )
    assert even.summary.startswith("More data would help: ")
    assert uneven.summary.startswith("Whether more data would help cannot be told")
    assert "judged by the distance of the trainings from a line" in uneven.summary


def test_the_scatter_is_the_classical_interval_of_a_slope() -> None:
    from scipy.stats import linregress, t

    scores = [0.3, 0.1, 0.7, 0.5]
    found = learning_curve(points(scores, count=4000)).figures["doubling"]
    line = linregress(range(4), scores)
    assert found.value == pytest.approx(line.slope)
    assert found.high - found.value == pytest.approx(t.ppf(0.975, 2) * line.stderr)


def test_two_trainings_say_that_chance_in_training_is_left_out() -> None:
    assert "the intervals leave out the variation over seeds" in learning_curve(points([0.1, 0.3])).summary


def test_few_questions_cannot_tell_but_the_loss_may() -> None:
    guard = learning_curve(points([0.5, 0.5, 0.5, 0.75], count=4, losses=(4, 3, 2, 1)))
    assert "cannot be told with 4\u00a0questions" in guard.summary
    assert "the loss still falls" in guard.summary


@given(st.floats(0, 0.2), st.floats(0, 0.1))
def test_the_slope_is_least_squares_over_the_doublings(start: float, gain: float) -> None:
    made = [
        CurvePoint(share=1.0, examples=8 * 2**n, scores=(start + gain * n, 0.5), losses=(1.0, 1.0)) for n in range(4)
    ]
    assert math.isclose(learning_curve(made).figures["doubling"].value, gain / 2, abs_tol=1e-9)


def test_questions_without_a_score_are_left_out_and_counted() -> None:
    made = [CurvePoint(share=1.0, examples=n, scores=(1.0, None), losses=(1.0, 2.0)) for n in (4, 8)]
    doubling = learning_curve(made).figures["doubling"]
    assert (doubling.scored, doubling.unscored) == (1, 1)


@pytest.mark.parametrize("made", [[], points([0.5])])
def test_one_size_is_no_curve(made: list[CurvePoint]) -> None:
    guard = learning_curve(made)
    assert guard.passed is None
    assert guard.figures == {}


def test_a_dev_loss_is_the_mean_loss_that_transformers_computes(tiny: BaseFiles) -> None:
    import torch

    with quiet():
        network, tokenizer = load_network(tiny, precision=torch.float32), load_tokenizer(tiny)
        made = [Conversation(example_id="e", prompt=(Message("user", f"Say {w}!"),), target=w) for w in ("a", "bcd")]
        encoded = [encode(tokenizer, one) for one in made]
        found = dev_losses(network, encoded)
        for one, loss in zip(encoded, found, strict=True):
            wanted = network(input_ids=torch.tensor([one.tokens]), labels=torch.tensor([one.labels])).loss
            assert loss == pytest.approx(float(wanted), abs=1e-4)
