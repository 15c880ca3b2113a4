"""A whole comparison as one file: `weighing.json` of the workspace."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.evaluate.encode import to_json
from weighbridge.results import Weighing
from weighbridge.workspace import write_text

FORMAT = "weighbridge weighing"
VERSION = 2
"""2: accuracy is the share of questions answered right; in 1 it was the mean of an overlap with the reference."""


def save_weighing(path: Path, weighing: Weighing) -> None:
    """Write a weighing, whole or not at all; `WorkspaceError` where it cannot be written."""
    content = to_json({"format": FORMAT, "version": VERSION, "weighing": weighing}, indent=1)
    write_text(path, content.encode("utf-8", errors="replace").decode() + "\n")


def load_weighing(file: str | Path) -> Weighing:
    """Read a file of `save_weighing`.

    Raises:
        WorkspaceError: there is no such file, or it cannot be read.
        DataError: the file is something else, damaged, or of another version.
    """
    path = Path(file)
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise WorkspaceError(f"{path}: there is no weighing here yet; weigh the strategies first") from error
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be read ({error.strerror}); make it readable for you") from error
    except ValueError as error:
        raise DataError(f"{path}: not a weighing: not JSON ({error}); run: weighbridge compare") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: not a weighing; give the weighing.json of a workspace")
    if content.get("version") != VERSION:
        raise DataError(
            f"{path}: a weighing of version {content.get('version')}, and this release reads version {VERSION}; "
            "weigh again (stored records are used again), or use the release that wrote it"
        )
    try:
        return TypeAdapter(Weighing).validate_python(content.get("weighing"))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DataError(f"{path}: damaged at {where}: {problem['msg']}; run: weighbridge compare") from error
