"""A worker process as its parent sees it: started in a clean interpreter, talked to in lines, ended when it is late."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import weighbridge
from weighbridge.ingest.files.limits import ReadingLimits

_STARTS_SECONDS = 120.0
_DIES_SECONDS = 2.0


class Process:
    """A running `weighbridge.ingest.files.worker`. One thread talks to it; any thread may end it."""

    def __init__(self, limits: ReadingLimits, folder: Path) -> None:
        """Start it, with `folder` for its temporary files."""
        roots = [str(Path(weighbridge.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, roots)), "TMPDIR": str(folder)}
        self._lock = threading.Lock()
        self._complaints = folder / f"complaints-{id(self)}"
        self._deadline = time.monotonic() + _STARTS_SECONDS
        self._late = False
        command = [
            sys.executable,
            "-P",
            "-W",
            "ignore",
            "-m",
            "weighbridge.ingest.files.worker",
            json.dumps(asdict(limits)),
        ]
        with self._complaints.open("wb") as complaints:
            self._process = subprocess.Popen(  # noqa: S603 - nothing of it comes from a document
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", **paths},
                encoding="ascii",
            )

    @property
    def late(self) -> bool:
        """Tell whether it was ended because its time was over."""
        return self._late

    def send(self, values: dict[str, Any]) -> None:
        """Ask something of it. That it is dead is noticed when it is listened to."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{json.dumps(values)}\n")
                self._process.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """Return its next message; None where it is dead."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line.endswith("\n"):
            with suppress(subprocess.TimeoutExpired):  # its exit status tells why; to kill it would hide that
                self._process.wait(_DIES_SECONDS)
            return None
        said: dict[str, Any] = json.loads(line)
        return said

    def allow(self, deadline: float) -> None:
        """Let it run until then, by the monotonic clock."""
        with self._lock:
            self._deadline = deadline

    def kill_if_late(self) -> None:
        """End it where its time is over."""
        with self._lock:
            if time.monotonic() > self._deadline:
                self._late, self._deadline = True, float("inf")
                self._process.kill()

    def kill(self) -> None:
        """End it, whatever it does."""
        with self._lock:
            self._process.kill()

    def bury(self) -> int:
        """End it, free its pipes, and return its exit status."""
        self.allow(float("inf"))
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if self._process.poll() is None:
            self.kill()
        status = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status

    def complaint(self) -> str:
        """Return the last line that it said when it could not start."""
        return self._complaints.read_text(errors="replace").strip().rpartition("\n")[2][:500]
