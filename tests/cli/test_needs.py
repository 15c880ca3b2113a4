"""Needs in plain words: shown, asked for, taken from a file or a preset, and written."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from weighbridge.cli.app import app
from weighbridge.cli.needs import Asker, ask_pairs, ask_swing
from weighbridge.decide.elicit.pairwise import pairwise_weights
from weighbridge.settings.file import load_settings
from weighbridge.workflow.needs import propose_by_swing, saved_measurements
from weighbridge.workspace import Workspace

from ..decide.what_if.saved import YAML, workspace


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A workspace that lost its documents, examples and models."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    workspace(tmp_path / "mine")
    return tmp_path / "mine"


def run(*words, code=0, typed=""):
    done = CliRunner().invoke(app, list(map(str, words)), input=typed, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def shown(text):
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_the_present_needs_are_shown_in_words(mine, golden):
    golden(Path("needs") / "present.txt", shown(run("needs", "-w", mine).stdout))
    found = json.loads(run("needs", "--workspace", mine, "--json").stdout)
    assert found["needs"]["priorities"]["accuracy"] == 5
    assert found["curves"]["latency"] == [[1.0, 1.0], [10.0, 0.0]]


def test_a_preset_shows_its_reasons_and_its_decision(mine, golden):
    done = run("needs", "-w", mine, "--preset", "clinical")
    golden(Path("needs") / "preset.txt", shown(done.stdout))
    assert done.stderr == "Nothing is written; add --write for that.\n"
    assert (mine / "weighbridge.yaml").read_text() == YAML


def test_a_preset_is_written_on_demand_only(mine):
    found = json.loads(run("needs", "-w", mine, "--preset", "legal", "--write", "--json").stdout)
    assert found["written"]
    written = yaml.safe_load((mine / "weighbridge.yaml").read_text())["needs"]
    assert written["limits"] == {"maximum_memory_gib": 4, "must_cite": True, "offline": True}
    assert {name: weight for name, weight in written["priorities"].items() if weight} == found["weights"]
    assert "# the small machine" in (mine / "weighbridge.yaml").read_text()


def test_a_stakeholder_is_written_under_the_name(mine):
    run("needs", "-w", mine, "--preset", "legal", "--as", "counsel", "--write")
    needs = yaml.safe_load((mine / "weighbridge.yaml").read_text())["needs"]
    assert needs["stakeholders"]["counsel"]["citation"] == 1.5
    assert needs["priorities"] == {"accuracy": 5, "hallucination": 3, "latency": 1, "cost": 1}
    assert "counsel" in run("needs", "-w", mine).stdout


def test_swings_are_asked_for_in_words(mine, golden):
    done = run("needs", "-w", mine, "--by", "swing", typed="2\n80\n\n10\n")
    golden(Path("needs") / "swing.txt", shown(done.stderr) + shown(done.stdout))


def test_enter_takes_the_present_weights(mine):
    found = json.loads(run("needs", "-w", mine, "--by", "swing", "--json", typed="\n\n\n\n").stdout)
    weights = found["weights"]
    assert weights["accuracy"] / weights["hallucination"] == pytest.approx(5 / 3, rel=0.05)
    assert found["now"]["recommended"] == found["then"]["recommended"]
    assert not found["written"]


def test_pairs_are_asked_for_in_words(mine, golden):
    done = run("needs", "-w", mine, "--by", "pairs", typed="3\n5\n1/5\n3\n7\n2\n")
    golden(Path("needs") / "pairs.txt", shown(done.stderr) + shown(done.stdout))


def test_answers_come_from_a_file(mine):
    Path("answers.yaml").write_text("swing: {accuracy: 100, hallucination: 80, latency: 10, cost: 0}\n")
    found = json.loads(run("needs", "-w", mine, "--by", "answers.yaml", "--json").stdout)
    assert found["weights"]["cost"] == 0
    Path("pairs.json").write_text(json.dumps({"pairs": {"accuracy over hallucination": 1, "accuracy over latency": 9,
        "accuracy over cost": 9, "hallucination over latency": 9, "hallucination over cost": 9,
        "latency over cost": 1}}))  # fmt: skip
    found = json.loads(run("needs", "-w", mine, "--by", "pairs.json", "--json").stdout)
    assert found["consistency_ratio"] == pytest.approx(0, abs=1e-9)
    assert found["weights"] == {"accuracy": 4.5, "hallucination": 4.5, "latency": 0.5, "cost": 0.5}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--by", "guess"], "'guess' is neither swing nor pairs, nor a .yaml or .json file"),
        (["--by", "swing", "--preset", "legal"], "give --by or --preset, not both"),
        (["--write"], "needs weights: give --by or --preset too"),
        (["--as", "me"], "needs weights"),
    ],
)
def test_options_that_do_not_go_together_are_refused(mine, words, problem, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert problem in run("needs", "-w", mine, *words, code=2).stderr


def asker(*lines):
    """Return one who is asked, with what is said to them."""
    said, left = [], list(lines)

    def read_line(prompt):
        said.append(prompt)
        if not left:
            raise EOFError
        return left.pop(0)

    return Asker(said.append, read_line), said


def test_a_wrong_answer_is_asked_again_and_an_end_takes_the_defaults(mine):
    settings = load_settings(mine / "weighbridge.yaml")
    measured = saved_measurements(Workspace(mine)).measurements
    person, said = asker("0", "1.5", "many", "2", "101", "50")
    worths = ask_swing(settings, measured, person)
    assert (worths["hallucination"], worths["accuracy"]) == (100, 50)
    assert said.count("   Write a whole number from 1 to 4.") == 3
    assert said.count("   Write a number from 0 to 100.") == 1
    assert propose_by_swing(worths, settings.needs, measured).weights["hallucination"] > 0


def test_pairs_default_to_the_present_weights(mine):
    settings = load_settings(mine / "weighbridge.yaml")
    person, said = asker("10", "1/10")
    answers = ask_pairs(settings, person)
    assert [(one.more, one.less, one.times) for one in answers] == [
        ("accuracy", "hallucination", 2), ("accuracy", "latency", 5), ("accuracy", "cost", 5),
        ("hallucination", "latency", 3), ("hallucination", "cost", 3), ("latency", "cost", 1),
    ]  # fmt: skip
    assert said.count("   Write a number from 0.111 to 9.") == 2
    assert pairwise_weights(("accuracy", "hallucination", "latency", "cost"), answers).ratio < 0.01


def test_the_commands_of_the_page_run(mine):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "weights.md").read_text(encoding="utf-8")
    for number, file in enumerate(re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)):
        Path(("swing.yaml", "pairs.yaml")[number]).write_text(file)
    commands = re.findall(r"^weighbridge (needs.*)$", page, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        run(*shlex.split(command))
