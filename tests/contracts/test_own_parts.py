"""A distribution's own parts pass the suites that are shipped, in a run of pytest of their own."""

import re
import subprocess
import sys
from pathlib import Path

PARTS = Path(__file__).parents[1] / "own_parts"
TESTS = {
    "metric": "@pytest.fixture(scope='module')\ndef metric():\n    return harbour_parts.Brevity()\n",
    "reader": """
@pytest.fixture
def reader():
    return harbour_parts.read_log

@pytest.fixture
def samples(tmp_path):
    file = tmp_path / "anna.shiplog"
    file.write_text("Anna\\n2026-05-01|The hull is red.\\n2026-05-02|She takes 4 cars.\\n")
    return [file]
""",
    "strategy": "@pytest.fixture\ndef own():\n    return harbour_parts.first_sentence\n",
    "index": "@pytest.fixture\ndef store(tmp_path):\n    return harbour_parts.JsonStore(tmp_path)\n",
    "history": "@pytest.fixture\ndef store(tmp_path):\n    return harbour_parts.JsonStore(tmp_path)\n",
}


def run_tests(tmp_path):
    environment = {"PYTHONPATH": f"{tmp_path}:{PARTS}:{Path(__file__).parents[2] / 'src'}", "PATH": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_own_parts_pass_the_shipped_suites(tmp_path):
    for suite, fixtures in TESTS.items():
        head = f"import pytest\nimport harbour_parts\nfrom weighbridge.contracts.{suite} import *\n\n"
        (tmp_path / f"test_{suite}.py").write_text(head + fixtures)
    run_tests(tmp_path)


def test_the_guide_shows_parts_that_work(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "extend.md").read_text(encoding="utf-8")
    *parts, test = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    own = "import harbour_parts_of_the_guide as harbour_parts\n"
    (tmp_path / "harbour_parts_of_the_guide.py").write_text("\n".join(parts))
    for suite in ("reader", "strategy"):
        head = f"import pytest\n{own}from weighbridge.contracts.{suite} import *\n\n"
        (tmp_path / f"test_{suite}.py").write_text(head + TESTS[suite])
    (tmp_path / "test_metric.py").write_text(f"from harbour_parts_of_the_guide import Brevity\n{test}")
    run_tests(tmp_path)
