"""The command that shows needs, asks for weights in plain words, and writes them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weighbridge.decide.elicit.pairwise import PairAnswer
    from weighbridge.results import Measurement
    from weighbridge.settings.schema import Settings
    from weighbridge.workflow.needs import NeedsPreview, ProposedNeeds
    from weighbridge.workspace import Workspace

ReadLine = Callable[[str], str]
_METHODS = ("swing", "pairs")


def needs_command(
    workspace: Root = HERE,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="swing|pairs|FILE",
            help="Ask for weights: by swing (what is each improvement worth?) or by pairs (which matters more?). A "
            "YAML or JSON file of answers, under `swing:` or `pairs:`, is asked nothing.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Take a usual case: support-desk, legal, clinical, internal-search or edge-device."),
    ] = None,
    stakeholder: Annotated[
        str | None, typer.Option("--as", help="Enter the weights as those of this stakeholder, beside your own.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the needs into weighbridge.yaml; comments stay.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the needs in words, or find weights by questions, a file or a preset.

    The weights, the decision that they lead to and the changed lines are shown. Only --write changes weighbridge.yaml.
    """
    from weighbridge.workflow import needs as workflow

    if by and preset:
        raise typer.BadParameter("give --by or --preset, not both", param_hint="--by")
    if not (by or preset) and (write or stakeholder is not None):
        raise typer.BadParameter("needs weights: give --by or --preset too", param_hint="--write, --as")
    settings, place = open_workspace(workspace)
    name = workflow.require_stakeholder_name(stakeholder) if stakeholder is not None else ""
    with open_console(as_json=as_json) as console:
        console.pause()
        if not (by or preset):
            _show_needs(settings, console)
            return
        proposed = _propose(settings, place, console, by=by or "", preset=preset)
        preview = workflow.preview_needs(settings, place, proposed, stakeholder=name)
        if write:
            workflow.write_needs(place, preview)
        _show_preview(settings, console, proposed, preview, written=write)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a person for numbers, and says what is wrong with an answer."""

    say: Callable[[str], None]
    read_line: ReadLine

    def number(self, prompt: str, default: float, least: float, most: float, *, whole: bool = False) -> float:
        """Ask until the answer is a number within bounds. Where the input ends, every answer is its default."""
        from weighbridge.workflow.needs import parse_answer

        while True:
            try:
                typed = self.read_line(prompt).strip()
                value = parse_answer(typed) if typed else default
            except EOFError:
                return default
            except ValueError:
                value = math.nan
            if least <= value <= most and not (whole and value % 1):
                return value
            self.say(f"   Write a {'whole ' if whole else ''}number from {least:.3g} to {most:g}.")


def ask_swing(settings: "Settings", measured: "Sequence[Measurement]", asker: Asker) -> dict[str, float]:
    """Ask for the worth of each improvement; Enter takes the one that the present weights imply."""
    from weighbridge.decide.elicit.swing import MOST, asked_priorities, implied_worths, swing_ranges
    from weighbridge.report.what_if.needs_terminal import describe_priority, describe_range

    ranges = swing_ranges(asked_priorities(settings.needs), settings.needs, measured)
    usual = implied_worths(ranges, settings.needs)
    say = asker.say
    say("Imagine a strategy that is at its worst in all of these:")
    for number, one in enumerate(ranges, start=1):
        source = "" if one.measured else ", by its curve"
        say(f"  {number} {describe_priority(one.priority)}: {describe_range(one, settings.prices.currency)}{source}")
    default = 1 + max(range(len(ranges)), key=lambda place: usual[ranges[place].priority])
    question = f"Which would you improve first, from its worst to its best? [{default}] "
    first = int(asker.number(question, default, 1, len(ranges), whole=True))
    worths = {ranges[first - 1].priority: MOST}
    say("That is worth 100. What is each other improvement worth beside it, 0 to 100?")
    for one in ranges:
        if one.priority not in worths:
            prompt = f"  {one.priority}, {describe_range(one, settings.prices.currency)} [{usual[one.priority]:g}] "
            worths[one.priority] = asker.number(prompt, usual[one.priority], 0, MOST)
    return worths


def ask_pairs(settings: "Settings", asker: Asker) -> "list[PairAnswer]":
    """Ask about every pair of priorities; Enter takes the answer that the present weights imply."""
    from weighbridge.decide.elicit.pairwise import SCALE, PairAnswer, nearest_times
    from weighbridge.decide.elicit.swing import asked_priorities
    from weighbridge.report.what_if.needs_terminal import describe_priority

    names = asked_priorities(settings.needs)
    pairs = list(combinations(names, 2))
    say = asker.say
    scale = ", ".join(f"{times} {words}" for times, words in SCALE.items())
    say(f"{len(pairs)} pairs. How much more does the first matter than the second? {scale}; 2, 4, 6, 8 lie between.")
    say("Write 1/3, 1/5 and so on where the second matters more. Enter takes the answer in brackets.")
    given = []
    for number, (left, right) in enumerate(pairs, start=1):
        weights = (getattr(settings.needs.priorities, left), getattr(settings.needs.priorities, right))
        usual = nearest_times(*weights)
        say(f"{number}/{len(pairs)} {describe_priority(left)}, or {describe_priority(right)}?")
        shown = f"{usual:g}" if usual >= 1 else f"1/{1 / usual:g}"
        times = asker.number(f"   [{shown}] ", usual, 1 / 9, 9)
        given.append(PairAnswer(left, right, times))
    return given


def _propose(
    settings: "Settings", place: "Workspace", console: Console, *, by: str, preset: str | None
) -> "ProposedNeeds":
    from weighbridge.decide.elicit.presets import find_preset
    from weighbridge.workflow import needs as workflow

    if preset:
        return workflow.propose_preset(find_preset(preset))
    found = None
    if by not in workflow.METHODS:
        if not Path(by).suffix:
            raise typer.BadParameter(f"'{by}' is neither swing nor pairs, nor a .yaml or .json file", param_hint="--by")
        found = workflow.read_needs_answers(Path(by))
    asker = Asker(console.reporter.say, _read_line)
    if (found.method if found else by) == "pairs":
        return workflow.propose_by_pairs(found.pairs if found else ask_pairs(settings, asker), settings.needs)
    saved = workflow.saved_measurements(place)
    measured = saved.measurements if saved else ()
    worths = found.worths if found else ask_swing(settings, measured, asker)
    return workflow.propose_by_swing(worths, settings.needs, measured)


def _read_line(prompt: str) -> str:
    typer.echo(prompt, nl=False, err=True)  # standard output is for the result
    return input()


def _show_needs(settings: "Settings", console: Console) -> None:
    from weighbridge.report.what_if.needs_terminal import render_needs
    from weighbridge.settings.curves import CRITERIA, curve_for

    if console.as_json:
        curves = {name: curve_for(name, settings.needs.curves).points for name in CRITERIA}
        console.result({"needs": settings.needs.model_dump(), "curves": curves})
        return
    console.out.print(render_needs(settings.needs, settings.prices))


def _show_preview(
    settings: "Settings", console: Console, proposed: "ProposedNeeds", preview: "NeedsPreview", *, written: bool
) -> None:
    if console.as_json:
        console.result(
            {
                "weights": proposed.weights,
                "limits": proposed.limits,
                "remarks": proposed.remarks,
                "consistency_ratio": proposed.ratio,
                "now": preview.now and preview.now.decision,
                "then": preview.then and preview.then.decision,
                "differences": preview.contrast.differences if preview.contrast else (),
                "lines": preview.lines,
                "written": written,
            }
        )
        return
    from weighbridge.report.what_if.needs_terminal import render_proposed

    decisions = None
    if preview.now and preview.then and preview.contrast:
        decisions = preview.now, preview.then, preview.contrast
    console.out.print(render_proposed(proposed.weights, proposed.remarks, settings.needs, decisions, preview.lines))
    done = (
        "Written. Take the decision with: weighbridge decide"
        if written
        else "Nothing is written; add --write for that."
    )
    console.reporter.say(done)
