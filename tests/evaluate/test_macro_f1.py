"""Macro F1 by hand, and its interval."""

from collections.abc import Callable

import pytest

from weighbridge.evaluate.macro_f1 import label_pairs, macro_f1
from weighbridge.types import Answer, Example

PAIRS = [("a", "a")] * 6 + [("a", "b")] * 2 + [("b", "b")] * 3 + [("b", "nonsense")]


def test_macro_f1_by_hand():
    estimate = macro_f1(PAIRS, 1, unscored=2)
    assert estimate is not None
    f1_of_a, f1_of_b = 2 * 6 / (8 + 6), 2 * 3 / (4 + 5)
    assert estimate.value == pytest.approx((f1_of_a + f1_of_b) / 2)
    assert estimate.low < estimate.value < estimate.high
    assert (estimate.scored, estimate.unscored) == (12, 2)
    assert estimate == macro_f1(list(reversed(PAIRS)), 1, unscored=2)


def test_the_interval_shrinks_with_more_pairs():
    few, many = macro_f1(PAIRS, 1), macro_f1(PAIRS * 30, 1)
    assert few is not None
    assert many is not None
    assert many.value == pytest.approx(few.value)
    assert many.high - many.low < (few.high - few.low) / 4


def test_no_pairs_no_figure():
    assert macro_f1([], 1) is None


def test_pairs_are_of_answerable_examples_and_take_any_accepted_label(
    answered: Callable[..., Answer], example: Callable[..., Example]
):
    attempts = [
        (example("Spam", "Junk"), answered("junk.")),
        (example("Spam", "Junk"), answered("ham")),
        (example("Spam"), answered("I don't know.", abstained=True)),
        (example(), answered("spam")),
    ]
    assert label_pairs(attempts) == (("junk", "junk"), ("spam", "ham"), ("spam", ""))
