"""Seconds and memory of one whole `weighbridge compare`: python benchmarks/weigh.py WORKSPACE."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil


def main() -> None:
    """Run `compare` in a workspace and print what it took and what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    root = parser.parse_args().workspace
    start = time.perf_counter()
    command = [sys.executable, "-m", "weighbridge", "compare", "--workspace", str(root), "--json"]
    with (root / "compare.json").open("w") as out, subprocess.Popen(command, stdout=out) as process:
        peak = watch_memory(process.pid)
    wall = time.perf_counter() - start
    print(f"exit code {process.returncode}; wall {wall:.0f} s; peak memory of all its processes {peak / 2**30:.2f} GiB")
    if process.returncode == 0:
        _table(json.loads((root / "compare.json").read_text(encoding="utf-8")))


def watch_memory(pid: int) -> int:
    """Return the most bytes that a process and its children held resident at once, looked at ten times a second."""
    process, peak = psutil.Process(pid), 0
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        held = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                held += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, held)
        time.sleep(0.1)
    return peak


def _table(weighing: dict) -> None:
    machine = weighing["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores; {len(weighing['examples'])} questions")
    for measurement in weighing["measurements"]:
        figures = measurement["figures"]
        cells = [
            f"{name} {figures[name]['value']:.3g} ({figures[name]['low']:.3g}-{figures[name]['high']:.3g})"
            for name in ("accuracy", "hallucination", "recall", "latency_p50", "latency_p95", "cost_per_thousand")
            if name in figures
        ]
        memory = figures["memory"]["value"] / 2**20
        print(f"{measurement['strategy']:<11} failures {measurement['failures']}  {'  '.join(cells)}  {memory:.0f} MiB")
    decision = weighing["decision"]
    print(f"decision: {decision['outlook']}: {', '.join(decision['contenders'])}")
    for reason in decision["reasons"]:
        print(f"  {reason}")
    print("seconds:", ", ".join(f"{step} {seconds:.0f}" for step, seconds in weighing["seconds"].items()))


if __name__ == "__main__":
    main()
