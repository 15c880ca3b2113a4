"""The cluster of the settings, and the work that it does on documents. Its machines share the workspace's folder."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from weighbridge.distribute.ray import RayExecutor
from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Embedder, Executor, RemoteWork
from weighbridge.retrieve.index.build import Embedding, FreshVectors, RemoteEmbedding
from weighbridge.settings.schema import Settings
from weighbridge.wiring.offline import require_local_address
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.search import open_query_embedder
from weighbridge.workspace import Workspace


def cluster(settings: Settings) -> Executor | None:
    """Return the executor of the settings; None if this process does the work.

    Raises:
        SettingsError: the cluster is not on this machine, and `needs.limits.offline` is set.
    """
    if settings.distribute == "local":
        return None
    head = settings.distribute.removeprefix("ray").removeprefix(":")
    require_local_address("documents and questions", f"//{head}", settings)
    return RayExecutor(head)


@dataclass(frozen=True, slots=True)
class SettingsEmbedding:
    """The `Work` of embedding documents: each process opens the embedder of the settings for itself."""

    settings: Settings
    root: Path
    expected: str
    """The fingerprint of the driver's embedder. Another machine must make the same vectors, or none."""

    def open(self, stack: ExitStack) -> Callable[[Sequence[str]], FreshVectors]:
        embedder: Embedder = open_query_embedder(self.settings, Workspace(self.root), SILENT)
        if embedder.fingerprint != self.expected:
            raise WorkspaceError(
                f"a machine of the cluster embeds with {embedder.name} ({embedder.fingerprint}) where this one does "
                f"with {self.expected}: its files or its precision differ. Give retrieval.precision a value that "
                "all machines have, such as float32"
            )
        return Embedding(embedder).open(stack)


def remote_embedding(settings: Settings, workspace: Workspace, embedder: Embedder) -> RemoteEmbedding | None:
    """Return the embedding of documents on the cluster; None if this process embeds them."""
    executor = cluster(settings)
    if executor is None:
        return None
    return RemoteWork(executor, SettingsEmbedding(settings, workspace.root.absolute(), embedder.fingerprint))
