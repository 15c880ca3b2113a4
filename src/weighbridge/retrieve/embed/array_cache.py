"""Keeps named arrays in a file: results that take seconds to compute and are the same each time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from weighbridge.errors import WorkspaceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[Any]"]


def load_or_compute(file: Path, find: Callable[[], Arrays]) -> Arrays:
    """Return the arrays of a file. Where there is none, compute them, and write the file if the folder allows it."""
    try:
        return read_arrays(file)
    except WorkspaceError:
        found = find()
    with suppress(OSError):
        write_arrays(file, found)
    return found


def read_arrays(file: Path) -> Arrays:
    """Return the arrays of a file.

    Raises:
        WorkspaceError: the file is missing or broken.
    """
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise WorkspaceError(f"{file}: cannot be read ({error}); delete it, and run the command again") from error


def write_arrays(file: Path, arrays: Arrays) -> None:
    """Write arrays to a file: beside it first, then renamed, so that no reader sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    named: Any = arrays
    with TemporaryDirectory(dir=file.parent) as beside:
        np.savez(Path(beside) / file.name, **named)
        (Path(beside) / file.name).replace(file)
