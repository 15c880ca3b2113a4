"""A workspace is priced from its saved files, by the command's function and from Python."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import weighbridge
from weighbridge.decide.money.price_book import standard_prices
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.results import ResourceUse
from weighbridge.workflow.cost import CostQuestion, price_workspace
from weighbridge.workspace import Workspace

from ..report.sample import exact, weighing

TODAY = date(2026, 12, 1)
QUESTION = CostQuestion(today=TODAY)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace in which five strategies were measured at an endpoint that will be switched off."""
    model = "model: {engine: openai, reference: gpt-4o, base_url: 'http://127.0.0.1:1/v1'}\n"
    (tmp_path / "weighbridge.yaml").write_text(f"examples: examples.jsonl\n{model}", encoding="utf-8")
    used = ResourceUse(seconds_per_answer=exact(1.0), by_token=True)
    sample = weighing()
    measured = tuple(replace(measurement, usage=used) for measurement in sample.measurements)
    save_weighing(Workspace(tmp_path), replace(sample, measurements=measured))
    return Workspace(tmp_path)


def migration(place: Workspace, today: date) -> float:
    own = price_workspace(place, CostQuestion(today=today))
    return sum(row.amount for row in own.arm("prompt").rows if row.label == "migration")


def test_the_day_decides_whether_a_sunset_is_paid(place: Workspace) -> None:
    assert migration(place, TODAY) > 0
    assert migration(place, date(2020, 1, 1)) == 0
    settings = place.settings_file.read_text(encoding="utf-8")
    place.settings_file.write_text(f"{settings}ownership: {{start: '2026-12-01'}}\n", encoding="utf-8")
    assert migration(place, date(2020, 1, 1)) > 0


def test_the_price_book_of_the_workspace_counts(place: Workspace) -> None:
    before = price_workspace(place, QUESTION).arm("rag").total
    text = standard_prices().replace("per_hour = 100.0", "per_hour = 1000.0")
    place.prices_file.write_text(text, encoding="utf-8")
    assert price_workspace(place, QUESTION).arm("rag").total > 5 * before


def test_python_gets_what_the_command_gets(place: Workspace) -> None:
    opened = weighbridge.open(place.root)
    assert opened.cost(today=TODAY) == price_workspace(place, QUESTION)
    other = opened.cost(today=TODAY, volume=1e6, years=1)
    assert (other.volume, other.months) == (1e6, 12)


@pytest.mark.parametrize(
    "change",
    [{"volume": 0.0}, {"volume": -1.0}, {"volume": 1e300}, {"years": 0.0}, {"years": float("nan")}, {"years": 51.0}],
)
def test_a_number_that_makes_no_sense_is_refused(place: Workspace, change: dict[str, float]) -> None:
    with pytest.raises(UserError, match="must be more than 0 and at most"):
        price_workspace(place, replace(QUESTION, **change))


def test_without_a_weighing_there_is_nothing_to_price(place: Workspace) -> None:
    place.measurements_file.unlink()
    place.weighing_file.unlink()
    with pytest.raises(WorkspaceError, match="run: weighbridge compare"):
        price_workspace(place, QUESTION)
