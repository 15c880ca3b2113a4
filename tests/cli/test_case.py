"""The commands that hold published advice against saved measurements, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import weighbridge
from weighbridge.cli.app import app
from weighbridge.decide.what_if.retake import retake
from weighbridge.errors import DataError, SettingsError, UserError, WorkspaceError
from weighbridge.evaluate.encode import to_json
from weighbridge.evaluate.weighing import load_decision, load_measurements, save_weighing
from weighbridge.settings.file import load_settings
from weighbridge.workflow.demo import MODELS, copy_sample
from weighbridge.workspace import Workspace

from ..report.sample import weighing

TEXT = (files("weighbridge.decide.prior") / "matrix.toml").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with the saved files of the sample weighing alone: no questions, documents, index or model."""
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "mine").mkdir()
    place = Workspace(tmp_path / "mine")
    place.settings_file.write_text("examples: gone.jsonl\nneeds: {limits: {must_cite: true}}\n", encoding="utf-8")
    save_weighing(place, weighing())
    place.weighing_file.unlink()
    return place


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    """A matrix that claims of RAG an accuracy that the sample weighing has."""
    path = tmp_path / "own.toml"
    path.write_text(TEXT.replace("rag = 0.85", "rag = 0.15"), encoding="utf-8")
    return path


def run(*words: object) -> Result:
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def test_evidence_is_shown_and_written_as_json(place: Workspace) -> None:
    shown = run("evidence", "--workspace", place.root).stdout
    assert "Prior against evidence: Tarrow Sound handbook" in shown
    assert "fine-tuned answers faster than rag" in shown
    told = json.loads(run("evidence", "--workspace", place.root, "--json").stdout)
    outcomes = {verdict["outcome"] for verdict in told["verdicts"]}
    assert outcomes == {"confirmed", "refuted", "not decided", "untested"}
    assert told["questions"] == 12


def test_a_matrix_of_ones_own_gives_other_claims(place: Workspace, matrix: Path) -> None:
    shown = run("evidence", "--matrix", matrix, "--workspace", place.root).stdout.replace("\u00a0", " ")
    assert "accuracy of rag: 15 %" in shown
    page = run("case", "--matrix", matrix, "--workspace", place.root).stdout.replace("\u00a0", " ")
    assert "accuracy of rag: 15 %" in page


def test_answers_say_what_the_workspace_cannot(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text("change: daily\nlabels: 5,000\n", encoding="utf-8")
    shown = run("evidence", "--workspace", place.root, "--answers", tmp_path / "answers.yaml").stdout
    assert "by the decision" in shown.split("frequently updated knowledge: rag")[1].split("\n\n")[0]
    page = run("case", "--workspace", place.root, "--answers", tmp_path / "answers.yaml").stdout
    assert "- change: daily (given)\n" in page
    assert "- labelled examples: 5,000 examples (given)\n" in page
    (tmp_path / "answers.yaml").write_text("chance: daily\n", encoding="utf-8")
    with pytest.raises(DataError, match="did you mean 'change'"):
        run("case", "--workspace", place.root, "--answers", tmp_path / "answers.yaml")


def test_a_case_is_printed_or_written_as_markdown_or_a_web_page(place: Workspace, tmp_path: Path) -> None:
    printed = run("case", "--workspace", place.root).stdout
    assert printed.startswith("# Tarrow Sound handbook\n")
    run("case", "--workspace", place.root, "--output", tmp_path / "case.md")
    assert (tmp_path / "case.md").read_text(encoding="utf-8") == printed
    done = run("case", "--workspace", place.root, "--output", tmp_path / "case.html")
    assert done.stdout == ""
    assert (tmp_path / "case.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    told = json.loads(run("case", "--workspace", place.root, "--json").stdout)
    assert told["headline"] == "Use rag."


def test_a_case_is_written_to_no_other_kind_of_file(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"case\.pdf: must end with \.md for Markdown, or with \.html"):
        run("case", "--workspace", place.root, "--output", tmp_path / "case.pdf")
    assert not (tmp_path / "case.pdf").exists()


def test_the_library_does_the_same(place: Workspace, tmp_path: Path) -> None:
    opened = weighbridge.open(place.root)
    told = json.loads(run("evidence", "--workspace", place.root, "--json").stdout)
    assert json.loads(to_json(opened.evidence())) == told
    opened.case(tmp_path / "case.md", {"change": "daily"})
    assert "- change: daily (given)\n" in (tmp_path / "case.md").read_text(encoding="utf-8")
    with pytest.raises(UserError, match="change: 'dayly' is not one of"):
        opened.evidence({"change": "dayly"})


@pytest.mark.parametrize("command", ["evidence", "case"])
def test_a_workspace_without_a_weighing_is_named(command: str, place: Workspace) -> None:
    place.measurements_file.unlink()
    with pytest.raises(WorkspaceError, match="nothing has been weighed here yet; run: weighbridge compare"):
        run(command, "--workspace", place.root)
    with pytest.raises(SettingsError, match="cannot be read"):
        run(command, "--workspace", place.root, "--matrix", place.root / "none.toml")


def test_the_files_of_an_earlier_release_are_enough(place: Workspace) -> None:
    printed = run("case", "--workspace", place.root).stdout
    save_weighing(place, weighing())
    place.measurements_file.unlink()
    place.decision_file.unlink()
    assert load_decision(place) == weighing().decision
    assert run("case", "--workspace", place.root).stdout == printed


def test_without_a_saved_decision_it_is_taken_again(place: Workspace) -> None:
    place.decision_file.unlink()
    found = retake(load_measurements(place), load_settings(place.settings_file))
    told = json.loads(run("case", "--workspace", place.root, "--json").stdout)
    (decided,) = (one for one in told["sections"] if one["title"] == "Decision")
    assert decided["blocks"][0]["items"][0] == found.decision.reasons[0]


@pytest.mark.parametrize(
    ("models", "option"), [(MODELS, ""), (["tiny"], " --model tiny"), (["small"], " --model small")]
)
def test_an_unchanged_sample_is_made_again_by_the_demo(tmp_path: Path, models: Sequence[str], option: str) -> None:
    place = copy_sample("tickets", tmp_path / "mine", models=models)
    save_weighing(place, weighing())
    assert f"weighbridge demo tickets{option}\n" in run("case", "--workspace", place.root).stdout
    place.settings_file.write_text(f"{place.settings_file.read_text('utf-8')}\n# mine\n", encoding="utf-8")
    assert "weighbridge compare --workspace mine\n" in run("case", "--workspace", place.root).stdout


@pytest.mark.parametrize("command", ["evidence", "case"])
def test_neither_loads_numpy(command: str, place: Workspace) -> None:
    code = (
        "import sys\nfrom weighbridge.cli import main\n"
        f"sys.argv = ['weighbridge', '{command}', '--workspace', {str(place.root)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sorted({'numpy', 'torch', 'jinja2'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    assert done.stdout
