"""How a command speaks to the person who started it: sentences that stay, and progress that passes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from weighbridge.protocols import Notify, silent

Say = Callable[[str], None]
Show = Callable[[object], None]
"""Receives what Rich can print: coloured on a terminal, plain elsewhere."""


def _nothing(sentence: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reporter:
    """Where sentences and progress go; nowhere unless told."""

    say: Say = _nothing
    notify: Notify = silent
    show: Show = _nothing
    width: int = 100
    """Characters that a line has room for."""


SILENT = Reporter()


@contextmanager
def measure_seconds(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the wall-clock seconds of a step to `seconds`."""
    start = perf_counter()
    try:
        yield
    finally:
        seconds[step] = seconds.get(step, 0.0) + perf_counter() - start
