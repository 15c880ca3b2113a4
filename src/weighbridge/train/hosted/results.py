"""How a job at an endpoint went: its result file, a CSV of losses by step, as our own figures."""

import base64
import binascii
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import groupby

from weighbridge.adapters import EpochScore, Training
from weighbridge.errors import TrainingError
from weighbridge.train.hosted.client import HostedEndpoint, content, events_since
from weighbridge.train.hosted.wire import HostedJob

_PRECISION = "the endpoint's own precision"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job: the losses it was measured to have. None: not measured at this step."""

    number: int
    training: float | None
    validation: float | None


def steps_of(endpoint: HostedEndpoint, job: HostedJob) -> tuple[Step, ...]:
    """Fetch the losses of a job that has succeeded: from its result files, or else from its events.

    Empty where neither tells.
    """
    for file in job.result_files:
        try:
            steps = read_steps(content(endpoint, file))
        except TrainingError:
            continue
        if steps:
            return steps
    told = []
    for event in events_since(endpoint, job.id, ""):
        number = _number(event.figures.get("step"))
        if number is not None and number >= 1:
            losses = (_number(event.figures.get(name)) for name in ("train_loss", "valid_loss"))
            told.append(Step(int(number), *losses))
    return tuple(told)


def read_steps(raw: bytes) -> tuple[Step, ...]:
    """Read a result file, plain or in base64; empty where it is no such CSV."""
    plain = _text(raw)
    if "step" not in plain.partition("\n")[0].split(","):
        try:
            plain = _text(base64.b64decode(raw, validate=True))
        except (binascii.Error, ValueError):
            return ()
    steps = []
    for row in csv.DictReader(StringIO(plain)):
        number = _number(row.get("step"))
        if number is not None and number >= 1:
            validation = next((v for name in ("full_valid_loss", "valid_loss") if (v := _number(row.get(name)))), None)
            steps.append(Step(int(number), _number(row.get("train_loss")), validation))
    return tuple(steps)


def training_of(job: HostedJob, steps: Sequence[Step], *, examples: int, tokens: int, seconds: float) -> Training:
    """Return how a training went by the steps of its last job; `examples`, `tokens` and `seconds` are of all its jobs.

    The steps are divided evenly among the epochs, since a result file does not name them. The endpoint serves the
    model of the last one.

    Raises:
        TrainingError: the endpoint gives no losses at all.
    """
    losses = [(step.number, step.training) for step in steps if step.training is not None]
    if not losses:
        raise TrainingError(
            f"{job.id} succeeded as {job.model}, but the endpoint gives no losses, neither as a result file nor as "
            "events: nothing would be known of how it learnt. Train again to ask once more, or weigh that model by "
            "its name as model.reference"
        )
    total = max((step.number for step in steps), default=0)
    epochs = tuple(_epochs(losses, total, max(1, min(job.epochs or 1, total))))
    validated = [step.validation for step in steps if step.validation is not None]
    validation = [f"validation loss {validated[0]:.3f} to {validated[-1]:.3f}"] if validated else []
    return Training(
        epochs=epochs,
        chosen_epoch=epochs[-1].epoch,
        examples=examples,
        tokens=tokens,
        steps=total,
        seconds=seconds,
        first_loss=losses[0][1],
        last_loss=losses[-1][1],
        precision=_PRECISION,
        notes=(f"trained at the endpoint as {job.id}", *validation),
    )


def _epochs(losses: Sequence[tuple[int, float]], total: int, epochs: int) -> Iterator[EpochScore]:
    for epoch, group in groupby(losses, key=lambda loss: 1 + (loss[0] - 1) * epochs // total):
        values = [value for _, value in group]
        yield EpochScore(epoch=epoch, loss=sum(values) / len(values), dev=None)


def _number(text: object) -> float | None:
    """Return a cell's number. Empty, "nan" and the endpoint's mark for "not measured", -1, are none."""
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
