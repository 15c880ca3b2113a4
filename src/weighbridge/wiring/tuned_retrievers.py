"""Promotes tuned embedders and rerankers, and describes the search that they make.

    .weighbridge/adapters/embedder/<id>/   card.json (written last) and the model's folder; reranker/ likewise
    .weighbridge/adapters/embedder/promoted.json

`with_tuned_models` puts the promoted models into the settings. Indexing and searching use the result, and need to know
nothing else. The split of the examples uses the embedder of the settings, so that a tuning never moves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from weighbridge.adapters import Training
from weighbridge.checks.retrieval import RetrievalVerdict
from weighbridge.dataset.near_duplicates import comparable_text, normalise_question
from weighbridge.errors import DataError, WorkspaceError
from weighbridge.models import fetch, file_fingerprint
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.settings.schema import LATE_INTERACTION, Settings
from weighbridge.train.registry import (
    Promotions,
    promotions,
    promotions_before,
    put_in_force,
    write_promotions,
)
from weighbridge.types import Example
from weighbridge.wiring.search import embedder_name
from weighbridge.workspace import Workspace, write_text

Which = Literal["embedder", "reranker"]
WHICH: tuple[Which, ...] = get_args(Which)
_DESCRIBED = ("limit", "candidates", "weight", "feedback", "rewrite", "diversity", "neighbours", "sections", "static")
"""The settings under `retrieval` that can change the passages found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieverCard:
    """A finished tuning of the embedder or the reranker, kept or reverted."""

    id: str
    """Its folder's name: the first 12 hex digits of the fingerprint."""
    which: Which
    fingerprint: str
    """Fingerprint of the base, the pairs, the questions, the recipe, and the search that it was judged in."""
    made_at: str
    """ISO 8601, UTC."""
    base_reference: str
    """The settings' own embedder."""
    base_fingerprint: str
    """Fingerprint of the weights it started from: the embedder of the search at that time."""
    replaces: str
    """`retrieval.rerank` of the settings. The reranker is used only while this setting is unchanged."""
    against: tuple[str, ...] = ()
    """The tuned models of the search that it was compared with, "embedder 3f2a9c41d0e7"; none: the settings' own."""
    division: str
    """The division of the questions into learning, choice of the epoch and decision, as a sentence."""
    pairs: Mapping[str, int]
    """Pairs learnt, by their origin: evidence, heading, inverse cloze, first sentence."""
    negatives: Mapping[str, int]
    """Texts learnt as wrong: mined, and random."""
    questions: tuple[str, ...] = ()
    """The train questions that were learnt; none if the pairs were made from the documents."""
    attrition: Mapping[str, int]
    """Examples, chunks and candidates that were not learnt, by the reason."""
    training: Training | None
    """None if there was nothing to decide by, and so nothing was trained."""
    agreement: float | None
    """The agreement of our engine with the library that trained it: see `Tuned.agreement`."""
    verdict: RetrievalVerdict
    seconds: float
    """Seconds of the whole tuning: pairs, negatives, training, and searching before and after."""
    model: str = ""
    """The model's folder inside the card's; empty where nothing was trained."""


def write_retriever_card(card: RetrieverCard, folder: Path) -> None:
    """Write `card.json`. It is written last: a folder with a card is complete."""
    write_text(folder / "card.json", _cards().dump_json(card, indent=2).decode() + "\n")


def read_retriever_card(folder: Path) -> RetrieverCard | None:
    """Return the card of a finished tuning; None if there is none, or its model is gone."""
    try:
        card = _cards().validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return card if not card.model or (folder / card.model / WEIGHTS).is_file() else None


def retriever_cards(workspace: Workspace, which: Which) -> tuple[RetrieverCard, ...]:
    """Return the cards of all finished tunings, oldest first."""
    folder = workspace.adapters(which)
    cards = (read_retriever_card(path) for path in sorted(folder.iterdir()) if path.is_dir()) if folder.is_dir() else ()
    return tuple(sorted((card for card in cards if card), key=lambda card: (card.made_at, card.id)))


def promote_retriever(card: RetrieverCard, workspace: Workspace) -> None:
    """Make the search use a tuned model."""
    put_in_force(workspace, card.which, card.id)


def rollback_retriever(which: Which, workspace: Workspace) -> RetrieverCard | None:
    """Go back to the previous tuned model and return its card; None if it is the model of the settings.

    The index is updated on its next use.

    Raises:
        WorkspaceError: the search uses no tuned model.
    """
    if not promotions(workspace, which).history:
        raise WorkspaceError(
            f"the search uses no tuned {which}, but that of the settings; see: weighbridge models list"
        )
    earlier = promotions_before(workspace, which, lambda name: _card_with_model(which, name, workspace) is not None)
    write_promotions(workspace, which, Promotions(earlier))
    return _latest_promotion(workspace, which)


def promoted_embedder(workspace: Workspace, settings: Settings) -> Path | None:
    """Return the folder of the promoted embedder; None if it was not tuned from the embedder of the settings."""
    card = _latest_promotion(workspace, "embedder")
    if card is None or card.base_reference != settings.retrieval.embedder:
        return None
    return _folder(card, workspace) if card.base_fingerprint == _weights(fetch(card.base_reference)) else None


def promoted_reranker(workspace: Workspace, settings: Settings) -> Path | None:
    """Return the folder of the promoted reranker; None if it was tuned for another search."""
    card = _latest_promotion(workspace, "reranker")
    if card is None or (card.base_reference, card.replaces) != (settings.retrieval.embedder, settings.retrieval.rerank):
        return None
    searched_with = promoted_embedder(workspace, settings) or fetch(card.base_reference)
    return _folder(card, workspace) if card.base_fingerprint == _weights(searched_with) else None


def with_tuned_models(settings: Settings, workspace: Workspace) -> Settings:
    """Return the settings with the promoted models in place of their own."""
    embedder, reranker = promoted_embedder(workspace, settings), promoted_reranker(workspace, settings)
    update = {key: str(path) for key, path in (("embedder", embedder), ("rerank", reranker)) if path}
    return with_retrieval(settings, update) if update else settings


def with_retrieval(settings: Settings, update: Mapping[str, str]) -> Settings:
    """Return the settings with other values under `retrieval`."""
    return settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update=dict(update))})


def promoted_card(workspace: Workspace, settings: Settings, which: Which) -> RetrieverCard | None:
    """Return the card of the tuned model that the search uses; None if it uses the settings' own."""
    used = {"embedder": promoted_embedder, "reranker": promoted_reranker}[which](workspace, settings)
    return _latest_promotion(workspace, which) if used else None


def tuned_models_in_use(workspace: Workspace, settings: Settings) -> tuple[str, ...]:
    """Return the tuned models that the search uses, by kind and id."""
    used = {which: promoted_card(workspace, settings, which) for which in WHICH}
    return tuple(f"{which} {card.id}" for which, card in used.items() if card)


def require_unlearnt(tests: Sequence[Example], settings: Settings, workspace: Workspace) -> None:
    """Check that no promoted model has learnt a test question of the present split.

    Raises:
        DataError: one has. It was tuned with another split.
    """
    tested = {normalise_question(comparable_text(example)) for example in tests}
    for which in WHICH:
        card = promoted_card(workspace, settings, which)
        learnt = [question for question in card.questions if normalise_question(question) in tested] if card else []
        if learnt:
            raise DataError(
                f"{workspace.root}: the promoted {which} has learnt {len(learnt):,} of the test questions, like "
                f"'{learnt[0]}': it was tuned when the examples were divided otherwise. Go back to the model before it "
                f"(weighbridge models rollback {which}), then tune it again (weighbridge train {which})"
            )


def describe_search(settings: Settings, workspace: Workspace) -> Mapping[str, str]:
    """Return everything that decides the passages of a question, by name, with the promoted models.

    Documents are left out, because their versions show their changes. The store and the precision are left out, because
    they change only the place and the speed of the search.

    Raises:
        UserError, DownloadError: a model of the search is missing, and cannot be fetched.
    """
    used = with_tuned_models(settings, workspace)
    chosen = used.retrieval
    reranker = chosen.rerank or "none"
    return {
        "embedder": f"{embedder_name(used)} {_model_fingerprint(chosen.embedder)}",
        "reranker": reranker if reranker in ("none", LATE_INTERACTION) else _model_fingerprint(reranker),
        "chunks.tokens": str(used.chunks.tokens),
        **{f"retrieval.{name}": str(getattr(chosen, name)) for name in _DESCRIBED},
    }


def search_changes(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the parts of a search that changed."""
    return tuple(name for name in now if name in then and then[name] != now[name])


def _latest_promotion(workspace: Workspace, which: Which) -> RetrieverCard | None:
    history = promotions(workspace, which).history
    return _card_with_model(which, history[-1], workspace) if history else None


def _card_with_model(which: Which, name: str, workspace: Workspace) -> RetrieverCard | None:
    card = read_retriever_card(workspace.adapter(which, name))
    return card if card and card.model else None


def _folder(card: RetrieverCard, workspace: Workspace) -> Path:
    return (workspace.adapter(card.which, card.id) / card.model).resolve()


def _weights(folder: Path) -> str:
    return file_fingerprint(folder / WEIGHTS)


def _model_fingerprint(reference: str) -> str:
    folder = fetch(reference)
    return file_fingerprint(folder / WEIGHTS if (folder / WEIGHTS).is_file() else folder)[:12]


@cache
def _cards() -> TypeAdapter[RetrieverCard]:
    return TypeAdapter(RetrieverCard)
