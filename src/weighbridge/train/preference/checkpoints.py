"""How far a training after the supervised one is: its checkpoints, its time limit, and how many rows are read at once.

`course.json` is written after a checkpoint is whole, and removed before the last checkpoint is: what it names is there,
and a checkpoint it does not name is not used.
"""

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify
from weighbridge.train.runtime.memory import trim
from weighbridge.train.runtime.out_of_memory import TOO_LITTLE, too_little
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json

_SHOWN: Mapping[str, str] = {
    "loss": "loss {:.3f}",
    "reward": "reward {:.2f}",
    "rewards/margins": "margin {:.3f}",
    "rewards/accuracies": "accuracy {:.2f}",
    "margin": "margin {:.3f}",
    "accuracy": "accuracy {:.2f}",
}
"""What the libraries log that is told with each step."""


@dataclass(kw_only=True)
class Course:
    """One training; the trainer's callback tells it of steps and checkpoints, in one thread."""

    task: str
    """What the person waiting is told is going on."""
    folder: Path
    """Where checkpoints lie while it lasts."""
    fingerprint: str
    """Of all that the training depends on: a checkpoint of another one is not gone on from."""
    steps: int
    batch: int
    """Rows that a step learns from."""
    at_once: int
    """Rows read at a time, a divisor of the batch. Bounds the memory, and changes no step but for rounding."""
    limit: TimeLimit
    """This run stops after the step that exceeds it, with a checkpoint."""
    notify: Notify
    least: int = 1
    """Rows that must be read together."""
    notes: list[str] = field(default_factory=list)
    short: str = ""
    """What was done when memory did not suffice."""
    _earlier: float = 0.0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.limit.clock()

    @property
    def gathered(self) -> int:
        """How often rows are read for one step."""
        return self.batch // self.at_once

    @property
    def taken(self) -> float:
        """Seconds spent so far, also by processes that were killed, up to their last checkpoint."""
        return self._earlier + self.limit.clock() - self._started

    @property
    def told(self) -> tuple[str, ...]:
        """What is to be said of it in the end."""
        return (*([self.short] if self.short else []), *self.notes)

    def go_on(self) -> str | None:
        """Take up what the folder holds of this very training, and return its checkpoint; None at the beginning.

        What lies there of another training is removed.
        """
        found = self._found()
        if found is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return None
        self.at_once, self.short, self._earlier = found["at_once"], found["short"], found["seconds"]
        checkpoint = self.folder / found["checkpoint"]
        return str(checkpoint) if (checkpoint / "trainer_state.json").is_file() else None

    def halve(self, failure: str) -> None:
        """Read half the rows at a time from now on, and twice as often.

        Raises:
            TrainingError: that was done before, or nothing can be halved.
        """
        fewer = [n for n in range(self.least, self.at_once // 2 + 1) if self.batch % n == 0]
        if self.short or not fewer:
            raise TrainingError(f"{too_little(self.folder.parent, failure)}; {TOO_LITTLE}")
        self.short = (
            f"memory did not suffice to read {self.at_once:,} rows at once; {max(fewer):,} are read instead, in the "
            "same steps"
        )
        self.at_once, self._started = max(fewer), self.limit.clock()
        found = self._found() or {"checkpoint": "", "seconds": 0.0}
        self._record(found["checkpoint"], found["seconds"])
        self.notify(Progress(task=self.task, done=0, total=self.steps, unit="steps", note=self.short))

    def step(self, step: int, total: int, logs: Mapping[str, float]) -> None:
        """Tell of a step that was logged. `TrainingError` where its loss is not a number."""
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"the loss is not a number at step {step}; lower training.preference.learning_rate, or "
                "training.learning_rate where it is the reward model's"
            )
        note = ", ".join(form.format(logs[name]) for name, form in _SHOWN.items() if logs.get(name) is not None)
        self.notify(Progress(task=self.task, done=step, total=total, unit="steps", note=note))

    def saved(self, step: int) -> None:
        """Take note of a checkpoint that is whole, and drop those before it."""
        name = f"checkpoint-{step}"
        self._record(name, self.taken)
        for other in self.folder.glob("checkpoint-*"):
            if other.name != name:
                shutil.rmtree(other, ignore_errors=True)
        trim()

    def finish(self) -> None:
        """Drop the checkpoints; their record first, so that it never outlives them."""
        self._path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _path(self) -> Path:
        return self.folder / "course.json"

    def _found(self) -> Mapping[str, Any] | None:
        found = read_json(self._path)
        return found if found and found["fingerprint"] == self.fingerprint else None

    def _record(self, checkpoint: str, seconds: float) -> None:
        value = {"checkpoint": checkpoint, "seconds": seconds, "at_once": self.at_once, "short": self.short}
        write_json(self._path, {"fingerprint": self.fingerprint, **value})


def followed(kind: Any, course: Course) -> Any:
    """Return a kind of trainer that tells a course of its steps and checkpoints."""

    class Followed(kind):  # type: ignore[misc] # trl is untyped
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            if "loss" in logs:
                course.step(self.state.global_step, self.state.max_steps, self.state.log_history[-1])
                if course.limit.passed:  # saved first: the next run is to go on from this very step
                    self.control.should_save = self.control.should_training_stop = True

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            super()._save_checkpoint(model, trial)
            course.saved(self.state.global_step)

    return Followed


def take(trainer: Any, latest: str | None, course: Course) -> None:
    """Take a trainer's steps from the latest checkpoint on, without its printing any.

    Raises:
        UnfinishedError: the course's time limit passed before the last step.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=latest)
    if trainer.state.global_step < trainer.state.max_steps:
        raise course.limit.stopped(trainer.state.global_step, trainer.state.max_steps, course.task)
