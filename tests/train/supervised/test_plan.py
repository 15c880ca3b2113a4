"""Every example once an epoch, equal batches, and a rate that rises and falls."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.supervised.plan import (
    Plan,
    epoch_batches,
    rate_share,
    read_plan,
    save_plan,
)


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


def test_a_plan_is_read_back_only_by_its_own_training(tmp_path: Path):
    batches = (((0, 1), (2,)), ((2, 1), (0,)))
    plan = Plan(fingerprint="a", batches=batches, row_tokens=9, notes=("halved",))
    save_plan(plan, tmp_path)
    assert read_plan(tmp_path, "a") == plan
    assert read_plan(tmp_path, "b") is None
    assert plan.steps == 4
    assert plan.ends == (2, 4)
    assert plan.order == ((0, 1), (2,), (2, 1), (0,))


@given(st.integers(1, 500))
def test_the_rate_rises_then_falls_and_is_never_zero(steps: int):
    shares = [rate_share(step, steps) for step in range(steps)]
    top = shares.index(max(shares))
    assert max(shares) == 1.0
    assert min(shares) > 0
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
