"""Supervised fine-tuning: any of the methods, by one recipe, on PEFT and the trainer of transformers.

LoRA without dropout on all linear layers of the blocks, AdamW, a cosine schedule with warm-up, gradients clipped at 1,
and the loss on the answers alone. Frozen weights are bfloat16 where the processor multiplies bfloat16 natively (twice
as fast there as float32, docs/adr/0004); weights that learn are always float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import Training
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Clock, Notify, silent
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.devices import devices, require_devices
from weighbridge.train.runtime.memory import trim
from weighbridge.train.runtime.out_of_memory import TOO_LITTLE, too_little, with_less_memory
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.train.supervised.checkpoints import Epochs
from weighbridge.train.supervised.device_group import PATIENCE, company
from weighbridge.train.supervised.device_worker import Replica
from weighbridge.train.supervised.frozen_layers import drop_lower, keep_lower
from weighbridge.train.supervised.generate import Say, Validate, say
from weighbridge.train.supervised.methods import Recipient, prepare
from weighbridge.train.supervised.plan import Plan, epoch_batches, read_plan, save_plan
from weighbridge.train.supervised.prefix_packing import ROW_TOKENS
from weighbridge.train.supervised.shards import Work
from weighbridge.train.supervised.trainer import make_trainer
from weighbridge.types import Message, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training: what is learnt, how, and where it is kept."""

    encoded: Sequence[Encoded]
    folder: Path
    recipe: Recipe
    validate: Validate | None = None
    notify: Notify = silent
    start: Path | None = None
    """The weights to go on from, as a training by the same method left them; None: from the base model."""
    checkpoint_seconds: float = 60.0
    """Time between checkpoints inside an epoch, at least."""
    row_tokens: int = ROW_TOKENS
    """Tokens read at a time, at most; bounds the memory."""
    exact: bool = False
    """Compute in float32 also where the device has bfloat16: for comparisons."""

    processes: int = 0
    """Devices that share each step, a process on each; 0: all GPUs that are visible, or else the processor."""
    patience: float = PATIENCE
    """Seconds that another process may take longer than this one before the training is given up."""
    clock: Clock = perf_counter
    """Tells when `training.seconds` are over. Nothing that is learnt depends on it."""

    @property
    def lengths(self) -> list[int]:
        return [len(one.tokens) for one in self.encoded]

    @property
    def devices(self) -> int:
        return self.processes or devices()

    def work(self, plan: Plan) -> Work:
        """Return the plan's steps as they are shared out."""
        return Work(encoded=self.encoded, order=plan.order, row_tokens=plan.row_tokens, processes=self.devices)


def train_adapter(
    encoded: Sequence[Encoded],
    folder: Path,
    *,
    recipe: Recipe,
    validate: Validate | None = None,
    notify: Notify = silent,
    start: Path | None = None,
) -> Training:
    """Train on tokenised texts, write the weights to `folder/adapter`, and say how it went.

    What is written is a PEFT folder, or for the method `full` a transformers folder, float32. `start` is such a folder
    to go on from. The same texts, recipe and machine give the same bytes. The plan is saved before the first step, and
    the state after each epoch and about every minute; a training that was killed goes on from there and ends with the
    same weights. `validate` is asked after each epoch and the best epoch is kept (of equals, the one with the lower
    loss); training ends early where it has not become better for `training.patience` epochs. Where memory does not
    suffice, rows of half the length are read, once, which changes no step. Where `training.seconds` are over, at least
    one step is taken, the state is saved, and the next call takes the steps that are left: the weights are the same.

    Raises:
        UnfinishedError: `training.seconds` are over, and steps are left.
        TrainingError: the loss is not a number, memory does not suffice, or the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    return train(Job(encoded=encoded, folder=folder, recipe=recipe, validate=validate, notify=notify, start=start))


def train(job: Job) -> Training:
    """Do a training; see `train_adapter`."""
    return with_less_memory(job.folder, lambda: _train(job), lambda failure: _halve(job, failure))


def _halve(job: Job, failure: str) -> None:
    """Make the plan of a training that ran out of memory read rows of half the length.

    Raises:
        TrainingError: that was done before, or the longest example needs what there is by itself.
    """
    short = too_little(job.folder, failure)
    plan = read_plan(job.folder, _key(job))
    if plan is None or plan.notes:
        raise TrainingError(f"{short}; {TOO_LITTLE}")
    longest = job.work(plan).longest()
    if longest <= max(job.lengths):
        raise TrainingError(f"{short}, and its longest example is read by itself already; {TOO_LITTLE}")
    half = longest // 2
    note = f"memory did not suffice to read {longest:,} tokens at once; {half:,} are read instead, in the same steps"
    save_plan(replace(plan, row_tokens=half, notes=(note,)), job.folder)
    job.notify(Progress(task="training", done=0, total=plan.steps, unit="steps", note=note))


def _train(job: Job) -> Training:
    limit, begun = TimeLimit(job.recipe.training.seconds, job.clock), job.clock()
    require_devices(job.devices)
    how = job.recipe.training
    key = _key(job)
    whole = recipient = prepare(job.recipe.base, how, job.start, exact=job.exact)
    if how.layers:
        recipient = keep_lower(whole, job.encoded, job.folder, layers=how.layers, key=key, notify=job.notify)
    plan = read_plan(job.folder, key) or _all_passes(key, job)
    save_plan(plan, job.folder)
    trim()
    loading = job.clock() - begun
    epochs = Epochs(
        job.folder / "checkpoints",
        plan,
        lengths=job.lengths,
        patience=how.patience,
        limit=limit,
        checkpoint_seconds=job.checkpoint_seconds,
    ).open(job.notify)
    job.notify(Progress(task="training", done=epochs.done_steps, total=plan.steps, unit="steps"))
    if not epochs.finished:
        replica = _replica(job, key, upper=recipient is not whole)
        _steps(job, recipient, replica, plan, epochs)
    if not epochs.finished:
        raise limit.stopped(len(epochs.losses), plan.steps)
    chosen = epochs.keep_best(job.folder / "adapter")
    drop_lower(job.folder)
    return Training(
        epochs=epochs.scores,
        chosen_epoch=chosen.epoch,
        examples=len(job.encoded),
        tokens=epochs.tokens,
        steps=len(epochs.losses),
        seconds=loading + epochs.seconds,
        first_loss=epochs.losses[0],
        last_loss=epochs.losses[-1],
        precision=str(recipient.precision).removeprefix("torch."),
        notes=(*plan.notes, *_early(epochs)),
    )


def _replica(job: Job, key: str, *, upper: bool) -> Replica:
    how = job.recipe.training
    return Replica(
        base=job.recipe.base, how=how, start=job.start, exact=job.exact, folder=job.folder, key=key, upper=upper
    )


def _steps(job: Job, recipient: Recipient, replica: Replica, plan: Plan, epochs: Epochs) -> None:
    """Take all steps that are left."""
    work = job.work(plan)
    with company(work, replica, recipient, notify=job.notify, patience=job.patience) as take:
        trainer = make_trainer(recipient, work, take, epochs=epochs, how=replica.how)
        trainer.validate, trainer.say = job.validate, _sayer(recipient, job.recipe)
        trainer.train(resume_from_checkpoint=epochs.latest)


def _early(epochs: Epochs) -> tuple[str, ...]:
    if not epochs.stopped:
        return ()
    done, wanted = len(epochs.scores), len(epochs.plan.ends)
    return (f"ended after {done} of {wanted} epochs, because the dev score had not become better",)


def _sayer(recipient: Recipient, recipe: Recipe) -> Say:
    import torch

    network, kind = recipient.network, recipient.precision
    tokenizer = load_tokenizer(recipe.base)

    def answers(prompts: Sequence[tuple[Message, ...]]) -> tuple[str, ...]:
        with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
            return say(network, tokenizer, prompts, maximum_tokens=recipe.model.maximum_tokens)

    return answers


def _key(job: Job) -> str:
    """Return the fingerprint of all that the steps depend on."""
    begun = [file_fingerprint(file) for file in sorted(job.start.glob("*.safetensors"))] if job.start else []
    texts = [(one.tokens, one.start) for one in job.encoded]
    how = job.recipe.training.supervised
    return fingerprint(job.recipe.base.fingerprint, how, texts, job.exact, job.row_tokens, *begun)


def _all_passes(key: str, job: Job) -> Plan:
    how, count = job.recipe.training, len(job.encoded)
    epochs = tuple(epoch_batches(count, how.batch_size, how.seed + number) for number in range(how.epochs))
    return Plan(fingerprint=key, batches=epochs, row_tokens=job.row_tokens)
