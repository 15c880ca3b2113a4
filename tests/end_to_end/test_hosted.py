"""A training at an endpoint as a person at a terminal has it: asked, interrupted, gone on with, and looked at."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from weighbridge.train.hosted.client import Order
from weighbridge.train.hosted.job import HostedRun, write_run
from weighbridge.workspace import Workspace

from .. import command_line
from ..hosted_server import BASE, Fault, HostedServer, hosted_server

SHIPS = "Amber Birch Coral Dover Ember Flint Grove Hazel Ivory Jolly Karst Larch Maple Nacre Ochre Pearl Quill Raven"


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with hosted_server() as running:
        yield running


@pytest.fixture
def place(server: HostedServer, tmp_path: Path) -> Path:
    rows = [
        {"id": ship, "question": f"Which berth has the {ship}?", "answers": [f"Berth {number}"], "family": ship}
        for number, ship in enumerate(SHIPS.split())
    ]
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "weighbridge.yaml").write_text(
        "examples: examples.jsonl\nstrategies: [prompt, fine-tuned]\ntask: answer\n"
        f"model: {{engine: openai, reference: {BASE}, base_url: '{server.url}'}}\n"
        "splits: {by: family, dev: 0.15, test: 0.15}\n"
        "training: {hosted: {poll_seconds: 0.001, price_per_million: 3}}\n"
    )
    return tmp_path


def words(name: str) -> list[str]:
    return [sys.executable, "-m", "weighbridge", *name.split()]


def at_a_terminal(place: Path, answer: str, *, stop_at: str = "") -> tuple[int, str]:
    """Train, answering the question; Ctrl-C once something is on the screen. Return the exit code and all that was."""
    screen, inside = pty.openpty()
    its_own = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    command = words("train fine-tuned")
    with subprocess.Popen(command, cwd=place, env=its_own, stdin=inside, stdout=inside, stderr=inside) as process:
        os.close(inside)
        seen = ""
        while True:
            try:
                seen += os.read(screen, 1024).decode(errors="replace")
            except OSError:  # the other end is closed
                break
            if answer and "[y/N]" in seen:
                os.write(screen, f"{answer}\n".encode())
                answer = ""
            if stop_at and stop_at in seen:
                process.send_signal(signal.SIGINT)
                stop_at = ""
    os.close(screen)
    return process.returncode, " ".join(seen.split())


def run(place: Path, name: str) -> subprocess.CompletedProcess[str]:
    return command_line.run(*name.split(), cwd=place)


@pytest.mark.models
def test_a_person_says_no_then_yes_stops_and_goes_on(server: HostedServer, place: Path) -> None:
    code, seen = at_a_terminal(place, "n")
    assert code == 1
    assert "at 3 USD a million [y/N] n" in seen
    assert "Error: nothing was sent to" in seen
    assert server.requests == []
    server.hold = True
    code, seen = at_a_terminal(place, "y", stop_at="Created fine-tuning job")
    assert code == 130
    assert "ftjob-1 continues at" in seen
    assert "weighbridge hosted cancel fine-tuned" in seen
    assert "Traceback" not in seen
    server.hold = False
    done = run(place, "hosted resume fine-tuned --json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hosted"] == f"ft:{BASE}:org::ftjob-1"
    assert len(server.asked) == 1


def test_what_became_of_each_job_is_told_and_by_the_exit_code_too(server: HostedServer, place: Path) -> None:
    root = Workspace(place).adapters("fine-tuned")
    for number in (1, 2):
        server.create({"model": BASE, "training_file": f"file-{number}"})
        order = Order(model=BASE, method="supervised", suffix="", seed=7)
        known = {"endpoint": server.url, "begun_at": f"2026-11-20T12:00:0{number}+00:00", "status": "running"}
        (root / f"job{number}" / "supervised").mkdir(parents=True)
        run_of = HostedRun(order=order, training_file=f"file-{number}", asked=True, job=f"ftjob-{number}", **known)
        write_run(run_of, root / f"job{number}" / "supervised")
    server.hold = True
    server.faults = [Fault("GET", "/ftjob-1", status=404, times=3)]
    done = run(place, "hosted status fine-tuned")
    one, two = done.stdout.splitlines()
    assert one.startswith("ftjob-1  running when last heard of  adapter job1, supervised: http://127.0.0.1")
    assert two == "ftjob-2  validating_files  adapter job2, supervised"
    assert done.returncode == 1
    done = run(place, "hosted cancel fine-tuned --json")
    assert [(each["job"], each["status"], each["refused"]) for each in json.loads(done.stdout)] == [
        ("ftjob-1", "running", True),
        ("ftjob-2", "cancelled", False),
    ]
    assert done.returncode == 1
    server.faults = []
    done = run(place, "hosted status fine-tuned")
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["validating_files", "cancelled"]
