import json
import subprocess
import sys

import pytest

from weighbridge.ingest.files.limits import ReadingLimits

USUAL = ReadingLimits()


@pytest.fixture
def ask(tmp_path):
    """Send lines to a worker of its own, close its input, and return what it said and its exit status."""

    def ask(*tasks: dict, limits: ReadingLimits = USUAL):
        values = {name: getattr(limits, name) for name in ReadingLimits.__slots__}
        lines = "".join(f"{json.dumps({'made': str(tmp_path / 'made'), 'skip': [], 'told': [], **t})}\n" for t in tasks)
        command = [sys.executable, "-m", "weighbridge.ingest.files.worker", json.dumps(values)]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

    return ask


def test_a_worker_says_what_it_does_and_ends_with_its_input(ask, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_bytes(b"\0")
    said, status = ask({"path": str(tmp_path / "a.txt")}, {"path": str(tmp_path / "b.txt")})
    assert status == 0
    assert [next(iter(line)) for line in said] == ["ready", "begun", "piece", "done", "begun", "piece", "done"]
    (place,) = said[2]["piece"]["places"]
    written = (tmp_path / "made").read_bytes()
    assert written[place["start"] + place["described"] :] == b"one"
    assert said[5]["piece"]["reason"] == "not text"


def test_what_was_told_is_not_told_again(ask, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    said, _ = ask({"path": str(tmp_path / "a.txt"), "told": [""]}, {"path": str(tmp_path / "a.txt"), "skip": [0]})
    assert [next(iter(line)) for line in said] == ["ready", "begun", "done", "begun", "done"]


def test_memory_is_bounded(ask, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"word " * 9_000_000)
    said, status = ask({"path": str(tmp_path / "a.txt")}, limits=ReadingLimits(memory_mb=60))
    assert status == 77
    assert [next(iter(line)) for line in said] == ["ready", "begun"]


def test_a_full_disk_is_told(ask, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    said, status = ask({"path": str(tmp_path / "a.txt"), "made": str(tmp_path)})
    assert said[-1] == {"full": "Is a directory"}
    assert status == 1


def test_nothing_heavy_is_loaded(tmp_path):
    show = "import sys, weighbridge.ingest.files.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "scipy", "pydantic", "lxml"} & set(done.stdout.split())
