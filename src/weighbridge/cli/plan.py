"""The command that plans a roll-out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.console import open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

DAY = ["%Y-%m-%d"]


def plan_command(
    workspace: Root = HERE,
    strategy: Annotated[
        str | None, typer.Option(help="The strategy to roll out.", show_default="the recommended one")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="The first day.", show_default="plan.start, or the next Monday"),
    ] = None,
    holiday: Annotated[
        list[datetime] | None,
        typer.Option(formats=DAY, help="A day without work, besides plan.holidays; may be repeated."),
    ] = None,
    write: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write the plan as .md (Markdown), .csv, .ics (iCalendar) or .svg (Gantt chart); may be repeated.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan the roll-out over twelve weeks: tasks from the measured failures, gates, risks, a rollback and targets.

    It reads saved files only, and keeps the plan as plan.json. The calendar and the people are under plan in
    weighbridge.yaml. It follows the decision by the present needs, as decide takes it.
    """
    from weighbridge.decide.rollout.make_plan import PlanRequest
    from weighbridge.report.rollout.plan_terminal import render_plan
    from weighbridge.workflow.plan import plan_rollout

    settings, place = open_workspace(workspace)
    request = PlanRequest(
        today=datetime.now(UTC).astimezone().date(),
        strategy=strategy or "",
        start=start.date() if start else None,
        holidays=tuple(day.date() for day in holiday or ()),
    )
    with open_console(as_json=as_json) as console:
        plan = plan_rollout(settings, place, request, write or (), reporter=console.reporter)
        for file in write or ():
            console.reporter.say(f"Wrote {file}")
        if as_json:
            console.result(plan)
        else:
            console.out.print(render_plan(plan))
