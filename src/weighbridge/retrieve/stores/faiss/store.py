"""Keeps indexes of FAISS over SQLite, each in a folder of its own.

<folder>/<name>/
  index.sqlite     chunks, vectors, words and versions: the truth
  graph.npz        an HNSW graph of the vectors, where `optimise` made one; it can be built again
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from weighbridge.errors import MissingExtraError, WorkspaceError
from weighbridge.retrieve.index.analyser import ANALYSER
from weighbridge.retrieve.stores.faiss.index import FaissIndex
from weighbridge.retrieve.stores.faiss.snapshot import SnapshotSource
from weighbridge.retrieve.stores.faiss.sqlite import Database
from weighbridge.retrieve.stores.faiss.vectors import Kind

_FILE = "index.sqlite"
_GRAPH = "graph.npz"


class FaissStore:
    """A `Store` of files: a folder for each index."""

    layout = f"faiss 1; {ANALYSER}"
    """Enters the fingerprint of an index: count up whenever its tables change, so that it is rebuilt."""

    def __init__(self, folder: Path, *, kind: Kind | None = None) -> None:
        """Hold vectors in a kind of FAISS index. None: the number of vectors decides.

        Raises:
            MissingExtraError: FAISS is not installed.
        """
        try:
            import faiss  # noqa: F401 - to fail here, not in the first search
        except ModuleNotFoundError as error:
            raise MissingExtraError("the FAISS index", "local") from error
        self.folder = folder
        self.kind = kind

    def open(self, name: str, *, dimensions: int) -> "FaissIndex":
        home = self._home(name)
        source = SnapshotSource(dimensions, self.kind, home / _GRAPH)
        return FaissIndex(Database(home / _FILE, dimensions), source)

    def names(self) -> Sequence[str]:
        return sorted(file.parent.name for file in self.folder.glob(f"*/{_FILE}"))

    def drop(self, name: str) -> None:
        shutil.rmtree(self._home(name), ignore_errors=True)

    def bytes(self, name: str) -> int:
        return sum(file.stat().st_size for file in self._home(name).glob("*") if file.is_file())

    def _home(self, name: str) -> Path:
        # A slash or ".." would lead out of the folder, and `drop` deletes there.
        if not name or Path(name).name != name:
            raise WorkspaceError(f"{self.folder}: {name!r} cannot be the name of an index; use a plain file name")
        return self.folder / name
