"""The commands for trainings at an endpoint: prepare, status, pause, resume, cancel."""

from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weighbridge.settings.schema import Settings
    from weighbridge.workflow.training.hosted_jobs import HostedStatus

hosted = typer.Typer(
    no_args_is_help=True,
    help="Trainings at an endpoint that speaks OpenAI's fine-tuning API. To start one: weighbridge train fine-tuned.",
)

Strategy = Annotated[
    str, typer.Argument(help="The tuned strategy: fine-tuned or raft, or one on a base model: raft@small.")
]


@hosted.command("prepare", epilog="Example: weighbridge hosted prepare fine-tuned")
def prepare_command(strategy: Strategy, workspace: Root = HERE, as_json: Json = False) -> None:
    """Write and check the training files, and estimate their cost. Nothing is sent."""
    from weighbridge.wiring.components import open_bench
    from weighbridge.workflow.training.hosted import prepare_files

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console, place.lock():
        arm = _require_tuned_arm(strategy, settings, only_weighed=True)
        made = prepare_files(arm, open_bench(settings, place, console.reporter).for_arm(arm), console.reporter)
        console.reporter.say(f"Nothing was sent. To be asked, and then to train there: weighbridge train {arm}")
        if as_json:
            console.result(made.plan)


@hosted.command("status", epilog="Example: weighbridge hosted status fine-tuned")
def status(strategy: Strategy, workspace: Root = HERE, as_json: Json = False) -> None:
    """Ask the endpoint for the status of each job of a strategy."""
    from weighbridge.workflow.training.hosted_jobs import hosted_status

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        _jobs(console, hosted_status(_require_tuned_arm(strategy, settings), settings, place))


@hosted.command("pause", epilog="Example: weighbridge hosted pause fine-tuned")
def pause_command(strategy: Strategy, workspace: Root = HERE, as_json: Json = False) -> None:
    """Pause the jobs of a strategy, if the endpoint can."""
    from weighbridge.workflow.training.hosted_jobs import pause_hosted

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        _jobs(console, pause_hosted(_require_tuned_arm(strategy, settings), settings, place))


@hosted.command("resume", epilog="Example: weighbridge hosted resume fine-tuned")
def resume_command(strategy: Strategy, workspace: Root = HERE, as_json: Json = False) -> None:
    """Resume the newest unfinished job of a strategy, follow it, and promote its model."""
    from weighbridge.workflow.training.train import resume

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        card = resume(_require_tuned_arm(strategy, settings), settings, place, console.reporter)
        console.adapters([card])
        if as_json:
            console.result(card)


@hosted.command("cancel", epilog="Example: weighbridge hosted cancel fine-tuned")
def cancel_command(strategy: Strategy, workspace: Root = HERE, as_json: Json = False) -> None:
    """Cancel the unfinished jobs of a strategy."""
    from weighbridge.workflow.training.hosted_jobs import cancel_hosted

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        _jobs(console, cancel_hosted(_require_tuned_arm(strategy, settings), settings, place))


def _require_tuned_arm(name: str, settings: "Settings", *, only_weighed: bool = False) -> str:
    """Return the tuned arm of this name; with `only_weighed`, one that the settings weigh."""
    from weighbridge.answer.build import SHAPES
    from weighbridge.arms import arm_on, find_arm, strategy_of

    bases = [model.base for model in settings.models] or [""]
    tuned = [arm_on(strategy, base) for base in bases for strategy, shape in SHAPES.items() if shape.tuned]
    known = [arm for arm in tuned if arm in settings.arms] if only_weighed else tuned
    if name not in (*known, *map(strategy_of, known)):
        of = "one of this workspace's tuned strategies" if only_weighed else "a tuned strategy"
        raise typer.BadParameter(f"'{name}' is not {of}: {', '.join(known) or 'there is none'}")
    return find_arm(name, known)


def _jobs(console: Console, found: "Sequence[HostedStatus]") -> None:
    """Show jobs, one a line. Exit with 1 if the endpoint refused a request for a job that may still be running."""
    if console.as_json:
        console.result(list(found))
    elif not found:
        console.out.print("There is no job. To start one: weighbridge train")
    for one in () if console.as_json else found:
        about = one.error or one.model
        state = f"{one.status} when last heard of" if one.refused and one.job else one.status
        line = f"{one.job or '-'}  {state}  adapter {one.adapter}, {one.stage}{f': {about}' if about else ''}"
        console.out.print(line, markup=False, highlight=False, soft_wrap=True)
    if any(one.is_unsettled for one in found):
        raise typer.Exit(1)
