"""Every example once an epoch, equal batches, little padding, and never more than the budget."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.plan import (
    Plan,
    epoch_batches,
    examples_at_once,
    rate_share,
    read_plan,
    save_plan,
    within_budget,
)

lengths = st.lists(st.integers(1, 2000), min_size=1, max_size=60)


@given(lengths, st.integers(1, 16), st.integers(0, 9))
def test_an_epoch_has_every_example_and_equal_batches(lengths: list[int], batch: int, seed: int):
    made = epoch_batches(lengths, batch, seed)
    flat = [number for one in made for number in one]
    size = min(batch, len(lengths))
    assert set(flat) == set(range(len(lengths)))
    assert {len(one) for one in made} == {size}
    assert len(flat) - len(lengths) < size
    assert all(flat.count(number) <= 2 for number in flat)
    assert made == epoch_batches(lengths, batch, seed)


def test_batches_are_shuffled_and_of_like_length():
    lengths = [10 * (n % 10 + 1) for n in range(80)]
    made = epoch_batches(lengths, 8, 7)
    padded = sum(max(lengths[n] for n in one) * len(one) for one in made)
    assert padded < 1.25 * sum(lengths)
    longest = [max(lengths[n] for n in one) for one in made]
    assert longest != sorted(longest)
    assert made != epoch_batches(lengths, 8, 8)


@given(lengths, st.integers(1, 16))
def test_memory_is_bounded(lengths: list[int], batch: int):
    at_once = examples_at_once(lengths, batch)
    assert min(batch, len(lengths)) % at_once == 0
    assert at_once == 1 or at_once * max(lengths) <= 1024


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40), st.floats(0, 100))
def test_the_budget_is_kept_but_for_one_step(lengths: list[int], seconds: float):
    epochs = [epoch_batches(lengths, 4, seed) for seed in range(3)]
    kept = within_budget(epochs, lengths, rate=0.01, seconds=seconds)
    steps = [batch for epoch in kept for batch in epoch]
    spent = sum(0.01 * lengths[number] for batch in steps for number in batch)
    assert steps
    assert spent <= seconds or len(steps) == 1
    assert all(whole == one for whole, one in zip(epochs, kept, strict=False)) or len(kept) == 1


def test_ample_budget_changes_nothing():
    epochs = [epoch_batches([5, 6, 7], 2, seed) for seed in range(3)]
    assert within_budget(epochs, [5, 6, 7], rate=0.001, seconds=3600) == tuple(epochs)


def test_a_plan_is_read_back_only_by_its_own_training(tmp_path: Path):
    plan = Plan(fingerprint="a", batches=(((0, 1), (2, 0)),), at_once=2, seconds_per_token=0.01)
    save_plan(plan, tmp_path)
    assert read_plan(tmp_path, "a") == plan
    assert read_plan(tmp_path, "b") is None
    assert plan.steps == 2
    assert plan.tokens([1, 2, 3]) == 7


@given(st.integers(1, 500))
def test_the_rate_rises_then_falls_and_is_never_zero(steps: int):
    shares = [rate_share(step, steps) for step in range(steps)]
    top = shares.index(max(shares))
    assert max(shares) == 1.0
    assert min(shares) > 0
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
