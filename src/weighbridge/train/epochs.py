"""The ends of epochs: state saved, dev score taken, best kept; and where a killed training goes on from.

`epochs.json` is written after a checkpoint is whole and scored, and removed before the last checkpoints are: what it
names is there, and a checkpoint it does not name is not used. Where one is gone all the same, training starts afresh.
"""

import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.train.card import EpochScore
from weighbridge.train.plan import Plan
from weighbridge.train.say import Say, Validate
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json

_ADAPTER = "adapter_model.safetensors"
_STATE = (_ADAPTER, "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
"""What transformers resumes from."""


class Epochs:
    """What is known of a training's epochs so far; the trainer tells it of steps and checkpoints, in one thread."""

    def __init__(self, folder: Path, plan: Plan, *, lengths: Sequence[int], validate: Validate | None) -> None:
        """Know of no epoch yet; `open` reads what the folder holds."""
        self.folder = folder
        self.scores: tuple[EpochScore, ...] = ()
        self.earlier_seconds = 0.0
        self._plan = plan
        self._validate = validate
        self._notify: Notify = silent
        sizes = [len(epoch) for epoch in plan.batches]
        self._ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
        self._tokens = [sum(lengths[number] for number in batch) for epoch in plan.batches for batch in epoch]
        self._start = perf_counter()
        self._first = 0

    def open(self, notify: Notify) -> "Epochs":
        """Take up what the folder holds of this very plan, remove what it holds of any other, and start the clock."""
        self._notify = notify
        found = read_json(self._record)
        if found and found["fingerprint"] == self._plan.fingerprint:
            self.scores = tuple(EpochScore(**score) for score in found["scores"])
            self.earlier_seconds = found["seconds"]
        if not self._whole():
            self.scores, self.earlier_seconds = (), 0.0
            self._drop()
        self._start, self._first = perf_counter(), self.done_steps
        return self

    @property
    def done_steps(self) -> int:
        """Steps that need not be repeated."""
        return self._ends[len(self.scores) - 1] if self.scores else 0

    @property
    def latest(self) -> str | None:
        """The checkpoint to go on from; None at the beginning."""
        return str(self._checkpoint(len(self.scores))) if self.scores else None

    def ends_at(self, step: int) -> bool:
        """Tell whether an epoch ends with this step, counted from 1."""
        return step in self._ends

    def keep_best(self, target: Path) -> EpochScore:
        """Move the best epoch's adapter to `target`, drop all checkpoints, and return that epoch's score."""
        chosen = best(self.scores)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in sorted(self._checkpoint(chosen.epoch).glob("adapter_*")):
            shutil.copy2(file, target / file.name)
        self._drop()
        return chosen

    @property
    def _record(self) -> Path:
        return self.folder / "epochs.json"

    def _whole(self) -> bool:
        """Tell whether there is an epoch to go on from, with the checkpoints that this and `keep_best` will read."""
        if not self.scores:
            return False
        latest, chosen = self._checkpoint(len(self.scores)), self._checkpoint(best(self.scores).epoch)
        needed = (*(latest / name for name in _STATE), chosen / _ADAPTER)
        return all(file.is_file() for file in needed)

    def _drop(self) -> None:
        """Remove all checkpoints; their record first, so that it never outlives them."""
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _checkpoint(self, epoch: int) -> Path:
        return self.folder / f"checkpoint-{self._ends[epoch - 1]}"

    def report(self, state: Any) -> None:
        """Take note of a step that was logged. `TrainingError` where its loss is not a number."""
        loss, step = state.log_history[-1].get("loss"), state.global_step
        if loss is None:
            return
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is not a number at step {step}; lower training.learning_rate")
        seconds, read = perf_counter() - self._start, sum(self._tokens[self._first : step])
        rate = read / seconds if seconds else 0.0
        note = f"loss {loss:.3f}, {rate:.0f} tokens/s"
        self._notify(Progress(task="training", done=step, total=self._plan.steps, unit="steps", note=note))

    def end(self, state: Any, say: Say) -> None:
        """Score the epoch that a checkpoint was just written for, and take the two down together."""
        dev = self._validate(say) if self._validate else None
        epoch = self._ends.index(state.global_step) + 1
        first = self._ends[epoch - 2] if epoch > 1 else 0
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry][first:]
        self.scores = (*self.scores, EpochScore(epoch=epoch, loss=sum(losses) / len(losses), dev=dev))
        value = {
            "fingerprint": self._plan.fingerprint,
            "scores": [asdict(score) for score in self.scores],
            "seconds": self.earlier_seconds + perf_counter() - self._start,
        }
        write_json(self._record, value)
        kept = {self._checkpoint(epoch), self._checkpoint(best(self.scores).epoch)}
        for checkpoint in self.folder.glob("checkpoint-*"):
            if checkpoint not in kept:
                shutil.rmtree(checkpoint, ignore_errors=True)


def best(scores: Sequence[EpochScore]) -> EpochScore:
    """Return the epoch with the best dev score; of equals the one with the lower loss, then the later one.

    Epochs without a dev score come last; where none has one, the last epoch is returned.
    """
    if all(score.dev is None for score in scores):
        return scores[-1]
    return max(scores, key=lambda score: (-math.inf if score.dev is None else score.dev, -score.loss, score.epoch))
