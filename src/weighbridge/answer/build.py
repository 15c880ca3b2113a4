"""The arms as a table, and the one function that makes a strategy from it.

Training, measuring, asking and serving all call `build`, so you serve the very strategy that you measured.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions, instructions_for
from weighbridge.arms import strategy_of
from weighbridge.errors import ExtensionError, WeighbridgeError
from weighbridge.extensions import load_extension
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import (
    NONE,
    NOTHING,
    Demonstrations,
    Emit,
    Model,
    OwnStrategy,
    Retriever,
    Strategy,
    StrategyParts,
    ignore,
)
from weighbridge.settings.schema import Arm
from weighbridge.types import Answer, Question, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The properties that set one arm apart from the others."""

    reads: bool = False
    """Retrieves passages and answers from them."""
    shows: bool = False
    """Shows worked examples."""
    tuned: bool = False
    """Runs on the base model plus an adapter trained on this arm's own prompts."""


SHAPES: Mapping[Arm, Shape] = {
    "prompt": Shape(),
    "few-shot": Shape(shows=True),
    "rag": Shape(reads=True),
    "fine-tuned": Shape(tuned=True),
    "raft": Shape(reads=True, tuned=True),
}


def shape_of(arm: Arm) -> Shape:
    """Return what sets an arm apart, be it ours or an installed distribution's, on whatever base model.

    Raises:
        ExtensionError: the distribution fails.
    """
    if (strategy := strategy_of(arm)) in SHAPES:
        return SHAPES[strategy]
    own, _ = _load_own(strategy)
    return Shape(reads=own.reads, shows=own.shows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts that all arms of one workload share."""

    task: Task
    about: str
    """The user's own sentence on the task."""
    choices: tuple[str, ...]
    """The labels of a label task, the keys of a JSON task."""
    retriever: Retriever
    demonstrations: Demonstrations
    limit: int
    """Passages shown."""
    quotes: bool = False
    """Whether the arm that is tuned to read learns to quote before it answers."""


def untuned_arm(arm: Arm) -> Arm:
    """Return the strategy that reads and shows as this arm does, and is not tuned."""
    wanted = replace(shape_of(arm), tuned=False)
    return next(other for other, shape in SHAPES.items() if shape == wanted)


def build(arm: Arm, parts: Parts, model: Model) -> Composed:
    """Return the strategy of an arm on a model: the base model, or for a tuned arm its own."""
    shape = shape_of(arm)
    return Composed(
        name=arm,
        model=model,
        instructions=_instructions(shape, parts),
        retriever=parts.retriever if shape.reads else NOTHING,
        demonstrations=parts.demonstrations if shape.shows else NONE,
        limit=parts.limit,
    )


@dataclass(frozen=True, slots=True)
class Installed:
    """A `Strategy` of another distribution: its fingerprint holds that one's name and version."""

    name: str
    strategy: Strategy
    origin: str

    @property
    def fingerprint(self) -> str:
        return fingerprint("installed", strategy_of(self.name), self.origin, self.strategy.fingerprint)

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        return self.strategy.answer(question, emit=emit)


def build_own(arm: Arm, parts: Parts, open_model: Callable[[], Model]) -> Installed:
    """Return the strategy of an arm that an installed distribution offers.

    Raises:
        ExtensionError: the distribution fails.
    """
    own, origin = _load_own(strategy_of(arm))
    handed = StrategyParts(
        task=parts.task,
        instructions=parts.about,
        choices=parts.choices,
        retriever=parts.retriever if own.reads else NOTHING,
        demonstrations=parts.demonstrations if own.shows else NONE,
        limit=parts.limit,
        open_model=open_model,
    )
    try:
        return Installed(arm, own.build(handed), origin)
    except WeighbridgeError:  # of a part that it opened, such as the model
        raise
    except Exception as error:
        told = f"{origin}: its strategy {arm!r} cannot be built ({type(error).__name__}: {error}); mend it there"
        raise ExtensionError(told) from error


def _load_own(arm: Arm) -> tuple[OwnStrategy, str]:
    found = load_extension("weighbridge.strategies", arm)
    if not isinstance(found.part, OwnStrategy):
        kind = type(found.part).__name__
        raise ExtensionError(f"{found.origin}: its strategy {arm!r} must be an OwnStrategy, not {kind}; mend it there")
    return found.part, found.origin


def _instructions(shape: Shape, parts: Parts) -> Instructions:
    """Return an arm's instructions; only a model that is not tuned to read is shown examples of reading passages."""
    return instructions_for(
        parts.task,
        reads=shape.reads,
        illustrated=shape.reads and not shape.tuned,
        about=parts.about,
        choices=parts.choices,
        quotes=parts.quotes and shape.reads and shape.tuned,
    )
