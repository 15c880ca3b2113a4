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

    `tiny` alone weighs all strategies on the sample's questions. Others weigh those that need no training, and beside
    `tiny` the prompt and RAG, on 60 questions at most.

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
        if [find_model(one.model.reference) for one in settings.by_base] != [find_model(model) for model in models]:
            raise WorkspaceError(f"{root}: holds this sample with another model; choose another --workspace")
        return workspace
    if root.exists() and any(root.iterdir()):
        raise WorkspaceError(f"{root}: holds something else; choose an empty or new folder with --workspace")
    # Copied beside and renamed, so that an interrupted copy is never taken for a workspace.
    beside = root.with_name(f".{root.name}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, ignore=shutil.ignore_patterns(".weighbridge"))
    Workspace(beside).settings_file.write_text(demo_settings(source, models), encoding="utf-8")
    if root.exists():
        root.rmdir()
    beside.replace(root)
    return workspace


def demo_settings(sample: Path, models: Sequence[str] = MODELS) -> str:
    """Return the text of `weighbridge.yaml` for a sample on some base models."""
    file = Workspace(sample).settings_file
    text = file.read_text(encoding="utf-8")
    if list(models) == [_TUNED_HERE]:
        return text
    few: KeyPath = ("measure", "questions")
    changes: dict[KeyPath, Any] = {few: min(load_settings(file).measure.questions, _QUESTIONS)}
    if len(models) == 1:
        changes |= {("model", "reference"): models[0], ("strategies",): ["prompt", "few-shot", "rag"]}
    else:
        entries = [m if m == _TUNED_HERE else {"name": m, "strategies": ["prompt", "rag"]} for m in models]
        changes[("models",)] = entries
    return edit_settings(text, changes)


def samples() -> Path:
    """Return the folder of the sample workloads: in the installed package, or in a checkout."""
    package = Path(str(files("weighbridge")))
    installed = package / "examples"
    return installed if installed.is_dir() else package.parents[1] / "examples"
