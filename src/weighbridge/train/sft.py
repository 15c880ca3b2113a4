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
from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.base import load_tokenizer
from weighbridge.train.epochs import Epochs
from weighbridge.train.memory import out_of_memory, release, trim
from weighbridge.train.methods import Recipient, prepare
from weighbridge.train.packing import ROW_TOKENS, pack
from weighbridge.train.plan import Plan, epoch_batches, read_plan, save_plan, within_budget
from weighbridge.train.quiet import quiet
from weighbridge.train.recipe import Recipe
from weighbridge.train.say import Say, Validate, say
from weighbridge.train.tokens import Encoded
from weighbridge.train.trainer import make_trainer, row_loss
from weighbridge.train.upper import drop_lower, keep_lower
from weighbridge.types import Message, Progress

_TOO_LITTLE = "close other programs, shorten the examples (retrieval.limit), or train a smaller model"
_UNWRITTEN = ("PytorchStreamWriter", "inline_container")
"""What PyTorch says, as a RuntimeError, where a file cannot be written."""


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

    @property
    def lengths(self) -> list[int]:
        return [len(one.tokens) for one in self.encoded]


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
    suffice, rows of half the length are read, once, which changes no step.

    Raises:
        TrainingError: the loss is not a number, memory does not suffice, or the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    return train(Job(encoded=encoded, folder=folder, recipe=recipe, validate=validate, notify=notify, start=start))


def train(job: Job) -> Training:
    """Do a training; see `train_adapter`."""
    with quiet():
        try:
            return _with_less_memory(job)
        finally:
            release()


def _with_less_memory(job: Job) -> Training:
    while True:
        try:
            return _guarded(job)
        except MemoryError as error:
            failure = str(error)
        release()
        _halve(job, failure)


def _guarded(job: Job) -> Training:
    """Do the training; `MemoryError` where memory is short, and our own errors for all that libraries fail with."""
    from safetensors import SafetensorError

    where = job.folder
    try:
        return _train(job)
    except (OSError, SafetensorError, RuntimeError) as error:
        if out_of_memory(error):
            raise MemoryError(str(error)) from None
        if not isinstance(error, RuntimeError) or any(mark in str(error) for mark in _UNWRITTEN):
            raise WorkspaceError(f"{where}: cannot be written ({error}); free some disk, then run again") from error
        raise TrainingError(f"{where}: training failed: {error}; free memory or disk, then run again") from error


def _halve(job: Job, failure: str) -> None:
    """Make the plan of a training that ran out of memory read rows of half the length.

    Raises:
        TrainingError: that was done before, or the longest example needs what there is by itself.
    """
    said = failure.splitlines()[0] if failure else "no more is known"
    short = f"{job.folder}: memory does not suffice for training ({said})"
    plan = read_plan(job.folder, _key(job))
    if plan is None or plan.notes:
        raise TrainingError(f"{short}; {_TOO_LITTLE}")
    rows = (row for batch in plan.order for row in pack(job.encoded, among=batch, limit=plan.row_tokens))
    longest = max(len(row.tokens) for row in rows)
    if longest <= max(job.lengths):
        raise TrainingError(f"{short}, and its longest example is read by itself already; {_TOO_LITTLE}")
    half = longest // 2
    note = f"memory did not suffice to read {longest:,} tokens at once; {half:,} are read instead, in the same steps"
    save_plan(replace(plan, row_tokens=half, notes=(note,)), job.folder)
    job.notify(Progress(task="training", done=0, total=plan.steps, unit="steps", note=note))


def _train(job: Job) -> Training:
    begun = perf_counter()
    how = job.recipe.training
    key = _key(job)
    recipient = prepare(job.recipe.base, how, job.start, exact=job.exact)
    if how.layers:
        recipient = keep_lower(recipient, job.encoded, job.folder, layers=how.layers, key=key, notify=job.notify)
    plan = read_plan(job.folder, key) or _new_plan(key, job, recipient)
    save_plan(plan, job.folder)
    trim()
    epochs = Epochs(
        job.folder / "checkpoints",
        plan,
        lengths=job.lengths,
        patience=how.patience,
        checkpoint_seconds=job.checkpoint_seconds,
    ).open(job.notify)
    loading = perf_counter() - begun
    job.notify(Progress(task="training", done=epochs.done_steps, total=plan.steps, unit="steps"))
    if not epochs.finished:
        _steps(job, recipient, plan, epochs)
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
        notes=(*plan.notes, *_cut(job, plan), *_early(epochs, plan)),
    )


def _steps(job: Job, recipient: Recipient, plan: Plan, epochs: Epochs) -> None:
    """Take all steps that are left."""
    trainer = make_trainer(recipient, job.encoded, plan, epochs=epochs, how=job.recipe.training)
    trainer.validate, trainer.say = job.validate, _sayer(recipient, job.recipe)
    trainer.train(resume_from_checkpoint=epochs.latest)


def _cut(job: Job, plan: Plan) -> tuple[str, ...]:
    """Say so where the time budget does not allow all passes over the examples."""
    how = job.recipe.training
    wanted = how.epochs * -(-len(job.encoded) // how.batch_size)
    if plan.steps == wanted:
        return ()
    budget = f"training.seconds ({how.seconds:,.0f}) allowed {plan.steps} of {wanted} steps"
    return (f"{budget}; raise it, or lower training.epochs or training.maximum_examples",)


def _early(epochs: Epochs, plan: Plan) -> tuple[str, ...]:
    if not epochs.stopped:
        return ()
    done, wanted = len(epochs.scores), len(plan.ends)
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


def _new_plan(key: str, job: Job, recipient: Recipient) -> Plan:
    lengths, how = job.lengths, job.recipe.training
    epochs = [epoch_batches(len(lengths), how.batch_size, how.seed + number) for number in range(how.epochs)]
    rate = _seconds_per_token(job, epochs[0][0], recipient)
    kept = within_budget(epochs, lengths, rate=rate, seconds=how.seconds)
    return Plan(fingerprint=key, batches=kept, row_tokens=job.row_tokens, seconds_per_token=rate)


def _seconds_per_token(job: Job, batch: Sequence[int], recipient: Recipient) -> float:
    """Measure the first row of a batch forward and back, after one pass that warms up. Leaves no trace.

    The tokens are those of its examples as if each was read by itself, as in `Plan.seconds_per_token`.
    """
    row = pack(job.encoded, among=batch, limit=job.row_tokens)[0]
    own = sum(job.lengths[number] for number in set(row.owners.tolist()))
    rates: list[float] = []
    for _ in range(2):
        start = perf_counter()
        row_loss(recipient, row).backward()
        rates.append((perf_counter() - start) / own)
    recipient.network.zero_grad(set_to_none=True)
    return min(rates)
