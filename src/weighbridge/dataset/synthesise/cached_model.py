"""Keeps the replies of a model in a file, so that an interrupted run goes on and pays nothing twice."""

import json
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Lock

from weighbridge.errors import ModelError, PromptTooLongError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, Model, Notify, ignore, silent
from weighbridge.scoring.thinking import split_thinking
from weighbridge.types import Completion, Message, Progress, Usage

_AT_FIRST, _IN_A_ROW = 3, 12
"""Failures in a row until a model is given up: three if it never answered, as a wrong URL never will; else twelve,
since a busy server recovers."""
_AHEAD = 4
"""Prompts a thread that are handed out before the first of them is answered."""


class CachedModel:
    """A model that repeats its earlier reply to the same messages, from a JSONL file with one reply a line."""

    def __init__(self, model: Model, path: Path) -> None:
        self._model, self._path, self._lock = model, path, Lock()
        self._said = _read_cache(path)

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


def _read_cache(path: Path) -> dict[str, str]:
    """Return the stored replies; a last line that was cut off is removed."""
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


def ask_each_prompt(
    model: Model, prompts: Sequence[Sequence[Message]], *, task: str, workers: int = 1, notify: Notify = silent
) -> tuple[str | None, ...]:
    """Return the reply to each prompt, in order; None where the model failed.

    Raises:
        ModelError: it failed each time, or so often that nobody should wait for the rest: at the first few prompts, or
            at many in a row. That a prompt is too long is its own failure, and does not count.
    """

    def ask(prompt: Sequence[Message], emit: Emit) -> str | ModelError:
        try:
            return split_thinking(model.generate(prompt, emit=emit).text).answer
        except ModelError as error:
            return error

    said: list[str | None] = []
    failures: list[ModelError] = []
    in_a_row = 0
    notify(Progress(task=task, done=0, total=len(prompts), unit="prompts"))
    with closing(_ask_in_order(ask, prompts, workers)) as answers:
        for answer in answers:
            said.append(answer if isinstance(answer, str) else None)
            if isinstance(answer, ModelError):
                failures.append(answer)
                in_a_row += not isinstance(answer, PromptTooLongError)
                _give_up_if_hopeless(answer, in_a_row, ever=len(failures) < len(said))
            else:
                in_a_row = 0
            note = f"{len(failures):,} failed" if failures else ""
            notify(Progress(task=task, done=len(said), total=len(prompts), unit="prompts", note=note))
    if failures and all(text is None for text in said):
        raise failures[0]
    return tuple(said)


def _ask_in_order(
    ask: Callable[[Sequence[Message], Emit], str | ModelError], prompts: Sequence[Sequence[Message]], workers: int
) -> Generator[str | ModelError]:
    """Yield the answers in order. Once this is closed no other prompt is asked, and those on their way end soon."""
    stop = Event()

    def end_if_stopped(_text: str) -> None:
        if stop.is_set():
            raise CancelledError

    pool = ThreadPoolExecutor(max_workers=workers)
    waiting: deque[Future[str | ModelError]] = deque()
    try:
        for prompt in prompts:
            waiting.append(pool.submit(ask, prompt, end_if_stopped))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _give_up_if_hopeless(failure: ModelError, in_a_row: int, *, ever: bool) -> None:
    """Raise where a model failed so often that the rest will fail too; `ever` tells that it answered before."""
    if in_a_row >= (_IN_A_ROW if ever else _AT_FIRST):
        kept = "; what it said before is kept, so the same command goes on from there" if ever else ""
        raise ModelError(f"{failure}. It failed {in_a_row:,} times in a row{kept}")
