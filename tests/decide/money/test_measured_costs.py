"""Measured arms, priced by hand."""

from dataclasses import replace
from datetime import date

import pytest

from weighbridge.decide.money.cost import with_cost
from weighbridge.decide.money.ledger import ANSWERING, WAITING
from weighbridge.decide.money.measured_costs import Pricing, migration_month, money_case
from weighbridge.decide.money.other_ways import with_other_ways
from weighbridge.decide.money.ownership import Ownership, ownership
from weighbridge.errors import DataError, SettingsError
from weighbridge.results import Measurement

from .measured import ENDPOINT, NO_PEOPLE, NO_SPREAD, estimate, measured, pricing


def price(given: Pricing, *measurements: Measurement) -> Ownership:
    return ownership(with_other_ways(money_case(measurements, given), measurements, given))


def rows_of(own: Ownership, name: str) -> dict[str, float]:
    return {row.label: row.amount for row in own.arm(name).rows}


def test_the_answering_row_is_the_cost_per_answer_of_the_decision():
    """One voice: the running cost in the table of figures, times the answers, is the row of the total."""
    given = pricing(prices={"machine_per_hour": 3.0}, needs={"answers_per_month": 50_000})
    settings = given.settings
    arm = with_cost(measured("prompt", seconds=0.9), estimate(0.9), settings.prices, settings.needs)
    answering = rows_of(price(given, arm), "prompt")[ANSWERING]
    assert arm.cost is not None
    assert answering == pytest.approx(arm.cost.per_thousand_answers * 50 * 36)


def test_token_rows_are_the_cost_per_answer_of_the_decision():
    token_prices = {"input_per_million": 2.0, "output_per_million": 8.0}
    given = pricing(prices=token_prices, model=ENDPOINT, needs={"answers_per_month": 1000})
    arm = with_cost(measured("rag", by_token=True), None, given.settings.prices, given.settings.needs)
    rows = rows_of(price(given, arm), "rag")
    assert rows["tokens in"] == pytest.approx(400 * 2 / 1e6 * 36_000)
    assert rows["tokens out"] == pytest.approx(10 * 8 / 1e6 * 36_000)
    assert arm.cost is not None
    assert rows["tokens in"] + rows["tokens out"] == pytest.approx(arm.cost.per_thousand_answers * 36)
    assert ANSWERING not in rows


def test_the_book_prices_an_endpoint_that_the_settings_do_not():
    given = pricing(model=ENDPOINT, needs={"answers_per_month": 1000}, ownership={"cached": 0.5})
    rows = rows_of(price(given, measured("prompt", by_token=True)), "prompt")
    assert rows["tokens in"] == pytest.approx(400 * (2.5 + 1.25) / 2 / 1e6 * 36_000)


def test_a_tuned_model_has_its_own_price_in_the_book():
    given = pricing(model=ENDPOINT, needs={"answers_per_month": 1000})
    own = price(given, measured("prompt", by_token=True), measured("fine-tuned", by_token=True))
    assert rows_of(own, "prompt")["tokens in"] == pytest.approx(400 * 2.5 / 1e6 * 36_000)
    assert rows_of(own, "fine-tuned")["tokens in"] == pytest.approx(400 * 3.75 / 1e6 * 36_000)
    set_prices = {"input_per_million": 2.0, "output_per_million": 2.0}
    own = price(pricing(model=ENDPOINT, prices=set_prices), measured("fine-tuned", by_token=True))
    assert rows_of(own, "fine-tuned")["tokens in"] == pytest.approx(400 * 2.0 / 1e6 * 360_000)


def test_cached_tokens_have_the_rebate_of_the_book_on_the_price_of_the_settings():
    token_prices = {"input_per_million": 5.0, "output_per_million": 0.0}
    given = pricing(prices=token_prices, model=ENDPOINT, needs={"answers_per_month": 1000}, ownership={"cached": 1.0})
    assert rows_of(price(given, measured("prompt", by_token=True)), "prompt")["tokens in"] == pytest.approx(
        400 * 2.5 / 1e6 * 36_000
    )


def test_upkeep_is_paid_again_and_again():
    """36 months hold 1,095.75 days: so many indexings, and a third of a training a month."""
    given = pricing(prices={"machine_per_hour": 3600.0}, ownership={"reindex_days": 1, "retrain_days": 91.3125})
    own = price(given, measured("raft", indexing_seconds=2.0, training_seconds=30.0, training_paid=5.0))
    rows = rows_of(own, "raft")
    assert rows["indexing"] == pytest.approx(2.0 * (1 + 1095.75))
    assert rows["training"] == pytest.approx((30.0 + 5.0) * (1 + 12))
    never = pricing(prices={"machine_per_hour": 3600.0}, ownership={"reindex_days": None, "retrain_days": None})
    rows = rows_of(price(never, measured("raft", indexing_seconds=2.0, training_seconds=30.0)), "raft")
    assert (rows["indexing"], rows["training"]) == (2.0, 30.0)


def test_training_more_often_moves_the_break_even():
    """The tuned arm answers faster; the more often it is trained, the more answers it takes to pay for that."""
    rag, tuned = measured("rag", seconds=2.0), measured("fine-tuned", seconds=1.0, training_paid=100.0)
    found = []
    for days in (365.25, 30.4375, 3.0):
        given = pricing(prices={"machine_per_hour": 1.0}, ownership={"retrain_days": days, "idle_floor": 0})
        (pair,) = price(given, rag, tuned).over_volume
        (crossing,) = pair.crossings
        assert (crossing.before, crossing.after) == ("rag", "fine-tuned")
        found.append(crossing.at)
    trainings = (1 + 3, 1 + 36, 1 + 1095.75 / 3)
    assert found == pytest.approx([100 * count / (36 * 2 / 3600) for count in trainings])


def test_people_are_paid_by_role():
    hours = NO_PEOPLE | {"setup": 10, "retrieval_monthly": 2, "tuning_setup": 5, "labelling": 7, "retraining": 3}
    own = {"hours": hours, "retrain_days": 365.25 / 12}
    rows = rows_of(price(pricing(ownership=own), measured("raft")), "raft")
    assert rows["people, set-up"] == pytest.approx(10 * 100 + 5 * 120 + 7 * 90)
    assert rows["people, upkeep"] == pytest.approx(36 * (2 * 100 + 3 * 120))
    rows = rows_of(price(pricing(ownership=own), measured("prompt")), "prompt")
    assert (rows["people, set-up"], rows["people, upkeep"]) == (1000, 0)


def test_storage_and_a_database_are_paid_by_the_month():
    small, large = measured("prompt"), measured("rag")
    large = replace(large, figures={**large.figures, "disk": estimate(2.5 * 2**30)})
    given = pricing(retrieval={"store": "postgresql://host/db"})
    own = price(given, small, large)
    assert rows_of(own, "rag")["storage"] == pytest.approx(36 * 2.5 * 0.08)
    assert rows_of(own, "rag")["vector database"] == pytest.approx(36 * (50 + 2.0 * 0.33))
    assert "vector database" not in rows_of(own, "prompt")
    assert "vector database" not in rows_of(price(pricing(), small, large), "rag")


@pytest.mark.parametrize(
    ("strategy", "retrain_days", "start", "month"),
    [
        ("prompt", 90, date(2026, 12, 1), 2),  # off on 14 January 2027, 44 days later
        ("fine-tuned", 90, date(2026, 12, 1), 2),  # no training from 6 January on
        ("fine-tuned", None, date(2026, 6, 14), 8),  # off on 14 January
        ("fine-tuned", 90, date(2026, 6, 14), 7),  # no training from 6 January on
        ("prompt", 90, date(2028, 1, 1), 1),  # long gone
        ("prompt", 90, date(2023, 1, 1), None),  # after the three years
    ],
)
def test_a_sunset_is_paid_in_its_month(strategy, retrain_days, start, month):
    given = pricing(model=ENDPOINT, start=start, ownership={"retrain_days": retrain_days, "hours": {"migration": 10}})
    assert migration_month(given, tuned=strategy == "fine-tuned") == month
    own = price(given, measured(strategy, by_token=True))
    migration = rows_of(own, strategy).get("migration", 0.0)
    assert bool(migration) == (month is not None)
    if strategy == "prompt" and month:
        assert migration == pytest.approx(1000)
        before, after = own.arm(strategy).by_month[month - 1 : month + 1]
        assert after - before > 1000
        assert any(f"is paid in month {month}" in note for note in own.notes)


def test_a_model_without_sunset_need_not_move():
    given = pricing(model={**ENDPOINT, "reference": "gpt-6-luna"})
    assert "migration" not in rows_of(price(given, measured("prompt", by_token=True)), "prompt")


def test_the_name_of_a_tuned_or_dated_model_is_that_of_its_base():
    for reference, name in (
        ("ft:gpt-4o:mine:x:1", "ft:gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-search-preview", "gpt-4o-search-preview"),
    ):
        assert pricing(model={**ENDPOINT, "reference": reference}).hosted_name == name


def test_prices_of_the_book_are_converted_and_those_of_the_settings_are_not():
    hours = NO_PEOPLE | {"setup": 10}
    given = pricing(prices={"currency": "EUR", "machine_per_hour": 1.0}, ownership={"hours": hours})
    own = price(given, measured("prompt"))
    rows = rows_of(own, "prompt")
    assert own.currency == "EUR"
    assert rows["people, set-up"] == pytest.approx(10 * 100 * 0.86)
    assert rows[ANSWERING] + rows[WAITING] == pytest.approx(730 * 36)


def test_an_unknown_currency_is_refused():
    with pytest.raises(SettingsError, match="'SEK' is no currency of"):
        price(pricing(prices={"currency": "SEK"}), measured("prompt"))


def test_an_arm_that_cannot_be_priced_is_left_out_and_named():
    old = replace(measured("rag"), usage=None)
    untimed = replace(measured("raft"), usage=replace(measured("raft").usage, seconds_per_answer=None))
    own = price(pricing(), measured("prompt"), old, untimed)
    assert [arm.name for arm in own.arms] == ["prompt"]
    assert any("Not priced: rag, because an earlier release measured that" in note for note in own.notes)
    assert any("Not priced: raft, because no answer was timed" in note for note in own.notes)
    with pytest.raises(DataError, match=r"^Not priced: rag and raft, because an earlier release .* again\.$"):
        price(pricing(), old, replace(old, strategy="raft"))
    unknown = pricing(model={**ENDPOINT, "reference": "nobody-knows"})
    with pytest.raises(DataError, match="has a price for nobody-knows"):
        price(unknown, measured("prompt", by_token=True))
    with pytest.raises(DataError, match="has a price for pypi:"):  # tokens are never free because the engine changed
        price(pricing(), measured("prompt", by_token=True))


def test_intervals_of_measurements_and_spreads_of_settings_are_bands():
    arm = measured("prompt")
    arm = replace(arm, usage=replace(arm.usage, seconds_per_answer=estimate(1.0, 0.25)))
    own = price(pricing(ownership={"spread": NO_SPREAD | {"volume": 0.5}}), arm)
    assert (own.inputs["prompt.seconds"].band.low, own.inputs["prompt.seconds"].band.high) == (0.75, 1.25)
    assert own.inputs["prompt.seconds"].basis == "measured"
    assert (own.inputs["volume"].band.low, own.inputs["volume"].band.high) == (5000, 15_000)


def test_a_right_answer_costs_more_than_an_answer():
    own = price(pricing(needs={"answers_per_month": 1000}), measured("prompt"))
    assert own.arms[0].per_right_answer == pytest.approx(own.arms[0].total / 36_000 / 0.5)


def test_other_ways_change_one_thing_each():
    given = pricing(prices={"machine_per_hour": 1.0}, ownership={"idle_floor": 0.0}, needs={"answers_per_month": 1000})
    own = price(given, measured("prompt"), measured("fine-tuned"))
    names = [other.name for other in own.alternatives]
    assert names == [
        "prompt on gpt-6-luna",
        "prompt, not quantised",
        "fine-tuned, not quantised",
        "fine-tuned, adapter not merged",
    ]
    assert [other.measured_as for other in own.alternatives] == ["prompt", "prompt", "fine-tuned", "fine-tuned"]
    assert [{pair.left, pair.right} for pair in own.alternatives_over_volume] == [
        {other.name, other.measured_as} for other in own.alternatives
    ]
    rows = rows_of(own, "prompt on gpt-6-luna")
    assert rows["tokens in"] == pytest.approx(400 * 0.1 / 1e6 * 36_000)
    assert not {ANSWERING, WAITING, "storage"} & set(rows)
    wide, as_measured = rows_of(own, "prompt, not quantised"), rows_of(own, "prompt")
    assert wide[ANSWERING] == pytest.approx(as_measured[ANSWERING] * 16 / 8.5)
    assert wide["storage"] == pytest.approx(as_measured["storage"] * 16 / 8.5)
    unmerged = rows_of(own, "fine-tuned, adapter not merged")
    assert unmerged[ANSWERING] == pytest.approx(rows_of(own, "fine-tuned")[ANSWERING] * 1.1)


def test_wide_weights_can_be_quantised_and_an_endpoint_replaced():
    wide = price(pricing(model={"quantisation": "BF16"}, ownership={"alternative": ""}), measured("prompt"))
    assert [other.name for other in wide.alternatives] == ["prompt, quantised to Q8_0"]
    given = pricing(
        model=ENDPOINT, ownership={"idle_floor": 0.0, "utilisation": 1.0}, needs={"answers_per_month": 1000}
    )
    own = price(given, measured("prompt", by_token=True))
    rows = rows_of(own, "prompt on a GPU of yours")
    assert rows[ANSWERING] == pytest.approx((400 / 4000 + 10 / 800) / 3600 * 1.006 * 36_000)
    assert "tokens in" not in rows


def test_a_model_on_a_machine_of_yours_is_not_switched_off():
    given = pricing(model=ENDPOINT, start=date(2026, 12, 1), ownership={"hours": {"migration": 10}})
    own = price(given, measured("fine-tuned", by_token=True))
    assert "migration" in rows_of(own, "fine-tuned")
    assert "migration" not in rows_of(own, "fine-tuned on a GPU of yours")


def test_an_alternative_that_the_book_does_not_have_is_refused():
    with pytest.raises(SettingsError, match="no hosted model 'gpt-7'; it has gpt-6-luna"):
        price(pricing(ownership={"alternative": "gpt-7"}), measured("prompt"))
