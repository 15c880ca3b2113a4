"""The tuned models of the search that are in force, and the cards of all that were tried.

    .weighbridge/adapters/embedder/<id>/   card.json (written last) and the model's folder; reranker/ likewise
    .weighbridge/adapters/embedder/promoted.json

`with_tuned_models` puts the models in force into the settings. Whoever indexes or searches reads its result, and the
rest follows from the settings as ever. The split of the examples keeps to the settings' own embedder, so that it never
moves.
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
from weighbridge.settings.schema import Settings
from weighbridge.train.registry import (
    Promotions,
    promotions,
    promotions_before,
    put_in_force,
    write_promotions,
)
from weighbridge.types import Example
from weighbridge.workspace import Workspace, write_text

Which = Literal["embedder", "reranker"]
WHICH: tuple[Which, ...] = get_args(Which)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieverCard:
    """A tuning of the embedder or the reranker that came to its end, kept or reverted."""

    id: str
    """Its folder's name: the first 12 hex digits of the fingerprint."""
    which: Which
    fingerprint: str
    """Of the base, everything learnt and asked, the recipe, and the search it was weighed in."""
    made_at: str
    """ISO 8601, UTC."""
    base_reference: str
    """The settings' own embedder."""
    base_fingerprint: str
    """Of the weights it started from: the embedder that was searched with."""
    replaces: str
    """`retrieval.rerank` of the settings: a reranker is in force only where that is still so."""
    against: tuple[str, ...] = ()
    """The tuned models of the search it was weighed against, "embedder 3f2a9c41d0e7"; none: the settings' own."""
    division: str
    """Which questions were learnt, which chose the epoch and which decided, as a sentence."""
    pairs: Mapping[str, int]
    """Pairs learnt, by where they come from: evidence, heading, inverse cloze, first sentence."""
    negatives: Mapping[str, int]
    """Texts learnt as wrong: mined, and random."""
    questions: tuple[str, ...] = ()
    """The train questions that were learnt; none where the pairs were made from the documents."""
    attrition: Mapping[str, int]
    """What was not learnt: examples, chunks and candidates, by the reason."""
    training: Training | None
    """None where there was nothing to decide by, and so nothing was trained."""
    agreement: float | None
    """How well our engine agrees with the library that trained it: see `Tuned.agreement`."""
    verdict: RetrievalVerdict
    seconds: float
    """All of it: pairs, negatives, training, and searching before and after."""
    model: str = ""
    """The model's folder inside the card's; empty where nothing was trained."""


def write_card(card: RetrieverCard, folder: Path) -> None:
    """Write `card.json`; from then on the folder counts as complete."""
    write_text(folder / "card.json", _cards().dump_json(card, indent=2).decode() + "\n")


def read_card(folder: Path) -> RetrieverCard | None:
    """Return the card of a finished tuning; None where there is none, or its model is gone."""
    try:
        card = _cards().validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return card if not card.model or (folder / card.model / WEIGHTS).is_file() else None


def retriever_cards(workspace: Workspace, which: Which) -> tuple[RetrieverCard, ...]:
    """Return the cards of all finished tunings, oldest first."""
    folder = workspace.adapters(which)
    cards = (read_card(path) for path in sorted(folder.iterdir()) if path.is_dir()) if folder.is_dir() else ()
    return tuple(sorted((card for card in cards if card), key=lambda card: (card.made_at, card.id)))


def promote(card: RetrieverCard, workspace: Workspace) -> None:
    """Put a tuned model in force."""
    put_in_force(workspace, card.which, card.id)


def rollback(which: Which, workspace: Workspace) -> RetrieverCard | None:
    """Go back to the tuned model that was in force before, and return its card; None: to the settings' own.

    The index follows when it is next used.

    Raises:
        WorkspaceError: none is in force.
    """
    if not promotions(workspace, which).history:
        raise WorkspaceError(
            f"no tuned {which} is in force here: the search has that of the settings; see: weighbridge models list"
        )
    earlier = promotions_before(workspace, which, lambda name: _card_with_model(which, name, workspace) is not None)
    write_promotions(workspace, which, Promotions(earlier))
    return _latest_promotion(workspace, which)


def promoted_embedder(workspace: Workspace, settings: Settings) -> Path | None:
    """Return the folder of the tuned embedder in force; None where there is none for the settings' very embedder."""
    card = _latest_promotion(workspace, "embedder")
    if card is None or card.base_reference != settings.retrieval.embedder:
        return None
    return _folder(card, workspace) if card.base_fingerprint == _weights(fetch(card.base_reference)) else None


def promoted_reranker(workspace: Workspace, settings: Settings) -> Path | None:
    """Return the folder of the tuned reranker in force; None where the search is not the one that it was made for."""
    card = _latest_promotion(workspace, "reranker")
    if card is None or (card.base_reference, card.replaces) != (settings.retrieval.embedder, settings.retrieval.rerank):
        return None
    searched_with = promoted_embedder(workspace, settings) or fetch(card.base_reference)
    return _folder(card, workspace) if card.base_fingerprint == _weights(searched_with) else None


def with_tuned_models(settings: Settings, workspace: Workspace) -> Settings:
    """Return the settings with the tuned models that are in force in place of their own."""
    embedder, reranker = promoted_embedder(workspace, settings), promoted_reranker(workspace, settings)
    update = {key: str(path) for key, path in (("embedder", embedder), ("rerank", reranker)) if path}
    return with_retrieval(settings, update) if update else settings


def with_retrieval(settings: Settings, update: Mapping[str, str]) -> Settings:
    """Return the settings with other values under `retrieval`."""
    return settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update=dict(update))})


def promoted_card(workspace: Workspace, settings: Settings, which: Which) -> RetrieverCard | None:
    """Return the card of the tuned model that the search uses; None where it uses the settings' own."""
    used = {"embedder": promoted_embedder, "reranker": promoted_reranker}[which](workspace, settings)
    return _latest_promotion(workspace, which) if used else None


def tuned_models_in_use(workspace: Workspace, settings: Settings) -> tuple[str, ...]:
    """Return the tuned models that the search uses, by kind and id."""
    used = {which: promoted_card(workspace, settings, which) for which in WHICH}
    return tuple(f"{which} {card.id}" for which, card in used.items() if card)


def require_unlearnt(tests: Sequence[Example], settings: Settings, workspace: Workspace) -> None:
    """See that no tuned model in force has learnt what is a test question now.

    Raises:
        DataError: one has; it was tuned when the examples were divided otherwise.
    """
    tested = {normalise_question(comparable_text(example)) for example in tests}
    for which in WHICH:
        card = promoted_card(workspace, settings, which)
        learnt = [question for question in card.questions if normalise_question(question) in tested] if card else []
        if learnt:
            raise DataError(
                f"{workspace.root}: the tuned {which} in force has learnt {len(learnt):,} of the test questions, like "
                f"'{learnt[0]}': it was tuned when the examples were divided otherwise. Go back to what was before "
                f"(weighbridge models rollback {which}), then tune it again (weighbridge train {which})"
            )


def _latest_promotion(workspace: Workspace, which: Which) -> RetrieverCard | None:
    history = promotions(workspace, which).history
    return _card_with_model(which, history[-1], workspace) if history else None


def _card_with_model(which: Which, name: str, workspace: Workspace) -> RetrieverCard | None:
    card = read_card(workspace.adapter(which, name))
    return card if card and card.model else None


def _folder(card: RetrieverCard, workspace: Workspace) -> Path:
    return (workspace.adapter(card.which, card.id) / card.model).resolve()


def _weights(folder: Path) -> str:
    return file_fingerprint(folder / WEIGHTS)


@cache
def _cards() -> TypeAdapter[RetrieverCard]:
    return TypeAdapter(RetrieverCard)
