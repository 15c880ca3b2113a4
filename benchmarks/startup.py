"""How long `weighbridge --help` takes, beside a bare interpreter and an import of torch.

By the clock, and in processor time, which other work on the machine changes less.
"""

import resource
import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import weighbridge": [sys.executable, "-c", "import weighbridge"],
    "import typer.rich_utils": [sys.executable, "-c", "import typer.rich_utils"],
    "weighbridge --help": [sys.executable, "-m", "weighbridge", "--help"],
    "weighbridge compare --help": [sys.executable, "-m", "weighbridge", "compare", "--help"],
    "python -c 'import torch'": [sys.executable, "-c", "import torch"],
}


def seconds(command: list[str]) -> tuple[float, float]:
    """Return the wall-clock and the processor seconds of one run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Run the commands in turn, after one warm-up each, and print medians."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for run in range(RUNS + 1):
        for name, command in COMMANDS.items():
            once = seconds(command)
            if run:
                taken[name].append(once)
    for name, values in taken.items():
        clock, processor = zip(*values, strict=True)
        spread = f"(min {min(clock):.3f}, max {max(clock):.3f})"
        least = f"processor {statistics.median(processor):.3f} s (min {min(processor):.3f})"
        print(f"{name:<28} median {statistics.median(clock):.3f} s  {spread}, {least}")


if __name__ == "__main__":
    main()
