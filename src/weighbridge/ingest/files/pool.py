"""Parses files in worker processes: several at a time, each within its limits, and none can harm the reading.

A thread talks to each worker; another one ends those that take too long. A worker that dies takes with it only the
file, or the file inside an archive, that it was at: a new one goes on with the next.

On a cluster each process of the executor has one such worker of its own, so a file that kills its parser is blamed
there, and only a lost machine or executor has the file parsed again.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from uuid import uuid4

from weighbridge.errors import WeighbridgeError, WorkspaceError
from weighbridge.ingest.files.archive import REST
from weighbridge.ingest.files.cache import ParsedPiece, to_piece
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.process import Process
from weighbridge.ingest.files.worker import OUT_OF_MEMORY
from weighbridge.protocols import Executor

_AHEAD = 32
_AHEAD_BYTES = 500_000
"""How much is asked of a worker at a time: many small files, so that it never waits, but not two large ones."""
_GROUPS_AHEAD = 16
"""Such groups that each process of an executor has before their results are taken in: 16 MB of files."""
# Seconds: a file may exceed its time by as much.
_WATCHES_EVERY = 0.1
_STARTS = 3
"""How often a worker may die before or between files."""
_KILLED = -9
_OUT_OF_TIME = -24
"""The exit status of a worker that the system ended: for its memory, for its processor time."""


@dataclass(eq=False, slots=True)
class Task:
    """A file to be parsed, the file that its documents are appended to, and its pieces so far."""

    path: Path
    made: Path
    size: int
    pieces: list[ParsedPiece] = field(default_factory=list)
    skip: list[int] = field(default_factory=list)
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class _Shared:
    """State that the threads of one reading share."""

    limits: ReadingLimits
    folder: Path
    waiting: SimpleQueue[Task]
    finished: SimpleQueue[Task | BaseException]
    stopped: threading.Event


def parse_in_workers(tasks: Sequence[Task], limits: ReadingLimits) -> Generator[Task]:
    """Yield each task when it is done, in the order they are. Workers live until the iterator is closed or ends.

    Raises:
        WeighbridgeError: the worker processes cannot be started.
        OSError: the documents cannot be written to where a task wants them.
    """
    if not tasks:
        return
    with TemporaryDirectory(prefix="weighbridge-") as folder:
        shared = _Shared(limits, Path(folder), SimpleQueue(), SimpleQueue(), threading.Event())
        for task in tasks:
            shared.waiting.put(task)
        workers = [_Worker(shared) for _ in range(min(limits.workers, len(tasks)))]
        threads = [threading.Thread(target=worker.run, daemon=True) for worker in workers]
        threads.append(threading.Thread(target=_watch, args=(workers, shared.stopped), daemon=True))
        try:
            for thread in threads:
                thread.start()
            for _ in tasks:
                done = shared.finished.get()
                if isinstance(done, BaseException):
                    raise done
                yield done
        finally:
            shared.stopped.set()
            for worker in workers:
                worker.stop()
            for thread in threads:
                thread.join()


@dataclass(frozen=True, slots=True)
class Parsing:
    """The `Work` of parsing groups of files in processes of an executor, which see them at the same paths."""

    limits: ReadingLimits

    def open(self, stack: ExitStack) -> Callable[[Sequence[Task]], Sequence[Task]]:
        parse = stack.enter_context(open_parser(self.limits))

        def parse_afresh(tasks: Sequence[Task]) -> Sequence[Task]:
            """Write to new files: a worker that was given up, but lives, may still write to the old ones."""
            making = tasks[0].made.parent
            if not making.is_dir():
                raise WorkspaceError(
                    f"{making.parent}: a machine of the cluster does not have this folder; put the workspace and its "
                    "documents on a file system that all machines share, at the same path"
                )
            own = uuid4().hex
            return parse([replace(task, made=task.made.with_name(f"{task.made.name}-{own}")) for task in tasks])

        return parse_afresh


def parse_elsewhere(tasks: Sequence[Task], limits: ReadingLimits, executor: Executor) -> Generator[Task]:
    """Yield each task when it is done, in their order, parsed by the processes of an executor.

    Raises:
        WeighbridgeError: a process cannot be started, does not see the files, or was lost too often.
    """
    with closing(executor.map(Parsing(limits), _groups(tasks), ahead=_GROUPS_AHEAD)) as groups:
        parsed = chain.from_iterable(groups)
        for task, done in zip(tasks, parsed, strict=True):
            task.made, task.pieces = done.made, done.pieces
            yield task


def _groups(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    """Yield tasks by as many as a worker is asked at a time: it then parses the next while the last is taken in."""
    group: list[Task] = []
    for task in tasks:
        if group and (len(group) >= _AHEAD or sum(each.size for each in group) + task.size > _AHEAD_BYTES):
            yield group
            group = []
        group.append(replace(task, path=task.path.absolute(), made=task.made.absolute()))
    if group:
        yield group


@contextmanager
def open_parser(limits: ReadingLimits) -> Iterator[Callable[[Sequence[Task]], Sequence[Task]]]:
    """Give a function that parses files, in their order, in one worker process, which lives until the block ends."""
    with TemporaryDirectory(prefix="weighbridge-") as folder:
        shared = _Shared(limits, Path(folder), SimpleQueue(), SimpleQueue(), threading.Event())
        worker = _Worker(shared)
        watching = threading.Thread(target=_watch, args=([worker], shared.stopped), daemon=True)
        watching.start()
        try:
            yield worker.parse
        finally:
            shared.stopped.set()
            worker.stop()
            watching.join()
            worker.end()


def _watch(workers: "Sequence[_Worker]", stopped: threading.Event) -> None:
    while not stopped.wait(_WATCHES_EVERY):
        for worker in workers:
            worker.watch()


class _Worker:
    """One process after the other, started when there is work, and the tasks it was given."""

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._asked: deque[Task] = deque()
        self._process: Process | None = None
        self._at: tuple[int, str] | None = None
        self._files = 0
        self._deaths = 0

    def run(self) -> None:
        """Parse waiting files until none is left or the reading is stopped."""
        try:
            while not self._shared.stopped.is_set() and self._ask():
                process = self._process or self._start()
                self._listen(process)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that reads
            self._shared.finished.put(error)
        finally:
            self._replace(None)

    def parse(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Parse files in the caller's thread. The process stays for the next ones."""
        for task in tasks:
            self._shared.waiting.put(task)
        while self._ask():
            self._listen(self._process or self._start())
        for _ in tasks:
            self._shared.finished.get()
        return tasks

    def end(self) -> None:
        """Bury the process, where there is one."""
        self._replace(None)

    def watch(self) -> None:
        """End the process where it is late."""
        if process := self._process:
            process.kill_if_late()

    def stop(self) -> None:
        """End the process, after the reading was stopped."""
        if process := self._process:
            process.kill()

    def _ask(self) -> bool:
        """Ask for more until enough is on its way; false where there is nothing left."""
        while len(self._asked) < _AHEAD and sum(task.size for task in self._asked) < _AHEAD_BYTES:
            try:
                task = self._shared.waiting.get_nowait()
            except Empty:
                break
            self._asked.append(task)
            if self._process is not None:
                _send(task, self._process)
        return bool(self._asked)

    def _start(self) -> Process:
        process = Process(self._shared.limits, self._shared.folder)
        self._replace(process)
        if self._shared.stopped.is_set():  # it may have been set too early for `stop` to find this process
            process.kill()
        for task in self._asked:
            _send(task, process)
        return process

    def _replace(self, process: Process | None) -> int:
        """Put another process, or none, in the place of the present one, and return that one's exit status."""
        old, self._process = self._process, process
        self._at, self._files = None, 0
        return 0 if old is None else old.bury()

    def _listen(self, process: Process) -> None:
        """Take in one thing that the process says, or its end."""
        limits = self._shared.limits
        said = process.receive()
        now = time.monotonic()
        if said is None:
            self._mourn(process)
        elif "begun" in said:
            task = self._asked[0]
            task.began = task.began or now
            self._at = (said["begun"], said["name"])
            process.allow(min(now + limits.seconds, task.began + limits.archive_seconds))
        elif "piece" in said:
            self._asked[0].pieces.append(to_piece(said["piece"]))
        elif "full" in said:
            raise OSError(0, said["full"])
        elif "done" in said:
            self._finish()
            process.allow(now + limits.seconds if self._asked else float("inf"))
            if self._files >= limits.recycled_after:
                self._replace(None)

    def _finish(self) -> None:
        self._at = None
        self._files += 1
        self._deaths = 0
        self._shared.finished.put(self._asked.popleft())

    def _mourn(self, process: Process) -> None:
        """Blame the file that the process was at, so that the next process goes on after it."""
        at = self._at
        status = self._replace(None)
        if self._shared.stopped.is_set():
            return
        if at is None:
            self._deaths += 1
            if self._deaths >= _STARTS:
                what = f"exit status {status}: {process.complaint()}"
                raise WeighbridgeError(f"the process that parses documents does not start ({what})")
            return
        task = self._asked[0]
        task.skip.append(at[0])
        name = REST if any(piece.name == at[1] for piece in task.pieces) else at[1]
        task.pieces.append(ParsedPiece(name=name, reason=self._cause(process, status, task), ended=True))
        if task.skip == [0]:
            self._finish()
        elif why := self._hopeless(task):
            task.pieces.append(ParsedPiece(name=REST, reason=why, ended=True))
            self._finish()

    def _cause(self, process: Process, status: int, task: Task) -> str:
        limits = self._shared.limits
        if process.late or status == _OUT_OF_TIME:
            whole = self._is_over(task)
            return f"took longer than {limits.archive_seconds if whole else limits.seconds:g} s"
        if status == OUT_OF_MEMORY:
            return f"needs more than {limits.memory_mb:,} MB"
        if status == _KILLED:
            return "was ended by the system, most likely for its memory"
        return "crashed the parser, by a flaw or for want of memory"

    def _hopeless(self, task: Task) -> str:
        limits = self._shared.limits
        if self._is_over(task):
            return f"the archive took longer than {limits.archive_seconds:g} s"
        if len(task.skip) >= limits.failures:
            return f"{limits.failures} files before it could not be parsed"
        return ""

    def _is_over(self, task: Task) -> bool:
        return time.monotonic() > task.began + self._shared.limits.archive_seconds


def _send(task: Task, process: Process) -> None:
    told = [piece.name for piece in task.pieces]
    process.send({"path": str(task.path), "made": str(task.made), "skip": task.skip, "told": told})
