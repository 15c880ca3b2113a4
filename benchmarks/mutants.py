"""Does a test notice when the code is changed carelessly? Each row of mutants/*.jsonl is one such change.

A row names a file, the exact text that is changed, its replacement, the tests that must fail, and the behaviour that
they protect: {"file", "before", "after", "tests": [...], "behaviour"}. The change is made in a copy of `src`, never in
the working tree. The tests must pass without any change first; then a change is caught if they fail with it.

Run: python benchmarks/mutants.py [--only AREA ...] [--jobs 2] [--list] [--json]
Exits with 0 if all were caught, 1 if any survived, 2 if any could not be tried.
"""

import argparse
import compileall
import json
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TextIO

ROOT = Path(__file__).parents[1]
KEYS = ("file", "before", "after", "tests", "behaviour")
PATIENCE = 10
"""Times the tests' own seconds (and never under a minute) after which a change is taken to loop for ever. Such a
change counts as caught: a suite that never ends does not pass."""

Outcome = Literal["caught", "survived", "does not apply", "tests fail without it"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One careless change, and the tests that must notice it."""

    area: str
    """The name of the file of rows it comes from, without its ending."""
    file: str
    """Relative to the repository, under src/."""
    before: str
    after: str
    tests: tuple[str, ...]
    behaviour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one change."""

    mutant: Mutant
    outcome: Outcome
    seconds: float
    detail: str = ""
    """The first test that noticed it, or why it could not be tried."""


def main() -> None:
    """Try the changes asked for, and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--only", nargs="+", metavar="AREA", help="files of rows to take, without their ending")
    parser.add_argument("--jobs", type=int, default=1, help="how many changes to try at the same time")
    parser.add_argument("--list", action="store_true", help="name the changes and try none")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON; progress goes to stderr")
    asked = parser.parse_args()
    mutants = read_mutants(asked.root, asked.only)
    if asked.list:
        for mutant in mutants:
            print(f"{mutant.area:<12} {mutant.file}: {mutant.behaviour}")
        return
    out = sys.stderr if asked.json else sys.stdout
    trials = try_all(asked.root, mutants, jobs=asked.jobs, out=out)
    if asked.json:
        print(json.dumps(as_json(trials), indent=1))
    sys.exit(exit_code(trials))


def read_mutants(root: Path, areas: Sequence[str] | None = None) -> list[Mutant]:
    """Return the rows of benchmarks/mutants/*.jsonl in order; SystemExit names a row that is not as it should be."""
    files = {file.stem: file for file in sorted((root / "benchmarks" / "mutants").glob("*.jsonl"))}
    if unknown := set(areas or ()) - files.keys():
        raise SystemExit(f"no rows for {', '.join(sorted(unknown))}; there are: {', '.join(files)}")
    mutants = []
    for area in areas or files:
        for number, line in enumerate(files[area].read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                mutants.append(_parse(line, area, f"{files[area].name}:{number}"))
    return mutants


def _parse(line: str, area: str, place: str) -> Mutant:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise SystemExit(f"{place}: not JSON: {error}") from None
    if not isinstance(row, dict) or set(row) != set(KEYS):
        raise SystemExit(f"{place}: a row has exactly the keys {', '.join(KEYS)}")
    if not row["tests"] or not isinstance(row["tests"], list):
        raise SystemExit(f"{place}: 'tests' is a list of pytest files or node ids")
    return Mutant(area=area, **{**row, "tests": tuple(row["tests"])})


def why_not(root: Path, mutant: Mutant) -> str:
    """Return why a change cannot be made to the tree as it is; empty where it can."""
    file = root / mutant.file
    if not mutant.file.startswith("src/") or not file.is_file():
        return f"no file {mutant.file} under src"
    if mutant.before == mutant.after:
        return "it changes nothing"
    if (times := file.read_text(encoding="utf-8").count(mutant.before)) != 1:
        return f"the text stands {times} times in {mutant.file}, not once"
    missing = [test for test in mutant.tests if not _exists(root, test)]
    return f"no tests {', '.join(missing)}" if missing else ""


def _exists(root: Path, test: str) -> bool:
    """Tell whether a file of tests is there, and in it the function that may be named after "::"."""
    path, _, name = test.partition("::")
    if not name:
        return (root / path).exists()
    function = name.partition("[")[0].rpartition("::")[2]
    return (root / path).is_file() and f"def {function}(" in (root / path).read_text(encoding="utf-8")


def try_all(root: Path, mutants: Sequence[Mutant], *, jobs: int = 1, out: TextIO = sys.stdout) -> list[Trial]:
    """Try every change, some at the same time, and say how far it is; the trials come back in the order of the rows."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        clean = Path(folder) / "clean"
        shutil.copytree(root / "src", clean, ignore=shutil.ignore_patterns("__pycache__"))
        # By content: a change of the same length within a second would pass for the compiled file's own source.
        compileall.compile_dir(clean, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        sets = sorted({mutant.tests for mutant in mutants if not why_not(root, mutant)})
        print(f"running {len(sets)} sets of tests without any change", file=out, flush=True)
        unchanged = dict(zip(sets, pool.map(lambda tests: run_tests(root, clean, tests), sets), strict=True))

        def attempt(mutant: Mutant) -> Trial:
            if reason := why_not(root, mutant):
                return Trial(mutant=mutant, outcome="does not apply", seconds=0, detail=reason)
            return _try(root, clean, mutant, unchanged[mutant.tests])

        return _report(mutants, lambda mutant: pool.submit(attempt, mutant), out)


@dataclass(frozen=True, slots=True)
class PytestRun:
    """Whether tests passed, how long they took, and the first that did not."""

    passed: bool
    seconds: float
    detail: str


def _try(root: Path, clean: Path, mutant: Mutant, unchanged: PytestRun) -> Trial:
    start = time.perf_counter()
    if not unchanged.passed:
        return Trial(mutant=mutant, outcome="tests fail without it", seconds=0, detail=unchanged.detail)
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(clean, copy)
        file = copy / Path(mutant.file).relative_to("src")
        file.write_text(file.read_text(encoding="utf-8").replace(mutant.before, mutant.after), encoding="utf-8")
        run = run_tests(root, copy, mutant.tests, limit=max(60, PATIENCE * unchanged.seconds))
    outcome: Outcome = "survived" if run.passed else "caught"
    return Trial(mutant=mutant, outcome=outcome, seconds=time.perf_counter() - start, detail=run.detail)


def run_tests(root: Path, source: Path, tests: Sequence[str], limit: float | None = None) -> PytestRun:
    """Run tests on a copy of the sources; a run that takes more than `limit` seconds is killed and has not passed."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mutant-home-") as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": folder,  # an example that one change failed on is not the next one's
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", *tests]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, cwd=root, env=environment, process_group=0, **pipes) as process:
            try:
                printed, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                took = time.perf_counter() - start
                return PytestRun(passed=False, seconds=took, detail=f"no end after {limit:.0f} s")
    noticed = [line for line in printed.splitlines() if line.startswith(("FAILED", "ERROR"))]
    detail = noticed[0] if noticed else "" if process.returncode == 0 else printed.strip()[-300:]
    return PytestRun(passed=process.returncode == 0, seconds=time.perf_counter() - start, detail=detail)


def _report(mutants: Sequence[Mutant], submit: Callable[[Mutant], "Future[Trial]"], out: TextIO) -> list[Trial]:
    """Start every trial, print each as it ends and then the totals, and return them in the order of the rows."""
    start = time.perf_counter()
    places = {submit(mutant): place for place, mutant in enumerate(mutants)}
    trials: dict[int, Trial] = {}
    for done, future in enumerate(as_completed(places), start=1):
        trial = trials[places[future]] = future.result()
        left = (time.perf_counter() - start) / done * (len(mutants) - done)
        head = f"[{done}/{len(mutants)}, {left:.0f} s left] {trial.outcome:<8} {trial.seconds:5.1f} s"
        print(f"{head}  {trial.mutant.file}: {trial.mutant.behaviour}", file=out, flush=True)
        if trial.outcome != "caught" and trial.detail:
            print(f"    {trial.detail}", file=out, flush=True)
    ordered = [trials[place] for place in range(len(mutants))]
    for line in totals(ordered):
        print(line, file=out, flush=True)
    return ordered


def totals(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield a line for each area, one for all, and the mutation score: the share caught of those that were tried."""
    for area in dict.fromkeys(trial.mutant.area for trial in trials):
        counts = Counter(trial.outcome for trial in trials if trial.mutant.area == area)
        yield f"{area}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    caught, tried = _caught(trials)
    yield f"mutation score: {caught} of {tried}" + (f" ({caught / tried:.1%})" if tried else "")


def as_json(trials: Sequence[Trial]) -> dict[str, object]:
    """Return all trials with their totals; the score is null where nothing was tried."""
    caught, tried = _caught(trials)
    rows = [asdict(trial) for trial in trials]
    return {"caught": caught, "tried": tried, "score": caught / tried if tried else None, "trials": rows}


def exit_code(trials: Sequence[Trial]) -> int:
    """Return 2 where a change could not be tried, else 1 where one survived, else 0."""
    outcomes = {trial.outcome for trial in trials}
    return 2 if outcomes - {"caught", "survived"} else int("survived" in outcomes)


def _caught(trials: Sequence[Trial]) -> tuple[int, int]:
    outcomes = Counter(trial.outcome for trial in trials)
    return outcomes["caught"], outcomes["caught"] + outcomes["survived"]


if __name__ == "__main__":
    main()
