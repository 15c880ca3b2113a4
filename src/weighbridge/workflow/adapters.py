"""The registry as commands see it: adapters listed, shown, compared, promoted, rolled back, exported, traced.

The tuned models of the search are listed and rolled back with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.adapters import AdapterCard, Guard, Lesson, Span
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.guard.harness import Tasks, forgetting_by_lm_eval
from weighbridge.protocols import StoredIndex
from weighbridge.report.adapter import adapter_page
from weighbridge.settings import Settings
from weighbridge.settings_training import TrainingSettings
from weighbridge.train.card import read_lessons
from weighbridge.train.conversations import Conversation
from weighbridge.train.formats import Form, export
from weighbridge.train.registry import adapters, folder_of, found, promote, promoted, rollback, strategies
from weighbridge.types import PUBLIC
from weighbridge.workflow.bench import open_bench
from weighbridge.workflow.engines import Engine, open_engine
from weighbridge.workflow.knowledge import stored
from weighbridge.workflow.tuned_search import WHICH, RetrieverCard, Which, in_force, retriever_cards
from weighbridge.workflow.tuned_search import rollback as rollback_retriever
from weighbridge.workflow.tuning import exercise_of, tuned
from weighbridge.workflow.voice import Voice
from weighbridge.workspace import Workspace, write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One adapter of a workspace, as its registry has it."""

    card: AdapterCard
    promoted: bool
    stale: tuple[str, ...] | None
    """Documents that changed, or are gone, since it was trained on their text; None where there is no index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRetriever:
    """One tuning of the embedder or the reranker of a workspace, kept or reverted."""

    card: RetrieverCard
    in_force: bool
    """Whether the search uses it, as the settings are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A lesson of an adapter, and what the documents say today where it stood."""

    adapter: str
    strategy: str
    lesson: Lesson
    texts: tuple[str | None, ...]
    """Of each span, in order; None where its document has changed or is gone."""


def listed(settings: Settings, workspace: Workspace) -> tuple[Listed, ...]:
    """Return all finished adapters of a workspace: by strategy, oldest first."""
    now = _versions(settings, workspace)
    return tuple(
        _listed(card, workspace, now) for strategy in strategies(workspace) for card in adapters(workspace, strategy)
    )


def listed_retrievers(settings: Settings, workspace: Workspace) -> tuple[ListedRetriever, ...]:
    """Return all finished tunings of the embedder and of the reranker, each oldest first."""
    cards = {which: retriever_cards(workspace, which) for which in WHICH}
    used = {which: in_force(workspace, settings, which) for which, own in cards.items() if own}
    return tuple(
        ListedRetriever(card=card, in_force=card == used[which]) for which, own in cards.items() for card in own
    )


def shown(settings: Settings, workspace: Workspace, name: str) -> Listed:
    """Return one adapter by its id or strategy, and write its report.

    Raises:
        UserError: no adapter is called so, or several.
    """
    card = found(workspace, name)
    write_text(folder_of(workspace, card) / "report.html", adapter_page(card))
    return _listed(card, workspace, _versions(settings, workspace))


def report_of(workspace: Workspace, card: AdapterCard) -> Path:
    """Return where an adapter's report lies."""
    return folder_of(workspace, card) / "report.html"


def put_in_force(settings: Settings, workspace: Workspace, name: str) -> Listed:
    """Promote an adapter by hand: its strategy answers with it until the next `train`.

    Raises:
        UserError: no adapter is called so.
        TrainingError: what would be served differs from the adapter.
    """
    with workspace.locked():
        card = found(workspace, name)
        promote(workspace, card, chosen=True)
        return _listed(card, workspace, _versions(settings, workspace))


def put_back(settings: Settings, workspace: Workspace, strategy: str) -> Listed:
    """Go back to the adapter that a strategy had before; `WorkspaceError` where there was none."""
    with workspace.locked():
        if strategy not in strategies(workspace):
            there = ", ".join(strategies(workspace)) or "none"
            raise UserError(f"'{strategy}' has no adapters here; strategies that have: {there}")
        return _listed(rollback(workspace, strategy), workspace, _versions(settings, workspace))


def put_back_retriever(settings: Settings, workspace: Workspace, which: Which) -> ListedRetriever | None:
    """Search with the embedder or the reranker that was in force before; None: with the settings' own.

    Raises:
        WorkspaceError: no tuned one is in force.
    """
    with workspace.locked():
        rollback_retriever(which, workspace)
        used = in_force(workspace, settings, which)
        return ListedRetriever(card=used, in_force=True) if used else None


def compared(settings: Settings, workspace: Workspace, names: Sequence[str]) -> tuple[Listed, ...]:
    """Return several adapters, to be shown side by side; `UserError` where one is not there."""
    now = _versions(settings, workspace)
    return tuple(_listed(found(workspace, name), workspace, now) for name in names)


def exported(settings: Settings, workspace: Workspace, name: str, form: Form, target: Path, voice: Voice) -> Path:
    """Write an adapter, or what it was trained on, in a form that other programs read.

    Raises:
        UserError: no adapter is called so, it has no such form, or something else lies at the target.
    """
    card = found(workspace, name)
    engine = open_engine(settings, voice)
    if engine.base is None:
        raise WorkspaceError(
            f"{card.id}: there is no base model to export it with; model.engine must be llamacpp or transformers, and "
            f"strategies must name {card.strategy}"
        )
    if not card.hosted and card.base_fingerprint != engine.base.fingerprint:
        raise WorkspaceError(
            f"{card.id}: it was trained on {card.base_reference}, and model.reference names another base model; set it "
            "back to export this adapter"
        )
    told = _conversations(card, settings, workspace, engine, voice) if form in _TELLING else ()
    return export(folder_of(workspace, card), engine.base, target, form=form, card=card, conversations=told)


def harnessed(settings: Settings, workspace: Workspace, name: str, tasks: Tasks, voice: Voice) -> Guard:
    """Compare an adapter with its base model on tasks of the lm-evaluation-harness.

    Raises:
        MissingExtraError: lm-eval is not installed.
        UserError: no adapter is called so, or a task cannot be run.
        WorkspaceError: its base model is not one that runs here.
    """
    card = found(workspace, name)
    engine = open_engine(settings, voice)
    if engine.base is None or card.hosted or engine.base.fingerprint != card.base_fingerprint:
        raise WorkspaceError(f"{card.id}: it was not trained on the base model of model.reference; set that back")
    return forgetting_by_lm_eval(engine.base, folder_of(workspace, card) / card.adapter, tasks)


_TELLING = frozenset({"openai", "axolotl", "llama-factory"})
"""Forms that hold what was learnt, word for word."""


def _conversations(
    card: AdapterCard, settings: Settings, workspace: Workspace, engine: Engine, voice: Voice
) -> tuple[Conversation, ...]:
    """Build what an adapter learnt once more, by its own recipe; `WorkspaceError` where that is no longer the same."""
    recipe = TrainingSettings.model_validate(card.recipe)
    settings = settings.model_copy(update={"training": recipe})
    with workspace.locked():
        bench = open_bench(settings, workspace, voice)
        for arm in tuned(settings):
            if arm == card.strategy:
                exercise = exercise_of(arm, bench, engine, voice)
                if exercise.learnt.fingerprint == card.learnt.fingerprint:
                    return exercise.made
    raise WorkspaceError(
        f"{card.id}: its examples, documents or prompts changed since it was trained, so what it learnt cannot be "
        f"written; train again (weighbridge train {card.strategy}), or export one of the forms that hold weights"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What lessons are looked for by; an empty field asks for nothing."""

    adapter: str = ""
    """An id or a strategy; empty: all that are promoted."""
    example: str = ""
    document: str = ""
    answer: str = ""
    """Words that the answer to learn has in it, whatever their case."""

    def fits(self, lesson: Lesson) -> bool:
        """Tell whether a lesson is one that is looked for."""
        documents = {*lesson.evidence, *(span.document_id for span in lesson.spans)}
        return (
            self.example in ("", lesson.example_id)
            and (not self.document or self.document in documents)
            and self.answer.casefold() in lesson.target.casefold()
        )


def traced(settings: Settings, workspace: Workspace, about: About) -> Iterator[Traced]:
    """Yield what adapters learnt, and where in the documents each lesson stands.

    Raises:
        UserError: no adapter is called so.
    """
    named = (promoted(workspace, strategy) for strategy in strategies(workspace))
    cards = [found(workspace, about.adapter)] if about.adapter else [card for card in named if card]
    index = _index(settings, workspace)
    now = index.documents() if index else {}
    for card in cards:
        for lesson in filter(about.fits, read_lessons(folder_of(workspace, card))):
            texts = tuple(_text(index, span) if _same(span, now) else None for span in lesson.spans)
            yield Traced(adapter=card.id, strategy=card.strategy, lesson=lesson, texts=texts)


def _listed(card: AdapterCard, workspace: Workspace, now: Mapping[str, str] | None) -> Listed:
    in_force = promoted(workspace, card.strategy)
    stale = (
        None
        if now is None
        else tuple(name for name, version in sorted(card.learnt.documents.items()) if now.get(name) != version)
    )
    return Listed(card=card, promoted=in_force is not None and in_force.id == card.id, stale=stale)


def _index(settings: Settings, workspace: Workspace) -> StoredIndex | None:
    try:
        return stored(settings, workspace) if settings.sources else None
    except WorkspaceError:
        return None


def _versions(settings: Settings, workspace: Workspace) -> Mapping[str, str] | None:
    index = _index(settings, workspace)
    return index.documents() if index else None


def _same(span: Span, now: Mapping[str, str]) -> bool:
    return now.get(span.document_id) == span.version


def _text(index: StoredIndex | None, span: Span) -> str | None:
    """Return what stands in a span of a public document, by the chunks it lies in."""
    if index is None:
        return None
    chunks = index.chunks_of(span.document_id, groups=PUBLIC)
    parts = (chunk.text[max(span.start - chunk.start, 0) : max(span.end - chunk.start, 0)] for chunk in chunks)
    return "\n".join(part for part in parts if part) or None
