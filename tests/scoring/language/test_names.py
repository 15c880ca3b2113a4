"""Names are one person's in any order and with initials; another given name or surname is another person."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.scoring.language.names import compare_names, find_names, match_name, parse_name
from weighbridge.scoring.values import compare_values

GIVEN_TABLE = """
Anna Berta Carlos Dmitri Elena Farid Greta Hugo Ines Jonas Kaito Lucía Mehmet Nora
"""
GIVEN = st.sampled_from(GIVEN_TABLE.split())
SURNAMES_TABLE = """
Aldrin Brandt Castillo Dvořák Eriksen Fontaine Güney Hashimoto Ivanova Jørgensen
"""
SURNAMES = st.sampled_from(SURNAMES_TABLE.split())
PARTICLES = st.sampled_from(["", "van ", "van der ", "de ", "von "])
QUESTION = "Who runs the harbour office?"


def relation(reference, answer):
    matches = compare_values(QUESTION, reference, answer)
    return [match.relation for match in matches if match.kind == "name"]


@given(given_=GIVEN, middle=GIVEN, particle=PARTICLES, surname=SURNAMES)
def test_one_person_in_many_ways(given_, middle, particle, surname):
    assume(middle != given_)
    name = f"{given_} {particle}{surname}"
    ways = [
        name,
        f"{given_[0]}. {particle}{surname}",
        f"{particle}{surname}, {given_}".strip(),
        f"{given_} {middle} {particle}{surname}",
        f"Dr. {given_} {particle}{surname}",
        f"{given_} {particle}{surname} Jr.",
        f"The office is run by {name} since May.",
        f"Ms {surname}",
        f"It is {surname}.",
        f"{given_} {particle.title()}{surname}",
    ]
    for way in ways:
        if "," in way:
            assert compare_names(parse_name(name), parse_name(way)) == "same", way
        else:
            assert relation(name, way) == ["same"], way


@given(given_=GIVEN, other=GIVEN, surname=SURNAMES, other_surname=SURNAMES)
def test_another_given_name_or_surname_is_another_person(given_, other, surname, other_surname):
    assume(given_ != other)
    assume(surname != other_surname)
    assert relation(f"{given_} {surname}", f"{other} {surname}") == ["different"]
    assert relation(f"{given_} {surname}", f"{given_} {other_surname}") == ["different"]
    assert relation(f"{given_} {surname}", f"It is {other} {other_surname}.") == ["different"]
    if given_[0] != other[0]:
        assert relation(f"{given_} {surname}", f"{other[0]}. {surname}") == ["different"]


@given(given_=GIVEN, surname=SURNAMES)
def test_a_given_name_alone_names_nobody(given_, surname):
    assert relation(f"{given_} {surname}", given_) == ["missing"]
    assert relation(f"{given_} {surname}", "nobody knows") == ["missing"]


@pytest.mark.parametrize(
    ("reference", "answer", "wanted"),
    [
        ("R. H. Thornton", "R.H. Thornton plays the part", "same"),
        ("William Archer", "Bill Archer", "same"),
        ("Yu Xiulan", "Yu Xiu Lan", "same"),
        ("Xiulan Yu", "Yu Xiulan", "same"),
        ("Lars Erik Holm", "Erik Lars Holm", "same"),
        ("Gabriel Moreno", "Gabriel Moreno Ríos", "same"),
        ("Johann Emil Kranz", "Johann Paul Kranz", "different"),
        ("Ole Bjørn Kjær", "Ole Bjorn Kjaer", "same"),
        ("Müller", "Frau Müller", "same"),
        ("Ahmed al-Rashid", "Ahmed Al Rashid", "same"),
        ("Carl Falk-Berg", "Carl Falk Berg", "same"),
        ("Carl Falk", "it was led byCarl Falkuntil May", "same"),
        ("Ann Baker", "Tom Baker took over from Ann Baker", "same"),
        ("Ann Baker", "Tom Baker is new. Baker runs it.", "different"),
    ],
)
def test_names_of_each_kind(reference, answer, wanted):
    assert relation(reference, answer) == [wanted]


@pytest.mark.parametrize("text", ["the north hall", "Acme Corporation", "5 weeks", "ann baker", "", "A B C D E F G H"])
def test_what_is_no_name(text):
    assert parse_name(text) is None


def test_a_capital_letter_is_no_person_unless_one_is_asked_for():
    assert match_name("Where is it?", "New Haven", "New London") is None
    assert match_name("Who?", "New Haven", "New London") is not None
    assert match_name("Where is it?", "J. Smith", "Jane Smith") is not None


def test_names_of_a_text():
    found = [name.parts for name in find_names("Ludwig van Loon met Dr. A. Baker. Then it rained.")]
    assert found[:2] == [("ludwig", "loon"), ("a", "baker")]
