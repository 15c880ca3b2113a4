"""Turns answers about needs into weights, shows the decision they lead to, and writes them into weighbridge.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from weighbridge.decide.elicit.pairwise import ACCEPTABLE, PairAnswer, describe_times, pairwise_weights
from weighbridge.decide.elicit.presets import Preset
from weighbridge.decide.elicit.swing import asked_priorities, swing_ranges, swing_weights
from weighbridge.decide.what_if.contrast import DecisionContrast, contrast
from weighbridge.decide.what_if.retake import Retaken, retake
from weighbridge.errors import DataError, UserError
from weighbridge.evaluate.weighing import load_measurements
from weighbridge.results import Measurement, Measurements
from weighbridge.settings.curves import CRITERIA
from weighbridge.settings.edit import KeyPath, changed_lines, edit_settings
from weighbridge.settings.file import parse_settings, read_settings_text
from weighbridge.settings.needs import Needs
from weighbridge.settings.schema import Settings
from weighbridge.workflow.advise import load_yaml_answers
from weighbridge.workspace import Workspace, write_text

Method = Literal["swing", "pairs"]
METHODS: tuple[Method, ...] = ("swing", "pairs")
_SUM = 10.0
"""The weights that are written add up to this, like those by default; only their ratios count."""
_PAIR = " over "


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedNeeds:
    """Weights, and limits where a preset gives some, with remarks on how they came about."""

    weights: Mapping[str, float]
    """By priority; they add up to 10. Those that are not named weigh nothing."""
    limits: Mapping[str, float | bool]
    """By setting, as under `needs.limits`."""
    remarks: tuple[str, ...]
    ratio: float | None = None
    """The consistency ratio of pairwise answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsPreview:
    """What proposed needs change: the lines of the file, and the decision where strategies were measured."""

    text: str
    """The file with the proposed needs."""
    lines: tuple[str, ...]
    """The lines that change, with - and + in front."""
    now: Retaken | None
    then: Retaken | None
    contrast: DecisionContrast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsAnswers:
    """The answers of a file: worths of improvements, or pairs."""

    method: Method
    worths: Mapping[str, float]
    pairs: tuple[PairAnswer, ...]


def saved_measurements(workspace: Workspace) -> Measurements | None:
    """Return the measurements of a workspace; None where nothing was weighed yet."""
    if not (workspace.measurements_file.exists() or workspace.weighing_file.exists()):
        return None
    return load_measurements(workspace)


def propose_by_swing(worths: Mapping[str, float], needs: Needs, measurements: Sequence[Measurement]) -> ProposedNeeds:
    """Return the weights of swing weighting. It asks about the priorities of the answers, or the usual ones.

    Raises:
        UserError: an answer is missing or makes no sense.
    """
    names = tuple(dict.fromkeys((*asked_priorities(needs), *(name for name in worths if name in CRITERIA))))
    ranges = swing_ranges(names, needs, measurements)
    remarks = tuple(
        f"{one.priority}: the strategies were not measured apart, so the range is that of its curve."
        for one in ranges
        if measurements and not one.measured
    )
    return ProposedNeeds(weights=_scale_to_ten(swing_weights(worths, ranges)), limits={}, remarks=remarks)


def propose_by_pairs(answers: Sequence[PairAnswer], needs: Needs) -> ProposedNeeds:
    """Return the weights of pairwise comparison, with a remark on how well the answers fit together.

    Raises:
        UserError: an answer is missing or makes no sense.
    """
    names = [name for answer in answers for name in (answer.more, answer.less) if name in CRITERIA]
    found = pairwise_weights(tuple(dict.fromkeys((*asked_priorities(needs), *names))), answers)
    fits = (
        "the answers fit together"
        if found.ratio <= ACCEPTABLE
        else f"above {ACCEPTABLE:.2f}, so they contradict each other"
    )
    remarks = [f"Consistency ratio {found.ratio:.2f}: {fits}."]
    if found.ratio > ACCEPTABLE and found.worst is not None:
        worst = found.worst
        more, less, times = (
            (worst.more, worst.less, found.fitting)
            if found.fitting >= 1
            else (worst.less, worst.more, 1 / found.fitting)
        )
        remarks.append(
            f"The answer that fits the others least is {worst.more} over {worst.less}: {_fraction(worst.times)}. By "
            f"the others, {more} matters {describe_times(times)}{' as' if round(times) == 1 else ' than'} {less} "
            f"({times:.1f}). Answer it again, or keep it if you are sure."
        )
    return ProposedNeeds(weights=_scale_to_ten(found.weights), limits={}, remarks=tuple(remarks), ratio=found.ratio)


def propose_preset(preset: Preset) -> ProposedNeeds:
    """Return the weights and limits of a preset, each with its reason as a remark."""
    remarks = [f"{preset.title}: {preset.situation}"]
    remarks += [f"{name} {given.value:g}: {given.because}." for name, given in preset.weights.items()]
    remarks += [
        f"needs.limits.{name} {str(given.value).lower()}: {given.because}." for name, given in preset.limits.items()
    ]
    return ProposedNeeds(
        weights={name: float(given.value) for name, given in preset.weights.items()},
        limits={name: given.value for name, given in preset.limits.items()},
        remarks=tuple(remarks),
    )


def read_needs_answers(path: Path) -> NeedsAnswers:
    """Read the answers of a file: worths under `swing`, or pairs under `pairs`.

    Raises:
        DataError: the file holds something else, or an answer is no number.
    """
    node = load_yaml_answers(path)
    method: Method | None = next((name for name in METHODS if node is not None and set(node) == {name}), None)
    if method is None:
        raise DataError(f"{path}:1: must hold either `swing:` or `pairs:`, with a line for each answer below it")
    answers: Any = node[method]
    given = {}
    if not isinstance(answers, dict) or not answers:
        sample = "accuracy: 100" if method == "swing" else "accuracy over cost: 5"
        line = node.lc.key(method)[0] + 1
        raise DataError(f"{path}:{line}: {method} must be followed by indented lines like `{sample}`")
    lines = {str(key): node[method].lc.key(key)[0] + 1 for key in answers}
    for key, value in answers.items():
        try:
            given[str(key)] = parse_answer(value)
        except ValueError:
            raise DataError(f"{path}:{lines[str(key)]}: {key}: '{value}' is not a number; write 5, or 1/5") from None
    if method == "swing":
        return NeedsAnswers(method=method, worths=given, pairs=())
    pairs = []
    for key, times in given.items():
        more, over, less = (part.strip() for part in key.partition(_PAIR))
        if not (more and over and less):
            raise DataError(f"{path}:{lines[key]}: '{key}' is no pair; write it like `accuracy over cost: 5`")
        pairs.append(PairAnswer(more, less, times))
    return NeedsAnswers(method=method, worths={}, pairs=tuple(pairs))


def parse_answer(value: object) -> float:
    """Return a number, or a fraction written as 1/5; `ValueError` for anything else."""
    if isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004 - one error for every answer that is no number
    upper, slash, lower = str(value).partition("/")
    below = float(lower) if slash else 1.0
    if below == 0:
        raise ValueError(value)
    return float(upper) / below


def preview_needs(
    settings: Settings, workspace: Workspace, proposed: ProposedNeeds, *, stakeholder: str = ""
) -> NeedsPreview:
    """Return what the proposed needs change, without writing anything.

    With a stakeholder the weights are entered under that name, and the decision shown is the one by these weights.

    Raises:
        SettingsError: the file would not be valid with these needs.
    """
    path = workspace.settings_file
    before = read_settings_text(path)
    weights = {name: proposed.weights.get(name, 0.0) for name in CRITERIA}
    values: dict[KeyPath, Any] = {}
    if stakeholder:  # limits hold for everybody, so one stakeholder sets none
        values["needs", "stakeholders", stakeholder] = {name: weight for name, weight in weights.items() if weight}
    else:
        values = {("needs", "limits", name): value for name, value in proposed.limits.items()}
        # A weight of 0 that stands nowhere in the file stays unwritten, unless the default is another one.
        given = settings.needs.priorities
        values |= {
            ("needs", "priorities", name): weight for name, weight in weights.items() if weight or getattr(given, name)
        }
    after = edit_settings(before, values)
    changed = parse_settings(after, path)
    if stakeholder:
        priorities = changed.needs.priorities.model_copy(update=weights)
        changed = changed.model_copy(update={"needs": changed.needs.model_copy(update={"priorities": priorities})})
    saved = saved_measurements(workspace)
    now = then = differences = None
    if saved is not None:
        now, then = retake(saved, settings), retake(saved, changed)
        differences = contrast(now, then)
    return NeedsPreview(
        text=after,
        lines=changed_lines(before, after),
        now=now,
        then=then,
        contrast=differences,
    )


def write_needs(workspace: Workspace, preview: NeedsPreview) -> None:
    """Write the proposed needs into weighbridge.yaml; `WorkspaceError` where it cannot be written."""
    write_text(workspace.settings_file, preview.text)


def require_stakeholder_name(name: str) -> str:
    """Return a name that can stand in the settings; `UserError` for an empty one."""
    if not name.strip():
        raise UserError("--as: the name is empty; give the stakeholder's, for example --as 'legal team'")
    return name.strip()


def _fraction(times: float) -> str:
    """Return 5 for 5, and 1/5 for 0.2, as people answer."""
    return f"{times:.3g}" if times >= 1 else f"1/{1 / times:.3g}"


def _scale_to_ten(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights that add up to 10, with three digits that tell."""
    return {name: float(f"{_SUM * weight:.3g}") for name, weight in weights.items()}
