"""Compares builds of llama.cpp on this processor: tokens read and written in a second of processor time.

    python benchmarks/llamacpp_builds.py model.gguf [another.gguf ...] --server path/to/llama-server [--segment 32]

The wheel runs in this process as Weighbridge runs it, each server in a process of its own with the same settings: one
thread, one slot, pieces of `--segment` tokens. Processor time is taken and not the clock, so that other work on the
machine counts little. A server that dies is reported: a build for instructions that the machine announces but does not
allow does so at its first prompt.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from httpx2 import Client, HTTPError, HTTPTransport, Limits

from weighbridge.generate.llama_engine import SEGMENT, engine_parameters, start_engine

_KEY = "benchmark"
_PROMPT = list(range(1000, 1160))
_WRITTEN = 24
_START_SECONDS = 120


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--server", action="append", default=[], type=Path)
    parser.add_argument("--segment", type=int, default=SEGMENT)
    asked = parser.parse_args()
    print("| model | build | read, tokens/s | written, tokens/s |\n|---|---|---|---|")
    for model in asked.models:
        for build in ("wheel", *asked.server):
            with tempfile.TemporaryDirectory() as folder:
                socket = Path(folder) / "s.sock"
                started = _wheel if build == "wheel" else _server(build)
                try:
                    with started(model, socket, asked.segment) as seconds:
                        read, written = _rates(socket, seconds)
                    print(f"| {model.name} | {build} | {read:.0f} | {written:.1f} |", flush=True)
                except (HTTPError, OSError) as error:
                    print(f"| {model.name} | {build} | failed: {error} | |", flush=True)


@contextmanager
def _wheel(model: Path, socket: Path, segment: int) -> Iterator[Callable[[], float]]:
    parameters = engine_parameters(model, context=1024)
    parameters.hostnames, parameters.api_keys = [str(socket)], [_KEY]
    parameters.n_batch = parameters.n_ubatch = segment
    engine = start_engine(parameters)
    yield time.process_time
    del engine


def _server(build: Path) -> Callable[[Path, Path, int], "contextmanager[Callable[[], float]]"]:
    @contextmanager
    def start(model: Path, socket: Path, segment: int) -> Iterator[Callable[[], float]]:
        fixed = [
            "-t",
            "1",
            "-tb",
            "1",
            "-c",
            "1024",
            "-np",
            "1",
            "--ctx-checkpoints",
            "0",
            "--cache-ram",
            "0",
            "--no-warmup",
        ]
        pieces = ["-b", str(segment), "-ub", str(segment)]
        command = [build, "-m", model, "--host", socket, "--api-key", _KEY, *fixed, *pieces]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **quiet) as process:
            watched = psutil.Process(process.pid)
            try:
                yield lambda: sum(watched.cpu_times()[:2])
            finally:
                process.kill()

    return start


def _rates(socket: Path, seconds: Callable[[], float]) -> tuple[float, float]:
    transport = HTTPTransport(uds=str(socket), limits=Limits(max_keepalive_connections=0))
    headers = {"Authorization": f"Bearer {_KEY}"}
    with Client(transport=transport, base_url="http://llama.cpp", headers=headers, timeout=300) as client:
        _wait(client)

        def ask(tokens: list[int], written: int) -> float:
            begin = seconds()
            asked = {
                "prompt": tokens,
                "n_predict": written,
                "temperature": 0,
                "cache_prompt": False,
                "ignore_eos": True,
            }
            client.post("/completion", json=asked).raise_for_status()
            return seconds() - begin

        ask(_PROMPT[:40], 1)
        reading = min(ask(_PROMPT, 1) for _ in range(2))
        writing = ask(_PROMPT[:8], _WRITTEN + 1) - ask(_PROMPT[:8], 1)
    return len(_PROMPT) / reading, _WRITTEN / writing


def _wait(client: Client) -> None:
    for _ in range(_START_SECONDS * 5):
        try:
            if client.get("/health").is_success:
                return
        except HTTPError:
            pass
        time.sleep(0.2)
    raise OSError("it does not answer")


if __name__ == "__main__":
    main()
