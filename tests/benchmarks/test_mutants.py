"""The program that tries careless changes, on a small repository; and the rows that are kept of ours."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "benchmarks" / "mutants.py"
SOURCE = "def add(one, other):\n    return one + other\n\n\ndef twice(one):\n    return one * 2\n"
TESTS = "from small.sums import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"


def row(before: str, after: str, tests: str = "tests/test_sums.py") -> dict[str, object]:
    return {"file": "src/small/sums.py", "before": before, "after": after, "tests": [tests], "behaviour": "sums"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name, text in (("src/small/__init__.py", ""), ("src/small/sums.py", SOURCE), ("tests/test_sums.py", TESTS)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "benchmarks" / "mutants").mkdir(parents=True)
    return tmp_path


def run(root: Path, *rows: dict[str, object], options: tuple[str, ...] = ("--json",)) -> tuple[int, str]:
    (root / "benchmarks" / "mutants" / "area.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    command = [sys.executable, str(PROGRAM), "--root", str(root), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_change_is_caught_or_survives_and_the_tree_stays_as_it_is(small: Path) -> None:
    before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}
    code, printed = run(small, row("one + other", "one - other"), row("one * 2", "one * 3"))
    told = json.loads(printed)
    assert code == 1
    assert [trial["outcome"] for trial in told["trials"]] == ["caught", "survived"]
    assert "test_add" in told["trials"][0]["detail"]
    assert (told["caught"], told["tried"], told["score"]) == (1, 2, 0.5)
    after = {path: path.read_bytes() for path in small.rglob("*") if path.is_file() and path.suffix != ".jsonl"}
    assert after == before


def test_all_caught_is_success(small: Path) -> None:
    code, printed = run(small, row("one + other", "one + 1"), options=("--only", "area", "--jobs", "2"))
    assert (code, "mutation score: 1 of 1 (100.0%)" in printed) == (0, True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (row("one % other", "one"), "the text stands 0 times in src/small/sums.py, not once"),
        (row("one", "two"), "the text stands 4 times in src/small/sums.py, not once"),
        (row("one * 2", "one * 2"), "it changes nothing"),
        (row("one * 2", "one", tests="tests/test_gone.py::test_it"), "no tests tests/test_gone.py::test_it"),
        ({**row("one * 2", "one"), "file": "tests/test_sums.py"}, "no file tests/test_sums.py under src"),
        (row("one * 2", "one"), ""),
    ],
)
def test_why_a_change_does_not_apply(
    small: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], why: str
) -> None:
    (small / "benchmarks" / "mutants" / "area.jsonl").write_text(json.dumps(change))
    mutants = program(monkeypatch)
    assert [mutants.why_not(small, mutant) for mutant in mutants.read_mutants(small)] == [why]


def test_a_change_that_does_not_apply_is_an_error(small: Path) -> None:
    code, printed = run(small, row("one + other", "one"), row("one % other", "one"))
    told = json.loads(printed)
    assert code == 2
    assert [trial["outcome"] for trial in told["trials"]] == ["caught", "does not apply"]
    assert told["score"] == 1, "what was not tried is neither caught nor survived"


def test_tests_that_fail_by_themselves_catch_nothing(small: Path) -> None:
    (small / "tests" / "test_sums.py").write_text(TESTS.replace("5", "6"))
    code, printed = run(small, row("one + other", "one"))
    assert (code, json.loads(printed)["trials"][0]["outcome"]) == (2, "tests fail without it")


def test_tests_that_never_end_have_not_passed(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small / "tests" / "test_sums.py").write_text("import time\n\n\ndef test_slow():\n    time.sleep(600)\n")
    ended = program(monkeypatch).run_tests(small, small / "src", ["tests/test_sums.py"], limit=3)
    assert (ended.passed, ended.detail) == (False, "no end after 3 s")


@pytest.mark.parametrize("line", ["{", "[]", '{"file": "src/small/sums.py"}'])
def test_a_broken_row_is_named(small: Path, line: str) -> None:
    (small / "benchmarks" / "mutants" / "area.jsonl").write_text(f"\n{line}\n")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--root", str(small)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "area.jsonl:2: " in done.stderr


def test_the_changes_can_be_listed(small: Path) -> None:
    assert run(small, row("one * 2", "one"), options=("--list",)) == (0, "area         src/small/sums.py: sums\n")


def test_every_kept_change_still_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = program(monkeypatch)
    broken = {
        f"{mutant.area}: {mutant.behaviour}": mutants.why_not(ROOT, mutant) for mutant in mutants.read_mutants(ROOT)
    }
    assert not {name: why for name, why in broken.items() if why}


def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROGRAM.parent)
    return importlib.import_module("mutants")
