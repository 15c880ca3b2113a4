"""Opens one strategy of a workspace to answer questions, exactly as it is measured."""

from collections.abc import Mapping
from contextlib import ExitStack

from weighbridge.answer.build import Parts, shape_of
from weighbridge.arms import find_arm, strategy_of
from weighbridge.dataset.examples import read_examples
from weighbridge.errors import WorkspaceError
from weighbridge.evaluate.weighing import load_decision, load_measurements
from weighbridge.protocols import NONE, NOTHING, Strategy
from weighbridge.results import Outlook
from weighbridge.settings.schema import Arm, Settings
from weighbridge.wiring.components import open_bench, open_parts
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.opening import open_arm
from weighbridge.wiring.reporter import SILENT, Reporter, Say
from weighbridge.wiring.search import open_query_embedder
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.wiring.workload import Outline, apply_split, index_key, read_outline, settings_key
from weighbridge.workspace import Workspace, load_json

_WHY_CHOSEN: Mapping[Outlook, str] = {
    "recommended": "it is recommended by",
    "the cheapest of the equals": "it is the cheapest of those that are equal by",
    "not decisive": "nothing is recommended yet, and it comes first by points, but not beyond chance, in",
    "none is good enough": "none is good enough, and it comes first by points in",
    "none meets your limits": "none meets your limits in",
}
"""The beginning of the sentence on the strategy that answers where nobody named one."""


def open_strategy(
    arm: Arm,
    settings: Settings,
    workspace: Workspace,
    *,
    stack: ExitStack,
    reporter: Reporter = SILENT,
    workers: int = 1,
) -> Strategy:
    """Open a strategy for `workers` questions at a time, and load only the parts that it needs. `stack` closes it.

    The workload is read and indexed the first time, and after a change of the settings of the index. Otherwise the
    stored index is used as it is.

    Raises:
        WorkspaceError: the strategy is a tuned one and has not been trained.
    """
    engine = open_engine(settings.for_arm(arm), reporter)
    engine.weights(arm, workspace)  # refuses an untrained arm before the documents are read
    outline = read_outline(workspace)
    chosen = with_tuned_models(settings, workspace)
    outdated = bool(chosen.sources) and load_json(workspace.index_settings) != index_key(chosen)
    if outline is None or outline.settings != settings_key(settings) or outdated:
        with workspace.lock():
            outline = open_bench(settings, workspace, reporter).workload.outline
    parts = _parts(arm, chosen, workspace, outline, reporter)
    return open_arm(arm, parts, engine, workspace, workers=workers, stack=stack)


def choose_arm(name: str, settings: Settings, workspace: Workspace, say: Say) -> Arm:
    """Return the arm with this name, or the best one without a name.

    `say` receives a sentence if nobody chose the strategy: no name is given, and no comparison recommends it.

    Raises:
        UserError: the settings have no such arm, or the strategy runs on several base models.
    """
    return find_arm(name, settings.arms) if name else _best_arm(settings, workspace, say)


def _best_arm(settings: Settings, workspace: Workspace, say: Say) -> Arm:
    """Return the strategy that the last decision recommends or ranks first; without one, a strategy without training.

    Without a decision the order is rag, few-shot, prompt: documents tell most about the answers, then examples do.
    """
    reason, remedy = "Nothing is weighed here yet", " Weigh the strategies with: weighbridge compare"
    if (decision := load_decision(workspace)) is not None:
        where = _decision_place(workspace)
        first = decision.recommended or next(iter(decision.contenders), None)
        if first in settings.arms:
            say(f"{first} answers: {_WHY_CHOSEN[decision.outlook]} {where}.")
            return first
        if first:
            reason = f"The best strategy of {where}, {first}, is no longer in the settings"
        else:
            reason, remedy = f"None meets your limits in {where}, so none is recommended", ""
    ready = [arm for name in ("rag", "few-shot", "prompt") for arm in settings.arms if strategy_of(arm) == name]
    if not ready:
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed yet; run: weighbridge compare")
    say(f"{reason}; {ready[0]} answers.{remedy}")
    return ready[0]


def _decision_place(workspace: Workspace) -> str:
    """Return the decision in words: the day of its measurements, and its workspace."""
    return f"the decision on the measurements of {load_measurements(workspace).taken_at[:10]} in {workspace.root}"


def _parts(arm: Arm, settings: Settings, workspace: Workspace, outline: Outline, reporter: Reporter) -> Parts:
    shape = shape_of(arm)
    if not (shape.reads or shape.shows):
        return Parts(
            task=outline.task,
            about=settings.instructions,
            choices=outline.choices,
            retriever=NOTHING,
            demonstrations=NONE,
            limit=settings.retrieval.limit,
            quotes=settings.training.raft.quotes,
        )
    embedder = open_query_embedder(settings, workspace, reporter)
    examples = apply_split(read_examples(settings.examples), outline) if shape.shows and settings.examples else ()
    train = [example for example in examples if example.split == "train"]
    return open_parts(settings, workspace, outline, train, embedder)
