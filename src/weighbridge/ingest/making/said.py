"""What a model said, kept in a file, so that an interrupted making goes on where it stopped and costs nothing twice."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from weighbridge.errors import ModelError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, Model, Notify, ignore, silent
from weighbridge.types import Completion, Message, Progress, Usage


class Remembered:
    """A model that says again what it said before to the same messages, of which a JSONL file keeps a line each."""

    def __init__(self, model: Model, path: Path) -> None:
        self._model, self._path, self._lock = model, path, Lock()
        self._said = _read(path)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def fingerprint(self) -> str:
        return self._model.fingerprint

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        key = fingerprint(self.fingerprint, [[message.role, message.content] for message in messages])
        text = self._said.get(key)
        if text is not None:
            emit(text)
            return Completion(text=text, usage=Usage())
        completion = self._model.generate(messages, emit=emit)
        with self._lock:
            self._said[key] = completion.text
            self._keep(json.dumps({"key": key, "text": completion.text}, ensure_ascii=False))
        return completion

    def _keep(self, line: str) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise WorkspaceError(f"{self._path}: cannot be written ({error.strerror})") from error


def _read(path: Path) -> dict[str, str]:
    """Return what was said before; a last line that was cut off is as if it had not been said, and is taken away."""
    said: dict[str, str] = {}
    if not path.exists():
        return said
    whole = 0
    with path.open("rb") as file:
        for line in file:
            try:
                kept = json.loads(line)
                said[kept["key"]] = kept["text"]
            except (ValueError, TypeError, KeyError):
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
    if whole < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(whole)
    return said


def replies(
    model: Model, prompts: Sequence[Sequence[Message]], *, task: str, workers: int = 1, notify: Notify = silent
) -> tuple[str | None, ...]:
    """Return what a model says to each prompt, in order; None where it failed.

    Raises:
        ModelError: it failed each time; the first failure.
    """
    failures: list[ModelError] = []

    def ask(prompt: Sequence[Message]) -> str | None:
        try:
            return model.generate(prompt).text
        except ModelError as error:
            failures.append(error)
            return None

    said: list[str | None] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for text in pool.map(ask, prompts):
            said.append(text)
            note = f"{len(failures):,} failed" if failures else ""
            notify(Progress(task=task, done=len(said), total=len(prompts), unit="prompts", note=note))
    if failures and all(text is None for text in said):
        raise failures[0]
    return tuple(said)
