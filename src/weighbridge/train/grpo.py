"""Reinforcement: an adapter goes on learning from the rewards of its own tries, by GRPO (Shao et al., 2024).

On TRL's GRPOTrainer: to each prompt it samples a group of answers, and those that are rewarded better than their group
become likelier. With the rewards of rules this is learning from verifiable rewards; with a reward model it is RLHF.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from weighbridge.adapters import Training
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.settings_training import Reward
from weighbridge.train.base import load_network, load_tokenizer, turns
from weighbridge.train.conversations import conversations
from weighbridge.train.methods import precision
from weighbridge.train.recipe import Recipe
from weighbridge.train.refine import Course, followed, guarded, open_adapter, placed, save_adapter, take, told, usual
from weighbridge.train.rewards import Rewarding
from weighbridge.train.say import say
from weighbridge.train.tokens import prompt_tokens
from weighbridge.train.weights import load_tuned
from weighbridge.types import Example, Prompt, Split


def train_grpo(
    start: Path,
    examples: Sequence[Example],
    folder: Path,
    *,
    recipe: Recipe,
    rewarding: Rewarding,
    notify: Notify = silent,
) -> Training:
    """Go on from the adapter in `start` (a PEFT folder) by `training.preference`, and write `folder/adapter`.

    Each of `steps` steps reads `batch_size` answers: groups of `samples` to as many prompts as that makes, at least
    one. Examples are public ones of the train split, and asked as the strategy asks them. The same examples, recipe
    and machine give the same bytes; a training that was killed begins again.

    Raises:
        TrainingError: `start` holds no LoRA adapter, a group has no two answers, no prompt leaves room for an answer,
            the loss is not a number, or the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    how = recipe.training.preference
    if how.samples <= 1:
        raise TrainingError("training.preference.samples: 1 gives nothing to compare an answer with; set it to 4 or so")
    if not examples:
        raise TrainingError("training.preference.method: grpo needs public training questions, and there is none")
    prompts = _prompts(rewarding, examples, "train", notify)
    with guarded(folder):
        return _train(start, list(zip(examples, prompts, strict=True)), folder, recipe, rewarding, notify)


def greedy_rewards(
    adapter: Path | None,
    examples: Sequence[Example],
    *,
    recipe: Recipe,
    rewarding: Rewarding,
    notify: Notify = silent,
) -> tuple[float | None, ...]:
    """Return the reward of the greedy answer to each dev example, None where none applies; without adapter, the base's.

    What GRPO moves, on questions it has not been trained on.

    Raises:
        TrainingError: the folder holds no adapter.
        ValueError: an example is not of the dev split.
    """
    prompts = _prompts(rewarding, examples, "dev", notify)
    with guarded(adapter or recipe.base.hf):
        exact = precision()
        network = (
            load_tuned(recipe.base, adapter, precision=exact) if adapter else load_network(recipe.base, precision=exact)
        )
        said = say(
            placed(network),
            load_tokenizer(recipe.base),
            [prompt.messages for prompt in prompts],
            maximum_tokens=recipe.model.maximum_tokens,
        )
    return tuple(rewarding.total(*asked) for asked in zip(examples, prompts, said, strict=True))


def _prompts(rewarding: Rewarding, examples: Sequence[Example], split: Split, notify: Notify) -> list[Prompt]:
    """Return the strategy's prompts of examples that may be asked: of this split, public, as all that they show."""
    conversations(rewarding.strategy, examples, split=split, notify=notify)
    return [rewarding.strategy.prompt_for(example.question) for example in examples]


def _train(
    start: Path,
    asked: Sequence[tuple[Example, Prompt]],
    folder: Path,
    recipe: Recipe,
    rewarding: Rewarding,
    notify: Notify,
) -> Training:
    from datasets import Dataset
    from trl import GRPOTrainer

    tokenizer = load_tokenizer(recipe.base)
    fitting = _fitting(tokenizer, asked, recipe)
    key = fingerprint("grpo", recipe.base.fingerprint, [file_fingerprint(file) for file in start.glob("adapter_*")])
    course = Course(
        task="GRPO", folder=folder / "checkpoints", fingerprint=key, seconds=recipe.training.seconds, notify=notify
    )
    if len(fitting) < len(asked):
        course.notes.append(f"{len(asked) - len(fitting):,} questions left no room for an answer and were not asked")
    trainer = followed(GRPOTrainer, course)(
        model=open_adapter(recipe.base, start),
        reward_funcs=[_function(name, fitting, rewarding, tokenizer) for name in rewarding.rules],
        args=_arguments(recipe, course.folder),
        train_dataset=Dataset.from_list(
            [{"prompt": turns(prompt.messages), "number": number} for number, (_, prompt) in enumerate(fitting)]
        ),
        processing_class=tokenizer,
    )
    take(trainer, None)
    save_adapter(trainer.model, folder / "adapter")
    course.finish()
    return told(trainer, course, examples=len(fitting), tokens=int(trainer.state.num_input_tokens_seen), epochs=1)


def _fitting(tokenizer: Any, asked: Sequence[tuple[Example, Prompt]], recipe: Recipe) -> list[tuple[Example, Prompt]]:
    """Return the examples whose prompt leaves room for an answer; `TrainingError` where none does."""
    room = recipe.model.context - recipe.model.maximum_tokens
    fitting = [pair for pair in asked if len(prompt_tokens(tokenizer, pair[1].messages)) <= room]
    if not fitting:
        raise TrainingError(
            f"model.context ({recipe.model.context:,}) leaves no room for an answer after any prompt; raise it, or "
            "lower retrieval.limit or model.maximum_tokens"
        )
    return fitting


def _function(
    name: Reward, asked: Sequence[tuple[Example, Prompt]], rewarding: Rewarding, tokenizer: Any
) -> Callable[..., list[float | None]]:
    """Return one reward as TRL calls it: with the completions of a batch and the columns of their rows."""
    rule = Rewarding(strategy=rewarding.strategy, rules={name: rewarding.rules[name]})

    def reward(said: list[dict[str, str]], tokens: list[int], number: int) -> float | None:
        ended = tokens[-1:] == [tokenizer.eos_token_id]
        return rule.total(*asked[number], said[0]["content"], "stop" if ended else "length")

    columns = ("completions", "completion_ids", "number")
    return _named(name, lambda **given: list(map(reward, *(given[column] for column in columns))))


def _named(name: str, function: Callable[..., list[float | None]]) -> Callable[..., list[float | None]]:
    function.__name__ = name
    return function


def _arguments(recipe: Recipe, folder: Path) -> Any:
    from trl import GRPOConfig

    how = recipe.training.preference
    shared = usual(recipe, folder, rate=how.learning_rate, steps=how.steps)
    return GRPOConfig(
        **{**shared, "save_strategy": "no"},
        per_device_train_batch_size=how.samples,
        gradient_accumulation_steps=max(1, recipe.training.batch_size // how.samples),
        num_generations=how.samples,
        max_completion_length=recipe.model.maximum_tokens,
        temperature=how.temperature,
        top_k=0,
        top_p=1.0,
        beta=how.beta,
    )
