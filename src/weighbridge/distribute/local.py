"""Does work in this process: by the caller's thread, or by several threads that share what was opened.

There is no pool of processes. Models are shared by threads, and the libraries that take the time (llama.cpp, OpenVINO)
run outside Python's lock; files are parsed in confined processes of their own (`ingest/files/pool.py`).
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from weighbridge.protocols import EndableWork, Item, Result, Work

_POLL_SECONDS = 0.5
"""Seconds between looks for an interrupt: some systems do not deliver one into a wait."""


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """The `Executor` of this process."""

    def map(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        threads: int = 1,
        ahead: int = 64,
        in_order: bool = True,
    ) -> Generator[Result]:
        with ExitStack() as stack:
            function = work.open(stack)
            if threads <= 1:
                for item in items:
                    yield function(item)
                return
            waiting = iter(items)
            pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
            futures: deque[Future[Result]] = deque()
            try:
                while True:
                    futures.extend(
                        pool.submit(function, item) for item in islice(waiting, threads * ahead - len(futures))
                    )
                    if not futures:
                        return
                    yield _take(futures, in_order=in_order).result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                if isinstance(work, EndableWork):
                    work.end()  # before waiting: an interrupt is raised here, and an answer may be long
                pool.shutdown(wait=True)


def _take(futures: deque[Future[Result]], *, in_order: bool) -> Future[Result]:
    """Wait for the next future, or for any, and remove it from those that are waited for."""
    while True:
        done = wait([futures[0]] if in_order else futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED).done
        if done:
            future = next(each for each in futures if each in done)
            futures.remove(future)
            return future


LOCAL = LocalExecutor()
