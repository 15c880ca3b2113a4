"""GRPO moves the mean reward on questions it was not trained on, and leaves one adapter of the same shape."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import TrainingError
from weighbridge.results import Score
from weighbridge.train.preference.grpo import greedy_rewards, questions_in_order, train_grpo
from weighbridge.train.preference.rewards import Grounds, Rewarding, rewards_of
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Answer, Example, Message, Progress, Question


@dataclass(frozen=True)
class Vowels:
    """The share of an answer's letters that are vowels: a metric that random bytes seldom satisfy."""

    name: str = "vowels"

    def score(self, example: Example, answer: Answer) -> Score:
        letters = answer.text
        return Score(self.name, sum(letter in "aeiou" for letter in letters) / max(8, len(letters)))


def shapes(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    from safetensors.torch import load_file

    tensors = load_file(folder / "adapter_model.safetensors")
    return {name: (tuple(tensor.shape), str(tensor.dtype)) for name, tensor in tensors.items()}


@pytest.fixture(scope="session")
def vowels(no_model) -> Rewarding:
    strategy = Composed(name="vowels", model=no_model, instructions=Instructions(system="Sing."))
    return rewards_of(strategy, ("accuracy",), Grounds(metric=Vowels()))


def asked(split: str) -> tuple[Example, ...]:
    words = ("Tarrow", "Skelly", "Orma", "Hask")
    return tuple(Example(id=f"{split}{w}", question=Question(w), answers=("a",), split=split) for w in words)


@pytest.fixture
def hearty(recipe: Recipe) -> Recipe:
    preference = recipe.training.preference.model_copy(
        update={"method": "grpo", "steps": 25, "samples": 8, "learning_rate": 2e-2, "beta": 0.001, "temperature": 1.0}
    )
    training = recipe.training.model_copy(update={"preference": preference, "batch_size": 16})
    return replace(recipe, training=training)


def test_rewards_rise(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    seen: list[Progress] = []
    before = greedy_rewards(start, asked("dev"), recipe=hearty, rewarding=vowels)
    done = train_grpo(start, asked("train"), tmp_path, recipe=hearty, rewarding=vowels, notify=seen.append)
    after = greedy_rewards(tmp_path / "adapter", asked("dev"), recipe=hearty, rewarding=vowels)
    assert sum(after) > sum(before) + 1
    assert done.steps == seen[-1].done == 25
    assert done.examples == 4
    assert done.tokens > 0
    assert "reward" in seen[-1].note
    assert shapes(tmp_path / "adapter") == shapes(start)
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_the_same_seed_gives_the_same_bytes(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    preference = hearty.training.preference.model_copy(update={"steps": 2})
    short = replace(hearty, training=hearty.training.model_copy(update={"preference": preference}))
    for name in "ab":
        train_grpo(start, asked("train"), tmp_path / name, recipe=short, rewarding=vowels)
    made = [(tmp_path / name / "adapter" / "adapter_model.safetensors").read_bytes() for name in "ab"]
    assert made[0] == made[1]


def test_a_reward_model_can_be_what_rewards(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    judged: list[str] = []

    def judge(_: tuple[Message, ...], answer: str) -> float:
        judged.append(answer)
        return float(len(answer))

    preference = hearty.training.preference.model_copy(update={"steps": 1})
    short = replace(hearty, training=hearty.training.model_copy(update={"preference": preference}))
    rlhf = rewards_of(vowels.strategy, ("model", "abstention"), Grounds(metric=Vowels(), judge=judge))
    train_grpo(start, asked("train"), tmp_path, recipe=short, rewarding=rlhf)
    assert len(judged) == 16


def test_what_cannot_be_asked_is_refused(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    def attempt(recipe: Recipe, examples: tuple[Example, ...]) -> None:
        train_grpo(start, examples, tmp_path, recipe=recipe, rewarding=vowels)

    with pytest.raises(TrainingError, match="grpo needs public training questions"):
        attempt(hearty, ())
    with pytest.raises(ValueError, match="another split than 'train'"):
        attempt(hearty, asked("test"))
    with pytest.raises(ValueError, match="another split than 'dev'"):
        greedy_rewards(None, asked("test"), recipe=hearty, rewarding=vowels)
    narrow = replace(hearty, model=hearty.model.model_copy(update={"context": 20}))
    with pytest.raises(TrainingError, match=r"model\.context \(20\) leaves no room"):
        attempt(narrow, asked("train"))
    alone = hearty.training.preference.model_copy(update={"samples": 1})
    with pytest.raises(TrainingError, match="samples: 1 gives nothing to compare"):
        attempt(replace(hearty, training=hearty.training.model_copy(update={"preference": alone})), asked("train"))


def test_all_questions_are_asked_before_one_is_asked_again():
    order = questions_in_order(5, 12, 7)
    assert sorted(order[:5]) == sorted(order[5:10]) == [0, 1, 2, 3, 4]
    assert len(order) == 12
    assert order != questions_in_order(5, 12, 8)
    assert questions_in_order(5, 20, 7)[:12] == order


def test_a_step_may_want_more_prompts_than_there_are(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    preference = hearty.training.preference.model_copy(update={"steps": 1, "samples": 2})
    few = replace(hearty, training=hearty.training.model_copy(update={"preference": preference, "batch_size": 6}))
    assert train_grpo(start, asked("train")[:2], tmp_path, recipe=few, rewarding=vowels).steps == 1


def test_a_checkpoint_of_another_training_is_not_used(hearty: Recipe, vowels: Rewarding, start: Path, tmp_path: Path):
    def kill(progress: Progress) -> None:
        if progress.unit == "steps" and progress.done == 2:
            raise KeyboardInterrupt

    def first(rewarding: Rewarding, examples: tuple[Example, ...]) -> int:
        seen: list[Progress] = []

        def tell(progress: Progress) -> None:
            seen.append(progress)
            kill(progress)

        with pytest.raises(KeyboardInterrupt):
            train_grpo(start, examples, tmp_path, recipe=short, rewarding=rewarding, notify=tell)
        return next(one.done for one in seen if one.unit == "steps")

    preference = hearty.training.preference.model_copy(update={"steps": 3, "samples": 2})
    short = replace(hearty, training=hearty.training.model_copy(update={"preference": preference, "batch_size": 2}))
    assert first(vowels, asked("train")) == 1
    assert first(vowels, asked("train")) == 2
    assert first(replace(vowels, fingerprint="another reward model"), asked("train")) == 1
    others = (replace(asked("train")[0], answers=("e",)), *asked("train")[1:])
    assert first(vowels, others) == 1
