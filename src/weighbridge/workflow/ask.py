"""One strategy, opened from the workspace as it was measured, to answer questions."""

from contextlib import ExitStack

from weighbridge.answer.build import Parts, shape_of
from weighbridge.dataset.examples import read_examples
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import load_weighing
from weighbridge.protocols import NONE, NOTHING, Strategy
from weighbridge.settings.schema import Arm, Settings
from weighbridge.types import Example
from weighbridge.wiring.components import open_bench, open_parts
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.opening import open_arm
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.wiring.search import open_query_embedder
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.wiring.workload import Outline, apply_split, index_key, read_outline, settings_key
from weighbridge.workspace import Workspace, load_json


def open_strategy(
    arm: Arm, settings: Settings, workspace: Workspace, *, stack: ExitStack, reporter: Reporter = SILENT
) -> Strategy:
    """Open a strategy for one question at a time, loading only what it needs; closed with `stack`.

    The first time in a workspace, and when settings changed that decide what is indexed, the workload is read and
    indexed; else it is taken as it was left.

    Raises:
        WorkspaceError: the strategy is a tuned one and has not been trained.
    """
    engine = open_engine(settings, reporter)
    engine.weights(arm, workspace)  # refuses an arm that has not been trained before anything is read
    outline = read_outline(workspace)
    chosen = with_tuned_models(settings, workspace)
    if outline is None or outline.settings != settings_key(settings) or _is_outdated(chosen, workspace):
        with workspace.lock():
            outline = open_bench(settings, workspace, reporter).workload.outline
    parts = _parts(arm, chosen, workspace, outline, reporter)
    return open_arm(arm, parts, engine, workspace, workers=1, stack=stack)


def _is_outdated(chosen: Settings, workspace: Workspace) -> bool:
    """Tell whether the index was brought up to date for another search than the one that is in force."""
    return bool(chosen.sources) and load_json(workspace.index_settings) != index_key(chosen)


def choose_arm(name: str, settings: Settings, workspace: Workspace) -> Arm:
    """Return the strategy of the settings that a name means: without a name, the one to ask.

    Raises:
        UserError: the settings have no strategy of that name.
    """
    if not name:
        return best_arm(settings, workspace)
    for arm in settings.strategies:
        if arm == name:
            return arm
    raise UserError(f"'{name}' is not one of this workspace's strategies: {', '.join(settings.strategies)}")


def best_arm(settings: Settings, workspace: Workspace) -> Arm:
    """Return the strategy the last weighing recommends or puts first; without one, the best that needs no training."""
    if workspace.weighing_file.exists():
        decision = load_weighing(workspace.weighing_file).decision
        first = decision.recommended or next(iter(decision.contenders), None)
        for arm in settings.strategies:
            if arm == first:
                return arm
    ready = [arm for arm in ("rag", "few-shot", "prompt") if arm in settings.strategies]
    if not ready:
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed yet; run: weighbridge compare")
    return next(arm for arm in settings.strategies if arm == ready[0])


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
    return open_parts(settings, workspace, outline, _train_examples(settings, outline) if shape.shows else (), embedder)


def _train_examples(settings: Settings, outline: Outline) -> tuple[Example, ...]:
    return tuple(
        example for example in apply_split(read_examples(settings.examples), outline) if example.split == "train"
    )
