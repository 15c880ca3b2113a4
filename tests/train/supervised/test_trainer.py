"""Every example once an epoch, equal batches, and a rate that rises and falls."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.supervised.trainer import epoch_batches, rate_share


@given(st.integers(1, 60), st.integers(1, 16), st.integers(0, 9))
def test_an_epoch_has_every_example_once(examples: int, batch: int, seed: int):
    made = epoch_batches(examples, batch, seed)
    assert sorted(number for one in made for number in one) == list(range(examples))
    assert {len(one) for one in made[:-1]} <= {batch}
    assert 1 <= len(made[-1]) <= batch
    assert made == epoch_batches(examples, batch, seed)


def test_examples_are_shuffled():
    made = epoch_batches(80, 8, 7)
    assert [number for one in made for number in one] != list(range(80))
    assert made != epoch_batches(80, 8, 8)


@given(st.integers(1, 500))
def test_the_rate_rises_then_falls_and_is_never_zero(steps: int):
    shares = [rate_share(step, steps) for step in range(steps)]
    top = shares.index(max(shares))
    assert max(shares) == 1.0
    assert min(shares) > 0
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
