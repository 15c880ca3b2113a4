"""Lists and stops the jobs of an arm at an endpoint.

This needs no lock of the workspace, so a job can be stopped while another command follows it.
"""

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
    """One job of an arm, with its status at the endpoint."""

    adapter: str
    """The id of its adapter."""
    stage: str
    job: str
    """Empty if no job has been created yet."""
    status: str
    """The endpoint's word, in lower case; "not begun", "elsewhere" for a job of another endpoint, or "unreadable" if
    its file cannot be read."""
    model: str
    """The tuned model's name; empty until there is one."""
    error: str
    folder: Path
    """The folder of the files that were sent."""
    refused: bool = False
    """Whether the endpoint refused the last request: `error` says why, and `status` is the last known state."""

    @property
    def is_unsettled(self) -> bool:
        """Whether the endpoint refused the request, and the job may still be running."""
        return self.refused and self.status not in ENDED


def hosted_status(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Ask the endpoint about every job of an arm, oldest first. A job without a reply is `refused`."""
    with connect(settings.for_arm(arm)) as endpoint:
        return tuple(asked_about(_runs(arm, workspace), endpoint))


def cancel_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Stop every unfinished job of an arm for good, and return the new statuses.

    A run that was agreed to but has no job yet loses the consent: it will be asked for again. If the endpoint does not
    stop a job, that job is `refused`, and the others are still stopped.

    Raises:
        UserError: there is no unfinished job.
    """
    dropped = tuple(_withdraw_consent(unfinished_jobs(arm, workspace)))
    if dropped and not unfinished_jobs(arm, workspace):
        return dropped
    return (*dropped, *_each(arm, settings, workspace, cancel))


def pause_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Pause every unfinished job of an arm until `resume_hosted`. The result is that of `cancel_hosted`."""
    return _each(arm, settings, workspace, pause)


def unfinished_jobs(arm: Arm, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Return the jobs without an adapter card, except the failed and cancelled ones."""
    return tuple(
        one
        for one in _runs(arm, workspace)
        if one.status not in FAILED and read_adapter_card(workspace.adapter(arm, one.adapter)) is None
    )


@contextmanager
def connect(settings: Settings) -> Iterator[HostedEndpoint]:
    """Connect to the endpoint of the settings."""
    endpoint = open_endpoint(settings.model)
    with closing(endpoint.client):
        yield endpoint


def asked_about(runs: Sequence[HostedStatus], endpoint: HostedEndpoint) -> Iterator[HostedStatus]:
    """Yield runs with their present status at the endpoint. A run of another endpoint is `elsewhere`."""
    for one in runs:
        try:
            run = read_run(one.folder)
            if run is None or run.endpoint != endpoint.where:
                where = f"at {run.endpoint if run else 'an unknown endpoint'}, not at {endpoint.where}"
                yield replace(one, status=_ELSEWHERE, error=where)
                continue
            run = locate(endpoint, run, one.folder)
            yield _now(replace(one, job=run.job), ask_about(endpoint, run, one.folder)) if run.job else one
        except TrainingError as error:
            yield replace(one, error=str(error), refused=True)


def _withdraw_consent(runs: Sequence[HostedStatus]) -> Iterator[HostedStatus]:
    """Cancel the runs that have not created a job yet, and yield them."""
    for one in runs:
        run = read_run(one.folder) if one.status != _UNREADABLE else None
        if run and not run.asked:
            write_run(replace(run, status="cancelled"), one.folder)
            yield replace(one, status="cancelled")


def _each(
    arm: Arm, settings: Settings, workspace: Workspace, act: Callable[[HostedEndpoint, str], HostedJob]
) -> tuple[HostedStatus, ...]:
    with connect(settings.for_arm(arm)) as endpoint:
        found = [one for one in asked_about(unfinished_jobs(arm, workspace), endpoint) if one.job or one.refused]
        going = [one for one in found if one.status not in {*ENDED, _ELSEWHERE}]
        if not going:
            raise UserError(f"{workspace.root}: {arm} has no job at {endpoint.where} that is not finished")
        return tuple(one if one.refused else act_on_job(one, endpoint, act) for one in going)


def act_on_job(
    one: HostedStatus, endpoint: HostedEndpoint, act: Callable[[HostedEndpoint, str], HostedJob]
) -> HostedStatus:
    """Act on a job at the endpoint, and return its new status; `refused` if the endpoint declines."""
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
    """Return the jobs of an arm with their last known status, oldest first."""
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
