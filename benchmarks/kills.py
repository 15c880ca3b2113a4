"""Is a `compare` that was killed again and again the same as an undisturbed one? python benchmarks/kills.py WORKSPACE.

The workspace is copied twice, without what it has stored. One copy runs undisturbed; the other is killed (SIGKILL, with
all its processes) at random moments of that duration and started again, and then left to end.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

Records = dict[str, dict]


def main() -> None:
    """Run both and compare every record: text, passages, citations, scores, tokens; all but the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        calm, killed = (_copy(given.workspace, Path(folder) / name) for name in ("calm", "killed"))
        start = time.perf_counter()
        _run(calm)
        whole = time.perf_counter() - start
        print(f"undisturbed: {whole:.0f} s", flush=True)
        moments = random.Random(given.seed)
        for number in range(given.kills):
            after = moments.uniform(1, whole * 0.6)
            ended = _run(killed, kill_after=after)
            state = "had ended before" if ended else f"killed after {after:.0f} s"
            print(f"kill {number + 1}: {state}; {len(_records(killed))} records stored", flush=True)
        _run(killed)
        one, other = _records(calm), _records(killed)
        same = sum(one[key] == other.get(key) for key in one)
        print(f"{same} of {len(one)} records are the same; {len(other.keys() - one.keys())} besides")


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".weighbridge", "compare.json"))
    return target


def _run(root: Path, kill_after: float | None = None) -> bool:
    """Run `compare`; return whether it ended by itself."""
    command = [sys.executable, "-m", "weighbridge", "compare", "--workspace", str(root)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, process_group=0, **quiet) as process:
        try:
            code = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False
    if code:
        raise SystemExit(f"compare in {root} ended with code {code}")
    return True


def _records(root: Path) -> Records:
    found: Records = {}
    for file in sorted((root / ".weighbridge" / "records").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                record = json.loads(line)
                if record["answer"]:
                    record["answer"].pop("timing")
                found[record["key"]] = record
    return found


if __name__ == "__main__":
    main()
