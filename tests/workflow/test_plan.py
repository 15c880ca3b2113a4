"""Plans from saved files: fast, without arrays, and with an error where something is missing."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import weighbridge
from weighbridge.decide.rollout.make_plan import PlanRequest
from weighbridge.decide.what_if.retake import retake
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import load_decision, load_measurements, save_decision, save_weighing
from weighbridge.settings.needs import Needs, Priorities
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.plan import WRITERS, plan_rollout
from weighbridge.workspace import Workspace

from ..decide.rollout.rollout_sample import READING, TODAY, settings
from ..report.sample import weighing

REQUEST = PlanRequest(today=TODAY)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "mine")
    save_weighing(workspace, replace(weighing(), reading=READING))
    return workspace


def test_a_plan_is_kept_in_the_workspace_for_programs(place: Workspace) -> None:
    plan = plan_rollout(settings(), place, REQUEST)
    saved = json.loads(place.plan_file.read_text(encoding="utf-8"))
    assert (saved["format"], saved["version"]) == ("weighbridge plan", 1)
    assert [kpi["name"] for kpi in saved["plan"]["kpis"]] == [kpi.name for kpi in plan.kpis]
    assert saved["plan"]["kpis"][0]["target"] == plan.kpis[0].target
    assert saved["plan"]["start"] == "2026-12-07"
    assert plan.strategy == "rag"


def test_every_form_is_written_by_the_ending_of_its_file(place: Workspace, tmp_path: Path) -> None:
    files = [tmp_path / "out" / f"plan{ending}" for ending in WRITERS]
    plan = plan_rollout(settings(), place, REQUEST, [*files[:-1], files[-1].with_suffix(".SVG")])
    begins = {".md": "# Roll-out of rag", ".csv": "\ufeffid,phase", ".ics": "BEGIN:VCALENDAR\r\n", ".svg": "<?xml"}
    for file in files[:-1]:
        assert file.read_bytes().decode("utf-8").startswith(begins[file.suffix])
        assert file.read_bytes().decode("utf-8") == WRITERS[file.suffix](plan)


def test_a_file_without_a_form_is_refused_before_anything_is_written(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"plan\.docx: a plan cannot be written as \.docx; give a file that ends"):
        plan_rollout(settings(), place, REQUEST, [tmp_path / "plan.md", tmp_path / "plan.docx"])
    assert not (tmp_path / "plan.md").exists()
    assert not place.plan_file.exists()


def test_without_a_comparison_it_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="run: weighbridge compare"):
        plan_rollout(settings(), Workspace(tmp_path), REQUEST)


def test_the_plan_follows_the_decision_that_decide_takes(place: Workspace) -> None:
    """Whatever is saved: the needs may be newer, and the file may be missing."""
    needs = settings(needs=Needs(priorities=Priorities(accuracy=0, hallucination=0, latency=1, cost=1)))
    for present in (settings(), needs):
        taken = retake(load_measurements(place), present).decision
        wanted = taken.recommended or (*taken.contenders, taken.verdicts[0].strategy)[0]
        for outlook in ("recommended", "not decisive"):
            save_weighing(place, replace(weighing(outlook), reading=READING))
            assert plan_rollout(present, place, REQUEST).strategy == wanted
        place.decision_file.unlink()
        place.weighing_file.unlink()
        assert load_decision(place) is None
        assert plan_rollout(present, place, REQUEST).strategy == wanted
    assert plan_rollout(settings(), place, REQUEST).strategy != plan_rollout(needs, place, REQUEST).strategy


def test_a_saved_decision_that_the_needs_have_overtaken_is_named(place: Workspace) -> None:
    heard: list[str] = []
    reporter = Reporter(say=heard.append)
    save_decision(place, retake(load_measurements(place), settings()).decision)
    plan_rollout(settings(), place, REQUEST, reporter=reporter)
    assert heard == []
    needs = settings(needs=Needs(priorities=Priorities(accuracy=0, hallucination=0, latency=1, cost=1)))
    plan_rollout(needs, place, REQUEST, reporter=reporter)
    assert "The saved decision is older than your needs or prices: by it" in heard[0]
    assert "run: weighbridge decide" in heard[0]


def test_the_start_and_the_holidays_of_the_request_are_kept(place: Workspace) -> None:
    request = PlanRequest(today=TODAY, start=date(2027, 1, 4), holidays=(date(2027, 1, 6),))
    plan = plan_rollout(settings(plan={"holidays": (date(2027, 1, 7),)}), place, request)
    assert plan.start == date(2027, 1, 4)
    assert plan.holidays == (date(2027, 1, 6), date(2027, 1, 7))


def test_planning_loads_neither_arrays_nor_a_model(place: Workspace) -> None:
    place.settings_file.write_text("examples: e.jsonl\n", encoding="utf-8")
    code = (
        "import sys\n"
        f"sys.argv = ['weighbridge', 'plan', '--workspace', {str(place.root)!r}, '--json']\n"
        "from weighbridge.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["strategy"] == "rag"
    assert not set(done.stderr.split()) & {"numpy", "torch", "scipy", "faiss", "icalendar", "transformers", "openai"}


def test_the_library_plans_as_the_command_does(place: Workspace, tmp_path: Path) -> None:
    place.settings_file.write_text("examples: e.jsonl\n", encoding="utf-8")
    request = PlanRequest(today=TODAY, strategy="raft", start=date(2027, 1, 4), holidays=(date(2027, 1, 6),))
    made = weighbridge.open(place.root).plan(
        "raft", start=date(2027, 1, 4), holidays=[date(2027, 1, 6)], files=[tmp_path / "plan.md"], today=TODAY
    )
    assert made == plan_rollout(settings(), place, request)
    assert (tmp_path / "plan.md").is_file()
    assert weighbridge.open(place.root).plan().made_on >= TODAY
