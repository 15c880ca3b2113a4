"""Is a `compare` that was killed again and again the same as an undisturbed one?

The workspace is copied, without what it has stored. One copy runs undisturbed; others are killed (SIGKILL, with all
their processes) at random moments and started again until they end, until there have been as many kills as asked for.

Run: python benchmarks/kills.py WORKSPACE --kills 10
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
        calm = _copy(given.workspace, Path(folder) / "calm")
        start = time.perf_counter()
        _run(calm)
        whole = time.perf_counter() - start
        print(f"undisturbed: {whole:.0f} s, {len(_records(calm))} records", flush=True)
        moments, kills, ended = random.Random(given.seed), 0, 0
        while kills < given.kills:
            killed = _copy(given.workspace, Path(folder) / f"killed-{ended}")
            while kills < given.kills and not _run(killed, kill_after=moments.uniform(1, whole * 0.5)):
                kills += 1
                print(f"kill {kills}: run {ended + 1}, {len(_records(killed))} records stored", flush=True)
            _run(killed)
            ended += 1
            one, other = _records(calm), _records(killed)
            same = sum(one[key] == other.get(key) for key in one)
            besides = len(other.keys() - one.keys())
            print(f"run {ended} has ended: {same} of {len(one)} records are the same, {besides} besides", flush=True)


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
