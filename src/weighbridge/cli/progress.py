"""Shows progress: bars with the rate and the time left on a terminal, a plain line every ten seconds elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from weighbridge.protocols import Notify
from weighbridge.types import Progress as Step

LINE_SECONDS = 10.0
"""The time between two lines of a long step without a terminal: a log of an hour then stays under 400 lines."""


class _Rate(ProgressColumn):
    """Units a second, or seconds a unit below one a second."""

    def render(self, task: Any) -> Text:
        speed, unit = task.finished_speed or task.speed, task.fields.get("unit", "")
        return Text(rate(speed or 0.0, unit), style="progress.data.speed")


def rate(speed: float, unit: str) -> str:
    """Return a speed in words: 12.5 chunks/s, 3.4 s each, 2.1 MB/s; empty if it is unknown."""
    if speed <= 0:
        return ""
    if unit == "bytes":
        return f"{speed / 1e6:.1f} MB/s"
    return f"{speed:,.1f} {unit}/s" if speed >= 1 else f"{1 / speed:.1f} s each"


def amount(step: Step) -> str:
    """Return the progress of a step in words: 12/60 questions, 40/93 MB."""
    if step.unit == "bytes":
        return f"{step.done / 1e6:,.0f}/{step.total / 1e6:,.0f} MB" if step.total else f"{step.done / 1e6:,.0f} MB"
    return (f"{step.done:,}/{step.total:,} {step.unit}" if step.total else f"{step.done:,} {step.unit}").rstrip()


@contextmanager
def show_progress(console: Console) -> Iterator[Notify]:
    """Show progress on the console while the block runs."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[amount]}"),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True, speed_estimate_period=60) as bars:
        yield _Bars(bars)


class _Bars:
    """A `Notify` that keeps one bar for each task and removes it at the end of the task."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        fields: dict[str, Any] = {"amount": amount(step), "note": step.note, "unit": step.unit}
        total = step.total or None
        if step.task not in self.tasks:
            self.tasks[step.task] = self.bars.add_task(step.task, total=total, completed=step.done, **fields)
        self.bars.update(self.tasks[step.task], completed=step.done, total=total, **fields)
        if total and step.done >= total:
            self.bars.remove_task(self.tasks.pop(step.task))


class _Lines:
    """A `Notify` that writes a line every `LINE_SECONDS`. Shorter steps stay silent."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began: dict[str, tuple[float, int]] = {}
        self.wrote: dict[str, float] = {}

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if not step.done and step.total:
            # A new start: an earlier step of this name was interrupted, or ended before it was shown.
            self.began.pop(step.task, None)
        start, first = self.began.setdefault(step.task, (now, step.done))
        ended = bool(step.total) and step.done >= step.total
        wrote = self.wrote.setdefault(step.task, now)
        if ended:  # shown or not, so that the next step of this name starts from zero
            del self.began[step.task], self.wrote[step.task]
        if now - wrote < LINE_SECONDS and not (ended and now - start >= LINE_SECONDS):
            return
        if not ended:
            self.wrote[step.task] = now
        speed = (step.done - first) / (now - start) if now > start else 0.0
        left = f"{(step.total - step.done) / speed:,.0f} s left" if step.total and speed > 0 and not ended else ""
        note = f" ({step.note})" if step.note else ""
        state = ", ".join(filter(None, (amount(step), rate(speed, step.unit), left)))
        self.console.print(f"  {step.task}: {state}{note}", markup=False, highlight=False, soft_wrap=True)
