"""Every store, for the suites of what all of them owe."""

from pathlib import Path

import pytest

from weighbridge.protocols import Store
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.postgres.store import PostgresStore


@pytest.fixture(params=["faiss", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store without an index."""
    if request.param == "postgres":
        return PostgresStore(request.getfixturevalue("postgres_url"), tmp_path)
    return FaissStore(tmp_path)
