"""Lists and stops the jobs of an arm at an endpoint, without the workspace's lock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from weighbridge.errors import TrainingError, UserError
from weighbridge.settings.schema import Arm, Settings
from weighbridge.train.card import read_adapter_card
from weighbridge.train.hosted.client import HostedEndpoint, cancel, open_endpoint, pause
from weighbridge.train.hosted.job import ask_about, locate, read_run, write_run
from weighbridge.train.hosted.wire import ENDED, HostedJob
from weighbridge.workspace import Workspace

FAILED = frozenset({"failed", "cancelled"})
"""A new job may begin after one of these states."""
_ELSEWHERE = "elsewhere"
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedStatus:
    """One job of an arm, as its endpoint gives it."""

    adapter: str
    """The id of the adapter it is for."""
    stage: str
    job: str
    """Empty where none has been begun."""
    status: str
    """The endpoint's word, in lower case; "not begun", "elsewhere" for a job of another endpoint, or "unreadable" if
    its file cannot be read."""
    model: str
    """The tuned model's name; empty until there is one."""
    error: str
    folder: Path
    """Where the files that were sent lie."""
    refused: bool = False
    """Whether the endpoint refused the last request: `error` says why, and `status` is the last known state."""

    @property
    def is_unsettled(self) -> bool:
        """Whether it was refused, and may still be running."""
        return self.refused and self.status not in ENDED


def hosted_status(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Ask the endpoint about every job of an arm, oldest first; one that it tells nothing of is `refused`."""
    with connect(settings) as endpoint:
        return tuple(asked_about(_runs(arm, workspace), endpoint))


def cancel_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Stop every unfinished job of an arm for good, and return their new states.

    One that was agreed to and not asked for yet will not be begun without asking again. One that the endpoint does not
    stop is `refused`, and the others are stopped all the same.

    Raises:
        UserError: there is none.
    """
    dropped = tuple(_after_all_not(unfinished_jobs(arm, workspace)))
    if dropped and not unfinished_jobs(arm, workspace):
        return dropped
    return (*dropped, *_each(arm, settings, workspace, cancel))


def pause_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Stop every unfinished job of an arm until `resume_hosted`; else as `cancel_hosted`."""
    return _each(arm, settings, workspace, pause)


def unfinished_jobs(arm: Arm, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Return the jobs without an adapter card that are not known to have failed."""
    return tuple(
        one
        for one in _runs(arm, workspace)
        if one.status not in FAILED and read_adapter_card(workspace.adapter(arm, one.adapter)) is None
    )


@contextmanager
def connect(settings: Settings) -> Iterator[HostedEndpoint]:
    """Connect to the endpoint that the settings name."""
    endpoint = open_endpoint(settings.model)
    with closing(endpoint.client):
        yield endpoint


def asked_about(runs: Sequence[HostedStatus], endpoint: HostedEndpoint) -> Iterator[HostedStatus]:
    """Yield runs as the endpoint gives them now; those of another endpoint are `elsewhere`."""
    for one in runs:
        try:
            yield _ask_status(one, endpoint)
        except TrainingError as error:
            yield replace(one, error=str(error), refused=True)


def _ask_status(one: HostedStatus, endpoint: HostedEndpoint) -> HostedStatus:
    run = read_run(one.folder)
    if run is None or run.endpoint != endpoint.where:
        where = f"at {run.endpoint if run else 'an unknown endpoint'}, not at {endpoint.where}"
        return replace(one, status=_ELSEWHERE, error=where)
    run = locate(endpoint, run, one.folder)
    return _now(replace(one, job=run.job), ask_about(endpoint, run, one.folder)) if run.job else one


def _after_all_not(runs: Sequence[HostedStatus]) -> Iterator[HostedStatus]:
    """Withdraw the consent of runs that have not asked for a job yet."""
    for one in runs:
        run = read_run(one.folder) if one.status != _UNREADABLE else None
        if run and not run.asked:
            write_run(replace(run, status="cancelled"), one.folder)
            yield replace(one, status="cancelled")


def _each(
    arm: Arm, settings: Settings, workspace: Workspace, act: Callable[[HostedEndpoint, str], HostedJob]
) -> tuple[HostedStatus, ...]:
    with connect(settings) as endpoint:
        found = [one for one in asked_about(unfinished_jobs(arm, workspace), endpoint) if one.job or one.refused]
        going = [one for one in found if one.status not in {*ENDED, _ELSEWHERE}]
        if not going:
            raise UserError(f"{workspace.root}: {arm} has no job at {endpoint.where} that is not finished")
        return tuple(one if one.refused else act_on_job(one, endpoint, act) for one in going)


def act_on_job(
    one: HostedStatus, endpoint: HostedEndpoint, act: Callable[[HostedEndpoint, str], HostedJob]
) -> HostedStatus:
    """Return a job as it is after something was done to it at the endpoint; `refused` where that was not done."""
    try:
        job = act(endpoint, one.job)
    except TrainingError as error:
        return replace(one, error=str(error), refused=True)
    return _now(one, job)


def _now(one: HostedStatus, job: HostedJob) -> HostedStatus:
    if (run := read_run(one.folder)) and run.status != job.status:
        write_run(replace(run, status=job.status), one.folder)
    return replace(one, job=job.id, status=job.status, model=job.model, error=job.error)


def _runs(arm: Arm, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Return the jobs of an arm as they were last written down, oldest first."""
    found = []
    for state in workspace.adapters(arm).glob("*/*/hosted.json"):
        folder = state.parent
        one = HostedStatus(
            adapter=folder.parent.name, stage=folder.name, job="", status="", model="", error="", folder=folder
        )
        try:
            run = read_run(folder)
        except TrainingError as error:
            found.append(("", False, replace(one, status=_UNREADABLE, error=str(error), refused=True)))
            continue
        if run:
            one = replace(one, job=run.job, status=run.status or "not begun")
            found.append((run.begun_at, folder.name != "supervised", one))
    return tuple(one for *_, one in sorted(found, key=lambda each: each[:2]))
