"""Every example once an epoch, equal batches, little padding, and never more than the budget."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.plan import (
    Plan,
    epoch_batches,
    rate_share,
    read_plan,
    save_plan,
    within_budget,
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


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40), st.floats(0, 100))
def test_the_budget_is_kept_but_for_one_step(lengths: list[int], seconds: float):
    epochs = [epoch_batches(len(lengths), 4, seed) for seed in range(3)]
    kept = within_budget(epochs, lengths, rate=0.01, seconds=seconds)
    steps = [batch for epoch in kept for batch in epoch]
    spent = sum(0.01 * lengths[number] for batch in steps for number in batch)
    assert steps
    assert spent <= seconds or len(steps) == 1
    assert all(whole == one for whole, one in zip(epochs, kept, strict=False)) or len(kept) == 1


def test_ample_budget_changes_nothing():
    epochs = [epoch_batches(3, 2, seed) for seed in range(3)]
    assert within_budget(epochs, [5, 6, 7], rate=0.001, seconds=3600) == tuple(epochs)


def test_a_plan_is_read_back_only_by_its_own_training(tmp_path: Path):
    batches = (((0, 1), (2,)), ((2, 1), (0,)))
    plan = Plan(fingerprint="a", batches=batches, row_tokens=9, seconds_per_token=0.01, notes=("halved",))
    save_plan(plan, tmp_path)
    assert read_plan(tmp_path, "a") == plan
    assert read_plan(tmp_path, "b") is None
    assert plan.steps == 4
    assert plan.ends == (2, 4)
    assert plan.order == ((0, 1), (2,), (2, 1), (0,))
    assert [plan.until(step).ends for step in range(1, 5)] == [(1,), (2,), (2, 3), (2, 4)]


@given(st.integers(1, 500))
def test_the_rate_rises_then_falls_and_is_never_zero(steps: int):
    shares = [rate_share(step, steps) for step in range(steps)]
    top = shares.index(max(shares))
    assert max(shares) == 1.0
    assert min(shares) > 0
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
