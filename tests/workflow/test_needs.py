"""From answers to weights to a decision, and into weighbridge.yaml."""

import pytest

from weighbridge.decide.elicit.pairwise import PairAnswer
from weighbridge.decide.elicit.presets import find_preset, load_presets
from weighbridge.errors import DataError, SettingsError, UserError
from weighbridge.settings.file import load_settings
from weighbridge.settings.needs import Needs
from weighbridge.workflow.needs import (
    NeedsAnswers,
    ProposedNeeds,
    parse_answer,
    preview_needs,
    propose_by_pairs,
    propose_by_swing,
    propose_preset,
    read_needs_answers,
    require_stakeholder_name,
    saved_measurements,
    write_needs,
)
from weighbridge.workspace import Workspace

from ..decide.what_if.saved import YAML, workspace

USUAL = {"accuracy": 100, "hallucination": 60, "latency": 20, "cost": 20}


@pytest.mark.parametrize("name", load_presets())
def test_a_preset_is_written_and_read_again(tmp_path, name):
    place = workspace(tmp_path)
    settings = load_settings(place.settings_file)
    preset = find_preset(name)
    preview = preview_needs(settings, place, propose_preset(preset))
    assert place.settings_file.read_text() == YAML
    write_needs(place, preview)
    needs = load_settings(place.settings_file).needs
    for priority in type(needs.priorities).model_fields:
        expected = preset.weights[priority].value if priority in preset.weights else 0
        assert getattr(needs.priorities, priority) == expected
    for limit, given in preset.limits.items():
        assert getattr(needs.limits, limit) == given.value
    if "maximum_memory_gib" not in preset.limits:
        assert needs.limits.maximum_memory_gib == 4  # one that the preset does not name stays
    assert "# What we need." in place.settings_file.read_text()
    assert "# the small machine" in place.settings_file.read_text()
    assert all(line[0] in "+-" for line in preview.lines)


def test_the_preview_is_the_decision_that_the_written_needs_give(tmp_path):
    place = workspace(tmp_path)
    preview = preview_needs(load_settings(place.settings_file), place, propose_preset(find_preset("clinical")))
    write_needs(place, preview)
    again = preview_needs(load_settings(place.settings_file), place, propose_preset(find_preset("clinical")))
    assert again.now == preview.then
    assert again.lines == ()
    assert again.contrast.differences == ()


def test_weights_are_entered_for_a_stakeholder_beside_the_own(tmp_path):
    place = workspace(tmp_path)
    settings = load_settings(place.settings_file)
    preview = preview_needs(settings, place, propose_preset(find_preset("clinical")), stakeholder="the ward")
    write_needs(place, preview)
    needs = load_settings(place.settings_file).needs
    assert needs.stakeholders == {"the ward": {"hallucination": 6, "accuracy": 3, "citation": 0.75, "latency": 0.25}}
    assert needs.priorities == settings.needs.priorities
    assert needs.limits == settings.needs.limits
    totals = [{one.strategy: one.total for one in side.decision.verdicts} for side in (preview.now, preview.then)]
    assert totals[0] != totals[1]


def test_without_measurements_there_are_weights_and_no_decision(tmp_path):
    place = Workspace(tmp_path)
    place.settings_file.write_text(YAML)
    assert saved_measurements(place) is None
    preview = preview_needs(load_settings(place.settings_file), place, propose_by_swing(USUAL, Needs(), ()))
    assert (preview.now, preview.then, preview.contrast) == (None, None, None)
    assert propose_by_swing(USUAL, Needs(), ()).weights == {
        "accuracy": 5, "hallucination": 3, "latency": 1, "cost": 1
    }  # fmt: skip
    assert propose_by_swing(USUAL, Needs(), ()).remarks == ()


def test_figures_that_do_not_differ_are_named(tmp_path):
    measured = saved_measurements(workspace(tmp_path)).measurements
    found = propose_by_swing(USUAL, Needs(), measured)
    assert found.remarks == ("latency: the strategies were not measured apart, so the range is that of its curve.",)
    assert sum(found.weights.values()) == pytest.approx(10, abs=0.05)


def pairs(**times):
    names = ("accuracy", "hallucination", "latency", "cost")
    usual = {"accuracy": 8, "hallucination": 4, "latency": 2, "cost": 1}
    return [
        PairAnswer(left, right, times.get(f"{left}_{right}", usual[left] / usual[right]))
        for place, left in enumerate(names)
        for right in names[place + 1 :]
    ]


def test_consistent_pairs_give_their_weights():
    found = propose_by_pairs(pairs(), Needs())
    assert found.ratio == pytest.approx(0, abs=1e-9)
    assert found.weights == {"accuracy": 5.33, "hallucination": 2.67, "latency": 1.33, "cost": 0.667}
    assert found.remarks == ("Consistency ratio 0.00: the answers fit together.",)


def test_a_slip_is_named_with_what_would_fit():
    found = propose_by_pairs(pairs(accuracy_latency=1 / 9), Needs())
    assert found.ratio > 0.1
    assert "above 0.10, so they contradict each other" in found.remarks[0]
    assert found.remarks[1].startswith("The answer that fits the others least is accuracy over latency: 1/9. By the ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "swing: {accuracy: 100, cost: 20.5}\n",
            NeedsAnswers(method="swing", worths={"accuracy": 100, "cost": 20.5}, pairs=()),
        ),
        (
            "pairs:\n  accuracy over cost: 5\n  latency over cost: 1/3\n",
            NeedsAnswers(
                method="pairs",
                worths={},
                pairs=(PairAnswer("accuracy", "cost", 5), PairAnswer("latency", "cost", 1 / 3)),
            ),
        ),
        ('{"swing": {"accuracy": 100}}', NeedsAnswers(method="swing", worths={"accuracy": 100}, pairs=())),
    ],
)
def test_answers_are_read_from_a_file(tmp_path, text, expected):
    (tmp_path / "a.yaml").write_text(text)
    assert read_needs_answers(tmp_path / "a.yaml") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"a.yaml:1: must hold either `swing:` or `pairs:`"),
        ("swing: {a: 1}\npairs: {a over b: 2}\n", r"a.yaml:1: must hold either"),
        ("weights: {a: 1}\n", r"a.yaml:1: must hold either"),
        ("- swing\n", r"a.yaml:1: must hold lines"),
        ("swing:\n", r"a.yaml:1: swing must be followed by indented lines like `accuracy: 100`"),
        ("\npairs: 3\n", r"a.yaml:2: pairs must be followed by indented lines like `accuracy over cost: 5`"),
        ("swing:\n  accuracy: 100\n  cost: much\n", r"a.yaml:3: cost: 'much' is not a number; write 5, or 1/5"),
        ("swing:\n  accuracy: true\n", r"a.yaml:2: accuracy: 'True' is not a number"),
        ("pairs:\n  a over b: 1/0\n", r"a.yaml:2: a over b: '1/0' is not a number"),
        ("pairs:\n  accuracy, cost: 3\n", r"a.yaml:2: 'accuracy, cost' is no pair; write it like"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, text, problem):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DataError, match=problem):
        read_needs_answers(tmp_path / "a.yaml")


@pytest.mark.parametrize(("given", "number"), [("5", 5), (5, 5), ("1/5", 0.2), (" 1 / 4 ", 0.25), (0.5, 0.5)])
def test_an_answer_is_a_number_or_a_fraction(given, number):
    assert parse_answer(given) == number


def test_needs_that_the_file_cannot_hold_are_not_written(tmp_path):
    place = workspace(tmp_path)
    nothing = ProposedNeeds(weights=dict.fromkeys(USUAL, 0.0), limits={}, remarks=())
    with pytest.raises(SettingsError, match="are all 0"):
        preview_needs(load_settings(place.settings_file), place, nothing)
    assert place.settings_file.read_text() == YAML


def test_a_stakeholder_has_a_name():
    assert require_stakeholder_name(" the ward ") == "the ward"
    with pytest.raises(UserError, match="the name is empty"):
        require_stakeholder_name("  ")
