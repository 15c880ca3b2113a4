"""A race of settings: interrupted it ends as it would have, and what cannot be trained with drops out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.train.exercise import Exercise, Material, prepare
from weighbridge.train.recipe import Recipe
from weighbridge.types import Example
from weighbridge.workflow.racing import raced
from weighbridge.workflow.voice import Voice
from weighbridge.workspace import Workspace

from ..tiny_llama import examples, no_model, one_thread, recipe, tiny  # noqa: TID252 - tests are no package

__all__ = ["examples", "no_model", "one_thread", "recipe", "tiny"]


@pytest.fixture
def exercise(no_model, examples: Sequence[Example], recipe: Recipe) -> Callable[..., Exercise]:
    strategy = Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))

    def made(**training: object) -> Exercise:
        quick = recipe.training.model_copy(update={"epochs": 1, **training})
        chosen = replace(recipe, training=quick)
        return prepare(strategy, Material(examples=examples), recipe=chosen, metric=Accuracy("answer"))

    return made


def race(exercise: Exercise, folder: Path, said: list[str], *, kill_after: int = 1000) -> Mapping[str, object]:
    def say(text: str) -> None:
        said.append(text)
        if len(said) == kill_after:
            raise KeyboardInterrupt

    return raced(exercise, Workspace(folder), 3, Voice(say=say))


def test_a_race_that_was_interrupted_ends_as_if_it_had_not_been(exercise: Callable[..., Exercise], tmp_path: Path):
    whole: list[str] = []
    wanted = race(exercise(), tmp_path / "whole", whole)
    laps = [line for line in whole if "of the examples" in line]
    first = next(number for number, line in enumerate(laps, 1) if "100%" in line or ", out" in line)
    cut: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        race(exercise(), tmp_path / "cut", cut, kill_after=first + 1)
    resumed: list[str] = []
    assert race(exercise(), tmp_path / "cut", resumed) == wanted
    assert [*cut[:first], *resumed] == whole
    assert whole[-1].startswith("Best of 3:")


def test_settings_that_cannot_be_trained_with_drop_out(exercise: Callable[..., Exercise], tmp_path: Path):
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(TrainingError, match="none of the 3 settings that were raced"):
            race(exercise(layers=9), tmp_path, said)
    assert sum("out, because training.layers: 9 is more than" in line for line in said) == 3
