"""Makes a workspace from the user's own documents and examples."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weighbridge.answer.build import shape_of
from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.dataset.examples import infer_task, load_examples
from weighbridge.errors import DataError, WorkspaceError, show_path
from weighbridge.ingest.read import describe_reading, read_documents
from weighbridge.settings.file import starter
from weighbridge.settings.schema import ARMS
from weighbridge.types import Task
from weighbridge.wiring.documents import cache_of
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace, write_text


def init_workspace(
    root: Path, *, documents: Path | None, examples: Path, task: Task | None, reporter: Reporter
) -> Workspace:
    """Check the user's files, infer the task, and write a commented `weighbridge.yaml` that names them.

    A failure leaves no new folder behind.

    Raises:
        WorkspaceError: a settings file exists already. It is never overwritten.
        DataError: the documents or examples cannot be used.
    """
    workspace = Workspace(root)
    if workspace.settings_file.exists():
        raise WorkspaceError(f"{workspace.settings_file}: exists already; edit it, or choose another folder")
    _require(examples, "file", "--examples")
    if documents is not None:
        _require(documents, "file or folder", "--documents")
    with _remove_after_failure(cache_of(workspace, documents or root)):
        text = _check_files(workspace, documents=documents, examples=examples, task=task, reporter=reporter)
        write_text(workspace.settings_file, text)
    return workspace


def _require(path: Path, kind: str, option: str) -> None:
    """Refuse a path that is not there. The readers name the settings in their advice, and none are written yet."""
    try:
        path.stat()
    except FileNotFoundError as error:
        advice = f"give another {kind.rpartition(' ')[2]} with {option}"
        raise DataError(f"{show_path(path)}: there is no such {kind}; {advice}") from error
    except OSError:
        return  # the reader of the path says why


@contextmanager
def _remove_after_failure(folder: Path) -> Iterator[None]:
    """Remove a folder after a failure, with those above it, if they were not there before."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        if new:
            shutil.rmtree(new[-1], ignore_errors=True)
        raise


def _check_files(
    workspace: Workspace, *, documents: Path | None, examples: Path, task: Task | None, reporter: Reporter
) -> str:
    """Read the user's files, report about them, and return the settings that fit them."""
    file = load_examples(examples)
    read = file.examples
    if documents is not None:
        reading = read_documents(documents, cache=cache_of(workspace, documents), notify=reporter.notify)
        resolve_evidence(read, reading.documents)
        for line in describe_reading(reading):
            reporter.say(line)
    for line in file.lines():
        reporter.say(line)
    guess = infer_task(read)
    reporter.say(f"Examples: {len(read):,}, {sum(not e.answerable for e in read):,} of them without an answer")
    reporter.say(f"Task: {task} (as you set it)" if task else f"Task: {guess.task} ({guess.why})")
    arms = tuple(arm for arm in ARMS if documents is not None or not shape_of(arm).reads)
    if documents is None:
        reporter.say(f"Without documents, these strategies can be weighed: {', '.join(arms)}")
    root = workspace.root
    return starter(
        _from(root, documents),
        _from(root, examples) or examples,
        name=root.resolve().name,
        task=task or guess.task,
        strategies=arms,
    )


def _from(root: Path, path: Path | None) -> Path | None:
    """Return a path for the settings: relative to their folder unless it begins with three times `..`."""
    if path is None:
        return None
    relative = Path(os.path.relpath(path.resolve(), root.resolve()))
    return path.resolve() if relative.parts[:3] == ("..", "..", "..") else relative
