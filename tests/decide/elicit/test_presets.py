"""Presets: every value is a setting, keeps its bounds, and has a reason."""

import pytest

from weighbridge.decide.elicit.presets import find_preset, load_presets
from weighbridge.errors import UserError
from weighbridge.settings.needs import Limits, Needs, Priorities

PRESETS = load_presets()


def test_the_usual_cases_are_there():
    assert list(PRESETS) == ["support-desk", "legal", "clinical", "internal-search", "edge-device"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_settings_with_a_reason_for_each(name):
    preset = find_preset(name)
    priorities = {priority: given.value for priority, given in preset.weights.items()}
    limits = {limit: given.value for limit, given in preset.limits.items()}
    assert priorities.keys() <= set(Priorities.model_fields)
    needs = Needs(
        limits=Limits(**limits), priorities=Priorities(**{**dict.fromkeys(Priorities.model_fields, 0), **priorities})
    )
    assert sum(priorities.values()) == pytest.approx(10)
    assert all(weight > 0 for weight in priorities.values())
    assert needs.priorities.accuracy > 0
    for given in (*preset.weights.values(), *preset.limits.values()):
        assert len(given.because.split()) >= 4
    assert preset.title
    assert preset.situation.endswith(".")


def test_an_unknown_preset_is_refused_with_the_nearest_name():
    with pytest.raises(UserError, match="there is no preset 'clinic'; did you mean clinical"):
        find_preset("clinic")
    with pytest.raises(UserError, match="there are support-desk, legal"):
        find_preset("zzz")
