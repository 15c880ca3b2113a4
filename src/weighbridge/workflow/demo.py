"""Copies the sample workloads that come with the product."""

import shutil
from importlib.resources import files
from pathlib import Path

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.settings.file import load_settings
from weighbridge.workspace import Workspace


def copy_sample(name: str, root: Path) -> Workspace:
    """Copy a sample workload into a folder and return the workspace. A sample that is there already stays.

    Raises:
        UserError: there is no sample of this name.
        WorkspaceError: the folder holds other files or another workload.
    """
    source = samples() / name
    known = sorted(folder.name for folder in samples().iterdir() if (folder / "weighbridge.yaml").is_file())
    if name not in known:
        raise UserError(f"there is no sample workload '{name}'; choose one of {', '.join(known)}")
    root = root.resolve()
    workspace = Workspace(root)
    if workspace.settings_file.exists():
        if load_settings(workspace.settings_file).name != name:
            raise WorkspaceError(f"{root}: holds another workload than '{name}'; choose another --workspace")
        return workspace
    if root.exists() and any(root.iterdir()):
        raise WorkspaceError(f"{root}: holds something else; choose an empty or new folder with --workspace")
    # Copied beside and renamed, so that an interrupted copy is never taken for a workspace.
    beside = root.with_name(f".{root.name}.copying")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside, ignore=shutil.ignore_patterns(".weighbridge"))
    if root.exists():
        root.rmdir()
    beside.replace(root)
    return workspace


def samples() -> Path:
    """Return the folder of the sample workloads: in the installed package, or in a checkout."""
    package = Path(str(files("weighbridge")))
    installed = package / "examples"
    return installed if installed.is_dir() else package.parents[1] / "examples"
