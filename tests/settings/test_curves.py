"""Utility curves: their defaults, their interpolation, and the errors of those that make no sense."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import SettingsError
from weighbridge.settings.curves import CRITERIA, curve_for
from weighbridge.settings.file import load_settings

GIB = 2.0**30


@pytest.mark.parametrize(
    ("priority", "value", "utility"),
    [
        ("accuracy", 0.7, 0.7),
        ("hallucination", 0.2, 0.8),
        ("latency", 1.0, 1.0),
        ("latency", math.sqrt(10), 0.5),
        ("latency", 10.0, 0.0),
        ("memory", 1.0 * GIB, 1.0),
        ("memory", 8.0 * GIB, 0.5),
        ("memory", 64.0 * GIB, 0.0),
        ("setup", 60.0, 1.0),
        ("setup", 86400.0, 0.0),
        ("citation", 0.9, 0.9),
        ("needless_abstention", 0.25, 0.75),
    ],
)
def test_the_default_curves_have_their_anchors(priority: str, value: float, utility: float):
    assert curve_for(priority, {}).utility(value) == pytest.approx(utility)


def test_the_default_curve_of_cost_is_of_times_the_cheapest_and_an_own_one_is_of_money():
    assert curve_for("cost", {}).utility(20.0, least=2.0) == pytest.approx(0.5)
    own = curve_for("cost", {"cost": ((1.0, 1.0), (4.0, 0.0))})
    assert own.utility(2.0, least=2.0) == pytest.approx(0.5)
    times = curve_for("cost", {"relative_cost": ((1.0, 1.0), (4.0, 0.0))})
    assert times.utility(4.0, least=2.0) == pytest.approx(0.5)


def test_a_curve_may_be_named_by_its_figure():
    assert curve_for("latency", {"latency_p50": ((1.0, 1.0), (4.0, 0.0))}).utility(2.0) == pytest.approx(0.5)


def test_only_a_line_over_all_shares_has_a_slope():
    assert curve_for("accuracy", {}).slope == 1.0
    assert curve_for("hallucination", {}).slope == -1.0
    assert curve_for("accuracy", {"accuracy": ((0.0, 0.2), (0.5, 0.6), (1.0, 1.0))}).slope == pytest.approx(0.8)
    assert curve_for("accuracy", {"accuracy": ((0.0, 0.0), (0.5, 0.9), (1.0, 1.0))}).slope is None
    assert curve_for("accuracy", {"accuracy": ((0.5, 0.0), (1.0, 1.0))}).slope is None, "level below a half"
    assert curve_for("latency", {}).slope is None


@given(st.sampled_from(sorted(CRITERIA)), st.floats(0, 1e12), st.floats(0, 1e12))
def test_better_is_never_worth_less(priority: str, left: float, right: float):
    curve = curve_for(priority, {})
    worse, better = sorted((left, right), reverse=CRITERIA[priority].default[0][1] == 1)
    assert 0 <= curve.utility(worse, least=1.0) <= curve.utility(better, least=1.0) <= 1


@pytest.mark.parametrize(
    ("curve", "problem"),
    [
        ("latency: [[1, 0], [4, 1]]", "latency: less latency p50 is better, so the utility must not rise"),
        ("accuracy: [[0, 1], [1, 0]]", "accuracy: more accuracy is better, so the utility must not fall"),
        ("accuracy: [[0, 0]]", "a curve needs at least two points"),
        ("accuracy: [[0, 0.5], [1, 0.5]]", "the curve is level"),
        ("accuracy: [[0, 0], [2, 1]]", "are shares, from 0 to 1"),
        ("accuracy: [[1, 1], [0, 0]]", "the values must rise from point to point"),
        ("latency: [[0, 1], [4, 0]]", "interpolated in the logarithm, so the first must be above 0"),
        ("latency: [[1, 1], [4, -0.1]]", "every utility must lie between 0 and 1"),
        ("latency: [[1, .nan], [4, 0]]", "must be a finite number"),
        ("speed: [[1, 1], [4, 0]]", "there is no priority 'speed' to draw a curve for; known are accuracy"),
        ("{cost: [[1, 1], [4, 0]], relative_cost: [[1, 1], [4, 0]]}", "two curves are for cost"),
    ],
)
def test_a_curve_that_makes_no_sense_is_an_error_with_its_line(tmp_path: Path, curve: str, problem: str):
    file = tmp_path / "weighbridge.yaml"
    file.write_text(f"examples: e.jsonl\nneeds:\n  curves:\n    {curve}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert problem in str(error.value)
    assert ":3: needs.curves" in str(error.value) or ":4: needs.curves" in str(error.value)


@pytest.mark.parametrize(
    ("needs", "problem"),
    [
        ("priorities: {accuracy: 0, hallucination: 0, latency: 0, cost: 0}", ":3: needs.priorities are all 0"),
        ("priorities: {accuracy: -1}", "must be at least 0"),
        ("priorities: {accuracy: .inf}", "needs.priorities.accuracy must be a"),
        ("priorities: {accuracy: 1e300}", "must be at most 1,000,000"),
        ("indifference: 100", "needs.indifference must be less than 100"),
        ("limits: {maximum_memory_gib: .inf}", "needs.limits.maximum_memory_gib must be"),
        ("stakeholders: {ops: {latency: 0}}", "ops: all weights are 0"),
        ("stakeholders: {ops: {speed: 1}}", "ops: there is no priority 'speed'"),
    ],
)
def test_nonsense_in_needs_is_an_error(tmp_path: Path, needs: str, problem: str):
    file = tmp_path / "weighbridge.yaml"
    file.write_text(f"examples: e.jsonl\nneeds:\n  {needs}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert problem in str(error.value)
