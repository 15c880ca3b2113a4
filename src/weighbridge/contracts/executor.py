"""Tests of an `Executor`: results in order, errors in their place, nothing begun early, and nothing left behind."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from weighbridge.errors import DataError
from weighbridge.protocols import Executor


@dataclass(frozen=True)
class Squares:
    """Squares numbers, the first of them slowest, and notes in a folder by whom it was opened and what was done."""

    folder: Path
    wrong: int = -1

    def open(self, stack: ExitStack) -> Callable[[int], int]:
        opened = self.folder / f"opened-{os.getpid()}-{time.monotonic_ns()}"
        opened.touch()
        stack.callback(opened.with_name(opened.name.replace("opened", "closed")).touch)

        def square(number: int) -> int:
            time.sleep(0.03 if number % 5 == 0 else 0.001)
            if number == self.wrong:
                raise DataError(f"{number} cannot be squared")
            (self.folder / f"done-{number}-{time.monotonic_ns()}").touch()
            return number * number

        return square


def count(folder: Path, what: str) -> int:
    return len(list(folder.glob(f"{what}-*")))


@pytest.mark.parametrize("threads", [1, 3])
def test_results_are_in_the_order_of_the_items(executor: Executor, tmp_path: Path, threads: int) -> None:
    results = executor.map(Squares(tmp_path), iter(range(40)), threads=threads, ahead=4)
    assert list(results) == [number * number for number in range(40)]
    assert count(tmp_path, "done") == 40


def test_results_may_be_asked_for_as_they_are_done(executor: Executor, tmp_path: Path) -> None:
    results = executor.map(Squares(tmp_path), range(40), threads=2, in_order=False)
    assert sorted(results) == [number * number for number in range(40)]


def test_no_items_give_no_results(executor: Executor, tmp_path: Path) -> None:
    assert list(executor.map(Squares(tmp_path), ())) == []


def test_each_process_opens_the_work_once(executor: Executor, tmp_path: Path) -> None:
    list(executor.map(Squares(tmp_path), range(30), threads=2))
    processes = {path.name.split("-")[1] for path in tmp_path.glob("opened-*")}
    assert count(tmp_path, "opened") == len(processes) > 0


def test_an_error_comes_in_its_place(executor: Executor, tmp_path: Path) -> None:
    results = executor.map(Squares(tmp_path, wrong=10), range(30))
    assert [next(results) for _ in range(10)] == [number * number for number in range(10)]
    with pytest.raises(DataError, match="10 cannot be squared"):
        next(results)


def test_work_begins_when_a_result_is_asked_for(executor: Executor, tmp_path: Path) -> None:
    results = executor.map(Squares(tmp_path), range(5))
    assert count(tmp_path, "opened") == 0
    results.close()
    assert count(tmp_path, "opened") == 0


def test_few_items_are_taken_ahead(executor: Executor, tmp_path: Path) -> None:
    waiting = iter(range(10_000))
    results = executor.map(Squares(tmp_path), waiting, threads=2, ahead=3)
    for _ in range(5):
        next(results)
    assert next(waiting) < 100
    results.close()


def test_nothing_goes_on_after_closing(executor: Executor, tmp_path: Path) -> None:
    results = executor.map(Squares(tmp_path), range(10_000), threads=2)
    next(results)
    results.close()
    time.sleep(0.1)
    done = count(tmp_path, "done")
    time.sleep(0.3)
    assert count(tmp_path, "done") == done < 10_000
