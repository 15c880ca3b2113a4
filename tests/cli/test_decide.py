"""The commands that decide from saved files, as a person and as a program see them."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from weighbridge.cli.app import app

from ..decide.what_if.saved import workspace


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A workspace that lost its documents, examples and models."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    workspace(tmp_path / "mine")
    return tmp_path / "mine"


def run(*words, code=0):
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=code == 0)
    assert done.exit_code == code, done.output
    return done


def shown(text):
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_a_decision_is_taken_again_and_shown(mine, golden):
    done = run("decide", "-w", mine)
    golden(Path("decide") / "again.txt", shown(done.stdout))
    assert (mine / ".weighbridge" / "report.html").exists()


def test_two_decisions_stand_side_by_side(mine, golden):
    words = ["--what-if", "memory=1GiB", "--what-if", "volume=100", "--what-if", "strategy.few-shot=without"]
    golden(Path("decide") / "what-if.txt", shown(run("decide", "--workspace", mine, *words).stdout))
    assert not (mine / ".weighbridge" / "report.html").exists()


def test_json_is_the_saved_file(mine):
    done = run("decide", "-w", mine, "--json")
    assert done.stdout == (mine / ".weighbridge" / "decision.json").read_text(encoding="utf-8")


def test_a_what_if_as_json_has_both_decisions(mine):
    found = json.loads(run("decide", "-w", mine, "--what-if", "memory=1GiB", "--json").stdout)
    run("decide", "-w", mine)
    assert found["now"] == json.loads((mine / ".weighbridge" / "decision.json").read_text())["decision"]
    assert found["then"] != found["now"]
    assert found["changes"] == [{"key": "memory", "value": "1GiB"}]
    assert found["differences"]
    assert found["same"]
    assert found["cost_per_thousand"]["now"] == found["cost_per_thousand"]["then"]
    assert set(found["cost_per_thousand"]["now"]) == {"prompt", "few-shot", "rag", "fine-tuned", "raft"}


@pytest.mark.parametrize("name", ["decision", "measurements"])
def test_a_schema_is_printed_that_the_file_keeps(mine, name):
    schema = json.loads(run("decide", "--schema", name).stdout)
    jsonschema.validate(json.loads((mine / ".weighbridge" / f"{name}.json").read_text()), schema)


def test_a_schema_that_there_is_none_of_is_refused():
    assert "'weighing' is not one of decision, measurements" in run("decide", "--schema", "weighing", code=2).stderr


def page():
    return (Path(__file__).parents[2] / "docs" / "how-to" / "decide.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run(mine):
    commands = re.findall(r"^weighbridge (decide.*?)(?: > \S+)?$", page(), re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        run(*shlex.split(command))


def test_the_examples_of_the_page_are_understood(mine):
    """Each key of its table, with each value shown for it."""
    rows = re.findall(r"^\| (`.+`) \| (`.+`) \|", page(), re.MULTILINE)
    assert len(rows) >= 10
    for keys, values in rows:
        names, texts = (re.findall(r"`([^`]+)`", cell) for cell in (keys, values))
        if "NAME" in keys:
            run("decide", "-w", "mine", "--what-if", texts[0])
        elif names == ["volume", "months"] or names[0].startswith("tokens."):
            both = [word for pair in zip(names, texts, strict=True) for word in ("--what-if", "=".join(pair))]
            run("decide", "-w", "mine", *both)
        else:
            for name in names:
                for text in texts:
                    run("decide", "-w", "mine", "--what-if", f"{name}={text}")
    for change in re.findall(r"`--what-if (\S+)`|`(needs\.\S+=\S+)`", page()):
        run("decide", "-w", "mine", "--what-if", "".join(change))


def process(*words, cwd):
    command = [sys.executable, "-m", "weighbridge", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("volume=-5", "--what-if volume=-5: volume must be 1 or more"),
        ("volume=1e400", "'1e400' is too large"),
        ("accuracy=nan", "'nan' is not a number"),
        ("latency.p95=2 fortnights", "'fortnights' is not a unit of this setting"),
        ("latncy.p95=2s", "did you mean latency.p95"),
    ],
)
def test_nonsense_gets_a_sentence_and_exit_code_2(mine, change, problem):
    done = process("decide", "-w", "mine", "--what-if", change, cwd=mine.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_deciding_loads_nothing_heavy(mine):
    """It must answer at once: no numpy, no torch, no index, and for a what-if no templates."""
    code = (
        "import sys\nsys.argv = ['weighbridge', 'decide', '-w', 'mine', '--json', *sys.argv[1:]]\n"
        "from weighbridge.cli import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    heavy = {"numpy", "scipy", "torch", "faiss", "openai", "tokenizers", "jsonschema"}
    for words, without in ((["--what-if", "volume=5"], {*heavy, "jinja2"}), ([], heavy)):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=mine.parent, check=True
        )
        assert not without & set(done.stderr.split())


def test_a_workspace_that_cannot_be_written_can_be_asked(mine):
    """A what-if takes no lock and leaves no trace."""
    shutil.rmtree(mine / ".weighbridge" / "records", ignore_errors=True)
    before = sorted(file.name for file in (mine / ".weighbridge").iterdir())
    run("decide", "-w", mine, "--what-if", "months=3")
    assert sorted(file.name for file in (mine / ".weighbridge").iterdir()) == before
