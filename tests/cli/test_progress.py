import io

import pytest
from rich.console import Console

from weighbridge.cli import progress
from weighbridge.types import Progress


@pytest.mark.parametrize(
    ("speed", "unit", "words"),
    [
        (0, "steps", ""),
        (12.5, "chunks", "12.5 chunks/s"),
        (0.25, "steps", "4.0 s each"),
        (2_100_000, "bytes", "2.1 MB/s"),
    ],
)
def test_rates_are_words(speed, unit, words):
    assert progress.rate(speed, unit) == words


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Progress(task="t", done=12, total=60, unit="questions"), "12/60 questions"),
        (Progress(task="t", done=12, total=0, unit="questions"), "12 questions"),
        (Progress(task="t", done=1, total=1), "1/1"),
        (Progress(task="t", done=40_000_000, total=93_000_000, unit="bytes"), "40/93 MB"),
        (Progress(task="t", done=40_000_000, total=0, unit="bytes"), "40 MB"),
    ],
)
def test_amounts_are_words(step, words):
    assert progress.amount(step) == words


def test_without_a_terminal_a_long_step_writes_lines(monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    console = Console(file=io.StringIO(), width=100)
    with progress.show_progress(console) as notify:
        for done in range(8):
            notify(Progress(task="training", done=done, total=7, unit="steps", note="loss 0.5"))
    lines = console.file.getvalue().splitlines()
    assert 2 <= len(lines) <= 4
    assert "training: 3/7 steps, 4.0 s each, 16 s left (loss 0.5)" in lines[0]


def test_a_short_step_writes_nothing():
    console = Console(file=io.StringIO(), width=100)
    with progress.show_progress(console) as notify:
        for done in range(8):
            notify(Progress(task="index", done=done, total=7, unit="chunks"))
    assert console.file.getvalue() == ""


def test_a_step_is_not_timed_from_an_earlier_one_of_its_name(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=100)
    with progress.show_progress(console) as notify:
        notify(Progress(task="building", done=1, total=1))
        now[0] = 60.0
        for done in (1, 2):
            notify(Progress(task="building", done=done, total=2))
    assert console.file.getvalue() == ""


def test_what_is_not_known_leaves_no_comma(monkeypatch):
    clock = iter((0.0, 11.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    console = Console(file=io.StringIO(), width=100)
    with progress.show_progress(console) as notify:
        for _ in range(2):
            notify(Progress(task="looking", done=0, total=0, unit="places"))
    assert console.file.getvalue() == "  looking: 0 places\n"


def test_on_a_terminal_bars_come_and_go():
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with progress.show_progress(console) as notify:
        notify(Progress(task="index", done=1, total=7, unit="chunks"))
        notify(Progress(task="index", done=7, total=7, unit="chunks"))
        notify(Progress(task="unknown", done=7, total=0))
    assert "index" in console.file.getvalue()
