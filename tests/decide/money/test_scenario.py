"""Arms by hand: the published table in a file, and every mistake with its line."""

import pytest

from weighbridge.decide.money.ledger import Band
from weighbridge.decide.money.ownership import ownership
from weighbridge.decide.money.scenario import SAMPLE, read_scenario
from weighbridge.errors import SettingsError


def test_the_sample_is_the_published_table():
    priced = ownership(read_scenario(SAMPLE, "arms.toml"))
    assert {arm.name: arm.total for arm in priced.arms} == pytest.approx({"rag": 113_600, "fine-tuned": 398_000})
    assert priced.over_volume[0].crossings == ()


def test_volume_and_years_may_be_others():
    priced = ownership(read_scenario(SAMPLE, "arms.toml", volume=100_000, years=1))
    assert priced.arm("rag").total == pytest.approx(50_000 + 20_000 + 12 * 100_000 * 0.01)
    assert (priced.months, priced.volume) == (12, 100_000)


def test_trainings_and_machines_are_counted():
    text = """
    answers_per_month = 25000
    [arms.tuned]
    training = 600
    retrain_days = 30.4375
    machine_per_month = 730
    answers_per_machine = 10000
    """
    (arm,) = ownership(read_scenario(text, "arms.toml", years=1)).arms
    rows = {row.label: row.amount for row in arm.rows}
    assert rows["training again"] == pytest.approx(12 * 600)
    assert rows["machine, answering"] + rows["machine, waiting"] == pytest.approx(3 * 730 * 12)


def test_three_numbers_are_a_band():
    arm = "[arms.a]\nsetup = [1, 2, 4]\nretrain_days = [30, 60, 90]\ntraining = 1\n"
    text = f"answers_per_month = [1000, 2000, 5000]\n{arm}"
    case = read_scenario(text, "arms.toml")
    assert case.inputs["volume"].band == Band(1000, 2000, 5000)
    often = case.inputs["a.retrain_days"].band
    assert (often.low, often.high) == pytest.approx((365.25 / 12 / 90, 365.25 / 12 / 30))
    assert ownership(case).draws == 2000


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("answers_per_month = 10000", "answers_per_month = -1", "2: answers_per_month must be more than 0, not -1"),
        ("years = 3", "years = 0", "years must be more than 0, not 0"),
        ("per_year = 20000", "per_year = [3, 2, 4]", "arms.rag.per_year must rise from the lowest to the highest"),
        ("per_year = 20000", "per_year = [3, 4]", "must be a number, or [low, likely, high], not [3, 4]"),
        ("per_year = 20000", "per_year = true", "must be a number, or [low, likely, high], not True"),
        ("per_year = 20000", "per_yaer = 20000", "unknown key 'per_yaer'; known here: setup, per_year"),
        ("per_year = 20000", "training = 20000", "arms.rag has no retrain_days (days between two trainings)"),
        ("years = 3", "yeers = 3", "unknown key 'yeers'"),
        ('currency = "USD"', "currency = 3", "1: currency must be three capital letters"),
        ("years = 3", "years = 1e9", "years must be at most 50, not 1e+09"),
        ("years = 3", "growth = 100", "growth must be at most 10, not 100"),
        ("per_year = 20000", "per_year = 1e300", "per_year must be at most 1,000,000,000,000,000, not 1e+300"),
        ("answers_per_month = 10000", "answers_per_month = 1e16", "answers_per_month must be at most"),
        ('currency = "USD"', 'currency = "XXX"', "(ISO 4217), like USD, EUR, GBP, CHF, JPY, not 'XXX'"),
    ],
)
def test_a_mistake_is_named_with_its_line(old, new, problem):
    text = SAMPLE.replace(old, new, 1)
    with pytest.raises(SettingsError) as error:
        read_scenario(text, "arms.toml")
    assert problem in str(error.value)
    line = int(str(error.value).split(":")[1])
    assert text.splitlines()[line - 1].startswith((new.split(" =")[0], "[arms.rag]"))


@pytest.mark.parametrize("text", ["answers_per_month = 5", "answers_per_month = 5\narms = 3", "[arms.a]\nsetup = 1"])
def test_a_scenario_without_arms_or_volume_is_refused(text):
    with pytest.raises(SettingsError, match=r"there is no arm|answers_per_month is missing"):
        read_scenario(text, "arms.toml")


def test_a_volume_that_grows_beyond_reason_is_refused():
    with pytest.raises(SettingsError, match=r"arms\.toml:1: .* which nobody could ask"):
        read_scenario("growth = 10\n" + SAMPLE.replace("years = 3", "years = 20"), "arms.toml")
