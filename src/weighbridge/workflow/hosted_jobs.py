"""The jobs that an arm has at an endpoint: what they are, and stopping them. None of it needs the workspace's lock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from weighbridge.errors import UserError
from weighbridge.settings import Arm, Settings
from weighbridge.train.card import read_card
from weighbridge.train.hosted_api import Endpoint, HostedJob, cancel, job_of, open_endpoint, pause
from weighbridge.train.hosted_job import ENDED, locate, read_run, write_run
from weighbridge.workspace import Workspace

FAILED = frozenset({"failed", "cancelled"})
"""States after which a new job may be begun."""
_ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedStatus:
    """One job of an arm, as its endpoint gives it."""

    adapter: str
    """The id of the adapter it is for."""
    stage: str
    job: str
    """Empty where none has been begun."""
    status: str
    """The endpoint's word; "not begun", or "elsewhere" for a job of another endpoint."""
    model: str
    """The tuned model's name; empty until there is one."""
    error: str
    folder: Path
    """Where the files that were sent lie."""


def hosted_status(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Ask the endpoint about every job of an arm, oldest first."""
    with opened(settings) as endpoint:
        return tuple(asked_about(_runs(arm, workspace), endpoint))


def cancel_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Stop every unfinished job of an arm for good, and return what they are now.

    One that was agreed to and not asked for yet will not be begun without asking again.

    Raises:
        UserError: there is none.
        TrainingError: the endpoint refuses.
    """
    dropped = tuple(_after_all_not(unfinished(arm, workspace)))
    if dropped and not unfinished(arm, workspace):
        return dropped
    return (*dropped, *_each(arm, settings, workspace, cancel))


def pause_hosted(arm: Arm, settings: Settings, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Stop every unfinished job of an arm until `resume_hosted`; else as `cancel_hosted`."""
    return _each(arm, settings, workspace, pause)


def unfinished(arm: Arm, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Return the jobs whose adapter has no card yet, and which are not known to have failed."""
    return tuple(
        one
        for one in _runs(arm, workspace)
        if one.status not in FAILED and read_card(workspace.adapter(arm, one.adapter)) is None
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Endpoint]:
    """Connect to the endpoint that the settings name."""
    endpoint = open_endpoint(settings.model)
    with closing(endpoint.client):
        yield endpoint


def asked_about(runs: Sequence[HostedStatus], endpoint: Endpoint) -> Iterator[HostedStatus]:
    """Yield runs as the endpoint gives them now; those of another endpoint are `elsewhere`."""
    for one in runs:
        run = read_run(one.folder)
        if run is None or run.endpoint != endpoint.where:
            where = f"at {run.endpoint if run else 'an unknown endpoint'}, not at {endpoint.where}"
            yield replace(one, status=_ELSEWHERE, error=where)
            continue
        run = locate(endpoint, run, one.folder)
        if run.job:
            job = job_of(endpoint, run.job)
            yield replace(one, job=job.id, status=job.status, model=job.model, error=job.error)
        else:
            yield one


def _after_all_not(runs: Sequence[HostedStatus]) -> Iterator[HostedStatus]:
    """Take back what was agreed to, of the runs for which no job was asked for yet."""
    for one in runs:
        run = read_run(one.folder)
        if run and not run.asked:
            write_run(replace(run, status="cancelled"), one.folder)
            yield replace(one, status="cancelled")


def _each(
    arm: Arm, settings: Settings, workspace: Workspace, act: Callable[[Endpoint, str], HostedJob]
) -> tuple[HostedStatus, ...]:
    with opened(settings) as endpoint:
        found = [one for one in asked_about(unfinished(arm, workspace), endpoint) if one.job]
        going = [one for one in found if one.status not in {*ENDED, _ELSEWHERE}]
        if not going:
            raise UserError(f"{workspace.root}: {arm} has no job at {endpoint.where} that is not finished")
        return tuple(_after(one, act(endpoint, one.job)) for one in going)


def _after(status: HostedStatus, job: HostedJob) -> HostedStatus:
    if run := read_run(status.folder):
        write_run(replace(run, status=job.status), status.folder)
    return replace(status, status=job.status, model=job.model, error=job.error)


def _runs(arm: Arm, workspace: Workspace) -> tuple[HostedStatus, ...]:
    """Return the jobs of an arm as they were last written down, oldest first."""
    found = []
    for state in workspace.adapters(arm).glob("*/*/hosted.json"):
        if run := read_run(state.parent):
            status = HostedStatus(
                adapter=state.parent.parent.name,
                stage=state.parent.name,
                job=run.job,
                status=run.status or "not begun",
                model="",
                error="",
                folder=state.parent,
            )
            found.append((run.begun_at, state.parent.name != "supervised", status))
    return tuple(status for *_, status in sorted(found, key=lambda one: one[:2]))
