"""Opens a strategy on its model, as it is measured and served."""

from contextlib import ExitStack
from dataclasses import replace

from weighbridge.answer.build import Parts, build, build_own, untuned_arm
from weighbridge.answer.restricted import Admitted
from weighbridge.arms import strategy_of
from weighbridge.protocols import Strategy
from weighbridge.settings.schema import ARMS, Arm
from weighbridge.wiring.engines import Engine, Weights, open_model
from weighbridge.workspace import Workspace


def open_arm(
    arm: Arm, parts: Parts, engine: Engine, workspace: Workspace, *, workers: int, stack: ExitStack
) -> Strategy:
    """Open an arm for `workers` questions at once. `stack` closes it.

    An adapter that learnt from restricted documents answers only their readers. The base model answers the others, with
    the prompts of the matching untuned arm, because only those prompts explain how to read passages.

    Raises:
        WorkspaceError: the strategy is a tuned one and has not been trained.
    """
    weights = engine.weights(arm, workspace)
    if strategy_of(arm) not in ARMS:
        return build_own(arm, parts, lambda: open_model(engine, weights, workers=workers, stack=stack))
    strategy = build(arm, parts, open_model(engine, weights, workers=workers, stack=stack))
    if not weights.access:
        return strategy
    base = open_model(engine, Weights(engine.served), workers=workers, stack=stack)
    return Admitted(tuned=strategy, base=replace(build(untuned_arm(arm), parts, base), name=arm), access=weights.access)
