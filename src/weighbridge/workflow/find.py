"""Bring the index up to date, and search it."""

from collections.abc import Sequence

from weighbridge.errors import SettingsError
from weighbridge.models import fetch
from weighbridge.retrieve.embed import open_embedder
from weighbridge.retrieve.indexing import IndexCard, read_card
from weighbridge.settings import Settings
from weighbridge.types import Passage, Question
from weighbridge.workflow.bench import embedder_name, index_documents, open_retriever
from weighbridge.workflow.voice import Voice
from weighbridge.workflow.workload import read_outline, read_workload_documents, settings_key
from weighbridge.workspace import Workspace


def index(settings: Settings, workspace: Workspace, voice: Voice) -> IndexCard:
    """Read the documents, and add, change or remove in the index what differs.

    Raises:
        UserError: the settings name no documents, or they cannot be read.
    """
    documents = read_workload_documents(settings, voice)
    if not documents:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to index; set documents:")
    with workspace.locked():
        folder = fetch(settings.retrieval.embedder, notify=voice.notify)
        card = index_documents(
            documents, settings, workspace, open_embedder(folder, name=embedder_name(settings)), folder, voice
        )
    if card is None:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to index; set documents:")
    return card


def search(
    question: Question, settings: Settings, workspace: Workspace, *, limit: int, voice: Voice
) -> Sequence[Passage]:
    """Return the passages found for a question, best first; the index is built where there is none yet."""
    outline = read_outline(workspace)
    if read_card(workspace.index) is None or (outline and outline.settings != settings_key(settings)):
        index(settings, workspace, voice)
    embedder = open_embedder(fetch(settings.retrieval.embedder, notify=voice.notify), name=embedder_name(settings))
    return open_retriever(settings, workspace, embedder).search(question, limit=limit)
