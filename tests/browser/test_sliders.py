"""The sliders in a real browser: moved by keys, they decide as the command does, and say so."""

from typing import TYPE_CHECKING

import pytest

from weighbridge.decide.decide import decide
from weighbridge.decide.what_if.reprice import reprice
from weighbridge.report.page.dossier import Dossier
from weighbridge.report.page.weighing_page import page
from weighbridge.settings.needs import Needs, Prices

from ..report.sample_dossier import full_weighing, sample_ownership

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def opened(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> "Page":
    """Return the page with its sliders."""
    file = tmp_path_factory.mktemp("sliders") / "report.html"
    text = page(full_weighing(), Dossier(needs=Needs(), ownership=sample_ownership()))
    file.write_text(text, encoding="utf-8")
    shown = browser.new_page()
    shown.goto(file.as_uri())
    return shown


def ranking(opened: "Page") -> dict[str, str]:
    """Return the points of the strategies as shown, the best first."""
    rows = opened.locator("#ranking tr").all()
    return {str(row.get_attribute("data-strategy")): row.locator("td.number").first.inner_text() for row in rows}


@pytest.mark.parametrize(
    ("keys", "weights", "volume"),
    [
        ({}, {}, 10_000),
        ({"weight-accuracy": ["Home"], "weight-hallucination": ["Home"]}, {"accuracy": 0, "hallucination": 0}, 10_000),
        ({"weight-latency": ["End"]}, {"latency": 10}, 10_000),
        ({"volume": ["Home"], "weight-cost": ["ArrowRight"] * 4}, {"cost": 2}, 100),
        ({"volume": ["End"]}, {}, 50_000_000),
    ],
)
def test_moved_sliders_decide_as_the_command(
    opened: "Page", keys: dict[str, list[str]], weights: dict[str, float], volume: int
) -> None:
    opened.locator("#reset").press("Enter")
    for slider, presses in keys.items():
        for key in presses:
            opened.locator(f"#{slider}").press(key)
    needs = Needs()
    priorities = needs.priorities.model_copy(update=weights)
    needs = needs.model_copy(update={"priorities": priorities, "answers_per_month": volume})
    value = full_weighing()
    measurements = [reprice(one, Prices(), needs) for one in value.measurements]
    theirs = decide(measurements, value.comparisons, needs)
    opened.wait_for_function(
        "outlook => document.getElementById('outcome').dataset.outlook === outlook", arg=theirs.outlook
    )
    shown = {verdict.strategy: f"{100 * verdict.total:.1f}" for verdict in theirs.verdicts}
    assert list(ranking(opened).items()) == list(shown.items())
    command = opened.inner_text("#command")
    assert all(f"weight.{name}={weight}" in command for name, weight in weights.items())
    assert (f"volume={volume}" in command) == (volume != 10_000)


def test_a_slider_is_labelled_and_its_result_is_announced(opened: "Page") -> None:
    assert opened.locator("#outcome").get_attribute("aria-live") == "polite"
    for slider in opened.locator('#weights input[type="range"]').all():
        assert opened.locator(f'label[for="{slider.get_attribute("id")}"]').inner_text()
        assert slider.get_attribute("aria-valuetext")


def test_reset_brings_the_settings_back(opened: "Page") -> None:
    opened.locator("#reset").press("Enter")
    before = ranking(opened)
    opened.locator("#weight-accuracy").press("Home")
    assert ranking(opened) != before
    opened.locator("#reset").press("Enter")
    opened.wait_for_function("() => document.getElementById('command').textContent === 'weighbridge decide'")
    assert ranking(opened) == before
