"""Supervised fine-tuning: any of the methods, by one recipe, on PEFT and the trainer of transformers.

LoRA without dropout on all linear layers of the blocks, AdamW, a cosine schedule with warm-up, gradients clipped at 1,
and the loss on the answers alone. Frozen weights are bfloat16 where the machine multiplies it faster than float32, by
measurement (docs/adr/0036); weights that learn are always float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.adapters import Training
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Clock, Notify, silent
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit, epoch_ends
from weighbridge.train.runtime.out_of_memory import TOO_LITTLE, too_little, trim, with_less_memory
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.recorded_trainer import run_trainer
from weighbridge.train.supervised.generate import Validate, say
from weighbridge.train.supervised.methods import precision, prepare_network
from weighbridge.train.supervised.prefix_packing import ROW_TOKENS, pack
from weighbridge.train.supervised.trainer import Reading, Steps, epoch_batches, make_trainer, packing_window
from weighbridge.types import Message, Progress
from weighbridge.workspace import load_json, write_json

_LOSSES = "losses.json"
_ALONE = "every example was read by itself, also where several begin alike: {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training: its data, its recipe and its folder."""

    encoded: Sequence[Encoded]
    folder: Path
    recipe: Recipe
    validate: Validate | None = None
    """Scores the dev questions at the end of each epoch."""
    notify: Notify = silent
    checkpoint_seconds: float = 60.0
    """Time between checkpoints inside an epoch, at least."""
    row_tokens: int = ROW_TOKENS
    """Tokens read at a time, at most; bounds the memory."""
    exact: bool = False
    """Compute in float32 also where the device has bfloat16: for comparisons."""
    clock: Clock = perf_counter
    """Tells when `training.seconds` are over. Nothing that is learnt depends on it."""


def train_supervised(job: Job) -> Training:
    """Train on tokenised texts, write the weights to `folder/adapter`, and return how it went.

    The result is a PEFT folder, or for the method `full` a transformers folder, in float32. The same texts, recipe
    and machine give the same bytes. The state is saved after each epoch and about every minute; a training that was
    killed goes on from there and ends with the same weights. `validate` is asked after each epoch and the best epoch is
    kept (of equals, the one with the lower loss); training ends early where it has not become better for
    `training.patience` epochs. Where memory does not suffice, rows of half the length are read, once, which changes no
    step. Where `training.seconds` are over, at least one step is taken, the state is saved, and the next call takes the
    steps that are left: the weights are the same.

    Raises:
        UnfinishedError: `training.seconds` are over, and steps are left.
        TrainingError: the loss is not a number, memory does not suffice, or the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    how = job.recipe.training
    epochs = [epoch_batches(len(job.encoded), how.batch_size, how.seed + number) for number in range(how.epochs)]
    order = tuple(batch for epoch in epochs for batch in epoch)
    texts = [(one.tokens, one.start) for one in job.encoded]
    store = CheckpointStore(
        folder=job.folder / "checkpoints",
        fingerprint=fingerprint(
            job.recipe.base.fingerprint, how.supervised_recipe, texts, str(_precision(job)), job.row_tokens, order
        ),
        ends=epoch_ends(len(job.encoded), how.batch_size, how.epochs),
        pause=job.checkpoint_seconds,
        patience=how.patience,
        at_once=job.row_tokens,
        limit=TimeLimit(how.seconds, job.clock),
        notify=job.notify,
    )
    steps = [[job.encoded[number] for number in batch] for batch in order]
    return with_less_memory(
        job.folder, lambda: _train(job, steps, store), lambda failure: _halve(job, steps, store, failure)
    )


def read_losses(folder: Path) -> tuple[float, ...]:
    """Return the loss of every step of a folder's finished training, in nats per token; empty where there is none."""
    return tuple(load_json(folder / _LOSSES) or ())


def _train(job: Job, steps: Steps, store: CheckpointStore) -> Training:

    how = job.recipe.training
    kind = _precision(job)
    network = prepare_network(job.recipe.base, how, kind)
    trim()
    store.open()
    job.notify(Progress(task="training", done=len(store.losses), total=store.steps, unit="steps"))
    window, unshared = packing_window(network, job.encoded, kind)
    reading = Reading(kind=kind, window=window)
    trainer = make_trainer(network, reading, steps, store=store, how=how, score=lambda: _dev_score(job, network, kind))
    run_trainer(trainer, store)
    write_json(job.folder / _LOSSES, store.losses)
    store.keep_best(job.folder / "adapter")
    tokens = sum(len(one.tokens) for batch in steps[: len(store.losses)] for one in batch)
    early = f"ended after {len(store.scores)} of {how.epochs} epochs, because the dev score had not become better"
    return store.summary(
        examples=len(job.encoded),
        tokens=tokens,
        precision=str(kind).removeprefix("torch."),
        notes=[*([early] if store.stopped_early else []), *([_ALONE.format(unshared)] if unshared else [])],
    )


def _precision(job: Job) -> Any:
    import torch

    return torch.float32 if job.exact else precision(job.recipe.training.precision)


def _halve(job: Job, steps: Steps, store: CheckpointStore, failure: str) -> None:
    """Read rows of half the length from now on.

    Raises:
        TrainingError: it was halved before, or the longest example alone fills the row.
    """
    short = too_little(job.folder, failure)
    if store.halved:
        raise TrainingError(f"{short}; {TOO_LITTLE}")
    rows = (row for batch in steps for row in pack(batch, limit=store.at_once))
    longest = max(len(row.tokens) for row in rows)
    if longest <= max(len(one.tokens) for one in job.encoded):
        raise TrainingError(f"{short}, and its longest example is read by itself already; {TOO_LITTLE}")
    store.halve(longest, longest // 2, "tokens")


def _dev_score(job: Job, network: Any, kind: Any) -> float | None:
    """Let the network, as it is now, answer the dev questions, and return their score; None where there are none."""
    import torch

    if job.validate is None:
        return None
    tokenizer = load_tokenizer(job.recipe.base)

    def answers(prompts: Sequence[tuple[Message, ...]]) -> tuple[str, ...]:
        with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
            return say(network, tokenizer, prompts, maximum_tokens=job.recipe.model.maximum_tokens)

    return job.validate(answers)
