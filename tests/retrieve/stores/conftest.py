"""The stores that keep rows in a database."""

from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.protocols import Store
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.postgres.store import PostgresStore


@pytest.fixture(params=["faiss", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    """Opens the store of a folder, the same one each time."""
    if request.param == "faiss":
        return FaissStore
    url = request.getfixturevalue("postgres_url")
    return lambda folder: PostgresStore(url, folder)
