from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.dataset.split import AllotmentUnit, allot
from weighbridge.types import Split

SHARES: dict[Split, float] = {"train": 0.5, "dev": 0.1, "test": 0.4}
GROUPS = st.lists(st.builds(AllotmentUnit, st.integers(1, 12), st.sampled_from("abc")), min_size=1, max_size=60)


@given(groups=GROUPS, seed=st.integers(0, 5))
def test_every_group_is_dealt_once_and_the_same_for_the_same_seed(groups: list[AllotmentUnit], seed: int) -> None:
    dealt = allot(groups, SHARES, seed=seed)
    assert len(dealt) == len(groups)
    assert dealt == allot(groups, SHARES, seed=seed)


@given(groups=GROUPS, seed=st.integers(0, 5), dev=st.floats(0, 0.3), test=st.floats(0, 0.7))
def test_counts_meet_the_shares_within_the_largest_groups(
    groups: list[AllotmentUnit], seed: int, dev: float, test: float
) -> None:
    shares: dict[Split, float] = {"train": 1 - dev - test, "dev": dev, "test": test}
    dealt = allot(groups, shares, seed=seed)
    total = sum(group.size for group in groups)
    for split, share in shares.items():
        count = sum(group.size for group, owner in zip(groups, dealt, strict=True) if owner == split)
        assert abs(count - share * total) <= 2 * max(group.size for group in groups)


@given(groups=GROUPS, seed=st.integers(0, 5))
def test_each_wanted_split_gets_a_group_where_there_are_enough(groups: list[AllotmentUnit], seed: int) -> None:
    assert len(set(allot(groups, SHARES, seed=seed))) == min(len(groups), 3)


def test_a_split_without_a_share_gets_nothing() -> None:
    dealt = allot([AllotmentUnit(1, "")] * 50, {"train": 0.6, "dev": 0.0, "test": 0.4}, seed=1)
    assert Counter(dealt) == {"train": 30, "test": 20}


@pytest.mark.parametrize("seed", range(5))
def test_strata_are_alike_in_each_split(seed: int) -> None:
    groups = [AllotmentUnit(1, "rare" if n % 10 == 0 else "common") for n in range(1000)]
    dealt = allot(groups, SHARES, seed=seed)
    rare = Counter(split for group, split in zip(groups, dealt, strict=True) if group.stratum == "rare")
    assert rare == {"train": 50, "dev": 10, "test": 40}
    assert Counter(dealt) == {"train": 500, "dev": 100, "test": 400}


def test_large_groups_do_not_always_go_to_the_same_split() -> None:
    groups = [AllotmentUnit(10, ""), *[AllotmentUnit(1, "")] * 90]
    assert {allot(groups, SHARES, seed=seed)[0] for seed in range(30)} >= {"train", "test"}


def test_another_seed_deals_differently() -> None:
    groups = [AllotmentUnit(1, "")] * 40
    assert len({allot(groups, SHARES, seed=seed) for seed in range(5)}) == 5
