"""A comparison on disk: whole as `weighing.json`, and without questions and answers as `measurements.json`."""

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.evaluate.encode import to_json
from weighbridge.evaluate.outcomes import joint_outcomes
from weighbridge.results import Decision, Measurements, Record, Weighing
from weighbridge.workspace import Workspace, write_text

WEIGHING, MEASUREMENTS, DECISION = "weighbridge weighing", "weighbridge measurements", "weighbridge decision"
VERSIONS = {WEIGHING: 2, MEASUREMENTS: 1, DECISION: 1}
"""In weighings of version 1, accuracy was the mean of an overlap with the reference, not the share answered right."""
Saved = TypeVar("Saved")


def save_weighing(workspace: Workspace, weighing: Weighing) -> None:
    """Write a weighing, its measurements and its decision, each whole or not at all.

    Raises:
        WorkspaceError: one of the files cannot be written.
    """
    _save(workspace.weighing_file, WEIGHING, weighing)
    _save(workspace.measurements_file, MEASUREMENTS, measurements_of(weighing))
    save_decision(workspace, weighing.decision)


def save_decision(workspace: Workspace, decision: Decision) -> None:
    """Write a decision, whole or not at all; `WorkspaceError` where it cannot be written."""
    _save(workspace.decision_file, DECISION, decision)


def measurements_of(weighing: Weighing) -> Measurements:
    """Return a weighing without its questions, answers and decision."""
    attempts: dict[str, list[Record]] = {measurement.strategy: [] for measurement in weighing.measurements}
    for record in weighing.records:
        attempts[record.strategy].append(record)
    kept = {
        field.name: getattr(weighing, field.name) for field in fields(Measurements) if hasattr(weighing, field.name)
    }
    return Measurements(**kept, questions=len(weighing.examples), joint=joint_outcomes(attempts))


def load_weighing(file: str | Path) -> Weighing:
    """Read the weighing of a `weighing.json`.

    Raises:
        WorkspaceError: there is no such file, or it cannot be read.
        DataError: the file is something else, damaged, or of another version.
    """
    return _load(Path(file), WEIGHING, Weighing)


def load_measurements(workspace: Workspace) -> Measurements:
    """Read the measurements of a workspace, from its `weighing.json` where an earlier release compared.

    Raises:
        WorkspaceError: nothing has been weighed here, or the file cannot be read.
        DataError: the file is something else, damaged, or of another version.
    """
    if workspace.measurements_file.exists() or not workspace.weighing_file.exists():
        return _load(workspace.measurements_file, MEASUREMENTS, Measurements)
    return measurements_of(load_weighing(workspace.weighing_file))


def load_decision(workspace: Workspace) -> Decision | None:
    """Read the decision of a workspace, from its `weighing.json` where an earlier release compared; None without one.

    Raises:
        DataError: the file is something else, damaged, or of another version.
    """
    if workspace.decision_file.exists():
        return _load(workspace.decision_file, DECISION, Decision)
    return load_weighing(workspace.weighing_file).decision if workspace.weighing_file.exists() else None


def saved_text(kind: str, value: object) -> str:
    """Return the text of a saved file of one of our formats."""
    text = to_json({"format": kind, "version": VERSIONS[kind], kind.rsplit(maxsplit=1)[-1]: value}, indent=1)
    return text.encode("utf-8", errors="replace").decode() + "\n"


def _save(path: Path, kind: str, value: object) -> None:
    write_text(path, saved_text(kind, value))


def _parse_finite(text: str) -> float:
    """Return a number of a saved file; `ValueError` for NaN and Infinity, and for 1e400, as Python reads them."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no measured number")
    return value


def _load(path: Path, expected: str, kind: type[Saved]) -> Saved:
    """Read a file of one of our formats. The value stands under the last word of the format's name."""
    noun = expected.rsplit(maxsplit=1)[-1]
    # A decision may hold infinite ends of an interval; a measured number never may.
    parse = _parse_finite if expected == MEASUREMENTS else float
    try:
        content = json.loads(path.read_bytes(), parse_float=parse, parse_constant=parse)
    except FileNotFoundError as error:
        raise WorkspaceError(f"{path}: there is no weighing here yet; run: weighbridge compare") from error
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be read ({error.strerror}); make it readable for you") from error
    except ValueError as error:
        raise DataError(f"{path}: not a {noun} file: not JSON ({error}); run: weighbridge compare") from error
    if not isinstance(content, dict) or content.get("format") != expected:
        raise DataError(f"{path}: not a {noun} file; give the {noun}.json of a workspace")
    if content.get("version") != VERSIONS[expected]:
        raise DataError(
            f"{path}: a {noun} file of version {content.get('version')}, "
            f"and this release reads version {VERSIONS[expected]}; "
            "weigh again (stored records are used again), or use the release that wrote it"
        )
    try:
        return TypeAdapter(kind).validate_python(content.get(noun))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DataError(f"{path}: damaged at {where}: {problem['msg']}; run: weighbridge compare") from error
