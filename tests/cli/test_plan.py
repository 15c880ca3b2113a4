"""The plan command: every option does what its help says."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from weighbridge.cli.app import app
from weighbridge.errors import SettingsError, UserError
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.settings.rollout import TeamSettings
from weighbridge.workspace import Workspace

from ..decide.rollout.rollout_sample import READING
from ..report.sample import weighing

TODAY = datetime.now(UTC).astimezone().date()
MONDAY = TODAY + timedelta(days=63 - TODAY.weekday())
"""A Monday in about nine weeks: commands plan from the date of the clock."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = Workspace(tmp_path / "mine")
    save_weighing(place, replace(weighing(), reading=READING))
    place.settings_file.write_text("examples: e.jsonl\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return place.root


def run(*words: object) -> Result:
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def as_json(*words: object) -> Any:
    return json.loads(run(*words).stdout)


def test_a_plan_is_printed_for_people_and_as_json(root: Path) -> None:
    (root / "weighbridge.yaml").write_text("examples: e.jsonl\nneeds: {limits: {must_cite: true}}\n", encoding="utf-8")
    done = run("plan", "--workspace", root)
    assert "The saved decision" not in done.stderr
    shown = done.stdout
    assert shown.splitlines()[2] == "Roll out rag."
    assert "Targets of operation" in shown
    made = as_json("plan", "--workspace", root, "--json")
    assert (made["strategy"], made["chosen_by"]) == ("rag", "decision")
    assert date.fromisoformat(made["start"]).weekday() == 0
    assert date.fromisoformat(made["start"]) > TODAY


def test_the_strategy_the_start_and_the_holidays_are_those_of_the_options(root: Path) -> None:
    made = as_json(
        "plan", "--strategy", "raft", "--start", MONDAY, "--holiday", MONDAY + timedelta(days=1),
        "--holiday", MONDAY + timedelta(days=2), "-w", root, "--json",
    )  # fmt: skip
    assert (made["strategy"], made["chosen_by"], made["start"]) == ("raft", "you", str(MONDAY))
    assert made["holidays"] == [str(MONDAY + timedelta(days=number)) for number in (1, 2)]


def test_files_are_written_and_named(root: Path, tmp_path: Path) -> None:
    done = run("plan", "--write", "plan.md", "--write", tmp_path / "deep" / "plan.ics", "--workspace", root)
    assert (tmp_path / "plan.md").read_text(encoding="utf-8").startswith("# Roll-out of rag")
    assert (tmp_path / "deep" / "plan.ics").is_file()
    assert "Wrote plan.md" in done.stderr
    assert not (tmp_path / "plan.csv").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--start", "2020-01-06"], "--start: 2020-01-06 is in the past"),
        (
            ["--strategy", "routed"],
            "--strategy: 'routed' was not measured; measured are",
        ),
        (["--write", "plan.pdf"], "plan.pdf: a plan cannot be written as .pdf"),
    ],
)
def test_nonsense_is_refused_with_a_remedy(root: Path, words: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run("plan", *words, "--workspace", root)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("working_days: mon-fro", "weighbridge.yaml:2: plan.working_days: unknown weekday 'fro'; did you mean 'fri'"),
        ("working_days: ''", "weighbridge.yaml:2: plan.working_days: names no day"),
        ("start: tomorrow", "weighbridge.yaml:2: plan.start must be a date, like 2026-12-24, not 'tomorrow'"),
        ("holidays: [2026-12-24, noel]", "weighbridge.yaml:2: plan.holidays must be a date, like 2026-12-24, not"),
        ("start: 2020-01-06", "weighbridge.yaml: plan.start: 2020-01-06 is in the past"),
        ("people: {engineer: -1}", "weighbridge.yaml:2: plan.people.engineer must be at least 0"),
        ("people: {engineer: 0.01}", "weighbridge.yaml:2: plan.people: 0.01 of a person is too little"),
        ("hours_per_day: 30", "weighbridge.yaml:2: plan.hours_per_day must be at most 24"),
    ],
)
def test_nonsense_in_the_settings_names_its_line(root: Path, line: str, sentence: str) -> None:
    (root / "weighbridge.yaml").write_text(f"examples: e.jsonl\nplan: {{{line}}}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        run("plan", "--workspace", root)


def test_a_team_of_nobody_is_refused(root: Path) -> None:
    nobody = ", ".join(f"{role}: 0" for role in TeamSettings.model_fields)
    text = f"examples: e.jsonl\nplan:\n  people: {{{nobody}}}\n"
    (root / "weighbridge.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"weighbridge\.yaml:3: plan\.people: nobody works"):
        run("plan", "--workspace", root)


def test_the_calendar_of_the_how_to_page_is_understood(root: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "plan.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (root / "weighbridge.yaml").write_text(f"examples: e.jsonl\n{block}", encoding="utf-8")
    made = as_json("plan", "--workspace", root, "--strategy", "raft", "--start", MONDAY, "--json")
    assert made["working_days"] == [0, 1, 2, 3, 6]
    assert "ML engineer" not in made["hours"]
