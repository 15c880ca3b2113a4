"""A reward model orders pairs it has not seen, says how well, and is the same when opened again."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.data.preferences import PreferencePair
from weighbridge.train.preference.reward_model import RewardModel, open_reward_model, train_reward_model
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Message, Progress


def pair(number: int) -> PreferencePair:
    word = f"{number:02d}"
    return PreferencePair(example_id=word, prompt=(Message("user", word),), chosen=f"good {word}", rejected=f"x{word}")


PAIRS = tuple(pair(number) for number in range(20))


@pytest.fixture
def steady(recipe: Recipe) -> Recipe:
    return replace(recipe, training=recipe.training.model_copy(update={"learning_rate": 5e-3, "epochs": 4}))


def test_it_orders_pairs_it_has_not_seen(steady: Recipe, tmp_path: Path):
    seen: list[Progress] = []
    made = train_reward_model(PAIRS, tmp_path, recipe=steady, notify=seen.append)
    assert (made.trained, len(made.margins), made.steps) == (16, 4, 16)
    assert made.accuracy == 1.0
    assert made.last_loss < made.first_loss / 2
    assert (seen[-1].task, seen[-1].done) == ("reward model", 16)
    judge = open_reward_model(tmp_path, steady.base)
    asked = pair(99)
    assert judge(asked.prompt, asked.chosen) > judge(asked.prompt, asked.rejected)
    again = train_reward_model(PAIRS, tmp_path / "again", recipe=steady)
    assert again.margins == made.margins
    assert open_reward_model(tmp_path / "again", steady.base)(asked.prompt, "?") == judge(asked.prompt, "?")


def test_pairs_of_one_example_count_as_one():
    made = RewardModel(
        trained=1,
        margins=(1.0, 2.0, -1.0, 3.0),
        kept_back=("a", "a", "a", "b"),
        first_loss=1.0,
        last_loss=0.5,
        steps=1,
        seconds=1.0,
    )
    assert made.right == (pytest.approx(2 / 3), 1.0)
    assert made.accuracy == pytest.approx(5 / 6)


def test_with_one_example_there_is_no_accuracy(steady: Recipe, tmp_path: Path):
    one = replace(steady, training=steady.training.model_copy(update={"epochs": 1}))
    made = train_reward_model(PAIRS[:1], tmp_path, recipe=one)
    assert (made.trained, made.margins, made.accuracy) == (1, (), None)


def test_what_cannot_be_learnt_or_opened_is_refused(steady: Recipe, tmp_path: Path):
    with pytest.raises(TrainingError, match="a reward model learns from better and worse answers, and there is none"):
        train_reward_model((), tmp_path, recipe=steady)
    endless = PreferencePair(example_id="long", prompt=(Message("user", "x" * 600),), chosen="a", rejected="b")
    with pytest.raises(TrainingError, match=r"long: a prompt with its answer has 6\d\d tokens"):
        train_reward_model((endless,), tmp_path, recipe=steady)
    with pytest.raises(TrainingError, match="there is no reward model"):
        open_reward_model(tmp_path, steady.base)
