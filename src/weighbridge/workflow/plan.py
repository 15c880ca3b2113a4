"""Plans the roll-out of a strategy from saved files, and writes the plan in the forms that people use."""

from collections.abc import Sequence
from pathlib import Path

from weighbridge.decide.rollout.make_plan import PlanRequest, make_plan
from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.decide.what_if.contrast import describe_outlook
from weighbridge.decide.what_if.retake import retake
from weighbridge.errors import UserError
from weighbridge.evaluate.encode import to_json
from weighbridge.evaluate.weighing import load_decision, load_measurements
from weighbridge.report.rollout.gantt import gantt_file
from weighbridge.report.rollout.plan_export import plan_calendar, plan_csv
from weighbridge.report.rollout.plan_markdown import plan_markdown
from weighbridge.settings.schema import Settings
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workspace import Workspace, write_text

PLAN, PLAN_VERSION = "weighbridge plan", 1
WRITERS = {".md": plan_markdown, ".csv": plan_csv, ".ics": plan_calendar, ".svg": gantt_file}
"""The forms of a plan, by the ending of the file."""


def plan_rollout(
    settings: Settings,
    workspace: Workspace,
    request: PlanRequest,
    files: Sequence[Path] = (),
    *,
    reporter: Reporter = SILENT,
) -> RolloutPlan:
    """Plan from the saved measurements; write `plan.json`, and the files in the form of their endings.

    The decision is taken by the present needs and prices, as `weighbridge decide` takes it. The saved one may be older
    than the needs, or missing.

    Raises:
        UserError: a file has an ending without a form.
        WorkspaceError: nothing has been weighed here, or a file cannot be written.
        SettingsError: the start is in the past, or the needs and prices leave nothing to decide by.
        DataError: the strategy was not measured, or a saved file is damaged.
        MissingExtraError: a calendar is asked for, and icalendar is not installed.
    """
    for file in files:
        if file.suffix.lower() not in WRITERS:
            raise UserError(
                f"{file}: a plan cannot be written as {file.suffix or 'a file without an ending'}; give a file that "
                "ends in .md (Markdown), .csv, .ics (iCalendar) or .svg (Gantt chart)"
            )
    taken = retake(load_measurements(workspace), settings)
    saved_decision = load_decision(workspace)
    if saved_decision is not None and describe_outlook(saved_decision) != describe_outlook(taken.decision):
        reporter.say(
            f"The saved decision is older than your needs or prices: by it {describe_outlook(saved_decision)}; by the "
            f"present ones {describe_outlook(taken.decision)}, and the plan follows these. To save that decision, run: "
            "weighbridge decide"
        )
    plan = make_plan(taken.measurements, taken.decision, settings, request)
    texts = {file: WRITERS[file.suffix.lower()](plan) for file in files}
    saved = {"format": PLAN, "version": PLAN_VERSION, "plan": plan}
    write_text(workspace.plan_file, _storable(to_json(saved, indent=1)) + "\n")
    for file, text in texts.items():
        write_text(file, _storable(text))
    return plan


def _storable(text: str) -> str:
    """Return a text without the half characters that a file name may hold and UTF-8 cannot."""
    return text.encode("utf-8", errors="replace").decode()
