"""How far a training is: state saved, dev score taken, best kept, and where a killed training goes on from.

`epochs.json` is written after a checkpoint is whole (and, at the end of an epoch, scored), and removed before the last
checkpoints are: what it names is there, and a checkpoint it does not name is not used. Where one is gone all the same,
training starts afresh.

A time limit ends the run, never the plan: the state is saved, and the next run takes the steps that are left.
"""

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from weighbridge.adapters import EpochScore
from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.train.supervised.generate import Say, Validate
from weighbridge.train.supervised.plan import Plan
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json

_WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")
"""By one of these names an adapter, or a whole model, is written."""
_STATE = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
"""What transformers resumes from, besides the weights."""
_NOT_WEIGHTS = (*_STATE, "training_args.bin", "README.md")
_LOSSES = "losses.json"
_SAVING_SHARE = 0.1
"""Of the time, spent on checkpoints inside epochs at most."""


class Epochs:
    """What is known of a training so far; the trainer tells it of steps and checkpoints, in one thread."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        lengths: Sequence[int],
        patience: int,
        limit: TimeLimit | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> None:
        """Know of no step yet; `open` reads what the folder holds. `limit` also tells the time."""
        self.folder = folder
        self.plan = plan
        self.scores: tuple[EpochScore, ...] = ()
        self.losses: list[float] = []
        self.done_steps = 0
        """Steps that need not be repeated."""
        self._earlier_seconds = 0.0
        self._patience = patience
        self._limit = limit or TimeLimit()
        self._clock = self._limit.clock
        self._pause = checkpoint_seconds
        self._notify: Notify = silent
        self._tokens = [sum(lengths[number] for number in batch) for batch in plan.order]
        self._start = self._saved = self._clock()
        self._saving = 0.0

    def open(self, notify: Notify) -> "Epochs":
        """Take up what the folder holds of this very plan, remove what it holds of any other, and start the clock."""
        self._notify = notify
        found = read_json(self._record)
        if found and found["fingerprint"] == self.plan.fingerprint:
            self.scores = tuple(EpochScore(**score) for score in found["scores"])
            self.losses, self._earlier_seconds = found["losses"], found["seconds"]
            self.done_steps = len(self.losses)
        if not self._whole():
            self.scores, self.losses, self.done_steps, self._earlier_seconds = (), [], 0, 0.0
            self._drop()
        self._tidy()
        self._start = self._saved = self._clock()
        return self

    @property
    def latest(self) -> str | None:
        """The checkpoint to go on from; None at the beginning."""
        return str(self._checkpoint(self.done_steps)) if self.done_steps else None

    @property
    def seconds(self) -> float:
        """Time spent so far, also by processes that were killed, up to their last checkpoint."""
        return self._earlier_seconds + self._clock() - self._start

    @property
    def late(self) -> bool:
        """Whether the time limit of this run has passed."""
        return self._limit.passed

    @property
    def tokens(self) -> int:
        """Tokens learnt from so far."""
        return sum(self._tokens[: len(self.losses)])

    @property
    def stopped(self) -> bool:
        """Whether it ends before its plan does: so many epochs brought no better dev score."""
        return len(self.scores) < len(self.plan.ends) and idle_epochs(self.scores) >= self._patience

    @property
    def finished(self) -> bool:
        """Whether no step is left to do."""
        return self.stopped or len(self.losses) == self.plan.steps

    def due(self) -> bool:
        """Tell whether to save the state after this step: an epoch or the run ends, or long enough has passed."""
        ended = len(self.losses) in self.plan.ends or self.late
        pause = max(self._pause, self._saving / _SAVING_SHARE)
        return ended or self._clock() - self._saved >= pause

    def report(self, loss: float) -> None:
        """Take note of the next step's loss. `TrainingError` where it is not a number."""
        self.losses.append(loss)
        step = len(self.losses)
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is not a number at step {step}; lower training.learning_rate")
        seconds, read = self._clock() - self._start, sum(self._tokens[self.done_steps : step])
        rate = read / seconds if seconds else 0.0
        note = f"loss {loss:.3f}, {rate:.0f} tokens/s"
        self._notify(Progress(task="training", done=step, total=self.plan.steps, unit="steps", note=note))

    def saved(self, seconds: float, validate: Validate | None, say: Say) -> None:
        """Take down the checkpoint just written in so many seconds; at the end of an epoch, with its dev score."""
        step = len(self.losses)
        _settle(self._checkpoint(step))
        if step in self.plan.ends:
            epoch = self.plan.ends.index(step) + 1
            own = self.losses[self.plan.ends[epoch - 2] if epoch > 1 else 0 :]
            dev = validate(say) if validate else None
            self.scores = (*self.scores, EpochScore(epoch=epoch, loss=sum(own) / len(own), dev=dev))
        value = {
            "fingerprint": self.plan.fingerprint,
            "scores": [asdict(score) for score in self.scores],
            "losses": self.losses,
            "seconds": self.seconds,
        }
        write_json(self._record, value)
        self._tidy()
        self._saving, self._saved = seconds, self._clock()

    def keep_best(self, target: Path) -> EpochScore:
        """Move the best epoch's weights to `target`, drop all checkpoints, and return that epoch's score.

        The losses of all steps are left beside it; see `read_losses`.
        """
        chosen = best(self.scores)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in sorted(self._checkpoint(self.plan.ends[chosen.epoch - 1]).iterdir()):
            if file.name not in _NOT_WEIGHTS:
                shutil.copy2(file, target / file.name)
        write_json(target.with_name(_LOSSES), self.losses)
        self._drop()
        return chosen

    @property
    def _record(self) -> Path:
        return self.folder / "epochs.json"

    def _named(self) -> set[Path]:
        """Return the checkpoints that this and `keep_best` will read."""
        steps = {len(self.losses)} | ({self.plan.ends[best(self.scores).epoch - 1]} if self.scores else set())
        return {self._checkpoint(step) for step in steps}

    def _whole(self) -> bool:
        latest = self._checkpoint(len(self.losses))
        state = all((latest / name).is_file() for name in _STATE)
        return (
            bool(self.losses)
            and state
            and all(any((checkpoint / name).is_file() for name in _WEIGHTS) for checkpoint in self._named())
        )

    def _tidy(self) -> None:
        """Remove checkpoints that are not needed any more, or were cut off in the middle."""
        named = self._named()
        for checkpoint in self.folder.glob("checkpoint-*"):
            if checkpoint not in named:
                shutil.rmtree(checkpoint, ignore_errors=True)

    def _drop(self) -> None:
        """Remove all checkpoints; their record first, so that it never outlives them."""
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _checkpoint(self, step: int) -> Path:
        return self.folder / f"checkpoint-{step}"


def best(scores: Sequence[EpochScore]) -> EpochScore:
    """Return the epoch with the best dev score; of equals the one with the lower loss, then the later one.

    Epochs without a dev score come last; where none has one, the last epoch is returned.
    """
    if all(score.dev is None for score in scores):
        return scores[-1]
    return max(scores, key=lambda score: (-math.inf if score.dev is None else score.dev, -score.loss, score.epoch))


def read_losses(folder: Path) -> tuple[float, ...]:
    """Return the loss of every step of a folder's finished training, in nats per token; empty where there is none."""
    return tuple(read_json(folder / _LOSSES) or ())


def idle_epochs(scores: Sequence[EpochScore]) -> int:
    """Return how many epochs have ended since the last that had a better dev score than all before it."""
    known = [(score.dev, -score.epoch) for score in scores if score.dev is not None]
    return scores[-1].epoch + max(known)[1] if known else 0


def _settle(checkpoint: Path) -> None:
    """See to it that what was written is on the disk before a record says so."""
    for path in (*checkpoint.iterdir(), checkpoint):
        if path.is_dir() and os.name == "nt":
            continue
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
