"""Quantities are compared in one unit; what does not convert, or converts to another amount, is another answer."""

import functools
from fractions import Fraction

import pint
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.scoring.language.folding import fold
from weighbridge.scoring.numbers.precision import compare_quantities
from weighbridge.scoring.numbers.quantities import find_quantities, units_asked
from weighbridge.scoring.numbers.units import units_named
from weighbridge.scoring.values import compare_values

EXACT = {
    "mass": {"mg": Fraction(1, 1000), "g": Fraction(1), "kg": Fraction(1000), "tonnes": Fraction(10**6)},
    "length": {"mm": Fraction(1, 1000), "cm": Fraction(1, 100), "metres": Fraction(1), "km": Fraction(1000)},
    "volume": {"ml": Fraction(1, 1000), "litres": Fraction(1), "m³": Fraction(1000)},
    "time": {"seconds": Fraction(1), "minutes": Fraction(60), "hours": Fraction(3600), "weeks": Fraction(604800)},
    "months": {"months": Fraction(1), "years": Fraction(12)},
    "share": {"%": Fraction(1, 100), "percent": Fraction(1, 100), "‰": Fraction(1, 1000)},
    "money": {"euro": Fraction(1), "EUR": Fraction(1), "euro cents": Fraction(1, 100)},
}
PINT_UNITS = (
    "mg g kg tonne pound ounce stone mm cm m km inch foot yard mile nautical_mile ml liter pint quart gallon",
    "tablespoon second minute hour day week knot mph watt kW horsepower bar psi atm mmHg joule kWh cal kcal",
    "hectare acre lb ft yd mi nmi bit byte kB MB GB volt mA hertz MHz newton ohm mol",
)
PINT_NAMES = " ".join(PINT_UNITS).split()
OWN_NAMES = {"nautical_mile": "nautical mile", "tablespoon": ""}
"""Of a tablespoon, pint has the American size; recipes elsewhere mean 15 ml."""


@functools.cache
def pint_registry():
    return pint.UnitRegistry()


def compare(question, reference, answer):
    (wanted,), (given_,) = find_quantities(fold(reference)), find_quantities(fold(answer))
    return compare_quantities(wanted, given_, units_asked(question))[0]


def decimal(value):
    text = f"{float(value):.9f}".rstrip("0").rstrip(".")
    assume(Fraction(text) == value)
    return text


@given(st.data())
def test_an_amount_in_another_unit_of_its_kind_is_the_same(data):
    units = EXACT[data.draw(st.sampled_from(sorted(EXACT)))]
    first, second = data.draw(st.sampled_from(sorted(units))), data.draw(st.sampled_from(sorted(units)))
    amount = data.draw(st.integers(min_value=1, max_value=5000))
    converted = amount * units[first] / units[second]
    assert compare("", f"{amount} {first}", f"{decimal(converted)} {second}") == "same"
    changed = converted * 2
    assert compare("", f"{amount} {first}", f"{decimal(changed)} {second}") == "different"


@given(st.data())
def test_the_same_number_of_another_unit_is_another_answer(data):
    kinds = data.draw(st.lists(st.sampled_from(sorted(EXACT)), min_size=2, max_size=2))
    first, second = (data.draw(st.sampled_from(sorted(EXACT[kind]))) for kind in kinds)
    assume(kinds[0] != kinds[1] or EXACT[kinds[0]][first] != EXACT[kinds[1]][second])
    amount = data.draw(st.integers(min_value=2, max_value=500))
    assume({first, second} != {"weeks", "months"})
    assert compare("", f"{amount} {first}", f"{amount} {second}") == "different"


@pytest.mark.parametrize("name", PINT_NAMES)
def test_factors_are_those_of_pint(name):
    own = units_named(OWN_NAMES.get(name, name).replace(" ", "-"))
    if name == "tablespoon":
        own = units_named("tablespoon")
        assert own[0].factor == Fraction(15, 1000)
        return
    registry = pint_registry()
    bases = {"mass": "g", "length": "m", "volume": "l", "time": "s", "speed": "m/s", "data": "byte", "area": "m**2"}
    bases |= {"power": "W", "pressure": "Pa", "energy": "J", "voltage": "V", "current": "A", "frequency": "Hz"}
    bases |= {"force": "N", "resistance": "ohm", "substance": "mol"}
    factors = [
        registry.Quantity(1, name).to(bases[unit.dimension]).magnitude / float(unit.factor)
        for unit in own
        if unit.dimension in bases and registry.Quantity(1, name).is_compatible_with(bases[unit.dimension])
    ]
    assert factors
    assert any(abs(factor - 1) < 1e-5 for factor in factors)


@pytest.mark.parametrize(
    ("celsius", "fahrenheit"), [("100 °C", "212 °F"), ("-40 °C", "-40 °F"), ("37 °C", "98.6 degrees Fahrenheit")]
)
def test_temperatures_have_an_offset(celsius, fahrenheit):
    assert compare("", celsius, fahrenheit) == "same"
    assert compare("", celsius, fahrenheit.replace("°F", "°C").replace("Fahrenheit", "Celsius")) == (
        "same" if celsius.startswith("-40") else "different"
    )


@pytest.mark.parametrize(
    ("question", "reference", "answer", "relation"),
    [
        ("", "5 miles", "8 km", "same"),
        ("", "5 miles", "9 km", "different"),
        ("", "1 kg", "2.2 pounds", "same"),
        ("", "20 °C", "68 °F", "same"),
        ("", "20 °C", "70 °F", "different"),
        ("", "6 ft 1 in", "1.85 m", "same"),
        ("", "6ft 1in", "6 feet 1 inch", "same"),
        ("", "6 ft 1 in", "1.95 m", "different"),
        ("", "2 hours and 30 minutes", "150 min", "same"),
        ("", "1 month", "30 days", "same"),
        ("", "1 month", "4 weeks", "different"),
        ("", "1 year", "365 days", "same"),
        ("", "90 km/h", "25 m/s", "same"),
        ("", "90 km/h", "90 mph", "different"),
        ("", "54 Mbit/s", "54 Mbps", "same"),
        ("", "54 MB/s", "54 Mbit/s", "different"),
        ("", "5 mg", "5", "no unit"),
        ("How many mg (mg)?", "5 mg", "5", "same"),
        ("How many weeks?", "5", "5 months", "different"),
        ("How many weeks?", "5", "35 days", "same"),
        ("How old?", "36 months", "3", "same"),
        ("", "5", "5 boxes", "same"),
        ("", "15 %", "0.15", "same"),
        ("", "15 %", "0.2", "different"),
        ("", "7 km", "12 weeks", "unrelated"),
        ("", "7 km", "7 weeks", "different"),
        ("", "20 US$", "$20", "same"),
        ("", "$20", "C$20", "same"),
        ("", "US$ 20", "C$20", "different"),
        ("", "50 cents", "0.50 euro", "same"),
        ("", "£1.5 million", "1,500,000 pounds", "same"),
        ("", "3 pounds", "1.36 kg", "same"),
        ("", "1.500 €", "1500 €", "same"),
        ("", "1.500 €", "1.5 €", "different"),
        ("", "at least 5 kg", "at most 5 kg", "different"),
        ("", "no more than 5 kg", "up to 5 kg", "same"),
        ("", "5 kg or more", "at least 5 kg", "same"),
        ("", "10-12 days", "10 to 12 days", "same"),
        ("", "10-12 days", "between 10 and 12 days", "same"),
        ("", "10-12 days", "10-13 days", "different"),
        ("", "10-12 days", "10 days", "different"),
        ("", "5 weeks", "5 or 6 weeks", "different"),
        ("", "a week", "7 days", "same"),
        ("", "half an hour", "30 minutes", "same"),
        ("", "5 km²", "5 square kilometres", "same"),
        ("", "5 km²", "5 km", "different"),
        ("", "3 cubic metres", "3000 litres", "same"),
    ],
)
def test_units_are_converted_or_told_apart(question, reference, answer, relation):
    assert compare(question, reference, answer) == relation


@pytest.mark.parametrize(
    ("exact", "stated", "relation"),
    [
        ("1,234,567", "1.2 million", "same"),
        ("1,234,567", "about 1.23 million", "same"),
        ("1,234,567", "about 1,200,000", "same"),
        ("1,234,567", "1,200,000", "different"),
        ("1,234,567", "about 1 million", "different"),
        ("1,234,567", "1.3 million", "different"),
        ("98", "about 100", "same"),
        ("98", "100", "different"),
        ("3.14159", "3.14", "same"),
        ("3.14159", "3.15", "different"),
        ("3.14159", "3.1", "different"),
        ("12", "12.3", "different"),
        ("1.46 %", "1.5 %", "different"),
    ],
)
def test_a_rounded_number_is_the_same_where_it_says_so_or_has_digits_enough(exact, stated, relation):
    assert compare("", exact, stated) == relation
    assert compare("", stated, exact) == relation


def test_a_fall_may_stand_in_the_word_instead_of_the_sign():
    question = "By how much did the price change?"
    for answer, relation in (
        ("It fell by 4 %.", "same"),
        ("-4 %", "same"),
        ("4 %", "different"),
        ("+4 %", "different"),
    ):
        (match,) = [found for found in compare_values(question, "-4 %", answer) if found.kind == "quantity"]
        assert match.relation == relation, answer


def test_a_noun_tells_which_number_is_meant():
    wanted = "5 nurses"
    (match,) = compare_values("Who is there?", wanted, "There are 5 doctors and 6 nurses.")
    assert (match.relation, match.answer) == ("different", "6")
    (match,) = compare_values("Who is there?", wanted, "There are 6 doctors and 5 nurses.")
    assert match.relation == "same"


def test_an_ordinal_contradicts_no_count():
    assert compare_values("How many doors?", "9", "It first opened in spring.")[0].relation == "missing"
    assert compare_values("Which floor?", "the ninth", "the first floor")[0].relation == "different"
    assert compare_values("Which floor?", "floor 9", "the ninth floor")[0].relation == "same"


def test_a_number_of_the_question_contradicts_nothing():
    question = "How many rooms are in house 14?"
    assert compare_values(question, "9", "House 14 is large.")[0].relation == "missing"
    assert compare_values(question, "9", "House 14 has 8 rooms.")[0].answer == "8"


def test_only_less_than_one_of_the_larger_unit_adds_to_it():
    assert [quantity.text for quantity in find_quantities("2 hours and 30 minutes")] == ["2 hours and 30 minutes"]
    assert [quantity.text for quantity in find_quantities("2 hours and 90 minutes")] == ["2 hours", "90 minutes"]
