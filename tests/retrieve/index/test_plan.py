"""A plan says exactly what differs."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.retrieve.index.plan import SyncPlan, compare_versions

states = st.dictionaries(st.text(max_size=2), st.sampled_from("xyz"), max_size=8)


@given(before=states, now=states)
def test_following_the_plan_leads_from_one_state_to_the_other(
    before: Mapping[str, str], now: Mapping[str, str]
) -> None:
    plan = compare_versions(before, now)
    kept = {name: version for name, version in before.items() if name not in {*plan.deleted, *plan.changed}}
    assert {**kept, **{name: now[name] for name in (*plan.added, *plan.changed)}} == now
    assert len(kept) == plan.unchanged
    assert plan.empty == (before == now)


@given(before=states, now=states, unsettled=st.frozensets(st.text(max_size=2), max_size=3))
def test_only_what_is_known_to_be_gone_is_deleted(
    before: Mapping[str, str], now: Mapping[str, str], unsettled: frozenset[str]
) -> None:
    plan = compare_versions(before, now, unsettled=unsettled)
    assert set(plan.deleted) == before.keys() - now.keys() - unsettled
    assert set(plan.added) == now.keys() - before.keys()
    anew = compare_versions(before, now, anew="the embedder is another", unsettled=unsettled)
    assert set(anew.deleted) == before.keys() - now.keys()


@pytest.mark.parametrize(
    ("before", "deleted", "shrinks"),
    [(3, 3, False), (4, 2, False), (4, 3, True), (10, 5, False), (10, 6, True), (0, 0, False)],
)
def test_most_of_an_index_is_not_lost_unasked(before: int, deleted: int, *, shrinks: bool) -> None:
    versions = {str(number): "x" for number in range(before)}
    now = dict.fromkeys(list(versions)[deleted:], "x")
    assert compare_versions(versions, {**now, "new": "x"}).shrinks == shrinks


def test_an_index_built_anew_is_never_nothing_to_do() -> None:
    assert SyncPlan().empty
    assert not SyncPlan(anew="the embedder is another").empty
