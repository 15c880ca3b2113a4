"""A time limit ends a run with a checkpoint, and never decides what is learnt: the next run takes the steps left."""

from dataclasses import dataclass, field
from time import perf_counter

from weighbridge.errors import UnfinishedError
from weighbridge.protocols import Clock


@dataclass(slots=True)
class TimeLimit:
    """How long this run of a training may take, counted from when the limit is made."""

    seconds: float | None = None
    """None: as long as it takes."""
    clock: Clock = perf_counter
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock()

    @property
    def passed(self) -> bool:
        """Whether the run is to stop as soon as its state is saved."""
        return self.seconds is not None and self.clock() - self._start >= self.seconds

    def stopped(self, step: int, steps: int, task: str = "training") -> UnfinishedError:
        """Return the error that ends the run, for after its checkpoint is written."""
        return UnfinishedError(
            f"{task} stopped at step {step:,} of {steps:,}, because training.seconds ({self.seconds:g}) are over. Its "
            "checkpoint is kept, and nothing was compared or put in force: run the same command again to go on from "
            "there, or raise training.seconds, or take it out"
        )
