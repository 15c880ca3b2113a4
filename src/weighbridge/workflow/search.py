"""Searches the index, and explains the results."""

from collections.abc import Sequence

from weighbridge.errors import SettingsError
from weighbridge.protocols import Embedder
from weighbridge.retrieve.index.sync import read_index_card, require_card
from weighbridge.retrieve.search.explain import Explanation
from weighbridge.retrieve.search.explain import explain as explained
from weighbridge.settings.schema import Settings
from weighbridge.types import Passage, Question
from weighbridge.wiring.index import index
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import index_home, open_hybrid, open_query_embedder, open_retriever
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.wiring.workload import index_key
from weighbridge.workspace import Workspace, load_json


def search_index(
    question: Question, settings: Settings, workspace: Workspace, *, limit: int, reporter: Reporter
) -> Sequence[Passage]:
    """Return the passages that the search finds for a question, best first.

    The index is built if there is none yet, and updated after a change of its settings. Otherwise it is searched as it
    is, and the documents are not read.
    """
    settings = with_tuned_models(settings, workspace)
    embedder = _open_ready_embedder(settings, workspace, reporter)
    return open_retriever(settings, workspace, embedder).search(question, limit=limit)


def explain_search(
    question: Question, settings: Settings, workspace: Workspace, *, limit: int, reporter: Reporter
) -> Sequence[Explanation]:
    """Return the passages of the fused search by words and vectors, with the ranks and scores of each.

    Rewriting, reranking, diversity and neighbours come after this search, so they are not explained.
    """
    settings = with_tuned_models(settings, workspace)
    embedder = _open_ready_embedder(settings, workspace, reporter)
    place = index_home(settings, workspace, embedder)
    card = require_card(place)
    hybrid = open_hybrid(settings, place.open_index(card), embedder, card)
    return explained(hybrid, question, limit=limit)


def _open_ready_embedder(settings: Settings, workspace: Workspace, reporter: Reporter) -> Embedder:
    if not settings.sources:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to search; set documents:")
    if read_index_card(workspace.index) is None or load_json(workspace.index_settings) != index_key(settings):
        index(settings, workspace, reporter)
    return open_query_embedder(settings, workspace, reporter)
