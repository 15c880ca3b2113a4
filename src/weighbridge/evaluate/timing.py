"""Measures the time and memory of an answer when the strategy has the machine to itself.

Run it in a fresh process that does nothing else: this module cannot tell whether other programs are running.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from weighbridge.errors import WeighbridgeError
from weighbridge.protocols import Notify, Strategy, silent
from weighbridge.types import Progress, Question, Timing

QUESTIONS_FOR_P95 = 60
"""One to warm up and 59 timed: the slowest of 59, and of no fewer, bounds the 95th percentile (0.95^59 < 5 %)."""


def time_alone(
    strategy: Strategy, questions: Sequence[Question], *, warmup: int = 1, notify: Notify = silent
) -> tuple[Timing, ...]:
    """Ask the questions one at a time, and return the seconds of each that was answered.

    The first `warmup` questions are asked and not timed, and not asked again (an engine would have kept their
    prompts); one question at least is timed. A question that fails has no timing: fewer come back than were asked.

    Raises:
        WeighbridgeError: no question could be answered; the last failure.
    """
    warm = min(warmup, len(questions) - 1)
    timings: list[Timing] = []
    failure: WeighbridgeError | None = None
    for done, question in enumerate(questions, start=1):
        try:
            timing = _time_answer(strategy, question)
        except WeighbridgeError as error:
            failure = error
        else:
            if done > warm:
                timings.append(timing)
        notify(Progress(task=f"timing {strategy.name}", done=done, total=len(questions), unit="questions"))
    if failure and not timings:
        raise failure
    return tuple(timings)


def peak_memory_bytes() -> int:
    """Return the most memory this process has held resident since it started, in bytes; mapped files included.

    On Linux from /proc, because getrusage there carries over the parent's figure when a process is spawned.
    """
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":
        with suppress(OSError), Path("/proc/self/status").open(encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _time_answer(strategy: Strategy, question: Question) -> Timing:
    start = perf_counter()
    first = 0.0

    def note_first(text: str) -> None:
        nonlocal first
        first = first or (perf_counter() if text else 0.0)

    answer = strategy.answer(question, emit=note_first)
    end = perf_counter()
    return Timing(
        retrieval=answer.timing.retrieval,
        first_token=(first or end) - start,
        total=end - start,
        thinking=answer.timing.thinking,
    )
