"""Errors become messages with a place and a remedy, and exit codes.

2: the user can fix it. 1: an error of ours. 3: a time limit stopped the run. 130: Ctrl-C.
"""

import errno
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from weighbridge.errors import UnfinishedError, WeighbridgeError

INTERRUPTED = 130
STOPPING = "\nStopping, after the work under way. Ctrl-C again leaves at once; nothing stored is lost.\n"
STOPPED = "Stopped. Everything done so far is kept: run the same command again to continue from here."


def run_command(command: Callable[[], object]) -> NoReturn:
    """Run a command and exit with its code. Errors become messages on standard error.

    Waiting OpenMP threads (those of torch) sleep instead of spinning. Spinning slows two trainings on two cores from
    260 to 15 tokens a second each (docs/adr/0004). The variable must be set before torch is loaded. A value that the
    user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    interrupts = _note_interrupts()
    try:
        code = command()
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except KeyboardInterrupt:
        _stop()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer catches Ctrl-C itself, and exits with this code
            _stop()
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a bug becomes a message and a file
        if interrupts:  # pydantic turns a KeyboardInterrupt inside a serializer into its own error
            _stop()
        _fail(error)


def _note_interrupts() -> list[int]:
    """Turn SIGTERM and Ctrl-C into `KeyboardInterrupt`, and return a list that collects their numbers.

    Threads finish the answers that they have begun, and that takes seconds. A second signal does not wait for them:
    whatever is stored is whole at any moment, as the kill tests show.
    """
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        if received:
            os._exit(INTERRUPTED)
        received.append(number)
        with suppress(OSError):
            os.write(2, STOPPING.encode())  # print is not for signal handlers: it may be the one interrupted
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a background job of a shell ignores Ctrl-C, and shall
        signal.signal(signal.SIGINT, interrupt)
    return received


def _stop() -> NoReturn:
    _tell(STOPPED)
    sys.exit(INTERRUPTED)


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, UnfinishedError):
        _tell(f"Stopped: {error}")
        sys.exit(error.exit_code)
    if isinstance(error, WeighbridgeError):
        _tell(f"Error: {error}")
        sys.exit(error.exit_code)
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    if isinstance(error, OSError):
        _tell(f"Error: {_os_error(error)}")
        sys.exit(2)
    _tell(
        f"Error: something unforeseen happened in weighbridge ({type(error).__name__}: {error}). Nothing already "
        f"stored is lost. Please report it with the file {_keep_traceback(error)}"
    )
    sys.exit(1)


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{where}the disk is full; free some space and run the same command again. Stored results are kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission; make it readable and writable for you, or use another --workspace"
    return f"{where}{error.strerror or error}"


def _keep_traceback(error: Exception) -> Path:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="weighbridge-error-", suffix=".txt", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return Path(file.name)


def _tell(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201 - the console itself may be broken
