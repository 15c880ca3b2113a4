"""A worker process: it parses files for its parent, confined, and dies rather than exceed its limits.

Lines of JSON go in and out. In: `{"path", "made", "skip", "told"}`, a file to read, where to append its documents,
the numbers of the files inside that are to be left alone, and the names of those that have been told of before. Out:
`{"ready": true}` once; then for each file `{"begun": number, "name"}` and `{"piece"}` by turns, and `{"done": true}`.
`{"full": reason}` says that documents cannot be written, and is the last. A worker ends when its input does, which it
does when its parent dies.
"""

import json
import os
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

from weighbridge.ingest.content import Loss
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.archive import FileBegun, FileOutcome, walk
from weighbridge.ingest.files.cache import ParsedPiece, cut_to_largest, write_content
from weighbridge.ingest.files.limits import ReadingLimits

OUT_OF_MEMORY = 77
"""The exit status of a worker that a file brought to the end of its memory."""

_LOSSES = 200
"""Losses of one file that are told one by one."""


def main() -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    limits = ReadingLimits(**json.loads(sys.argv[1]))
    _confine_memory(limits)
    answers = _private_output()
    _say(answers, {"ready": True})
    try:
        for line in sys.stdin:
            _confine_time(limits)
            _serve(json.loads(line), limits, answers)
            _say(answers, {"done": True})
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        os._exit(0)


def _serve(task: dict[str, Any], limits: ReadingLimits, answers: TextIO) -> None:
    told = frozenset(task["told"])
    for event in walk(Path(task["path"]), limits=limits, skip=frozenset(task["skip"])):
        if isinstance(event, FileBegun):
            _say(answers, {"begun": event.number, "name": event.name})
        elif event.name not in told:
            try:
                piece = _write_outcome(event, Path(task["made"]))
            except OSError as error:
                _say(answers, {"full": str(error.strerror)})
                sys.exit(1)
            _say(answers, {"piece": asdict(piece)})


def _write_outcome(read: FileOutcome, made: Path) -> ParsedPiece:
    losses = [*read.losses]
    places = []
    if read.contents:
        with made.open("ab") as file:
            places = [write_content(file, cut_to_largest(content)) for content in read.contents]
        long = (content for content in read.contents if len(content.text) > LARGEST)
        losses += [Loss(content.name, f"text after {LARGEST:,} characters was left out") for content in long]
    if len(losses) > _LOSSES:
        losses[_LOSSES:] = [Loss("", f"and {len(losses) - _LOSSES:,} losses more")]
    return ParsedPiece(
        name=read.name,
        kind=read.kind,
        places=tuple(places),
        losses=tuple(replace(loss, what=loss.what[:LARGEST]) for loss in losses),
        reason=read.reason,
        lasting=read.lasting,
    )


def _say(answers: TextIO, values: dict[str, Any]) -> None:
    answers.write(f"{json.dumps(values)}\n")
    answers.flush()


def _private_output() -> TextIO:
    """Return the standard output, and send everything that libraries print from now on nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answers


def _confine_memory(limits: ReadingLimits) -> None:
    """Bound the memory allocated from now on, and the address space by twice that, as some memory is only mapped."""
    if sys.platform != "linux":
        return
    import resource

    import psutil

    now = psutil.Process().memory_info()
    more = limits.memory_mb * 2**20
    _lower_limit(resource.RLIMIT_DATA, now.data + more)
    _lower_limit(resource.RLIMIT_AS, now.vms + 2 * more)
    _lower_limit(resource.RLIMIT_CORE, 0)


def _confine_time(limits: ReadingLimits) -> None:
    """Bound the processor time of the next task, should the parent die while it runs."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + 2 * limits.archive_seconds) + 1)


def _lower_limit(which: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
