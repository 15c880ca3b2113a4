"""Lists, shows, compares, promotes, rolls back and exports adapters, and trains by name.

The tuned models of the search are listed and rolled back too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.adapters import AdapterCard, Guard, access_words
from weighbridge.answer.build import SHAPES, Shape
from weighbridge.arms import find_arm, strategy_of
from weighbridge.checks.lm_eval import Tasks, forgetting_by_lm_eval
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.report.adapter.adapter_page import adapter_page
from weighbridge.settings.schema import Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.export.formats import Form, export
from weighbridge.train.registry import (
    adapters,
    find_adapter,
    folder_of,
    promoted_adapter,
    record_promotion,
    strategies,
    strategy_with_adapters,
    undo_promotion,
)
from weighbridge.wiring.components import open_bench
from weighbridge.wiring.engines import Engine, open_engine
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.tuned_retrievers import (
    WHICH,
    RetrieverCard,
    Which,
    describe_search,
    promoted_card,
    retriever_cards,
    rollback_retriever,
    search_changes,
)
from weighbridge.workflow.lineage import index_of
from weighbridge.workflow.training import train as training
from weighbridge.workflow.training.train import arms_to_train, exercise_of
from weighbridge.workspace import Workspace, write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One adapter of a workspace, with its state in the registry."""

    card: AdapterCard
    promoted: bool
    stale: tuple[str, ...] | None
    """Documents of its training that have changed or are gone; None without an index."""
    other_search: tuple[str, ...] | None
    """The parts of the search that have changed since its training. Empty if none has, or if it reads no passages; None
    if its card does not describe the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRetriever:
    """One tuning of the embedder or the reranker, kept or reverted."""

    card: RetrieverCard
    in_force: bool
    """Whether the search uses it with the present settings."""


def list_adapters(settings: Settings, workspace: Workspace) -> tuple[Listed, ...]:
    """Return all finished adapters of a workspace, by strategy and age."""
    cards = [card for strategy in strategies(workspace) for card in adapters(workspace, strategy)]
    return _all_listed(cards, settings, workspace)


def train_named(
    names: Sequence[str], settings: Settings, workspace: Workspace, reporter: Reporter, *, effort: training.Effort
) -> tuple[AdapterCard | RetrieverCard, ...]:
    """Train tuned arms and models of the search by name; all tuned arms of the settings by default.

    The models of the search come first, because an arm that reads is trained on the passages of the new search.

    Raises:
        UserError: a name is unknown, or only models of the search are named, and seeds or a search are asked for.
        TrainingError: training failed, or the served form differs from the adapter.
    """
    from weighbridge.workflow.training.retriever import tune_retriever

    strategies_here = {strategy_of(arm) for arm in settings.arms}
    for name in names:
        if name not in (*settings.arms, *strategies_here, *WHICH):
            problem = f"'{name}' is not one of this workspace's strategies, or a retriever's model"
            raise UserError(f"{problem}: {', '.join((*settings.arms, *WHICH))}")
    retrievers = [which for which in WHICH if which in names]
    arms = [find_arm(name, settings.arms) for name in names if name not in WHICH]
    if retrievers and not arms and (effort.seeds > 1 or effort.search):
        raise UserError("the embedder and the reranker are trained once, without --seeds and --search")
    cards: list[AdapterCard | RetrieverCard] = [
        tune_retriever(which, settings, workspace, reporter) for which in retrievers
    ]
    if arms or not names:
        cards += training.train_arms(arms, settings, workspace, reporter, effort=effort)
    for sentence in find_outdated(settings, workspace) if retrievers else ():
        reporter.say(sentence)
    return tuple(cards)


def find_outdated(settings: Settings, workspace: Workspace) -> Iterator[str]:
    """Yield a sentence for each serving adapter that was trained with another search, with the remedy."""
    for each in list_adapters(settings, workspace):
        if each.promoted and each.other_search:
            card = each.card
            yield (
                f"{card.strategy} answers with adapter {card.id}, which learnt to read what the search found before "
                f"({', '.join(each.other_search)} changed since); train it again: weighbridge train {card.strategy}"
            )


def list_retrievers(settings: Settings, workspace: Workspace) -> tuple[ListedRetriever, ...]:
    """Return all finished tunings of the embedder and of the reranker, each oldest first."""
    cards = {which: retriever_cards(workspace, which) for which in WHICH}
    used = {which: promoted_card(workspace, settings, which) for which, own in cards.items() if own}
    return tuple(
        ListedRetriever(card=card, in_force=card == used[which]) for which, own in cards.items() for card in own
    )


def adapter_status(settings: Settings, workspace: Workspace, name: str) -> Listed:
    """Return one adapter by its id or strategy, and write its report.

    Raises:
        UserError: no adapter has this name, or several have it.
    """
    card = find_adapter(workspace, name)
    write_text(folder_of(workspace, card) / "report.html", adapter_page(card))
    return _one_listed(card, settings, workspace)


def report_of(workspace: Workspace, card: AdapterCard) -> Path:
    """Return the path of an adapter's report."""
    return folder_of(workspace, card) / "report.html"


def promote_adapter(settings: Settings, workspace: Workspace, name: str) -> Listed:
    """Promote an adapter by hand. Its strategy answers with it until the next `train`.

    Raises:
        UserError: no adapter has this name.
        TrainingError: the served form differs from the adapter.
    """
    with workspace.lock():
        card = find_adapter(workspace, name)
        record_promotion(workspace, card, chosen=True)
        return _one_listed(card, settings, workspace)


def roll_back_adapter(settings: Settings, workspace: Workspace, strategy: str) -> Listed:
    """Go back to the previous adapter of a strategy; `WorkspaceError` if there is none."""
    with workspace.lock():
        return _one_listed(undo_promotion(workspace, strategy_with_adapters(workspace, strategy)), settings, workspace)


def roll_back_retriever(settings: Settings, workspace: Workspace, which: Which) -> ListedRetriever | None:
    """Go back to the previous embedder or reranker of the search; None if it is that of the settings.

    Raises:
        WorkspaceError: no tuned one is promoted.
    """
    with workspace.lock():
        rollback_retriever(which, workspace)
        used = promoted_card(workspace, settings, which)
        return ListedRetriever(card=used, in_force=True) if used else None


def compare_adapters(settings: Settings, workspace: Workspace, names: Sequence[str]) -> tuple[Listed, ...]:
    """Return several adapters; `UserError` if one is unknown."""
    return _all_listed([find_adapter(workspace, name) for name in names], settings, workspace)


def export_adapter(
    settings: Settings, workspace: Workspace, name: str, form: Form, target: Path, reporter: Reporter
) -> Path:
    """Write an adapter, or its training data, in a form that other programs read.

    Raises:
        UserError: no adapter has this name, it has no such form, or other files are at the target.
    """
    card = find_adapter(workspace, name)
    engine = open_engine(settings.for_arm(card.strategy), reporter)
    if engine.base is None and card.hosted:
        raise WorkspaceError(
            f"{card.id}: its weights are at the endpoint, as {card.hosted}, and not here; its training files are "
            f"in {folder_of(workspace, card)}"
        )
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
    conversations = _conversations(card, settings, workspace, engine, reporter) if form in _TELLING else ()
    if access := card.learnt.access:
        reporter.say(
            f"{card.id} learnt from restricted data that only {access_words(access)} may see. The written files hold "
            "this data without protection: give them to nobody else"
        )
    return export(folder_of(workspace, card), engine.base, target, form=form, card=card, conversations=conversations)


def check_with_lm_eval(settings: Settings, workspace: Workspace, name: str, tasks: Tasks, reporter: Reporter) -> Guard:
    """Compare an adapter with its base model on tasks of the lm-evaluation-harness.

    Raises:
        MissingExtraError: lm-eval is not installed.
        UserError: no adapter has this name, or a task cannot be run.
        WorkspaceError: its base model does not run here.
    """
    card = find_adapter(workspace, name)
    engine = open_engine(settings.for_arm(card.strategy), reporter)
    if engine.base is None or card.hosted or engine.base.fingerprint != card.base_fingerprint:
        raise WorkspaceError(f"{card.id}: it was not trained on the base model of model.reference; set that back")
    return forgetting_by_lm_eval(engine.base, folder_of(workspace, card) / card.adapter, tasks)


_TELLING = frozenset({"openai", "axolotl", "llama-factory"})
"""Forms that contain the training data, word for word."""


def _conversations(
    card: AdapterCard, settings: Settings, workspace: Workspace, engine: Engine, reporter: Reporter
) -> tuple[Conversation, ...]:
    """Build the training data of an adapter again, by its own recipe; `WorkspaceError` if it has changed since."""
    recipe = TrainingSettings.model_validate(card.recipe)
    settings = settings.model_copy(update={"training": recipe})
    arm = card.strategy
    with workspace.lock():
        bench = open_bench(settings, workspace, reporter).for_arm(arm)
        if arm in arms_to_train(bench.settings):
            exercise = exercise_of(arm, bench, engine, reporter)
            if exercise.learnt.fingerprint == card.learnt.fingerprint:
                return exercise.made
    raise WorkspaceError(
        f"{card.id}: its examples, documents or prompts changed since it was trained, so its training data cannot "
        f"be written; train again (weighbridge train {card.strategy}), or export one of the forms that hold weights"
    )


def _one_listed(card: AdapterCard, settings: Settings, workspace: Workspace) -> Listed:
    return _all_listed([card], settings, workspace)[0]


def _all_listed(cards: Sequence[AdapterCard], settings: Settings, workspace: Workspace) -> tuple[Listed, ...]:
    index = index_of(settings, workspace)
    now = index.documents() if index else None
    search = describe_search(settings, workspace) if any(card.learnt.search for card in cards) else {}
    serving = {strategy: promoted_adapter(workspace, strategy) for strategy in {card.strategy for card in cards}}
    listed = []
    for card in cards:
        used = serving[card.strategy]
        stale = None
        if now is not None:
            stale = tuple(name for name, version in sorted(card.learnt.documents.items()) if now.get(name) != version)
        promoted = used is not None and used.id == card.id
        listed.append(Listed(card=card, promoted=promoted, stale=stale, other_search=_other_search(card, search)))
    return tuple(listed)


def _other_search(card: AdapterCard, now: Mapping[str, str]) -> tuple[str, ...] | None:
    if card.learnt.search or card.recipe.get("on") == "documents":
        return search_changes(card.learnt.search, now)
    return None if SHAPES.get(strategy_of(card.strategy), Shape()).reads else ()
