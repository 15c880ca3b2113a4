"""The store that the settings name."""

from pathlib import Path

from weighbridge.errors import SettingsError
from weighbridge.protocols import Store

_SERVERS = ("postgresql://", "postgres://")


def open_store(reference: str, folder: Path) -> Store:
    """Return the store of a reference: `faiss`, kept in a folder, or the URL of a PostgreSQL database.

    Raises:
        SettingsError: the reference is none of these.
        MissingExtraError: its library is not installed.
    """
    if reference == "faiss":
        from weighbridge.retrieve.stores.faiss.store import FaissStore

        return FaissStore(folder)
    if reference.startswith(_SERVERS):
        from weighbridge.retrieve.stores.postgres.store import PostgresStore

        return PostgresStore(reference, folder)
    raise SettingsError(
        "weighbridge.yaml: retrieval.store must be faiss or a URL like postgresql://user:${DB_PASSWORD}@host/database"
    )
