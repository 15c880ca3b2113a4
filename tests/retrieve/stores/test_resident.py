"""Vectors in memory: what is found is what comparing all would find, through any sequence of changes."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.retrieve.stores import slots
from weighbridge.retrieve.stores.resident import Resident
from weighbridge.retrieve.stores.slots import Labels, Piece

AUDIENCES = (frozenset[str](), frozenset({"staff"}), frozenset({"board"}), frozenset({"staff", "board"}))
Change = tuple[frozenset[int], int]


def labels(stamps: NDArray[np.int64]) -> Labels:
    return Labels(stamps, AUDIENCES, stamps % len(AUDIENCES))


def vectors(stamps: NDArray[np.int64], dimensions: int = 5) -> NDArray[np.float32]:
    rows = [np.random.default_rng(stamp).normal(size=dimensions) for stamp in stamps.tolist()]
    return np.array(rows, np.float32).reshape(len(stamps), dimensions)


def check(resident: Resident, stamps: NDArray[np.int64], limit: int, groups: frozenset[str]) -> None:
    query = np.random.default_rng(7).normal(size=5).astype(np.float32)
    seen = np.array([not AUDIENCES[s % 4] or bool(AUDIENCES[s % 4] & groups) for s in stamps.tolist()], np.bool_)
    exact = vectors(stamps).astype(np.float64) @ query
    best = sorted(np.flatnonzero(seen).tolist(), key=lambda row: -exact[row])[:limit]
    hits = resident.nearest(query, limit=limit, groups=groups)
    assert hits.places.tolist() == [1000 + row for row in best]
    assert hits.scores.tolist() == pytest.approx(exact[best].tolist())


@settings(max_examples=60)
@given(
    changes=st.lists(st.tuples(st.frozensets(st.integers(0, 400), max_size=40), st.integers(0, 60)), max_size=8),
    limit=st.integers(1, 20),
    groups=st.frozensets(st.sampled_from(["staff", "board", "other"])),
)
def test_any_changes_leave_what_comparing_all_finds(
    changes: Sequence[Change], limit: int, groups: frozenset[str]
) -> None:
    stamps, count = np.arange(50), 50
    states = [(Resident.of(labels(stamps), 1000 + np.arange(50), [Piece(stamps, vectors(stamps))], 5), stamps)]
    for gone, more in changes:
        before, stamps = states[-1]
        kept = np.array([s for s in stamps.tolist() if s not in gone], np.int64)
        stamps = np.random.default_rng(count).permutation(np.concatenate([kept, np.arange(count, count + more)]))
        count += more
        new = stamps[before.missing(stamps)]
        assert sorted(new.tolist()) == list(range(count - more, count))
        moved = before.moved(labels(stamps), 1000 + np.arange(len(stamps)), [Piece(new, vectors(new))])
        states.append((moved, stamps))
    for resident, there in states:  # earlier states too are what they were
        check(resident, there, limit, groups)


def test_ties_at_the_limit_are_all_given() -> None:
    stamps = np.arange(10)
    rows = np.ones((10, 5), np.float32)
    rows[4] *= 2
    resident = Resident.of(labels(stamps), stamps, [Piece(stamps, rows)], 5)
    hits = resident.nearest(np.ones(5, np.float32), limit=3, groups=frozenset({"staff", "board"}))
    assert (hits.places[0], len(hits.places)) == (4, 10)


def clusters(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    centres = np.random.default_rng(1).normal(size=(400, 96))
    rows = centres[rng.integers(0, 400, count)] + 0.6 * rng.normal(size=(count, 96))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("full_bytes", [1 << 30, 1 << 20])
def test_many_are_found_by_their_sketches_and_none_that_is_hidden(
    monkeypatch: pytest.MonkeyPatch, full_bytes: int
) -> None:
    monkeypatch.setattr(slots, "_FULL_BYTES", full_bytes)
    rng = np.random.default_rng(7)
    rows, queries, stamps = clusters(40_000, rng), clusters(30, rng), np.arange(40_000)
    first = stamps[:39_000]
    resident = Resident.of(labels(first), first, [Piece(first, rows[:39_000])], 96)
    resident = resident.moved(labels(stamps), stamps, [Piece(stamps[39_000:], rows[39_000:])])
    for groups, seen in ((frozenset({"board"}), stamps % 4 != 1), (frozenset({"staff", "board"}), stamps >= 0)):
        exact = np.where(seen, queries @ rows.T, -9)
        shares = []
        for query, scores in zip(queries, exact, strict=True):
            hits = resident.nearest(query, limit=30, groups=groups)
            assert seen[hits.places].all()
            assert hits.scores.tolist() == pytest.approx(scores[hits.places].tolist(), abs=1e-3)
            shares.append(len({*hits.places.tolist()} & {*np.argsort(-scores)[:30].tolist()}) / 30)
        assert np.mean(shares) >= 0.99
