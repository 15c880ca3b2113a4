"""Help is part of the product: every command's, word for word. After a wanted change: pytest --update-golden."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = (
    "", "demo", "init", "index", "search", "versions", "versions compare", "versions tag", "versions rollback", "ask",
    "train", "make-examples", "compare", "report", "doctor", "bench", "bench retrieval",
    "models", "models list", "models fetch", "models show", "models compare", "models promote", "models rollback",
    "models export", "models check", "models lineage", "hosted", "hosted prepare", "hosted status",
    "hosted pause", "hosted resume", "hosted cancel",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_what_it_was(command, golden):
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    words = [sys.executable, "-m", "weighbridge", *command.split(), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", env=environment, check=True)
    shown = "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"
    assert "Example:" in shown or command in {"", "bench", "models", "hosted"}
    golden(Path("help") / f"{command.replace(' ', '-') or 'weighbridge'}.txt", shown)
