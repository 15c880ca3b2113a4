"""Help is part of the product: every command's, word for word. After a wanted change: pytest --update-golden."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = (
    "", "demo", "advise",
    "cost", "prices", "prices show", "prices write", "prices refresh",
    "init", "index", "search", "versions", "versions compare", "versions tag", "versions rollback", "ask",
    "train", "make-examples", "compare", "decide", "needs", "report", "evidence", "case", "plan", "doctor",
    "bench", "bench retrieval",
    "models", "models list", "models known", "models fetch", "models show", "models compare", "models promote",
    "models rollback", "models export", "models check", "models lineage", "hosted", "hosted prepare", "hosted status",
    "hosted pause", "hosted resume", "hosted cancel",
)  # fmt: skip


SHOW = """
import sys
from weighbridge.cli import main

for command in sys.argv[1:]:
    sys.argv = ["weighbridge", *command.split(), "--help"]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code
    print("\\f", end="")
"""
"""Shows the help of every command, in a process that is no terminal. They share it, because to start takes a second."""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    words = [sys.executable, "-c", SHOW, *COMMANDS]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", env=environment, check=True)
    return dict(zip(COMMANDS, done.stdout.split("\f")[:-1], strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_what_it_was(command, golden, pages):
    shown = "\n".join(line.rstrip() for line in pages[command].splitlines()) + "\n"
    assert "Example:" in shown or command in {"", "bench", "models", "hosted", "prices"}
    golden(Path("help") / f"{command.replace(' ', '-') or 'weighbridge'}.txt", shown)
