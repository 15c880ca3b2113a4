"""The bench: an open workspace with the parts that its strategies share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from weighbridge.answer.build import Parts, shape_of
from weighbridge.answer.demonstrations import nearest
from weighbridge.protocols import NONE, Embedder
from weighbridge.retrieve.index.sync import IndexCard
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.settings.schema import Arm, Settings
from weighbridge.types import Example
from weighbridge.wiring.index import update_index
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import fetch_embedder, open_computed_embedder, open_query_embedder, open_retriever
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.wiring.workload import Outline, Workload, keep_outline, open_workload
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The settings, workload, index and shared parts of a command."""

    settings: Settings
    workspace: Workspace
    workload: Workload
    parts: Parts
    index: IndexCard | None
    embedder_folder: Path | None
    """None of an embedder at an endpoint."""

    def for_arm(self, arm: Arm) -> "Bench":
        """Return the bench with the settings of an arm's base model. Everything else is shared."""
        return replace(self, settings=self.settings.for_arm(arm))


def open_bench(settings: Settings, workspace: Workspace, reporter: Reporter) -> Bench:
    """Read the workload, update the index, and build the parts that all strategies share.

    The caller holds the workspace's lock. The index cannot change then, so searches are cached.
    """
    computed = open_computed_embedder(settings, fetch_embedder(settings, reporter))
    workload = open_workload(settings, workspace, computed, reporter)
    # The split uses the embedder of the settings, tuned or not: a tuning must not move test questions into train.
    chosen = with_tuned_models(settings, workspace)
    folder = fetch_embedder(chosen)
    serving = open_computed_embedder(chosen, folder) if chosen != settings else computed
    card = (
        update_index(workload.documents, chosen, workspace, serving, reporter=reporter).index
        if workload.documents
        else None
    )
    embedder = open_query_embedder(chosen, workspace, reporter) if card else serving
    keep_outline(workload, workspace)
    shown = any(shape_of(arm).shows for arm in settings.arms)
    taught = tuple(example for example in workload.given_examples if shown and example.split == "train")
    parts = open_parts(chosen, workspace, workload.outline, taught, embedder)
    return Bench(
        settings=settings,
        workspace=workspace,
        workload=workload,
        parts=replace(parts, retriever=CachedRetriever(parts.retriever)) if card else parts,
        index=card,
        embedder_folder=folder,
    )


def open_parts(
    settings: Settings, workspace: Workspace, outline: Outline, examples: Sequence[Example], embedder: Embedder
) -> Parts:
    """Return the parts that all arms share. `examples` are the train examples that people gave."""
    return Parts(
        task=outline.task,
        about=settings.instructions,
        choices=outline.choices,
        retriever=open_retriever(settings, workspace, embedder),
        demonstrations=nearest(examples, embedder, count=settings.measure.demonstrations) if examples else NONE,
        limit=settings.retrieval.limit,
        quotes=settings.training.raft.quotes,
    )
