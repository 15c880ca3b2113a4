"""A race of settings: interrupted it ends as it would have, and what cannot be trained with drops out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError
from weighbridge.lints import Finding
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.settings_training import Method
from weighbridge.train.exercise import Exercise, Material, prepare
from weighbridge.train.methods import USUAL_RATES
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
        if text.startswith("Racing 3 settings on 10 rows and 2 dev questions"):
            return
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


def test_what_must_not_be_learnt_is_refused_before_anything_is_trained(
    exercise: Callable[..., Exercise], tmp_path: Path
):
    made = exercise()
    spoilt = replace(made, checked=replace(made.checked, findings=(Finding("error", "it leaks"),)))
    said: list[str] = []
    with pytest.raises(TrainingError, match="the training data cannot be used: it leaks"):
        race(spoilt, tmp_path, said)
    assert not said


@pytest.mark.parametrize("method", ["full", "ia3", "lora"])
def test_learning_rates_are_proposed_as_the_method_wants_them(
    exercise: Callable[..., Exercise], tmp_path: Path, method: Method
):
    low, high = USUAL_RATES[method]
    found = raced(exercise(method=method), Workspace(tmp_path), 1, Voice(say=lambda _: None))
    assert low <= float(str(found["learning_rate"])) <= high
    assert ("rank" in found) == (method == "lora")
