"""Commands in the process of the tests, which has loaded the libraries already: a process each takes seconds."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from unittest.mock import patch

from weighbridge.cli import main

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*words: str, cwd: Path | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as `python -m weighbridge` does, errors, interrupts and exit code included."""
    environment = {**os.environ, "COLUMNS": "100", **more}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with (
        patch.object(sys, "argv", ["weighbridge", *words]),
        patch.dict(os.environ, environment),
        contextlib.chdir(cwd or Path.cwd()),
        _captured("stdout", 1) as out,
        _captured("stderr", 2) as err,
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return subprocess.CompletedProcess(words, code, "".join(out), "".join(err))


@contextlib.contextmanager
def _captured(name: str, number: int) -> Iterator[list[str]]:
    """Catch what is written to a stream, by libraries in C too.

    The stream of the meantime is never closed: a library that is loaded meanwhile may keep it, as loggers do.
    """
    before, kept, text = getattr(sys, name), os.dup(number), list[str]()
    with TemporaryFile() as file:
        before.flush()
        os.dup2(file.fileno(), number)
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        try:
            yield text
        finally:
            stream.flush()
            setattr(sys, name, before)
            os.dup2(kept, number)
            os.close(kept)
            file.seek(0)
            text.append(file.read().decode("utf-8"))
