"""The store that the settings name."""

from pathlib import Path

from weighbridge.errors import SettingsError
from weighbridge.protocols import Store

_SERVERS = ("postgresql://", "postgres://")


def open_store(reference: str, folder: Path) -> Store:
    """Return the store of a reference: `lancedb` or `faiss`, kept in a folder, or the URL of a PostgreSQL database.

    Raises:
        SettingsError: the reference is none of these.
        MissingExtraError: its library is not installed.
    """
    if reference == "lancedb":
        from weighbridge.retrieve.stores.lance import LanceStore

        return LanceStore(folder)
    if reference == "faiss":
        from weighbridge.retrieve.stores.faiss import FaissStore

        return FaissStore(folder)
    if reference.startswith(_SERVERS):
        from weighbridge.retrieve.stores.postgres import PostgresStore

        return PostgresStore(reference, folder)
    raise SettingsError(
        f"weighbridge.yaml: retrieval.store: {reference!r} is not a store; use lancedb, faiss, or a URL like "
        "postgresql://user:${DB_PASSWORD}@host/database"
    )
