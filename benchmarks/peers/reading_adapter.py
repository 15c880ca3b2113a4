"""How every reader is asked. Standard library only: it runs in any environment.

An adapter is a program without arguments. Paths come in, one a line, as JSON strings; after each, one line goes out:
`{"text", "error", "seconds", "peak_mb"}`. What a library prints goes nowhere.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path


def main(read: Callable[[Path], str]) -> None:
    """Read what is asked for until the input ends. Importing the library is over when this is called."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for line in sys.stdin:
        path = Path(json.loads(line))
        text, error = "", ""
        start = time.process_time()
        try:
            text = read(path)
        except BaseException as raised:  # noqa: BLE001 - some libraries raise panics that are no `Exception`
            error = f"{type(raised).__name__}: {raised}"[:300]
        seconds = time.process_time() - start
        peak = peak_mb()
        answer = {"text": text, "error": error, "seconds": seconds, "peak_mb": peak}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def peak_mb() -> float:
    """Return the most memory that this program held; `getrusage` would count what started it, too (Linux)."""
    held = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(held[1]) / 1024 if held else 0.0
