"""The reporter: a command sends its messages and its progress to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from weighbridge.protocols import Notify, silent

Say = Callable[[str], None]
Show = Callable[[object], None]
"""Receives an object that Rich can print: coloured on a terminal, plain elsewhere."""


def _nothing(sentence: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reporter:
    """The receivers of messages and progress. By default they are dropped."""

    say: Say = _nothing
    notify: Notify = silent
    show: Show = _nothing
    width: int = 100
    """The width of a line, in characters."""


SILENT = Reporter()


@contextmanager
def measure_seconds(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the wall-clock seconds of a step to `seconds`."""
    start = perf_counter()
    try:
        yield
    finally:
        seconds[step] = seconds.get(step, 0.0) + perf_counter() - start
