"""Does work on the machines of a Ray cluster: a worker process on every processor, each with the work opened once.

The driver keeps all state: which items wait, which are at which worker, and the results that wait for their turn.
A worker that is lost, alone or with its machine, costs the batches it was at; they are done again elsewhere. Ray's own
retries are off, because they would neither find the item that kills its worker nor keep results in order.
"""

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from weighbridge import __version__
from weighbridge.errors import MissingExtraError, WeighbridgeError, WorkerLostError
from weighbridge.protocols import Item, Result, Work

_POLL_SECONDS = 0.5
"""Seconds between looks for an interrupt, which Ray does not deliver into a wait."""
# A call costs the driver 1 ms, measured by benchmarks/distribution.py: this keeps it below 1 % of the work.
_CALL_SECONDS = 0.25
"""Seconds of work that a call should hold: small items are sent many at a time."""
_AHEAD = 2
"""Calls on their way to a worker for each thread, so that it never waits for the driver."""
_MOST_LOSSES = 5
"""Workers that may be lost at an item that was alone with its worker. The item is to blame then, not the machines."""
_STARTS = 3
"""Tries to start a cluster on this machine: Ray gives its processes 30 seconds, which a busy machine may exceed."""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


@dataclass(frozen=True, slots=True)
class _Batch:
    """Items that one call does, with their places among all."""

    start: int
    items: Sequence[Any]


class RayWorker:
    """An actor: it opens the work at its first batch, and then does batch after batch."""

    def __init__(self, work: Work[Any, Any], version: str) -> None:
        self._work, self._version = work, version
        self._stack, self._lock = ExitStack(), Lock()
        self._function: Callable[[Any], Any] | None = None

    def run(self, items: Sequence[Any]) -> tuple[float, list[Any]]:
        """Return the seconds it took, and the results up to the first failure, which is the last of them."""
        results: list[Any] = []
        try:
            function = self._open()
        except Exception as error:  # noqa: BLE001 - raised again at the driver
            return 0.0, [_Failure(_portable(error))]
        start = time.perf_counter()
        for item in items:
            try:
                results.append(function(item))
            except Exception as error:  # noqa: BLE001 - raised again at the driver
                results.append(_Failure(_portable(error)))
                break
        return time.perf_counter() - start, results

    def _open(self) -> Callable[[Any], Any]:
        with self._lock:
            if self._function is None:
                if self._version != __version__:
                    raise WeighbridgeError(
                        f"a worker has Weighbridge {__version__} and this command has {self._version}; install one "
                        "version on all machines of the cluster"
                    )
                self._function = self._work.open(self._stack)
            return self._function


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent: one of ours as it is, and of another its words."""
    return error if isinstance(error, WeighbridgeError) else WeighbridgeError(f"{type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class RayExecutor:
    """The `Executor` of a cluster. Connects with the first work, for as long as the process lives."""

    address: str = ""
    """The cluster's, as host:port; empty starts one on this machine, which ends with the process."""

    def map(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        threads: int = 1,
        ahead: int = 64,
        in_order: bool = True,
    ) -> Generator[Result]:
        ray = connect_ray(self.address)
        threads = max(1, min(threads, most_processors(ray)))
        run = _Run(ray, work, iter(items), threads, ahead)
        try:
            yield from run.results(in_order=in_order)
        finally:
            run.stop()


def connect_ray(address: str) -> Any:
    """Return Ray, connected to a cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        WeighbridgeError: there is no cluster at the address, or none can be started here.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about this machine or its work leaves it
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        import ray
    except ImportError:
        raise MissingExtraError("distribute: ray", "ray") from None
    for attempt in range(1, _STARTS + 1):
        if ray.is_initialized():
            break
        quiet = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}
        try:
            # Never Ray's own search for a running cluster: the settings say which one.
            ray.init(address=address or "local", include_dashboard=None if address else False, **quiet)
        except Exception as error:
            ray.shutdown()
            if address:
                raise WeighbridgeError(
                    f"distribute: there is no Ray cluster at {address} ({_first_line(error)}); start one there with "
                    "'ray start --head', or set distribute: ray for one on this machine"
                ) from error
            if attempt == _STARTS:
                raise WeighbridgeError(
                    f"distribute: Ray does not start on this machine ({_first_line(error)}); set distribute: local"
                ) from error
    return ray


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def most_processors(ray: Any) -> int:
    """Return the processors of the largest machine: a worker that asks for more would wait for ever."""
    return int(max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)) or 1


@dataclass(eq=False, slots=True)
class _Worker:
    actor: Any
    calls: int = 0


@dataclass(slots=True)
class _Run:
    """One map: the items, the workers, and what is where."""

    ray: Any
    work: Work[Any, Any]
    items: Iterator[Any]
    threads: int
    ahead: int
    workers: list[_Worker] = field(default_factory=list)
    calls: dict[Any, tuple[_Worker, _Batch]] = field(default_factory=dict)
    again: deque[_Batch] = field(default_factory=deque)
    done: dict[int, Any] = field(default_factory=dict)
    losses: Counter[int] = field(default_factory=Counter)
    taken: int = 0
    """Items that were taken from `items`."""
    yielded: int = 0
    seconds: float = 0.0
    counted: int = 0
    """Items that took `seconds`."""

    def results(self, *, in_order: bool) -> Generator[Any]:
        """Yield all results."""
        most = max(1, int(self.ray.cluster_resources().get("CPU", 1)) // self.threads)
        while True:
            self._send_all(most)
            if not self.calls:
                return
            ready, _ = self.ray.wait(list(self.calls), num_returns=1, timeout=_POLL_SECONDS)
            for call in ready:
                self._receive(call)
            while self.done and (place := self.yielded if in_order else min(self.done)) in self.done:
                result = self.done.pop(place)
                self.yielded += 1
                if isinstance(result, _Failure):
                    raise result.error
                yield result

    def stop(self) -> None:
        """End all workers, whatever they do."""
        for worker in self.workers:
            self.ray.kill(worker.actor, no_restart=True)
        self.workers.clear()
        self.calls.clear()

    def _send_all(self, most: int) -> None:
        """Give batches to workers until all have enough, or none is left. Workers are started as they are needed."""
        while True:
            worker = min(self.workers, key=lambda each: each.calls, default=None)
            if worker is None or (worker.calls and len(self.workers) < most):
                if (batch := self._next_batch(most)) is None:
                    return
                worker = self._start()
            elif worker.calls >= self.threads * _AHEAD or (batch := self._next_batch(most)) is None:
                return
            worker.calls += 1
            self.calls[worker.actor.run.remote(batch.items)] = (worker, batch)

    def _start(self) -> _Worker:
        # One thread for each processor that it takes: Ray sets OMP_NUM_THREADS to the number of processors.
        options = {"num_cpus": self.threads, "max_restarts": 0, "max_task_retries": 0, "max_concurrency": self.threads}
        actor = self.ray.remote(RayWorker).options(**options).remote(self.work, __version__)
        self.workers.append(_Worker(actor))
        return self.workers[-1]

    def _next_batch(self, workers: int) -> _Batch | None:
        """Return the next items to do: those that were lost come first."""
        if self.again:
            return self.again.popleft()
        free = self.yielded + self.ahead * self.threads * workers - self.taken
        size = max(1, min(self._batch_size(), self.ahead // _AHEAD, free))
        items = []
        for item in self.items if free > 0 else ():
            items.append(item)
            if len(items) == size:
                break
        if not items:
            return None
        self.taken += len(items)
        return _Batch(self.taken - len(items), items)

    def _batch_size(self) -> int:
        """Return how many items take a call's time, as measured so far. No result depends on it."""
        if not self.counted:
            return 1
        return int(min(_CALL_SECONDS * self.counted / max(self.seconds, 1e-9), 1e6))

    def _receive(self, call: Any) -> None:
        """Take in the results of a call, or its loss."""
        worker, batch = self.calls.pop(call)
        worker.calls -= 1
        try:
            seconds, results = self.ray.get(call)
        except self.ray.exceptions.RayTaskError as error:  # results that cannot be sent, and our own mistakes
            raise WeighbridgeError(f"a worker of the cluster failed: {_first_line(error.cause)}") from error
        except self.ray.exceptions.RayError as error:
            self._lose(worker, batch, error)
            return
        self.seconds += seconds
        self.counted += len(results)
        self.done.update(enumerate(results, start=batch.start))

    def _lose(self, worker: _Worker, batch: _Batch, error: Exception) -> None:
        """Put the items of a lost worker in the queue again, one by one: one of them may be what kills workers."""
        if worker in self.workers:
            self.workers.remove(worker)
            self.ray.kill(worker.actor, no_restart=True)
        if len(batch.items) == 1:
            self.losses[batch.start] += 1
            if self.losses[batch.start] >= _MOST_LOSSES:
                raise WorkerLostError(
                    f"{_MOST_LOSSES} workers were lost at the same item, number {batch.start + 1} "
                    f"({_first_line(error)}). Finished work is kept; see the logs of Ray on that machine, or set "
                    "distribute: local"
                )
        singles = [_Batch(batch.start + place, [item]) for place, item in enumerate(batch.items)]
        self.again.extendleft(reversed(singles))
