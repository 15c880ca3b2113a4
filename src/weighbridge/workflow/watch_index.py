"""Updates the index whenever the documents change, until interrupted."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from weighbridge.errors import MissingExtraError, SettingsError, WeighbridgeError
from weighbridge.ingest.read import Memory
from weighbridge.retrieve.embed.endpoint import EndpointEmbedder
from weighbridge.retrieve.embed.local import LocalEmbedder
from weighbridge.settings.schema import Settings
from weighbridge.wiring.documents import read_sources
from weighbridge.wiring.index import SyncChoices, update_index
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import fetch_embedder, open_computed_embedder
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.workspace import Workspace

_SETTLED_MS = 50
"""A change counts as complete after so much quiet."""
_LOOK_AGAIN_MS = 30_000
"""Some file systems report no changes, and changes before the start of the watch are not reported either."""


def watch(settings: Settings, workspace: Workspace, reporter: Reporter, choices: SyncChoices) -> None:
    """Update the index whenever a file of the sources changes, until interrupted.

    If most documents would be deleted, or a source cannot be read at all, a message says so and the index stays as it
    is. Losses inside files are reported by `weighbridge index` only. Databases and endpoints are read again when a file
    changes, and every half minute.

    Raises:
        SettingsError: no source is a file or folder.
    """
    paths = [source for source in settings.sources if isinstance(source, Path)]
    if not paths:
        raise SettingsError(f"{workspace.settings_file}: --watch follows files, and no source under documents: is one")
    chosen, embedder = _open_search(settings, workspace, reporter)
    memory: Memory = {}
    with workspace.lock():
        read_sources(settings, workspace, Reporter(), memory=memory)
    reporter.say(f"Watching {', '.join(map(str, paths))}; Ctrl-C ends it")
    for changed in _changes(paths, workspace):
        start = perf_counter()
        try:
            with workspace.lock():
                if with_tuned_models(settings, workspace) != chosen:  # an embedder was tuned or rolled back meanwhile
                    chosen, embedder = _open_search(settings, workspace, reporter)
                documents = read_sources(settings, workspace, reporter, memory=memory)
                synced = update_index(documents, chosen, workspace, embedder, reporter=reporter, choices=choices)
        except WeighbridgeError as error:
            reporter.say(f"{error}")
            continue
        if not synced.plan.empty:
            reporter.say(f"{changed}: in the index {perf_counter() - start:.2f} s after the change was seen")


def _open_search(
    settings: Settings, workspace: Workspace, reporter: Reporter
) -> tuple[Settings, LocalEmbedder | EndpointEmbedder]:
    """Return the settings of the present search, and its embedder, already warm."""
    chosen = with_tuned_models(settings, workspace)
    embedder = open_computed_embedder(chosen, fetch_embedder(chosen, reporter))
    embedder.embed(["ready"], kind="document")
    return chosen, embedder


def _changes(paths: list[Path], workspace: Workspace) -> Iterator[str]:
    """Yield the name of a changed file after each burst of changes, and `a file` every half minute without any."""
    try:
        from watchfiles import watch as watched
    except ModuleNotFoundError as error:
        raise MissingExtraError("--watch", "local") from error
    places = [path if path.is_dir() else path.parent for path in paths]
    state = workspace.state.resolve()
    for changes in watched(
        *places, step=_SETTLED_MS, debounce=1000, rust_timeout=_LOOK_AGAIN_MS, yield_on_timeout=True
    ):
        touched = sorted({Path(path) for _, path in changes if state not in Path(path).resolve().parents})
        if touched or not changes:
            more = f" and {len(touched) - 1:,} more" if len(touched) > 1 else ""
            yield f"{touched[0].name if touched else 'a file'}{more}"
