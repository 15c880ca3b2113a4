"""From examples to a checked GGUF: complete, resumable, repeatable, and blind to the test split."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.results import Score
from weighbridge.settings import ModelSettings, TrainingSettings
from weighbridge.train.base import prepare_base
from weighbridge.train.card import read_card
from weighbridge.train.recipe import Recipe
from weighbridge.train.tune import tune
from weighbridge.types import Answer, Example, Progress


class Exact:
    """The metric of these tests."""

    name = "exact"

    def score(self, example: Example, answer: Answer) -> Score:
        return Score(self.name, float(answer.text in example.answers))


@pytest.fixture
def strategy(no_model) -> Composed:
    return Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))


def test_tune_learns_exports_and_repeats(strategy, examples, recipe: Recipe, tmp_path: Path):
    card = tune(strategy, examples, tmp_path, recipe=recipe, metric=Exact())
    assert read_card(tmp_path) == card
    assert card.parity.ok
    assert card.parity.changed
    assert card.training.examples == 10
    assert card.training.epochs[card.training.chosen_epoch - 1].dev == max(e.dev for e in card.training.epochs)
    assert card.seed == recipe.training.seed
    with open_llamacpp(tmp_path / card.gguf, settings=recipe.model, name="tuned") as model:
        asked = strategy.prompt_for(examples[3].question).messages
        assert model.generate(asked).usage.output_tokens > 0
    seen: list[Progress] = []
    assert tune(strategy, examples, tmp_path, recipe=recipe, metric=Exact(), notify=seen.append) == card
    assert {one.task for one in seen} == {"fine-tuned: building conversations"}


def test_a_tuning_killed_before_its_card_is_finished(strategy, examples, recipe: Recipe, tmp_path: Path):
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 2}))

    def kill(progress: Progress) -> None:
        if progress.task == "exporting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(strategy, examples, tmp_path, recipe=quick, metric=Exact(), notify=kill)
    before = (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    assert read_card(tmp_path) is None
    tune(strategy, examples, tmp_path, recipe=quick, metric=Exact())
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == before
    (tmp_path / "model.gguf").unlink()
    assert read_card(tmp_path) is None


def test_other_splits_are_left_alone(strategy, examples, recipe: Recipe, tmp_path: Path):
    test = [replace(example, id=f"x{example.id}", split="test") for example in examples]
    with pytest.raises(TrainingError, match="no training examples"):
        tune(strategy, test, tmp_path, recipe=recipe, metric=Exact())


def test_a_cut_training_says_so(strategy, examples, recipe: Recipe, tmp_path: Path):
    hurry = {"seconds": 1e-6, "batch_size": 10, "learning_rate": 5e-2}
    hasty = replace(recipe, training=recipe.training.model_copy(update=hurry))
    card = tune(strategy, examples, tmp_path, recipe=hasty, metric=Exact())
    assert any("allowed 1 of 6 steps" in warning for warning in card.warnings)


@pytest.mark.models
def test_the_default_model_is_tuned(smollm2_gguf: Path, strategy, examples, tmp_path: Path, converted_base: Path):
    base = prepare_base(smollm2_gguf, converted_base)
    recipe = Recipe(
        base=base,
        training=TrainingSettings(epochs=2, batch_size=4, learning_rate=2e-3),
        model=ModelSettings(maximum_tokens=12),
    )
    card = tune(strategy, examples[:4], tmp_path, recipe=recipe, metric=Exact())
    assert card.training.last_loss < card.training.first_loss
    assert card.parity.ok
    assert card.parity.changed
    assert card.training.steps == 2
