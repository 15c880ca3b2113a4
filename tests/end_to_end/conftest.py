"""A real workspace for whole runs: the handbook with the shipped scripted model, so that only seconds are needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from .. import command_line
from ..command_line import Run

ROOT = Path(__file__).parents[2]
DRY = """
name: dry
documents: documents
examples: examples.jsonl
strategies: [prompt, few-shot, rag]
model: {engine: scripted, maximum_tokens: 200}
measure: {questions: 24, latency_questions: 3}
"""


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs the command line in this process."""
    return command_line.run


@pytest.fixture(scope="session")
def start() -> Run:
    """Runs the command line in a process of its own, where the process is what is tested."""

    def run(*words: str, cwd: Path | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "weighbridge", *words]
        environment = {**os.environ, "COLUMNS": "100", **more}
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment, check=False
        )

    return run


@pytest.fixture(scope="session")
def dry_source(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A workspace that has not been used."""
    root = tmp_path_factory.mktemp("dry") / "source"
    shutil.copytree(ROOT / "examples" / "handbook", root, ignore=shutil.ignore_patterns(".weighbridge"))
    (root / "weighbridge.yaml").write_text(DRY, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def weighed(tmp_path_factory: pytest.TempPathFactory, dry_source: Path, run: Run) -> Path:
    """The same, after an undisturbed `compare`, which the processes of one run of the tests do once."""
    place = tmp_path_factory.getbasetemp()
    shared = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "weighed"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            made = tmp_path_factory.mktemp("weighed") / "dry"
            shutil.copytree(dry_source, made)
            done = run("compare", "--workspace", str(made))
            assert done.returncode == 0, done.stderr
            shutil.copytree(made, shared)
    root = tmp_path_factory.mktemp("weighed") / "dry"
    shutil.copytree(shared, root)
    return root
