"""A training on several devices: this process takes the steps, and its peers read their share of each.

There is one optimiser, one schedule, one set of checkpoints, and one process that scores and saves, as on one device.
For each step the peers (`train/supervised/device_worker.py`) get the weights, and give back gradients, which are added
up: the step is the one that a single device takes, but for rounding. They say over pipes how they fare, and only
when all have read their share are tensors exchanged, so that one that fails, dies or hangs is heard of rather than
waited for.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from time import monotonic
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.train.supervised.device_worker import (
    Replica,
    Said,
    Seat,
    add_up,
    join,
    learning,
    open_store,
    serve,
    spread,
)
from weighbridge.train.supervised.methods import Recipient
from weighbridge.train.supervised.shards import Read, Take, Work, alone
from weighbridge.types import Progress

PATIENCE = 600.0
"""Seconds that a peer may take longer than this process, to start or to read, before it is given up."""
_EXCHANGES_SECONDS = 120.0
"""How long processes that are all ready may take to exchange tensors."""
_LEAVES_SECONDS = 5.0
_KILLED = -9


@contextmanager
def company(
    work: Work, replica: Replica, recipient: Recipient, *, notify: Notify = silent, patience: float = PATIENCE
) -> Iterator[Take]:
    """Give how a step is taken by so many processes as `work` says; the peers are gone afterwards, whatever happens.

    Raises:
        TrainingError: a peer failed, died, or did not answer in time; also while steps are taken.
        MemoryError: a peer had not enough of it.
    """
    if work.processes == 1:
        yield alone(work)
        return
    peers = _Peers(work, replica, recipient, patience)
    try:
        peers.start(notify)
        yield peers.take
        peers.leave(_LEAVES_SECONDS)
    finally:
        peers.leave(0.0)


class _Peers:
    """The other processes; used in one thread."""

    def __init__(self, work: Work, replica: Replica, recipient: Recipient, patience: float) -> None:
        """Know of none yet."""
        self._work = work
        self._replica = replica
        self._weights = learning(recipient)
        self._patience = patience
        self._processes: list[Any] = []
        self._pipes: list[Any] = []
        self._store: Any = None
        self._group: Any = None

    def start(self, notify: Notify) -> None:
        """Start all, and wait until each has its replica."""
        import torch
        from torch.multiprocessing import get_context

        spawned = get_context("spawn")
        first = self._seat(0, 0, torch.get_num_threads())
        self._store = open_store(first)
        for rank in range(1, self._work.processes):
            ours, theirs = spawned.Pipe()
            seat = self._seat(rank, self._store.port, max(1, torch.get_num_threads() // self._work.processes))
            process = spawned.Process(target=serve, args=(seat, theirs), daemon=True, name=f"device {rank}")
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
        self._hear()
        with self._exchanging():
            self._group = join(first, self._store)
        self._hear()
        every = self._work.processes
        notify(Progress(task="starting on several devices", done=every, total=every, unit="devices"))

    def take(self, step: int, read: Read) -> Any:
        """Take a step together; see `Take`."""
        self._tell(step)
        with self._exchanging():
            spread(self._group, self._weights)
        loss = read(self._work.rows(step, 0))
        others = self._hear()
        self._tell(step)
        with self._exchanging():
            add_up(self._group, self._weights)
        return loss + sum(said.loss for said in others)

    def leave(self, seconds: float) -> None:
        """Let the peers end by themselves for so long, then end them."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(seconds)
            process.kill()
            process.join()
        if self._group is not None:
            self._group.abort()
        self._processes, self._pipes, self._group, self._store = [], [], None, None

    def _seat(self, rank: int, port: int, threads: int) -> Seat:
        return Seat(
            rank=rank,
            port=port,
            threads=threads,
            seconds=_EXCHANGES_SECONDS,
            replica=self._replica,
            work=self._work,
        )

    def _tell(self, step: int) -> None:
        for rank, pipe in enumerate(self._pipes, start=1):
            try:
                pipe.send(step)
            except OSError:
                self._received(rank)
                raise self._ended(rank) from None

    def _hear(self) -> list[Said]:
        """Return what each peer says next, once all have."""
        said: dict[int, Said] = {}
        until = monotonic() + self._patience
        while len(said) < len(self._pipes):
            waiting = {pipe: rank for rank, pipe in enumerate(self._pipes, start=1) if rank not in said}
            ready = connection.wait(list(waiting), timeout=max(0.0, until - monotonic()))
            if not ready:
                late = ", ".join(str(rank) for rank in waiting.values())
                raise self._failure(f"device {late} did not answer for {self._patience:,.0f} s")
            for pipe in ready:
                said[waiting[pipe]] = self._received(waiting[pipe])
        return list(said.values())

    def _received(self, rank: int) -> Said:
        try:
            said: Said = self._pipes[rank - 1].recv()
        except (EOFError, OSError):
            raise self._ended(rank) from None
        if said.memory:
            raise MemoryError(f"device {rank}: {said.failure}")
        if said.failure:
            raise self._failure(f"device {rank}: {said.failure}")
        return said

    @contextmanager
    def _exchanging(self) -> Iterator[None]:
        """Where tensors cannot be exchanged, raise what a peer says of it, or why it says nothing."""
        try:
            yield
        except RuntimeError as error:
            for rank, pipe in enumerate(self._pipes, start=1):
                with suppress(OSError):
                    if pipe.poll(1.0):
                        self._received(rank)
            raise self._failure(f"the devices cannot exchange tensors: {error}") from error

    def _ended(self, rank: int) -> TrainingError:
        process = self._processes[rank - 1]
        process.join(_LEAVES_SECONDS)
        why = "it was killed, perhaps for want of memory" if process.exitcode == _KILLED else "see the system's log"
        return self._failure(f"the process on device {rank} ended (exit status {process.exitcode}; {why})")

    def _failure(self, what: str) -> TrainingError:
        return TrainingError(
            f"{self._replica.folder}: training failed: {what}; run again, and it goes on from its last checkpoint, "
            "or choose devices by CUDA_VISIBLE_DEVICES"
        )
