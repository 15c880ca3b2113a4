"""The bench: a workspace opened, with everything that its strategies share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.answer.build import SHAPES, Parts
from weighbridge.answer.demonstrations import nearest
from weighbridge.ingest.chunk import chunk_documents
from weighbridge.models import fetch
from weighbridge.protocols import NONE, NOTHING, Embedder, Retriever
from weighbridge.retrieve.embed import open_embedder, open_tokenizer
from weighbridge.retrieve.hybrid import Hybrid, Remembered
from weighbridge.retrieve.indexing import IndexCard, build_index, open_index, read_card, require_card
from weighbridge.settings import Settings
from weighbridge.types import Chunk, Document, Example
from weighbridge.workflow.voice import Voice
from weighbridge.workflow.workload import Outline, Workload, keep_outline, open_workload
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a command works with."""

    settings: Settings
    workspace: Workspace
    workload: Workload
    parts: Parts
    index: IndexCard | None
    embedder_folder: Path


def open_bench(settings: Settings, workspace: Workspace, voice: Voice) -> Bench:
    """Read the workload, bring the index up to date, and lay out the parts that all strategies are owed alike."""
    folder = fetch(settings.retrieval.embedder, notify=voice.notify)
    embedder = open_embedder(folder, name=embedder_name(settings))
    workload = open_workload(settings, workspace, embedder, voice)
    card = index_documents(workload.documents, settings, workspace, embedder, folder, voice)
    keep_outline(workload, workspace)
    shown = workload.of("train") if any(SHAPES[arm].shows for arm in settings.strategies) else ()
    return Bench(
        settings=settings,
        workspace=workspace,
        workload=workload,
        parts=open_parts(settings, workspace, workload.outline, shown, embedder),
        index=card,
        embedder_folder=folder,
    )


def index_documents(
    documents: Sequence[Document],
    settings: Settings,
    workspace: Workspace,
    embedder: Embedder,
    folder: Path,
    voice: Voice,
) -> IndexCard | None:
    """Bring the index up to date with the documents; None where there are none."""
    if not documents:
        return None
    chunks = cut(documents, settings, folder)
    before = read_card(workspace.index)
    card = build_index(workspace.index, chunks, embedder, notify=voice.notify)
    fresh = before is not None and before.fingerprint == card.fingerprint
    state = "up to date" if fresh else f"built in {card.seconds:.1f} s"
    voice.say(f"Index: {card.documents:,} documents, {card.chunks:,} chunks, {state}")
    return card


def embedder_name(settings: Settings) -> str:
    """Return the embedder as people know it: the package or file of its reference."""
    return settings.retrieval.embedder.removeprefix("pypi:").split("==")[0].rstrip("/").rsplit("/", 1)[-1]


def cut(documents: Sequence[Document], settings: Settings, folder: Path) -> tuple[Chunk, ...]:
    """Cut documents into chunks by the tokens of the embedder in `folder`."""
    return tuple(chunk_documents(documents, tokens=settings.chunks.tokens, tokenizer=open_tokenizer(folder)))


def open_retriever(settings: Settings, workspace: Workspace, embedder: Embedder) -> Retriever:
    """Return the search over the workspace's index; `NOTHING` where the settings name no documents.

    Raises:
        WorkspaceError: there is no complete index, or another embedder built it.
    """
    if settings.documents is None:
        return NOTHING
    card = require_card(workspace.index, embedder)
    index = open_index(workspace.index, dimensions=embedder.dimensions)
    candidates = settings.retrieval.candidates
    return Remembered(Hybrid(index=index, embedder=embedder, content=card.fingerprint, candidates=candidates))


def open_parts(
    settings: Settings, workspace: Workspace, outline: Outline, examples: Sequence[Example], embedder: Embedder
) -> Parts:
    """Return what all arms are owed alike; `examples` are those of the train split."""
    return Parts(
        task=outline.task,
        about=settings.instructions,
        choices=outline.choices,
        retriever=open_retriever(settings, workspace, embedder),
        demonstrations=nearest(examples, embedder, count=settings.measure.demonstrations) if examples else NONE,
        limit=settings.retrieval.limit,
    )
