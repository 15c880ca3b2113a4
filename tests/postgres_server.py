"""A PostgreSQL server with pgvector, in a folder of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock


@contextmanager
def postgres_server() -> Iterator[Any]:
    """Run pgserver's PostgreSQL until the block ends.

    Servers start one after another: where root runs the tests, each adds the user `pgserver` if there is none, and two
    test processes that did so at once would be in each other's way.
    """
    turn = FileLock(Path(tempfile.gettempdir(), f"weighbridge-tests-postgres-{os.getuid()}.lock"))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pgserver

        with turn:
            server = pgserver.get_server(Path(folder, "data"))
        try:
            yield server
        finally:
            server.cleanup()
