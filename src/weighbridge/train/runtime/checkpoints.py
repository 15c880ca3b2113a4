"""The checkpoints of a training, whichever library takes its steps: saved, scored, the best one kept, gone on from.

`checkpoints.json` is written after the checkpoint that it names is on the disk (and scored, where an epoch ends), and
removed before the last checkpoints are. So whatever it names is there, and a checkpoint that it does not name is never
used. A training that was killed takes the steps after its last checkpoint again, and ends with the same weights.
"""

import math
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import EpochScore, Training
from weighbridge.errors import TrainingError, UnfinishedError
from weighbridge.protocols import Clock, Notify, silent
from weighbridge.types import Progress
from weighbridge.workspace import load_json, write_json

_VERSION = 2
"""Of the record. Before it, the supervised, the preference and the retriever's trainings had a record each."""
_RECORD = "checkpoints.json"
_EARLIER_RECORDS = ("epochs.json", "course.json")
_RESTARTED = "another version of Weighbridge left checkpoints here; they cannot be used, and training starts again"
_WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")
"""By one of these names the libraries write an adapter, or a whole model."""
_STATE = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
"""The files of a checkpoint that transformers resumes from, besides the weights."""
_SAVING_SHARE = 0.1
"""Of the time, spent on checkpoints inside of epochs at most: a large model on a slow disk saves less often."""


@dataclass(slots=True)
class TimeLimit:
    """How long this run of a training may take, counted from when the limit is made.

    It ends the run with a checkpoint and never changes the result: the next run takes the remaining steps.
    """

    seconds: float | None = None
    """None: as long as it takes."""
    clock: Clock = perf_counter
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock()

    @property
    def is_over(self) -> bool:
        """Whether the run is to stop as soon as its state is saved."""
        return self.seconds is not None and self.clock() - self._start >= self.seconds


@dataclass(kw_only=True)
class CheckpointStore:
    """How far one training is, and its checkpoints; the trainer tells it of each step, in one thread."""

    folder: Path
    """Holds nothing but the checkpoints and their record, while the training lasts."""
    fingerprint: str
    """Of all that the training depends on: checkpoints of any other training are removed."""
    ends: Sequence[int]
    """The step, counted from 1, that each epoch ends with."""
    marks: Collection[int] = ()
    """Other steps that end with a checkpoint."""
    pause: float = math.inf
    """Seconds between checkpoints inside of an epoch, at least."""
    patience: float = math.inf
    """Training ends after this many epochs without a better dev score."""
    at_once: int = 0
    """Tokens or rows that are read at a time. Bounds the memory, and changes no step but for rounding."""
    limit: TimeLimit = field(default_factory=TimeLimit)
    notify: Notify = silent
    task: str = "training"
    """Names the training to the person who waits."""
    remedy: str = "lower training.learning_rate"
    """Advice for a loss that is not a number."""
    losses: list[float] = field(init=False, default_factory=list)
    """Of each step so far."""
    scores: tuple[EpochScore, ...] = field(init=False, default=())
    halved: str = field(init=False, default="")
    """The measure taken because memory did not suffice."""
    _earlier: float = field(init=False, default=0.0)
    _start: float = field(init=False)
    _saved: float = field(init=False)
    _saving: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._start = self._saved = self.limit.clock()

    @property
    def steps(self) -> int:
        return self.ends[-1]

    @property
    def latest(self) -> Path | None:
        """The checkpoint to go on from; None at the beginning."""
        return self._checkpoint(len(self.losses)) if self.losses else None

    @property
    def seconds(self) -> float:
        """Time spent so far, also by processes that were killed, up to their last checkpoint."""
        return self._earlier + self.limit.clock() - self._start

    @property
    def stopped_early(self) -> bool:
        """Whether training ends before its last epoch, because so many brought no better dev score."""
        return len(self.scores) < len(self.ends) and idle_epochs(self.scores) >= self.patience

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""
        return self.stopped_early or len(self.losses) == self.steps

    def open(self) -> None:
        """Resume this training from the folder, and remove the checkpoints of any other."""
        found = load_json(self.folder / _RECORD)
        self.losses, self.scores = [], ()
        earlier = any((self.folder / name).is_file() for name in _EARLIER_RECORDS)
        if earlier or (found and found["version"] != _VERSION):
            self._tell(_RESTARTED)
        elif found and found["fingerprint"] == self.fingerprint:
            self.at_once, self.halved = found["at_once"], found["halved"]
            self.losses, self._earlier = found["losses"], found["seconds"]
            self.scores = tuple(EpochScore(**score) for score in found["scores"])
        if not self._is_whole():
            self.losses, self.scores, self._earlier = [], (), 0.0
            self.close()
        self._remove_others()

    def report(self, loss: float, note: str) -> None:
        """Take down the loss of the next step. `TrainingError` where it is not a number."""
        self.losses.append(loss)
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is not a number at step {len(self.losses)}; {self.remedy}")
        self._tell(note)

    def is_due(self) -> bool:
        """Tell whether to save the state after this step."""
        step = len(self.losses)
        if step in self.ends or step in self.marks or self.limit.is_over:
            return True
        return self.limit.clock() - self._saved >= max(self.pause, self._saving / _SAVING_SHARE)

    def save(self, seconds: float, score: Callable[[], float | None] | None = None) -> None:
        """Take down the checkpoint that was written in so many seconds; `score` gives its dev score at an epoch's end.

        The scores are kept with the checkpoint: an epoch that was scored is not scored again.
        """
        step = len(self.losses)
        _flush(self._checkpoint(step))
        if step in self.ends:
            epoch = self.ends.index(step) + 1
            own = self.losses[self.ends[epoch - 2] if epoch > 1 else 0 :]
            dev = score() if score else None
            self.scores = (*self.scores, EpochScore(epoch=epoch, loss=sum(own) / len(own), dev=dev))
        self._write()
        self._remove_others()
        self._saving, self._saved = seconds, self.limit.clock()

    def halve(self, at_once: int, fewer: int, unit: str) -> None:
        """Read fewer tokens or rows (`unit`) at a time from now on, in the same steps."""
        self.open()
        self.at_once, self._start = fewer, self.limit.clock()
        self.halved = (
            f"memory did not suffice to read {at_once:,} {unit} at once; {fewer:,} are read instead, in the same steps"
        )
        self._write()
        self._tell(self.halved, done=0)

    def best_checkpoint(self) -> Path:
        """Return the checkpoint of the best epoch of a finished training."""
        return self._checkpoint(self._best_step())

    def keep_best(self, target: Path) -> None:
        """Move the best epoch's adapter or model to `target` and remove all checkpoints."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        files = [file for file in sorted(self.best_checkpoint().iterdir()) if file.is_file()]
        adapter = [file for file in files if file.name.startswith("adapter_")]
        model = [file for file in files if file.name.startswith(("model", "config.", "generation_config."))]
        for file in adapter or model:
            shutil.copy2(file, target / file.name)
        self.close()

    def close(self) -> None:
        """Remove all checkpoints; their record first, so that it never outlives them."""
        (self.folder / _RECORD).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def unfinished_error(self) -> UnfinishedError:
        """Return the error that ends a run after its time limit."""
        return UnfinishedError(
            f"{self.task} stopped at step {len(self.losses):,} of {self.steps:,}, because training.seconds "
            f"({self.limit.seconds:g}) are over. Its checkpoint is kept, and nothing was compared or put in force: run "
            "the same command again to go on from there, or raise training.seconds, or take it out"
        )

    def summary(self, *, examples: int, tokens: int, precision: str, notes: Sequence[str] = ()) -> Training:
        """Return how the finished training went."""
        return Training(
            epochs=self.scores,
            chosen_epoch=best(self.scores).epoch,
            examples=examples,
            tokens=tokens,
            steps=len(self.losses),
            seconds=self.seconds,
            first_loss=self.losses[0],
            last_loss=self.losses[-1],
            precision=precision,
            notes=(*([self.halved] if self.halved else ()), *notes),
        )

    def _tell(self, note: str, done: int | None = None) -> None:
        step = len(self.losses) if done is None else done
        self.notify(Progress(task=self.task, done=step, total=self.steps, unit="steps", note=note))

    def _write(self) -> None:
        value = {
            "version": _VERSION,
            "fingerprint": self.fingerprint,
            "losses": self.losses,
            "scores": [asdict(score) for score in self.scores],
            "seconds": self.seconds,
            "at_once": self.at_once,
            "halved": self.halved,
        }
        write_json(self.folder / _RECORD, value)

    def _best_step(self) -> int:
        """Return the last step of the best epoch; without dev scores that of the latest checkpoint."""
        if all(score.dev is None for score in self.scores):
            return len(self.losses)
        return self.ends[best(self.scores).epoch - 1]

    def _checkpoints_to_keep(self) -> set[Path]:
        """Return the checkpoints that this training may still read."""
        return {self._checkpoint(step) for step in (len(self.losses), self._best_step()) if step}

    def _is_whole(self) -> bool:
        latest = self.latest
        if latest is None:
            return bool(self.halved)  # halved before the first checkpoint: to be remembered
        state = all((latest / name).is_file() for name in _STATE)
        return state and all(any((one / name).is_file() for name in _WEIGHTS) for one in self._checkpoints_to_keep())

    def _remove_others(self) -> None:
        """Remove checkpoints that are not needed any more, or were cut off in the middle."""
        needed = self._checkpoints_to_keep()
        for checkpoint in self.folder.glob("checkpoint-*"):
            if checkpoint not in needed:
                shutil.rmtree(checkpoint, ignore_errors=True)

    def _checkpoint(self, step: int) -> Path:
        return self.folder / f"checkpoint-{step}"


def epoch_ends(rows: int, batch: int, epochs: int) -> tuple[int, ...]:
    """Return the step, counted from 1, that each pass over the rows ends with; its last batch may be smaller."""
    return tuple(math.ceil(rows / batch) * epoch for epoch in range(1, epochs + 1))


def best(scores: Sequence[EpochScore]) -> EpochScore:
    """Return the epoch with the best dev score; of equals the one with the lower loss, then the later one.

    Epochs without a dev score come last; where none has one, the last epoch is returned.
    """
    if all(score.dev is None for score in scores):
        return scores[-1]
    return max(scores, key=lambda score: (-math.inf if score.dev is None else score.dev, -score.loss, score.epoch))


def idle_epochs(scores: Sequence[EpochScore]) -> int:
    """Return how many epochs have ended since the last that had a better dev score than all before it."""
    known = [(score.dev, -score.epoch) for score in scores if score.dev is not None]
    return scores[-1].epoch + max(known)[1] if known else 0


def _flush(checkpoint: Path) -> None:
    """See to it that a checkpoint is on the disk before a record says so."""
    for path in (*checkpoint.iterdir(), checkpoint):
        if path.is_dir() and os.name == "nt":
            continue
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
