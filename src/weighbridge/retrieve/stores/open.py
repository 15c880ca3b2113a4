"""The store that the settings name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import ExtensionError, WeighbridgeError
from weighbridge.extensions import load_extension
from weighbridge.protocols import Store, StoredIndex

_SERVERS = ("postgresql://", "postgres://")


def open_store(reference: str, folder: Path) -> Store:
    """Return the store of a reference: `faiss`, kept in a folder, or the URL of a PostgreSQL database.

    Any other reference begins with the name of a store that an installed distribution offers.

    Raises:
        ExtensionError: no distribution offers such a store, or it fails.
        MissingExtraError: its library is not installed.
    """
    if reference == "faiss":
        from weighbridge.retrieve.stores.faiss.store import FaissStore

        return FaissStore(folder)
    if reference.startswith(_SERVERS):
        from weighbridge.retrieve.stores.postgres.store import PostgresStore

        return PostgresStore(reference, folder)
    return _open_own(reference, folder)


def _open_own(reference: str, folder: Path) -> Store:
    name = reference.partition(":")[0]
    own = load_extension("weighbridge.stores", name)
    try:
        return OwnStore(own.part(reference, folder), own.origin)
    except WeighbridgeError:  # its own words to the user
        raise
    except Exception as error:
        told = f"{own.origin}: its store {name!r} cannot be opened ({type(error).__name__}: {error}); mend it there"
        raise ExtensionError(told) from error


@dataclass(frozen=True, slots=True)
class OwnStore:
    """A `Store` of another distribution. An index is rebuilt where that, or its version, is another."""

    store: Store
    origin: str

    @property
    def layout(self) -> str:
        return f"{self.origin} {self.store.layout}"

    def open(self, name: str, *, dimensions: int) -> StoredIndex:
        return self.store.open(name, dimensions=dimensions)

    def names(self) -> Sequence[str]:
        return self.store.names()

    def drop(self, name: str) -> None:
        self.store.drop(name)

    def bytes(self, name: str) -> int:
        return self.store.bytes(name)
