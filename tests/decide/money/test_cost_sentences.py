"""A total cost in words, and rounded rows that add up."""

import math
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from weighbridge.decide.money.break_even import BreakEven, Crossing
from weighbridge.decide.money.cost_sentences import (
    alternative_sentence,
    break_even_sentence,
    cost_headline,
    pairs_with,
    rounded_amounts,
    telling_swings,
    total_scale,
    write_volume,
    write_years,
)
from weighbridge.decide.money.ledger import Band, CostRow
from weighbridge.decide.money.ownership import MoneyCase, ownership

from .plans import machine_plan, make_case

PUBLISHED = {"rag": (50_000.0, 20_000.0, 0.01), "fine-tuned": (200_000.0, 60_000.0, 0.05)}

NEVER = "fine-tuned and rag have no break-even at any volume: rag never costs more."
ONCE = "fine-tuned and rag: up to 83,330 answers a month rag is the cheaper; beyond that fine-tuned is."


def plain(sentence: str) -> str:
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


def sentences(case: MoneyCase) -> list[str]:
    own = ownership(case)
    pairs = [break_even_sentence(*pair, own) for pair in pairs_with(own, own.cheapest)]
    return [plain(sentence) for sentence in (*cost_headline(own), *pairs)]


def test_no_break_even_is_said_plainly():
    assert sentences(make_case(PUBLISHED)) == [
        "Over 3 years at 10,000 answers a month, rag costs least: $113,600.",
        "Nothing costs less at any volume.",
        "The next is fine-tuned, for $284,400 more. No number has a spread, so nothing says how sure this is.",
        f"{NEVER} At 10,000 answers a month, rag has cost less in every month.",
    ]


def test_one_crossing_says_who_is_cheaper_where():
    case = make_case({"rag": (50_000, 20_000, 0.05), "fine-tuned": (200_000, 10_000, 0.01)}, volume=100_000)
    assert sentences(case) == [
        "Over 3 years at 100,000 answers a month, fine-tuned costs least: $266,000.",
        "Nothing costs less from 83,330 answers a month on; below it, rag does.",
        "The next is rag, for $24,000 more. No number has a spread, so nothing says how sure this is.",
        f"{ONCE} At 100,000 answers a month, fine-tuned has paid for itself in month 32 of 36.",
    ]


@pytest.mark.parametrize("volume", [5000, 5000 * (1 + 1e-12), 5000 * (1 - 1e-12)])
def test_at_the_break_even_itself_the_other_is_named(volume: float):
    case = make_case({"a": (1000, 0, 0.1), "b": (4600, 0, 0.04)}, months=12, volume=volume)
    assert sentences(case)[1] in (
        "Nothing costs less up to 5,000 answers a month; above it, b does.",
        "Nothing costs less from 5,000 answers a month on; below it, a does.",
    )


def test_doubt_is_a_band_and_a_chance():
    case = make_case({"a": (Band(900, 1000, 1500), 0, 0), "b": (1200, 0, 0)}, draws=1000)
    first, _, third, *_ = sentences(case)
    assert first.startswith("Over 3 years at 10,000 answers a month, a costs least: $1,000 (9")
    assert first.endswith("with a chance of 90 %).")
    assert third.startswith("The chance that it is the cheapest is 8")
    assert third.endswith("; the next is b, for $200.00 more.")


def test_totals_that_no_assumption_could_tell_apart_are_about_the_same():
    assert sentences(make_case({"a": (1000, 0, 0), "b": (1004, 0, 0)}))[2] == (
        "b costs about the same: the difference is $4.00."
    )


def test_many_crossings_are_counted():
    case = make_case({"endpoint": (0, 0, 0.01)}, months=1)
    inputs = dict(case.inputs)
    own = machine_plan("own", inputs, price=1.0, capacity=1e5, once=100.0)
    both = MoneyCase(currency="USD", inputs=inputs, plans=(*case.plans, own), trials=case.trials)
    first, second, _, last = sentences(both)
    assert first.startswith("Over 1 month at 10,000")
    assert second == "Nothing costs less up to 83,000 answers a month; above it, own does."
    assert "up to 83,000 answers a month endpoint is the cheaper; up to 100,000 answers a month own is" in last
    assert "and so on, with 7 changes in all; beyond that own is." in last


def test_crossings_close_to_each_other_are_one_stretch():
    crossings = tuple(
        Crossing(at, *"ab"[:: 1 - 2 * (turn % 2)]) for turn, at in enumerate((1000.0, 1050.0, 1100.0, 2e6))
    )
    pair = BreakEven(left="a", right="b", axis="volume", crossings=crossings, cheaper=None, up_to=None)
    own = ownership(make_case({"a": (1, 0, 0), "b": (2, 0, 0)}))
    sentence = plain(break_even_sentence(pair, own.over_time[0], own))
    assert sentence.startswith(
        "a and b: up to 1,000 answers a month a is the cheaper; up to 1,100 answers a month they take turns; "
        "up to 2,000,000 answers a month b is the cheaper; beyond that a is."
    )


def test_between_two_others_the_range_has_two_ends():
    arms = {"few": (0, 0, 0.03), "some": (1000, 0, 0.02), "many": (4000, 0, 0.01)}
    second = sentences(make_case(arms, months=1, volume=200_000))[1]
    assert second == (
        "Nothing costs less from 100,000 answers a month (below it, few does) to 300,000 answers a month "
        "(above it, many does)."
    )


def test_an_arm_alone_has_nothing_to_be_compared_with():
    assert sentences(make_case({"rag": (100, 12, 0)}, months=18)) == [
        "Over 18 months at 10,000 answers a month, rag costs: $118.00."
    ]


def test_the_swings_are_of_the_gap_where_there_is_one():
    close = ownership(make_case({"a": (Band(90, 100, 110), 0, 0), "b": (Band(95, 105, 115), 0, 0)}))
    heading, swings = telling_swings(close)
    assert heading.startswith("b costs so much more than a")
    assert {swing.input for swing in swings} == {"a.once", "b.once"}
    hardly = ownership(make_case({"a": (Band(99, 100, 101), 0, 0), "b": (100.1, 0, 0)}))
    assert telling_swings(hardly)[0].startswith("The total of a")
    same = ownership(make_case({"a": (0, 0, 1), "b": (0, 0, 1)}, volume=Band(1, 2, 3)))
    heading, swings = telling_swings(same)
    assert heading.startswith("The total of a")
    assert [swing.input for swing in swings] == ["volume"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(999.4, "999"), (1234.0, "1,234"), (83_333.3, "83,330"), (1_234_567.0, "1,235,000"), (0.0, "0")],
)
def test_volumes_are_written_to_four_digits(value, words):
    assert plain(write_volume(value)) == f"{words} answers a month"


@pytest.mark.parametrize(("months", "words"), [(36, "3 years"), (12, "1 year"), (18, "18 months"), (1, "1 month")])
def test_a_time_is_written_in_its_largest_unit(months, words):
    assert write_years(months) == words


@for_all(st.lists(st.floats(0, 1e7), min_size=1, max_size=12))
def test_rounded_rows_add_up_to_the_rounded_total(amounts):
    rows = [CostRow(str(place), amount) for place, amount in enumerate(amounts)]
    total = math.fsum(amounts)
    scale = total_scale(total, "USD")
    rounded = rounded_amounts(rows, scale)
    assert scale.number(math.fsum(rounded)) == scale.number(total) or abs(math.fsum(rounded) - total) <= 0.5 * (
        1 / 10**scale.decimals
    ) * (1 + 1e-6)
    unit = 1 / 10**scale.decimals
    assert all(abs(one - row.amount) < unit * (1 + 1e-6) for one, row in zip(rounded, rows, strict=True))


def test_an_alternative_is_compared_with_the_arm_as_measured():
    case = make_case({"a": (0, 0, 0.02), "a elsewhere": (1000, 0, 0.01)}, months=1)
    arm, other = case.plans
    own = ownership(replace(case, plans=(arm,), alternatives=(replace(other, measured_as="a"),)))
    (pair,) = own.alternatives_over_volume
    assert plain(alternative_sentence(pair, own, "a elsewhere")) == ("$900 more; cheaper from 100,000 answers a month")
    many = make_case({"a": (0, 0, 0.02), "a elsewhere": (1000, 0, 0.01)}, months=1, volume=200_000)
    own = ownership(replace(many, plans=(arm,), alternatives=(replace(other, measured_as="a"),)))
    assert plain(alternative_sentence(own.alternatives_over_volume[0], own, "a elsewhere")) == "$1,000 less"
    cheap = make_case({"a": (100, 0, 0), "a elsewhere": (0, 0, 0.005)}, months=1)
    first, second = cheap.plans
    own = ownership(replace(cheap, plans=(first,), alternatives=(replace(second, measured_as="a"),)))
    assert plain(alternative_sentence(own.alternatives_over_volume[0], own, "a elsewhere")) == (
        "$50.00 less; dearer from 20,000 answers a month"
    )
