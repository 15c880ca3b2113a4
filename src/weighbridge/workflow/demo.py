"""Copies the sample workloads that come with the product."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.models import find_model
from weighbridge.settings.edit import KeyPath, edit_settings
from weighbridge.settings.file import load_settings
from weighbridge.workspace import Workspace

TINY = "tiny"
"""The name of the model that samples are sized for."""
# No larger model has been trained in the minutes of a demo, so it weighs the strategies without training: ADR 34.
_LARGER: dict[KeyPath, Any] = {("strategies",): ["prompt", "few-shot", "rag"], ("measure", "questions"): 60}


def copy_sample(name: str, root: Path, *, model: str = TINY) -> Workspace:
    """Copy a sample workload into a folder and return the workspace. A sample that is there already stays.

    With another model than `TINY` the sample weighs the strategies that need no training, on 60 questions.

    Raises:
        UserError: there is no sample or no model of this name.
        WorkspaceError: the folder holds other files, or another workload or model.
    """
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
        if model not in {TINY, settings.model.reference}:
            raise WorkspaceError(f"{root}: holds this sample with another model; choose another --workspace")
        return workspace
    if root.exists() and any(root.iterdir()):
        raise WorkspaceError(f"{root}: holds something else; choose an empty or new folder with --workspace")
    # Copied beside and renamed, so that an interrupted copy is never taken for a workspace.
    beside = root.with_name(f".{root.name}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, ignore=shutil.ignore_patterns(".weighbridge"))
    if model != TINY:
        file = Workspace(beside).settings_file
        edited = edit_settings(file.read_text(encoding="utf-8"), {("model", "reference"): model, **_LARGER})
        file.write_text(edited, encoding="utf-8")
    if root.exists():
        root.rmdir()
    beside.replace(root)
    return workspace


def samples() -> Path:
    """Return the folder of the sample workloads: in the installed package, or in a checkout."""
    package = Path(str(files("weighbridge")))
    installed = package / "examples"
    return installed if installed.is_dir() else package.parents[1] / "examples"
