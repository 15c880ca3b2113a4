"""How long the commands that read saved files alone take, beside `weighbridge --help`.

Run it in a workspace that was weighed, or name one: python benchmarks/decide_speed.py mine
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 5
COMMANDS = (
    ("--help",),
    ("decide", "--what-if", "latency.p95=2s", "--what-if", "volume=1e6"),
    ("decide",),
    ("needs",),
    ("needs", "--preset", "support-desk"),
    ("cost",),
    ("plan",),
    ("evidence",),
    ("case",),
)
"""Commands that a release does not have are left out."""


@dataclass(frozen=True)
class Taken:
    """The seconds of one run: by the clock, and of the processor. A busy machine lengthens the first far more."""

    wall: float
    processor: float


def measure(words: tuple[str, ...], folder: Path) -> Taken | None:
    """Return the seconds of one run; None where the command does not exist or fails."""
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-m", "weighbridge", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"weighbridge {' '.join(words)}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(time.perf_counter() - start, processor)


def main() -> None:
    """Run the commands in turn on a copy of the saved files, after one warm-up each, and print medians."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".weighbridge").mkdir()
        shutil.copy(root / "weighbridge.yaml", folder)
        for saved in ("weighing.json", "measurements.json", "decision.json"):
            if (root / ".weighbridge" / saved).exists():
                shutil.copy(root / ".weighbridge" / saved, folder / ".weighbridge")
        size = (folder / ".weighbridge" / "weighing.json").stat().st_size / 1e6
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; weighing.json has {size:.1f} MB")
        taken: dict[tuple[str, ...], list[Taken]] = {}
        for run in range(RUNS + 1):
            for words in COMMANDS:
                once = measure(words, folder) if run == 0 or words in taken else None
                if once is not None:
                    taken.setdefault(words, []).append(once)
    for words, values in taken.items():
        walls = [one.wall for one in values[1:]]
        processor = statistics.median(one.processor for one in values[1:])
        print(
            f"weighbridge {' '.join(words):<64} median {statistics.median(walls):.2f} s"
            f"  (min {min(walls):.2f}, max {max(walls):.2f}; processor {processor:.2f})"
        )


if __name__ == "__main__":
    main()
