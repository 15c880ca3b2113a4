"""Copies the sample workloads that come with the product."""

import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.models import find_model
from weighbridge.settings.edit import KeyPath, edit_settings
from weighbridge.settings.file import load_settings
from weighbridge.workspace import Workspace

MODELS = ("tiny", "small")
"""The base models of a demo: one that is tuned in minutes, and one that reads passages better."""
_TUNED_HERE = "tiny"
"""The model that samples are sized for. No larger one is trained in the minutes of a demo: ADR 34."""
_QUESTIONS = 60


def copy_sample(name: str, root: Path, *, models: Sequence[str] = MODELS) -> Workspace:
    """Copy a sample workload into a folder and return the workspace. A sample that is there already stays.

    `tiny` weighs all strategies. Others weigh those that need no training, and beside `tiny` the prompt and RAG, on 60
    questions.

    Raises:
        UserError: there is no sample or no model of this name.
        WorkspaceError: the folder holds other files, or another workload or model.
    """
    for model in models:
        if (found := find_model(model)) is None or found.kind != "generator":
            raise UserError(f"there is no known model '{model}' that answers; see: weighbridge models known")
    source = samples() / name
    known = sorted(folder.name for folder in samples().iterdir() if (folder / "weighbridge.yaml").is_file())
    if name not in known:
        raise UserError(f"there is no sample workload '{name}'; choose one of {', '.join(known)}")
    root = root.resolve()
    workspace = Workspace(root)
    if workspace.settings_file.exists():
        settings = load_settings(workspace.settings_file)
        if settings.name != name:
            raise WorkspaceError(f"{root}: holds another workload than '{name}'; choose another --workspace")
        if tuple(one.model.reference for one in settings.by_base) != tuple(models):
            raise WorkspaceError(f"{root}: holds this sample with another model; choose another --workspace")
        return workspace
    if root.exists() and any(root.iterdir()):
        raise WorkspaceError(f"{root}: holds something else; choose an empty or new folder with --workspace")
    # Copied beside and renamed, so that an interrupted copy is never taken for a workspace.
    beside = root.with_name(f".{root.name}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, ignore=shutil.ignore_patterns(".weighbridge"))
    file = Workspace(beside).settings_file
    changes = _changes(models, load_settings(file).measure.questions)
    file.write_text(edit_settings(file.read_text(encoding="utf-8"), changes), encoding="utf-8")
    if root.exists():
        root.rmdir()
    beside.replace(root)
    return workspace


def _changes(models: Sequence[str], questions: int) -> dict[KeyPath, Any]:
    """Return the changes of a sample's settings for its base models."""
    few: dict[KeyPath, Any] = {("measure", "questions"): min(questions, _QUESTIONS)}
    if len(models) == 1:
        own: dict[KeyPath, Any] = {("model", "reference"): models[0]}
        return own if models[0] == _TUNED_HERE else {**own, ("strategies",): ["prompt", "few-shot", "rag"], **few}
    entries = [m if m == _TUNED_HERE else {"name": m, "strategies": ["prompt", "rag"]} for m in models]
    return {("models",): entries, **few}


def samples() -> Path:
    """Return the folder of the sample workloads: in the installed package, or in a checkout."""
    package = Path(str(files("weighbridge")))
    installed = package / "examples"
    return installed if installed.is_dir() else package.parents[1] / "examples"
