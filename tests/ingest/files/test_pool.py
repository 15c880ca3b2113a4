import os
import signal
import threading
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from weighbridge.errors import WeighbridgeError
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.pool import Task, parse_in_workers

SMALL = ReadingLimits(memory_mb=80)


def large(path: Path) -> Path:
    """A text that takes more than 80 MB to read, and a second or so where there is more."""
    path.write_bytes(b"word " * 9_000_000)
    return path


def tasks(folder: Path, *paths: Path) -> list[Task]:
    return [Task(path, folder / f"made-{number}", path.stat().st_size) for number, path in enumerate(paths)]


def reasons(done: list[Task]) -> dict[str, list[tuple[str, str]]]:
    return {task.path.name: [(piece.name, piece.reason) for piece in task.pieces] for task in done}


def children() -> list[psutil.Process]:
    """Return the workers of this process: other tests may have left a child of a library's own."""
    return [child for child in psutil.Process().children(recursive=True) if _works(child)]


def _works(child: psutil.Process) -> bool:
    try:
        return "weighbridge.ingest.files.worker" in child.cmdline()
    except psutil.Error:
        return False


@pytest.fixture
def small(tmp_path):
    paths = [tmp_path / f"{number}.txt" for number in range(5)]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_a_file_that_needs_too_much_costs_itself_only(tmp_path, small):
    paths = [*small[:2], large(tmp_path / "large.txt"), *small[2:]]
    done = list(parse_in_workers(tasks(tmp_path, *paths), SMALL))
    told = reasons(done)
    assert told.pop("large.txt") == [("", "needs more than 80 MB")]
    assert told == {path.name: [("", "")] for path in small}
    assert not children()


def test_a_file_that_takes_too_long_costs_itself_only(tmp_path, small):
    slow = tmp_path / "slow.zip"
    with zipfile.ZipFile(slow, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            if number == 1:
                archive.writestr("1.html", "<p>slow</p>" * 400_000)
            else:
                archive.writestr(f"{number}.bin", bytes(10))
    done = list(parse_in_workers(tasks(tmp_path, slow, *small), ReadingLimits(seconds=0.2, workers=1, ratio=9_999)))
    told = reasons(done)
    slow_told = dict(told.pop("slow.zip"))
    assert slow_told.pop("1.html") == "took longer than 0.2 s"
    assert set(slow_told.values()) == {"not text"}
    assert len(slow_told) == 19
    assert told == {path.name: [("", "")] for path in small}


def test_a_worker_that_crashes_is_replaced(tmp_path, small):
    crashed = threading.Event()

    def shoot() -> None:
        while not crashed.is_set():
            for child in children():
                if child.memory_info().rss > 120_000_000:
                    os.kill(child.pid, signal.SIGSEGV)
                    crashed.set()
            time.sleep(0.005)

    shooter = threading.Thread(target=shoot)
    shooter.start()
    slow = tmp_path / "large.json"
    slow.write_text(f"[{'[1],' * 5_000_000}[1]]")
    done = list(parse_in_workers(tasks(tmp_path, slow, *small), ReadingLimits(workers=1)))
    crashed.set()
    shooter.join()
    told = reasons(done)
    assert told.pop("large.json") == [("", "crashed the parser, by a flaw or for want of memory")]
    assert told == {path.name: [("", "")] for path in small}


def test_an_archive_that_kills_again_and_again_is_left(tmp_path):
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", "first")
        for number in range(4):
            archive.writestr(f"{number}.txt", b"word " * 9_000_000)
        archive.writestr("last.txt", "last")
    limits = ReadingLimits(memory_mb=80, failures=2, ratio=9_999)
    (done,) = parse_in_workers(tasks(tmp_path, bad), limits)
    assert reasons([done])["bad.zip"] == [
        ("first.txt", ""),
        ("0.txt", "needs more than 80 MB"),
        ("1.txt", "needs more than 80 MB"),
        ("(the rest)", "2 files before it could not be parsed"),
    ]


def test_workers_are_recycled(tmp_path, small):
    seen, over = set(), threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.update(child.pid for child in children())
            time.sleep(0.005)

    looking = threading.Thread(target=look)
    looking.start()
    done = list(parse_in_workers(tasks(tmp_path, *small), ReadingLimits(recycled_after=1, workers=1)))
    over.set()
    looking.join()
    assert all(task.pieces[0].places for task in done)
    assert len(seen) >= 3


@pytest.mark.parametrize("how", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_no_process(tmp_path, small, how):
    running = parse_in_workers(tasks(tmp_path, *small, large(tmp_path / "large.txt")), ReadingLimits(workers=2))
    next(running)
    with pytest.raises(how):
        running.throw(how())
    assert not children()


def test_nothing_to_do_starts_nothing(tmp_path):
    assert list(parse_in_workers([], ReadingLimits())) == []


def test_documents_that_cannot_be_written(tmp_path, small):
    with pytest.raises(OSError, match="Is a directory"):
        list(parse_in_workers([Task(small[0], tmp_path, 1)], ReadingLimits()))
    assert not children()


def test_workers_that_cannot_start_are_told(tmp_path, small):
    with pytest.raises(WeighbridgeError, match=r"does not start \(exit status 1: .*Error"):
        list(parse_in_workers(tasks(tmp_path, *small), ReadingLimits(memory_mb=None)))
    assert not children()
