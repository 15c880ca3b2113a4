"""Tests of a `History`: versions can be read, named and gone back to."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Index, Store, StoredIndex
from weighbridge.types import PUBLIC, Chunk

STAFF = frozenset({"staff"})


def chunk(name: str, text: str) -> Chunk:
    return Chunk(id=f"{name}#0", document_id=name, text=text, start=0, end=len(text), version=text, groups=STAFF)


def put(index: StoredIndex, name: str, text: str) -> int:
    return index.apply(
        Changes(removed=frozenset({name}), added=[chunk(name, text)], vectors=np.ones((1, 4), np.float32))
    )


def state(index: Index) -> dict[str, str]:
    found = index.search_text("tide", limit=9, groups=STAFF)
    near = index.nearest(np.ones(4, np.float32), limit=9, groups=STAFF)
    assert {p.chunk for p in found} == {p.chunk for p in near}
    assert index.count() == len(found)
    assert index.search_text("tide", limit=9, groups=PUBLIC) == []
    assert index.documents() == {p.chunk.document_id: p.chunk.text for p in found}
    return {p.chunk.document_id: p.chunk.text for p in found}


@pytest.fixture
def open_here(store: Store) -> Callable[[], StoredIndex]:
    """Opens the same index each time it is called, as another process would."""
    return lambda: store.open("index", dimensions=4)


@pytest.fixture
def index(open_here: Callable[[], StoredIndex]) -> StoredIndex:
    return open_here()


def test_each_change_is_a_version(index: StoredIndex) -> None:
    start = index.version
    made = [put(index, "a", "tide one"), put(index, "b", "tide two"), index.apply(Changes(removed=frozenset({"a"})))]
    listed = index.versions()
    assert [version.number for version in listed] == [start, *made]
    assert made == sorted(set(made))
    times = [datetime.fromisoformat(version.made) for version in listed]
    assert times == sorted(times)
    assert all(time.utcoffset() is not None and not time.utcoffset() for time in times)


def test_a_version_is_read_as_it_was(index: StoredIndex, open_here: Callable[[], StoredIndex]) -> None:
    first = put(index, "a", "tide one")
    second = put(index, "a", "tide two")
    put(index, "b", "tide three")
    old = open_here().at(first)
    assert (old.version, state(old)) == (first, {"a": "tide one"})
    assert state(index.at(second)) == {"a": "tide two"}
    assert list(old.vectors(["a#0"], groups=STAFF)[0]) == [1, 1, 1, 1]
    assert old.chunks_of("a", groups=STAFF) == [chunk("a", "tide one")]
    assert state(index) == {"a": "tide two", "b": "tide three"}


def test_a_version_is_for_reading_only(index: StoredIndex) -> None:
    old = index.at(put(index, "a", "tide one"))
    with pytest.raises(WorkspaceError, match="reading only"):
        old.apply(Changes(removed=frozenset({"a"})))


def test_going_back_is_a_new_version_and_loses_none(index: StoredIndex, open_here: Callable[[], StoredIndex]) -> None:
    first = put(index, "a", "tide one")
    second = put(index, "b", "tide two")
    third = index.restore(first)
    assert third > second
    assert state(index) == state(open_here()) == {"a": "tide one"}
    assert state(index.at(second)) == {"a": "tide one", "b": "tide two"}
    fourth = put(index, "c", "tide four")
    assert fourth > third == index.versions()[-2].number
    assert state(index) == {"a": "tide one", "c": "tide four"}
    index.restore(second)
    assert state(index) == {"a": "tide one", "b": "tide two"}


def test_names_stay_with_their_versions_until_moved(index: StoredIndex, open_here: Callable[[], StoredIndex]) -> None:
    first, second = put(index, "a", "tide one"), put(index, "a", "tide two")
    index.tag(first, "measured")
    index.tag(first, "before Müller's 1/2 change")
    tags = {version.number: version.tags for version in open_here().versions()}
    assert (tags[first], tags[second]) == (("before Müller's 1/2 change", "measured"), ())
    index.tag(second, "measured")
    tags = {version.number: version.tags for version in index.versions()}
    assert (tags[first], tags[second]) == (("before Müller's 1/2 change",), ("measured",))


@pytest.mark.parametrize("name", ["", "x" * 1000])
def test_a_name_that_cannot_be_kept_is_refused(index: StoredIndex, name: str) -> None:
    with pytest.raises(WorkspaceError, match="name"):
        index.tag(put(index, "a", "tide one"), name)


@pytest.mark.parametrize("number", [-1, 0, 10_000])
def test_there_is_no_such_version(index: StoredIndex, number: int) -> None:
    put(index, "a", "tide one")
    with pytest.raises(WorkspaceError, match="no version"):
        index.at(number)
    with pytest.raises(WorkspaceError, match="no version"):
        index.restore(number)
    with pytest.raises(WorkspaceError, match="no version"):
        index.tag(number, "name")


def test_optimising_changes_neither_content_nor_version(index: StoredIndex) -> None:
    put(index, "a", "tide one")
    number = put(index, "b", "tide two")
    listed = index.versions()
    index.optimise()
    assert (index.version, index.versions()) == (number, listed)
    assert state(index) == state(index.at(number)) == {"a": "tide one", "b": "tide two"}


def test_many_changes_leave_the_latest_versions_and_the_named(index: StoredIndex) -> None:
    named = put(index, "a", "tide named")
    index.tag(named, "kept")
    latest = [put(index, "a", f"tide {turn}") for turn in range(30)]
    index.optimise()
    numbers = [version.number for version in index.versions()]
    assert named in numbers
    assert numbers[-20:] == latest[-20:]
    assert state(index.at(named)) == {"a": "tide named"}
    assert state(index.at(latest[-20])) == {"a": "tide 10"}


def test_a_named_version_outlives_the_ones_around_it(index: StoredIndex, open_here: Callable[[], StoredIndex]) -> None:
    put(index, "a", "tide before")
    named = put(index, "b", "tide named")
    many = [chunk(f"m{i}", "tide many") for i in range(3000)]
    index.apply(Changes(added=many, vectors=np.ones((3000, 4), np.float32)))
    index.tag(named, "kept")
    index.optimise()
    index.apply(Changes(removed=frozenset({c.document_id for c in many[5:]})))
    assert state(open_here().at(named)) == {"a": "tide before", "b": "tide named"}
    number = index.restore(named)
    assert number == index.version > named
    assert state(index) == state(open_here()) == {"a": "tide before", "b": "tide named"}
    put(index, "b", "tide after")
    assert state(index) == {"a": "tide before", "b": "tide after"}
    assert state(index.at(named)) == {"a": "tide before", "b": "tide named"}
