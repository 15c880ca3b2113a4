"""Updates the workspace's index from its documents, and restores its versions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from weighbridge.errors import SettingsError, UserError, WorkspaceError
from weighbridge.protocols import Store, StoredIndex, Version
from weighbridge.retrieve.embed.endpoint import EndpointEmbedder
from weighbridge.retrieve.embed.local import LocalEmbedder
from weighbridge.retrieve.index.plan import SyncPlan, compare_versions
from weighbridge.retrieve.index.sync import IndexCard, open_stored, plan_sync, read_index_card, restore_index, sync
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.schema import Settings
from weighbridge.types import Document
from weighbridge.wiring.cluster import remote_embedding
from weighbridge.wiring.documents import read_sources
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import (
    fetch_embedder,
    index_home,
    index_source,
    open_computed_embedder,
    open_document_embedder,
)
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.wiring.workload import index_key
from weighbridge.workspace import Workspace, load_json, write_json

Agree = Callable[[str], bool]
"""Asks the user for consent to the question."""


def never_agree(_question: str) -> bool:
    """Refuse: the `Agree` of a process without a user."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The plan of a sync, and the index after it; None if only the plan was asked for."""

    plan: SyncPlan
    index: IndexCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncChoices:
    """The options of a sync."""

    plan_only: bool = False
    allow_shrink: bool = False
    agree: Agree = never_agree


def index(
    settings: Settings, workspace: Workspace, reporter: Reporter, choices: SyncChoices = SyncChoices()
) -> SyncResult:
    """Read the sources, compare them with the index, report the differences, and update the index.

    Raises:
        UserError: the settings name no documents, the documents cannot be read, or most of them are gone.
    """
    if not settings.sources:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to index; set documents:")
    settings = with_tuned_models(settings, workspace)
    with workspace.lock():
        computed = open_computed_embedder(settings, fetch_embedder(settings, reporter))
        documents = read_sources(settings, workspace, reporter)
        return update_index(documents, settings, workspace, computed, reporter=reporter, choices=choices)


def update_index(
    documents: Sequence[Document],
    settings: Settings,
    workspace: Workspace,
    computed: LocalEmbedder | EndpointEmbedder,
    *,
    reporter: Reporter,
    choices: SyncChoices = SyncChoices(),
) -> SyncResult:
    """Make the index hold exactly these documents. The caller holds the workspace's lock.

    Raises:
        UserError: most documents of the index are gone, and nobody agreed to delete them.
    """
    sources = index_source(documents, settings, fetch_embedder(settings))
    embedder = open_document_embedder(documents, settings, workspace.static, computed, sources.cut, reporter)
    place = replace(index_home(settings, workspace, embedder), remote=remote_embedding(settings, workspace, embedder))
    plan = plan_sync(place, sources)
    for line in plan_lines(plan):
        reporter.say(line)
    if choices.plan_only:
        if plan.empty:
            reporter.say(f"Plan: nothing to do, {plan.unchanged:,} unchanged")
        return SyncResult(plan=plan, index=None)
    if plan.shrinks and not choices.allow_shrink:
        lost = f"{len(plan.deleted):,} of {plan.unchanged + len(plan.changed) + len(plan.deleted):,} documents are gone"
        if not choices.agree(f"{lost} from the sources. Delete them from the index?"):
            raise WorkspaceError(
                f"{workspace.root}: {lost} from the sources (first: {plan.deleted[0]}); nothing was changed. "
                "If that is right: weighbridge index --allow-shrink"
            )
    card = sync(place, sources, plan, notify=reporter.notify)
    # Written after the sync: an interrupted one leaves the old key, so the next command syncs again.
    write_json(workspace.index_settings, index_key(settings))
    state = "up to date" if plan.empty else f"{card.embedded:,} chunks embedded"
    reporter.say(f"Index: {card.documents:,} documents, {card.chunks:,} chunks, {state}")
    if isinstance(computed, EndpointEmbedder):
        reporter.say(f"Embedded by {computed.name} so far: {computed.usage}")
    return SyncResult(plan=plan, index=card)


def index_is_current(settings: Settings, workspace: Workspace) -> bool:
    """Tell whether the workspace has an index of these settings. Its documents may have changed since."""
    chosen = with_tuned_models(settings, workspace)
    return read_index_card(workspace.index) is not None and load_json(workspace.index_settings) == index_key(chosen)


def plan_lines(plan: SyncPlan) -> Sequence[str]:
    """Return the lines that describe a plan."""
    if plan.empty:
        return ()
    counted = (
        f"{len(names):,} {word}"
        for word, names in (("to add", plan.added), ("changed", plan.changed), ("to delete", plan.deleted))
        if names
    )
    rebuild = "; " if plan.anew else ""
    if plan.anew and (plan.unchanged or plan.changed or plan.deleted):
        rebuild = "; the whole index is built again beside the old one, and the old versions are deleted: "
    lines = [f"Plan: {', '.join((*counted, f'{plan.unchanged:,} unchanged'))}{rebuild}{plan.anew}"]
    for mark, names in (("+", plan.added), ("~", plan.changed), ("-", plan.deleted)):
        lines += [f"  {mark} {name}" for name in names[:_SHOWN]]
        if len(names) > _SHOWN:
            lines.append(f"  {mark} and {len(names) - _SHOWN:,} more")
    return lines


_SHOWN = 5
"""Documents of each kind to list, so that a plan fits a terminal."""


def list_index_versions(settings: Settings, workspace: Workspace) -> Sequence[Version]:
    """Return the versions of the index that `rollback_index` can restore, oldest first."""
    return open_history(settings, workspace).versions()


def compare_index_versions(settings: Settings, workspace: Workspace, before: str, after: str) -> SyncPlan:
    """Return the changes between two versions, given by number or name."""
    opened = open_history(settings, workspace)
    numbers = [find_version(opened.versions(), name) for name in (before, after)]
    return compare_versions(*(opened.at(number).documents() for number in numbers))


def tag_index_version(settings: Settings, workspace: Workspace, version: str, name: str) -> Version:
    """Name a version. Named versions are kept."""
    if not name.strip() or name.strip().isdecimal():  # a number would be taken for that of a version
        raise UserError(f"'{name}' cannot name a version; take a word, like before-the-move")
    with workspace.lock():
        opened = open_history(settings, workspace)
        number = find_version(opened.versions(), version)
        opened.tag(number, name.strip())
        return next(known for known in opened.versions() if known.number == number)


def rollback_index(settings: Settings, workspace: Workspace, version: str) -> IndexCard:
    """Restore the index to a version. The next `index` follows the documents again."""
    with workspace.lock():
        number = find_version(open_history(settings, workspace).versions(), version)
        return restore_index(workspace.index, _store(settings, workspace), number)


def open_history(settings: Settings, workspace: Workspace) -> StoredIndex:
    """Open the workspace's index to read its history.

    Raises:
        WorkspaceError: there is no index.
    """
    return open_stored(workspace.index, _store(settings, workspace))


def find_version(known: Sequence[Version], name: str) -> int:
    """Return the number of a version, given by number or name.

    Raises:
        UserError: there is no such version. The message lists the names and the last eight numbers.
    """
    for version in known:
        if name in (str(version.number), *version.tags):
            return version.number
    there = ", ".join([str(version.number) for version in known[-8:]] + [tag for v in known for tag in v.tags])
    raise UserError(f"the index has no version '{name}'; it has {there}. See: weighbridge versions")


def _store(settings: Settings, workspace: Workspace) -> Store:
    return open_store(settings.retrieval.store, workspace.index)
