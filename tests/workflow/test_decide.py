"""Deciding again in a workspace without documents and models: what is written, and what is not."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.errors import SettingsError, UserError, WorkspaceError
from weighbridge.evaluate.weighing import load_measurements, load_weighing, save_weighing
from weighbridge.report.page.brief_page import brief
from weighbridge.report.page.weighing_page import page
from weighbridge.settings.file import load_settings
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.decide import decide_again, decide_what_if
from weighbridge.workflow.report import make_dossier
from weighbridge.workspace import Workspace

from ..decide.what_if.saved import EXAMPLES, YAML, priced, workspace
from ..report.sample import weighing as old_weighing

SILENT = Reporter()


def contents(place):
    """Return every file of a workspace but its lock."""
    return {file: file.read_bytes() for file in place.root.rglob("*") if file.is_file() and file.name != "lock"}


def test_the_present_needs_are_applied_to_every_file(tmp_path):
    place = workspace(tmp_path)
    place.settings_file.write_text(YAML.replace("4  #", "0.3  #") + "prices: {machine_per_hour: 1.5}\n")
    settings = load_settings(place.settings_file)
    said = []
    taken = decide_again(settings, place, Reporter(said.append))
    assert said == []
    expected = priced(settings)
    assert taken.decision == expected.decision
    assert load_weighing(place.weighing_file) == expected
    assert load_measurements(place) == taken.measurements
    assert json.loads(place.decision_file.read_text())["decision"]["outlook"] == taken.decision.outlook
    dossier = make_dossier(place, expected)
    assert dossier.needs == settings.needs
    assert place.report.read_text(encoding="utf-8") == page(expected, dossier)
    assert place.brief.read_text(encoding="utf-8") == brief(expected, dossier)
    before = contents(place)
    decide_again(settings, place, SILENT)
    assert contents(place) == before


def test_without_the_weighing_the_decision_is_saved_and_the_report_is_not(tmp_path):
    place = workspace(tmp_path)
    place.weighing_file.unlink()
    said = []
    taken = decide_again(load_settings(place.settings_file), place, Reporter(said.append))
    assert place.decision_file.exists()
    assert not place.report.exists()
    assert "report.html is not rewritten, because weighing.json of this comparison is not here" in said[0]
    assert taken.decision.outlook == json.loads(place.decision_file.read_text())["decision"]["outlook"]


def test_the_weighing_of_another_comparison_is_left_alone(tmp_path):
    place = workspace(tmp_path)
    measured = place.measurements_file.read_bytes()
    save_weighing(place, replace(priced(), taken_at="2020-01-01T00:00:00+00:00"))
    place.measurements_file.write_bytes(measured)
    other = place.weighing_file.read_bytes()
    decide_again(load_settings(place.settings_file), place, SILENT)
    assert place.weighing_file.read_bytes() == other
    assert not place.report.exists()


def test_a_weighing_of_an_earlier_release_is_decided_and_its_prices_are_named(tmp_path):
    place = workspace(tmp_path)
    save_weighing(place, old_weighing())
    said = []
    decide_again(load_settings(place.settings_file), place, Reporter(said.append))
    assert "The cost of prompt, few-shot, rag, fine-tuned, raft stays at the prices of the comparison" in said[0]


def test_a_what_if_writes_nothing_and_changes_one_side(tmp_path):
    place = workspace(tmp_path)
    before = contents(place)
    settings = load_settings(place.settings_file)
    found = decide_what_if(settings, place, ["memory=300MiB", "volume=1e6"], SILENT)
    assert contents(place) == before
    assert found.now.decision == priced(settings).decision
    broken = {one.strategy for one in found.then.decision.verdicts if one.broken_limits}
    assert broken == {"few-shot", "rag", "raft"}
    assert found.contrast.differences
    assert [change.key for change in found.changes] == ["memory", "volume"]


@given(volume=st.integers(1, 10**9), offline=st.booleans(), limit=st.none() | st.floats(0.01, 100))
@settings(max_examples=EXAMPLES)
def test_values_from_a_program_are_those_of_the_command(tmp_path_factory, volume, offline, limit):
    place = workspace(tmp_path_factory.mktemp("mine"))
    chosen = load_settings(place.settings_file)
    mapping = {"volume": volume, "offline": offline, "latency.p95": limit, "strategy.raft": "without"}
    words = [f"volume={volume}", f"offline={'true' if offline else 'false'}", "strategy.raft=without"]
    words.insert(2, f"latency.p95={'none' if limit is None else limit}")
    one, other = (decide_what_if(chosen, place, changes, SILENT) for changes in (mapping, words))
    assert one == other


def test_nothing_weighed_is_told_with_the_command(tmp_path):
    place = Workspace(tmp_path)
    place.settings_file.write_text(YAML)
    for attempt in (
        lambda: decide_again(load_settings(place.settings_file), place, SILENT),
        lambda: decide_what_if(load_settings(place.settings_file), place, ["volume=3"], SILENT),
    ):
        with pytest.raises(WorkspaceError, match="run: weighbridge compare"):
            attempt()


def test_needs_that_leave_nothing_to_judge_by_are_refused(tmp_path):
    place = workspace(tmp_path)
    settings = load_settings(place.settings_file)
    only_cost = [f"weight.{name}=0" for name in ("accuracy", "hallucination", "latency")]
    assert decide_what_if(settings, place, only_cost, SILENT).then.decision.verdicts
    save_weighing(
        place,
        replace(
            priced(),
            measurements=tuple(
                replace(one, usage=None, cost=None, figures={k: v for k, v in one.figures.items() if "cost" not in k})
                for one in priced().measurements
            ),
        ),
    )
    with pytest.raises(SettingsError, match="nothing to rank by"):
        decide_what_if(settings, place, only_cost, SILENT)


def test_no_strategy_may_be_left(tmp_path):
    place = workspace(tmp_path)
    everyone = {f"strategy.{one.strategy}": "without" for one in priced().measurements}
    with pytest.raises(UserError, match="no strategy is left"):
        decide_what_if(load_settings(place.settings_file), place, everyone, SILENT)
