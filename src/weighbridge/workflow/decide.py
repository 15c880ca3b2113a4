"""Takes the decision again from saved measurements: by the present needs and prices, or by others to see what if."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.decide.what_if.changes import Change, apply_what_if, left_out, parse_change
from weighbridge.decide.what_if.contrast import DecisionContrast, contrast
from weighbridge.decide.what_if.reprice import keep_old_prices
from weighbridge.decide.what_if.retake import Retaken, retake
from weighbridge.evaluate.weighing import load_measurements, load_weighing, save_decision, save_weighing
from weighbridge.results import Measurements
from weighbridge.settings.schema import Settings
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The decision now, the decision with some changes, and the differences."""

    changes: tuple[Change, ...]
    now: Retaken
    then: Retaken
    contrast: DecisionContrast


def decide_again(settings: Settings, workspace: Workspace, reporter: Reporter) -> Retaken:
    """Take the decision from the saved measurements, and save it; rewrite the report where the weighing is there.

    Raises:
        WorkspaceError: nothing has been weighed here, or another command is working here.
        DataError: a saved file is damaged.
        SettingsError: the needs or prices leave nothing to decide by.
    """
    with workspace.lock():
        saved = load_measurements(workspace)
        taken = retake(saved, settings)
        _warn_of_old_prices(saved, reporter)
        if not _renew_report(workspace, taken):
            save_decision(workspace, taken.decision)
            reporter.say(
                f"report.html is not rewritten, because {workspace.weighing_file.name} of this comparison is not "
                f"here. Where it is, run: weighbridge decide"
            )
    return taken


def decide_what_if(
    settings: Settings, workspace: Workspace, changes: Sequence[str] | Mapping[str, object], reporter: Reporter
) -> WhatIf:
    """Take the decision now and with some changes. Nothing is written.

    `changes` are texts `KEY=VALUE`, or values by their keys: a number, true or false, None for `none`, or a text with
    a unit.

    Raises:
        UserError: a change names no key, or its value makes no sense.
        WorkspaceError: nothing has been weighed here.
    """
    saved = load_measurements(workspace)
    strategies = [one.strategy for one in saved.measurements]
    if isinstance(changes, Mapping):
        words = {True: "true", False: "false", None: "none"}
        given = [
            f"{key}={words[value] if value is None or isinstance(value, bool) else value}"
            for key, value in changes.items()
        ]
    else:
        given = list(changes)
    parsed = tuple(parse_change(text, strategies) for text in given)
    without = left_out(parsed, strategies)
    changed = apply_what_if(settings, parsed)
    _warn_of_old_prices(saved, reporter)
    now, then = retake(saved, settings), retake(saved, changed, without=without)
    return WhatIf(changes=parsed, now=now, then=then, contrast=contrast(now, then))


def _renew_report(workspace: Workspace, taken: Retaken) -> bool:
    """Save the decision into the weighing too, and write its page; False where that comparison is not here."""
    if not workspace.weighing_file.exists():
        return False
    weighing = load_weighing(workspace.weighing_file)
    if weighing.taken_at != taken.measurements.taken_at:
        return False
    from weighbridge.workflow.report import write_reports

    renewed = replace(
        weighing,
        measurements=taken.measurements.measurements,
        settings=taken.measurements.settings,
        decision=taken.decision,
    )
    if renewed != weighing or not workspace.measurements_file.exists() or not workspace.decision_file.exists():
        save_weighing(workspace, renewed)
    write_reports(workspace, renewed)
    return True


def _warn_of_old_prices(saved: Measurements, reporter: Reporter) -> None:
    if old := keep_old_prices(saved.measurements):
        reporter.say(
            f"The cost of {', '.join(old)} stays at the prices of the comparison, because an earlier release saved no "
            "seconds of an answer. Run weighbridge compare once; stored answers are used again"
        )
