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
from weighbridge.protocols import Notify, silent
from weighbridge.train.base import load_tokenizer
from weighbridge.train.devices import devices, require_devices, settle
from weighbridge.train.epochs import Epochs
from weighbridge.train.failures import TOO_LITTLE, too_little, with_less_memory
from weighbridge.train.many import PATIENCE, company
from weighbridge.train.memory import trim
from weighbridge.train.methods import Recipient, prepare
from weighbridge.train.packing import ROW_TOKENS, pack
from weighbridge.train.peer import Replica
from weighbridge.train.plan import Plan, epoch_batches, read_plan, save_plan, within_budget
from weighbridge.train.recipe import Recipe
from weighbridge.train.say import Say, Validate, say
from weighbridge.train.shares import Work, busiest_share
from weighbridge.train.tokens import Encoded
from weighbridge.train.trainer import make_trainer, row_loss
from weighbridge.train.upper import drop_lower, keep_lower
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
    loss); training ends early where it has not become better for `training.patience` epochs. It also ends where
    `training.seconds` are spent on loading, steps, scoring and saving: that depends on the clock, and the weights then
    do too. Where memory does not suffice, rows of half the length are read, once, which changes no step.

    Raises:
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
    begun = perf_counter()
    require_devices(job.devices)
    how = job.recipe.training
    key = _key(job)
    whole = recipient = prepare(job.recipe.base, how, job.start, exact=job.exact)
    if how.layers:
        recipient = keep_lower(whole, job.encoded, job.folder, layers=how.layers, key=key, notify=job.notify)
    plan = _settled(read_plan(job.folder, key) or _all_passes(key, job), job, recipient)
    trim()
    epochs = Epochs(
        job.folder / "checkpoints",
        plan,
        lengths=job.lengths,
        patience=how.patience,
        budget=how.seconds - (perf_counter() - begun),
        checkpoint_seconds=job.checkpoint_seconds,
    ).open(job.notify)
    loading = perf_counter() - begun
    job.notify(Progress(task="training", done=epochs.done_steps, total=plan.steps, unit="steps"))
    if not epochs.finished:
        replica = _replica(job, key, upper=recipient is not whole)
        _steps(job, recipient, replica, plan, epochs)
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
        notes=(*plan.notes, *_cut(job, epochs.plan), *_early(epochs)),
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


def _cut(job: Job, plan: Plan) -> tuple[str, ...]:
    """Say so where the time budget does not allow all passes over the examples."""
    how = job.recipe.training
    wanted = how.epochs * -(-len(job.encoded) // how.batch_size)
    if plan.steps == wanted:
        return ()
    budget = f"training.seconds ({how.seconds:,.0f}) allowed {plan.steps} of {wanted} steps"
    return (f"{budget}; raise it, or lower training.epochs or training.maximum_examples",)


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
    return Plan(fingerprint=key, batches=epochs, row_tokens=job.row_tokens, seconds_per_token=0.0)


def _settled(plan: Plan, job: Job, recipient: Recipient) -> Plan:
    """Return a plan with as many passes as the budget allows, and save it.

    It is saved before that is measured too, so that its rows can be halved where memory does not suffice for one.
    """
    save_plan(plan, job.folder)
    if plan.seconds_per_token:
        return plan
    first = plan.batches[0]
    rate = _seconds_per_token(job, plan, recipient) * busiest_share(job.encoded, first, job.devices)
    kept = within_budget(plan.batches, job.lengths, rate=rate, seconds=job.recipe.training.seconds)
    plan = replace(plan, batches=kept, seconds_per_token=rate)
    save_plan(plan, job.folder)
    return plan


def _seconds_per_token(job: Job, plan: Plan, recipient: Recipient) -> float:
    """Measure the first row of a plan forward and back, after one pass that warms up. Leaves no trace.

    The tokens are those of its examples as if each was read by itself, as in `Plan.seconds_per_token`.
    """
    row = pack(job.encoded, among=plan.batches[0][0], limit=plan.row_tokens)[0]
    own = sum(job.lengths[number] for number in set(row.owners.tolist()))
    rates: list[float] = []
    for _ in range(2):
        start = perf_counter()
        row_loss(recipient, row).backward()
        settle()
        rates.append((perf_counter() - start) / own)
    recipient.network.zero_grad(set_to_none=True)
    return min(rates)
