"""One job at an endpoint, from files on disk to a tuned model, so that no accident begins a second one.

`hosted.json` in the job's folder is written before and after each step that costs something: a run that was killed
goes on where it was, with the same files and the same job.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import sleep

from pydantic import TypeAdapter, ValidationError

from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.train.hosted.client import (
    EndpointAwayError,
    HostedEndpoint,
    Order,
    UnsupportedError,
    create,
    events_since,
    find,
    job_of,
    upload,
)
from weighbridge.train.hosted.wire import ENDED, KNOWN, HostedJob
from weighbridge.types import Progress
from weighbridge.workspace import write_text

TRAINING, VALIDATION, STATE = "train.jsonl", "validation.jsonl", "hosted.json"
STILL = frozenset({*ENDED, "paused"})
"""States that end the watching of a job."""
_TRIES = 3
_PATIENCE = 20
"""Times in a row that a followed job's endpoint may be away."""

Wait = Callable[[float], object]
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a job is followed."""

    every: float
    """Seconds between two questions."""
    tell: Tell
    """Receives each event as a sentence."""
    notify: Notify = silent
    wait: Wait = sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedRun:
    """The files and the job of one run, as far as the run has come."""

    order: Order
    endpoint: str
    begun_at: str
    """ISO 8601, UTC."""
    training_file: str = ""
    """Its id at the endpoint; empty until it is there."""
    validation_file: str = ""
    asked: bool = False
    """Whether a job was asked for; without `job` the answer is not known."""
    job: str = ""
    status: str = ""
    """As the endpoint last gave it."""
    told: str = ""
    """The last event that was passed on, by its id."""


def read_run(folder: Path) -> HostedRun | None:
    """Return the run of a folder; None where nothing was begun there."""
    try:
        return _runs().validate_json((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise TrainingError(
            f"{folder / STATE}: cannot be read ({error.error_count()} fields are wrong); a job may be running for it. "
            "Look at the endpoint's own list of jobs, and delete the file to begin anew"
        ) from None


def write_run(run: HostedRun, folder: Path) -> HostedRun:
    """Write down where a run is, and return it."""
    write_text(folder / STATE, _runs().dump_json(run, indent=2).decode() + "\n")
    return run


def start(endpoint: HostedEndpoint, run: HostedRun, folder: Path, *, wait: Wait = sleep) -> HostedRun:
    """Upload the files in `folder` and begin the job. Finished steps are skipped, and no job begins twice.

    Raises:
        EndpointAwayError: the endpoint gives no usable answer. Whether it began a job is asked at the next call.
        TrainingError: the endpoint refuses.
    """
    if not run.training_file:
        run = write_run(replace(run, training_file=_upload(endpoint, folder / TRAINING)), folder)
    if not run.validation_file and (folder / VALIDATION).exists():
        run = write_run(replace(run, validation_file=_upload(endpoint, folder / VALIDATION)), folder)
    run = locate(endpoint, run, folder)
    if run.job:
        return run
    run = write_run(replace(run, asked=True), folder)
    job = _create(endpoint, run, folder, wait)
    return write_run(replace(run, job=job.id, status=job.status), folder)


def locate(endpoint: HostedEndpoint, run: HostedRun, folder: Path) -> HostedRun:
    """Return a run with its job, where one was asked for and the answer was never read."""
    job = _find_job(endpoint, run, folder) if run.asked and not run.job else None
    return write_run(replace(run, job=job.id, status=job.status), folder) if job else run


def follow(endpoint: HostedEndpoint, run: HostedRun, folder: Path, watch: Watch) -> HostedJob:
    """Ask about a run's job again and again until it has ended or is paused, and return it.

    Raises:
        EndpointAwayError: the endpoint was away many times in a row. The job goes on, and so can `follow`.
        TrainingError: the endpoint refuses to tell.
    """
    away = 0
    while True:
        wait = watch.every
        try:
            job = ask_about(endpoint, run, folder, retries=0)
        except EndpointAwayError as error:
            away += 1
            if away > _PATIENCE:
                raise
            if away == 1:
                watch.tell(f"{error}; asked again, up to {_PATIENCE} times")
            wait = max(wait, error.after)
        else:
            if away:
                watch.tell(f"{endpoint.where} answers again")
            away = 0
            run = _report_progress(endpoint, run, job, folder, watch)
            if job.status in STILL:
                return job
        watch.wait(wait)


def ask_about(endpoint: HostedEndpoint, run: HostedRun, folder: Path, *, retries: int | None = None) -> HostedJob:
    """Return the endpoint's description of a run's job.

    Raises:
        EndpointAwayError: the endpoint gives no usable answer.
        TrainingError: it refuses, or knows no such job.
    """
    try:
        return job_of(endpoint, run.job, retries=retries)
    except UnsupportedError as error:
        raise TrainingError(f"{error}. If that job is gone for good, delete {folder / STATE} to begin anew") from None


def require_success(endpoint: HostedEndpoint, job: HostedJob) -> HostedJob:
    """Return a job that has succeeded.

    Raises:
        TrainingError: it has not; with the endpoint's own words and advice.
    """
    where = f"{endpoint.where}: {job.id}"
    match job.status:
        case "succeeded" if job.model:
            return job
        case "succeeded":
            raise TrainingError(f"{where} succeeded, but names no tuned model; ask again later, or its own console")
        case "failed":
            said = job.error.rstrip(".") or "it does not say why"
            raise TrainingError(f"{where} failed: {said}. Mend that, then train again: it begins a new job")
        case "cancelled":
            raise TrainingError(f"{where} was cancelled; train again to begin a new job")
        case status:
            raise TrainingError(f"{where} is {status}; to let it go on: weighbridge hosted resume")


def _report_progress(endpoint: HostedEndpoint, run: HostedRun, job: HostedJob, folder: Path, watch: Watch) -> HostedRun:
    """Write down and report the news of a job: its events, or its state if no event tells it."""
    new = events_since(endpoint, run.job, run.told)
    now = replace(run, status=job.status, told=new[-1].id if new else run.told)
    if now != run:
        write_run(now, folder)
    if job.status != run.status and (not new or job.status not in KNOWN):
        strange = "" if job.status in KNOWN else ", which is no state that is known here; it is followed on"
        watch.tell(f"{job.id} is {job.status}{strange}")
    for event in new:
        watch.tell(event.message)
        step, total = event.figures.get("step"), event.figures.get("total_steps")
        if isinstance(step, int):
            steps = total if isinstance(total, int) else 0
            task = f"following {run.job}"
            watch.notify(Progress(task=task, done=step, total=steps, unit="steps", note=event.message))
    return now


def _upload(endpoint: HostedEndpoint, file: Path) -> str:
    try:
        return upload(endpoint, file)
    except UnsupportedError as error:
        raise TrainingError(
            f"{error}. It seems not to have the fine-tuning API: check model.base_url, which often ends in /v1; to "
            "train on this machine, set model.engine to llamacpp"
        ) from None


def _create(endpoint: HostedEndpoint, run: HostedRun, folder: Path, wait: Wait) -> HostedJob:
    """Ask for the job; where the answer is lost or the endpoint busy, look for it before asking again."""
    for tried in range(1, _TRIES + 1):
        try:
            return create(endpoint, run.order, run.training_file, run.validation_file)
        except EndpointAwayError as error:
            wait(max(2.0 ** (tried - 1), error.after))
            if job := _find_job(endpoint, run, folder):
                return job
            if error.unread or tried == _TRIES:  # what is unread may yet begin
                raise
        except TrainingError:
            write_run(replace(run, asked=False), folder)
            raise
    raise AssertionError


def _find_job(endpoint: HostedEndpoint, run: HostedRun, folder: Path) -> HostedJob | None:
    try:
        return find(endpoint, run.training_file)
    except UnsupportedError as error:
        raise TrainingError(
            f"{error}. A job may have been begun for {run.training_file}, and this endpoint does not list its jobs: "
            f"look there, and delete {folder / STATE} to begin anew"
        ) from None


@cache
def _runs() -> TypeAdapter[HostedRun]:
    return TypeAdapter(HostedRun)
