"""The arms as a table, and the one function that makes a strategy from it.

Training, measuring, asking and serving all call `build`, so you serve the very strategy that you measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions, instructions_for
from weighbridge.protocols import NONE, NOTHING, Demonstrations, Model, Retriever
from weighbridge.settings.schema import Arm
from weighbridge.types import Task


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
    """Return the arm that reads and shows as this one does, on the base model."""
    wanted = replace(SHAPES[arm], tuned=False)
    return next(other for other, shape in SHAPES.items() if shape == wanted)


def build(arm: Arm, parts: Parts, model: Model) -> Composed:
    """Return the strategy of an arm on a model: the base model, or for a tuned arm its own."""
    shape = SHAPES[arm]
    return Composed(
        name=arm,
        model=model,
        instructions=_instructions(shape, parts),
        retriever=parts.retriever if shape.reads else NOTHING,
        demonstrations=parts.demonstrations if shape.shows else NONE,
        limit=parts.limit,
    )


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
