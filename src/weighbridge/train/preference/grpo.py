"""Reinforcement: an adapter goes on learning from the rewards of its own tries, by GRPO (Shao et al., 2024).

On TRL's GRPOTrainer: to each prompt it samples a group of answers, and those that are rewarded better than their group
become likelier. With the rewards of rules this is learning from verifiable rewards; with a reward model it is RLHF.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from weighbridge.adapters import Training
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.settings.training import Reward
from weighbridge.train.data.conversations import conversations
from weighbridge.train.data.raft import AS_RETRIEVED
from weighbridge.train.data.tokens import prompt_tokens
from weighbridge.train.preference.rewards import Rewarding
from weighbridge.train.preference.trainer_setup import (
    RATE_REMEDY,
    checkpoint_marks,
    halve_rows,
    move_to_gpu,
    open_adapter,
    rows_at_once,
    trainer_in,
    usual,
    weights_key,
)
from weighbridge.train.runtime.adapter_weights import load_tuned
from weighbridge.train.runtime.base_model import load_network, load_tokenizer, turns
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit
from weighbridge.train.runtime.out_of_memory import raise_clear_errors, with_less_memory
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.recorded_trainer import one_device, run_trainer
from weighbridge.train.supervised.generate import say
from weighbridge.train.supervised.methods import precision
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
    one. Examples are of the train split and may be learnt from, and asked as the strategy asks them. The same
    examples, recipe and machine give the same bytes; a training that was killed continues from one of its few
    checkpoints and ends with the same adapter. If memory does not suffice, the answers are read in two halves, once, in
    the same steps.

    Raises:
        TrainingError: `start` holds no LoRA adapter, a group has no two answers, no prompt leaves room for an answer,
            the loss is not a number, or the libraries fail.
        UnfinishedError: `training.seconds` are over, and steps are left.
        WorkspaceError: the folder cannot be written.
    """
    how = recipe.training.preference
    if how.samples <= 1:
        raise TrainingError("training.preference.samples: 1 gives nothing to compare an answer with; set it to 4 or so")
    if not examples:
        raise TrainingError("training.preference.method: grpo needs public training questions, and there is none")
    prompts = _prompts(rewarding, examples, "train", recipe, notify)
    with raise_clear_errors(folder):
        asked = list(zip(examples, prompts, strict=True))
        fitting = _select_fitting(load_tokenizer(recipe.base), asked, recipe)
        store = _store(start, fitting, folder, recipe, rewarding, notify)
    training = with_less_memory(
        folder,
        lambda: _train(start, fitting, recipe, rewarding, store),
        lambda failure: halve_rows(store, failure, batch=_batch(recipe)),
    )
    if len(fitting) == len(asked):
        return training
    note = f"{len(asked) - len(fitting):,} questions left no room for an answer and were not asked"
    return replace(training, notes=(*training.notes, note))


def greedy_rewards(
    adapter: Path | None,
    examples: Sequence[Example],
    *,
    recipe: Recipe,
    rewarding: Rewarding,
    notify: Notify = silent,
) -> tuple[float | None, ...]:
    """Return the reward of the greedy answer to each dev example, None where none applies; without adapter, the base's.

    GRPO aims to raise it on questions outside its training.

    Raises:
        TrainingError: the folder holds no adapter.
        ValueError: an example is not of the dev split.
    """
    prompts = _prompts(rewarding, examples, "dev", recipe, notify)
    with raise_clear_errors(adapter or recipe.base.hf):
        exact = precision(recipe.training.precision)
        network = (
            load_tuned(recipe.base, adapter, precision=exact) if adapter else load_network(recipe.base, precision=exact)
        )
        said = say(
            move_to_gpu(network),
            load_tokenizer(recipe.base),
            [prompt.messages for prompt in prompts],
            maximum_tokens=recipe.model.maximum_tokens,
        )
    return tuple(rewarding.total(*asked) for asked in zip(examples, prompts, said, strict=True))


def _prompts(
    rewarding: Rewarding, examples: Sequence[Example], split: Split, recipe: Recipe, notify: Notify
) -> list[Prompt]:
    """Return the strategy's prompts of examples that may be asked: of this split, and of who may be learnt from."""
    usual = recipe.training.model_copy(update={"raft": AS_RETRIEVED})
    conversations(rewarding.strategy, examples, split=split, how=usual, notify=notify)
    return [rewarding.strategy.prompt_for(example.question) for example in examples]


def _batch(recipe: Recipe) -> int:
    """Return how many answers a step reads: whole groups, at least one."""
    samples = recipe.training.preference.samples
    return max(1, recipe.training.batch_size // samples) * samples


def _store(
    start: Path,
    asked: Sequence[tuple[Example, Prompt]],
    folder: Path,
    recipe: Recipe,
    rewarding: Rewarding,
    notify: Notify,
) -> CheckpointStore:
    how, room = recipe.training, (recipe.model.context, recipe.model.maximum_tokens)
    told_to = [[one.id, one.answers, one.evidence, one.answerable, turns(prompt.messages)] for one, prompt in asked]
    rewards = (list(rewarding.rules), rewarding.fingerprint, rewarding.strategy.fingerprint)
    learnt = (weights_key(start), how.without_time_limit, room, rewards, told_to)
    tokenizer = load_tokenizer(recipe.base)
    longest = max(len(prompt_tokens(tokenizer, prompt.messages)) for _, prompt in asked) + recipe.model.maximum_tokens
    return CheckpointStore(
        folder=folder / "checkpoints",
        fingerprint=fingerprint("grpo", recipe.base.fingerprint, *learnt),
        ends=(how.preference.steps,),
        marks=checkpoint_marks(how.preference.steps),
        at_once=rows_at_once([longest], how.preference.samples),
        limit=TimeLimit(how.seconds),
        notify=notify,
        task="GRPO",
        remedy=RATE_REMEDY,
    )


def _train(
    start: Path,
    asked: Sequence[tuple[Example, Prompt]],
    recipe: Recipe,
    rewarding: Rewarding,
    store: CheckpointStore,
) -> Training:
    from datasets import Dataset
    from trl import GRPOTrainer

    store.open()
    tokenizer, batch = load_tokenizer(recipe.base), _batch(recipe)
    groups = batch // recipe.training.preference.samples
    order = questions_in_order(len(asked), store.steps * groups, recipe.training.seed)
    trainer = trainer_in(GRPOTrainer, store)(
        model=open_adapter(recipe.base, start, precision(recipe.training.precision)),
        reward_funcs=[_function(name, asked, rewarding, tokenizer) for name in rewarding.rules],
        args=one_device(_arguments(recipe, store)),
        train_dataset=Dataset.from_list(
            [{"prompt": turns(asked[number][1].messages), "number": number} for number in order]
        ),
        processing_class=tokenizer,
    )
    run_trainer(trainer, store)
    store.keep_best(store.folder.with_name("adapter"))
    return store.summary(
        examples=len(asked),
        tokens=int(trainer.state.num_input_tokens_seen),
        precision=str(precision(recipe.training.precision)).removeprefix("torch."),
    )


def questions_in_order(count: int, wanted: int, seed: int) -> list[int]:
    """Return the numbers of the questions to ask in turn: all in a random order, then all in another one.

    One list for all steps, because the trainer's own order begins afresh where it goes on in a later pass.
    """
    passes = range(-(-wanted // count))
    drawn = (Random(f"{seed} {number}").sample(range(count), count) for number in passes)  # noqa: S311 - an order
    return [number for one in drawn for number in one][:wanted]


def _select_fitting(
    tokenizer: Any, asked: Sequence[tuple[Example, Prompt]], recipe: Recipe
) -> list[tuple[Example, Prompt]]:
    """Return the examples with room for an answer after the prompt; `TrainingError` if there is none."""
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
    return _with_name(name, lambda **given: list(map(reward, *(given[column] for column in columns))))


def _with_name(name: str, function: Callable[..., list[float | None]]) -> Callable[..., list[float | None]]:
    function.__name__ = name
    return function


def _arguments(recipe: Recipe, store: CheckpointStore) -> Any:
    from trl import GRPOConfig

    how = recipe.training.preference
    return GRPOConfig(
        **usual(recipe, store, batch=_batch(recipe), rate=how.learning_rate),
        shuffle_dataset=False,
        num_generations=how.samples,
        max_completion_length=recipe.model.maximum_tokens,
        temperature=how.temperature,
        top_k=0,
        top_p=1.0,
        beta=how.beta,
    )
