"""Every store, for the suites of what all of them owe."""

from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.protocols import Store, StoredIndex
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.postgres.store import PostgresStore

DIMENSIONS = 4


@pytest.fixture(params=["faiss", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store without an index."""
    if request.param == "postgres":
        return PostgresStore(request.getfixturevalue("postgres_url"), tmp_path)
    return FaissStore(tmp_path)


@pytest.fixture
def open_here(store: Store) -> Callable[[], StoredIndex]:
    """Opens the same index each time it is called, as another process would."""
    return lambda: store.open("index", dimensions=DIMENSIONS)
