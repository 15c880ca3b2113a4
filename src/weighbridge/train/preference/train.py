"""Preference training: an adapter goes on learning from better and worse answers, by DPO, KTO or ORPO.

On TRL's trainers, fed with our own tokens: the prompt as the engine reads it and the answer up to its stop token, as
in the supervised training. The references of DPO and KTO are the adapter as it was at the start. TRL keeps it as a
second, frozen adapter beside the one that learns; ORPO has none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from weighbridge.adapters import Training
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.preferences import PreferencePair, Thumb, require_both_sides
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.preference.methods import METHODS, Compared
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
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit, epoch_ends
from weighbridge.train.runtime.out_of_memory import raise_clear_errors, with_less_memory
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.recorded_trainer import one_device, run_trainer
from weighbridge.train.supervised.methods import precision
from weighbridge.types import Progress

Lesson = PreferencePair | Thumb
_WORDS: Mapping[type, str] = {PreferencePair: "pair", Thumb: "thumb"}


def train_preference(
    start: Path,
    lessons: Sequence[Lesson],
    folder: Path,
    *,
    recipe: Recipe,
    notify: Notify = silent,
) -> Training:
    """Go on from the adapter in `start` (a PEFT folder) by `training.preference`, and write `folder/adapter`.

    The result is one LoRA adapter of the same shape as the start. DPO and ORPO learn from pairs, KTO from
    thumbs. The same lessons, recipe and machine give the same bytes; a training that was killed continues from its last
    checkpoint and ends with the same adapter. If memory does not suffice, the rows are read in two halves, once, in the
    same steps.

    Raises:
        TrainingError: `start` holds no LoRA adapter, the lessons cannot be learnt from, one is longer than the
            context, the loss is not a number, or the libraries fail.
        UnfinishedError: `training.seconds` are over, and steps are left.
        WorkspaceError: the folder cannot be written.
    """
    name = recipe.training.preference.method
    if (method := METHODS.get(name)) is None:
        raise TrainingError(f"training.preference.method: {name} does not learn from preferences; {_choice()}")
    require_both_sides(lessons, name)
    if strange := [one for one in lessons if not isinstance(one, method.learns)]:
        raise TrainingError(
            f"training.preference.method: {name} learns from {_WORDS[method.learns]}s, and it was given a "
            f"{_WORDS[type(strange[0])]} for {strange[0].example_id}; {_choice()}"
        )
    # Drawn with the seed, because KTO reads lessons as they come, in every pass alike.
    order = Random(recipe.training.seed).sample(list(lessons), len(lessons))  # noqa: S311 - an order, not a secret
    with raise_clear_errors(folder):
        compared = [_tokenise(load_tokenizer(recipe.base), one, recipe) for one in order]
        store, batch = _store(start, compared, folder, recipe, notify)
    return with_less_memory(
        folder,
        lambda: _train(start, compared, recipe, store, batch),
        lambda failure: halve_rows(store, failure, batch=batch, least=method.least),
    )


def wants_pairs(method: str) -> bool:
    """Tell whether a method learns from pairs rather than from thumbs."""
    return METHODS[method].learns is PreferencePair


def margins(
    adapter: Path | None, pairs: Sequence[PreferencePair], *, base: BaseFiles, notify: Notify = silent
) -> tuple[float, ...]:
    """Return log p(chosen) - log p(rejected) in nats for each pair, by an adapter; without one by the base model.

    Above 0 the model holds the better answer to be the likelier one. DPO, KTO and ORPO aim to raise it on pairs
    outside their training.

    Raises:
        TrainingError: the folder holds no adapter.
    """
    import torch

    with raise_clear_errors(adapter or base.hf), torch.inference_mode():
        tokenizer = load_tokenizer(base)
        exact = precision()
        network = load_tuned(base, adapter, precision=exact) if adapter else load_network(base, precision=exact)
        move_to_gpu(network).eval()
        found = []
        for number, pair in enumerate(pairs, start=1):
            chosen, rejected = (
                _log_likelihood(network, encode(tokenizer, _conversation(pair, text)))
                for text in (pair.chosen, pair.rejected)
            )
            found.append(chosen - rejected)
            notify(Progress(task="asking which answers are likelier", done=number, total=len(pairs), unit="pairs"))
        return tuple(found)


def _log_likelihood(network: Any, encoded: Encoded) -> float:
    import torch

    tokens = torch.tensor([encoded.tokens], device=network.device)
    answer = len(encoded.tokens) - encoded.start
    logits = network(input_ids=tokens, logits_to_keep=answer + 1, use_cache=False).logits[0, :-1].float()
    said = tokens[0, encoded.start :]
    return float(logits.log_softmax(-1).gather(1, said[:, None]).sum())


def _store(
    start: Path, compared: Sequence[Compared], folder: Path, recipe: Recipe, notify: Notify
) -> tuple[CheckpointStore, int]:
    """Return the store of this training, and how many rows each step learns from."""
    how = recipe.training
    least = METHODS[how.preference.method].least
    batch = max(least, min(how.batch_size, len(compared)))
    ends = epoch_ends(len(compared), batch, how.preference.epochs)
    plain = [[one.better.tokens, one.worse.tokens if one.worse else None, one.up] for one in compared]
    store = CheckpointStore(
        folder=folder / "checkpoints",
        fingerprint=fingerprint(recipe.base.fingerprint, weights_key(start), how.without_time_limit, plain),
        ends=ends,
        marks=checkpoint_marks(ends[-1]),
        at_once=rows_at_once([one.tokens for one in compared], batch, least=least),
        limit=TimeLimit(how.seconds),
        notify=notify,
        task=how.preference.method.upper(),
        remedy=RATE_REMEDY,
    )
    return store, batch


def _train(start: Path, compared: Sequence[Compared], recipe: Recipe, store: CheckpointStore, batch: int) -> Training:
    from datasets import Dataset

    store.open()
    how = recipe.training.preference
    method = METHODS[how.method]
    shared = {**usual(recipe, store, batch=batch, rate=how.learning_rate), "beta": how.beta}
    trainer = trainer_in(method.trainer(), store)(
        model=open_adapter(recipe.base, start, precision(recipe.training.precision)),
        args=one_device(method.arguments(compared, shared)),
        train_dataset=Dataset.from_list(method.rows(compared, store.at_once)),
        processing_class=load_tokenizer(recipe.base),
    )
    run_trainer(trainer, store)
    store.keep_best(store.folder.with_name("adapter"))
    tokens = sum(one.tokens for one in compared) * how.epochs
    return store.summary(
        examples=len(compared),
        tokens=tokens,
        precision=str(precision(recipe.training.precision)).removeprefix("torch."),
    )


def _conversation(one: Lesson, text: str) -> Conversation:
    return Conversation(example_id=one.example_id, prompt=one.prompt, target=text)


def _tokenise(tokenizer: Any, one: Lesson, recipe: Recipe) -> Compared:
    texts = (one.chosen, one.rejected) if isinstance(one, PreferencePair) else (one.answer,)
    made = [encode(tokenizer, _conversation(one, text)) for text in texts]
    if (longest := max(len(each.tokens) for each in made)) > recipe.model.context:
        raise TrainingError(
            f"{one.example_id}: a prompt with its answer has {longest:,} tokens, and model.context holds "
            f"{recipe.model.context:,}; raise it, lower retrieval.limit, or leave this one out"
        )
    up = one.up if isinstance(one, Thumb) else True
    return Compared(better=made[0], worse=made[1] if len(made) > 1 else None, up=up)


def _choice() -> str:
    return "dpo and orpo learn from pairs, kto from thumbs"
