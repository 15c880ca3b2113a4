"""What the settings of a training say of themselves."""

from typing import get_args

import pytest

from weighbridge.settings.training import RATES, Method, TrainingSettings
from weighbridge.train.supervised.methods import USUAL_RATES, odd_rates


@pytest.mark.parametrize("method", get_args(Method))
def test_every_method_has_a_learning_rate_that_is_usual_for_it(method: Method):
    how = TrainingSettings(method=method)
    low, high = USUAL_RATES[method]
    assert low <= how.rate == RATES[method] <= high
    assert not list(odd_rates(how))


def test_a_learning_rate_that_is_given_is_taken_and_another_is_written_down():
    given = TrainingSettings(method="full", learning_rate=3e-5)
    assert given.rate == 3e-5
    assert given.with_rate == given
    left = TrainingSettings(method="full")
    assert left.with_rate.learning_rate == left.rate == 1e-4
    assert left.with_rate.supervised_recipe == TrainingSettings(method="full", learning_rate=1e-4).supervised_recipe
