"""Whoever runs the tests, and however their machine is set up, the tests see the same."""

import os
import subprocess
import sys
from pathlib import Path

from .environment import CHANGES, isolate

ROOT = Path(__file__).parents[1]
INHERITED = {
    "OPENAI_API_KEY": "sk-somebodys",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "COLUMNS": "40",
    "FORCE_COLOR": "1",
    "GITHUB_ACTIONS": "true",
    "HF_HUB_OFFLINE": "0",
    "HF_HOME": "/nowhere",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "2",
    "PGPASSWORD": "hush",
    "XDG_RUNTIME_DIR": "/nowhere",
    "PYTHONIOENCODING": "ascii",
    "NO_PROXY": "",
}


def test_what_changes_the_product_is_left_out_and_what_the_machine_needs_is_kept():
    needed = {"PATH": "/bin", "HOME": "/home/ada", "PIP_INDEX_URL": "https://a", "PYTHONPATH": "b", "https_proxy": "c"}
    assert isolate(INHERITED | needed) == needed | CHANGES


def test_golden_help_is_the_same_in_somebody_elses_environment():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/cli/test_help.py", "-k", "index"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | INHERITED, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout
