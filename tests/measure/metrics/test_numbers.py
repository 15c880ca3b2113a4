"""Numbers are compared by value; another number is another answer, and a mere addition is not."""

import pytest

from weighbridge.measure.metrics.marking import outcome_of
from weighbridge.measure.metrics.text import by_value, contradicts
from weighbridge.types import Answer, Example, Prompt, Question, Timing, Usage


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("5 weeks", "5 weeks"),
        ("Five weeks", "5 weeks"),
        ("07:30 to 16:05", "7:30 to 16:5"),
        ("08:00", "8:0"),
        ("£2,318.50", "£2318.5"),
        ("1,234,567", "1234567"),
        ("1,5 or 12,34", "1,5 or 12,34"),
        ("12.0 mg", "12 mg"),
        ("0.50", "0.5"),
        ("007", "7"),
        ("0", "0"),
        ("room 1.14.", "room 1.14."),
        ("05.05.2024", "5.05.2024"),
        ("seventy-two", "70-2"),
        ("one of them, often", "one of them, often"),
        ("", ""),
    ],
)
def test_numbers_are_written_in_one_way(text, written):
    assert by_value(text) == written


@pytest.mark.parametrize(
    ("text", "reference", "outcome"),
    [
        ("5 weeks", "5 weeks", "right"),
        ("five weeks", "5 weeks", "right"),
        ("5 full weeks", "5 weeks", "right"),
        ("12 weeks", "5 weeks", "wrong"),
        ("weeks", "5 weeks", "wrong"),
        ("5 or 6 weeks", "5 weeks", "wrong"),
        ("5-6 weeks", "5 weeks", "wrong"),
        ("£5 or £6", "£5", "wrong"),
        ("£5 or £6 or £7", "£5 or £6", "wrong"),
        ("5 or 6 weeks", "5 or 6 weeks", "right"),
        ("8:00 to 17:00", "08:00 to 17:00", "right"),
        ("8:00", "08:00", "right"),
        ("12 mg", "12.0 mg", "right"),
        ("12.5 mg", "12 mg", "wrong"),
        ("2318", "2,318", "right"),
        ("Monday 5 May 2024", "5 May", "right"),
        ("Monday 6 May 2024", "5 May", "wrong"),
        ("1 week", "one week", "right"),
        ("one week", "1 week", "right"),
        ("2 hours before departure", "one hour before departure", "wrong"),
        ("a nurse on duty", "one of the nurses on duty", "right"),
        ("in the small canteen 2", "in the small canteen", "right"),
    ],
)
def test_another_number_is_another_answer(text, reference, outcome):
    example = Example(id="e", question=Question("How many?"), answers=(reference,))
    answer = Answer(
        text=text, raw=text, prompt=Prompt(()), abstained=False, citations=(), usage=Usage(), timing=Timing()
    )
    assert outcome_of("answer", example, answer) == outcome


def test_one_number_that_agrees_is_enough_where_several_references_are_accepted():
    assert contradicts("12 weeks", "5 weeks")
    example = Example(id="e", question=Question("How many?"), answers=("5 weeks", "12 weeks"))
    answer = Answer(
        text="12 weeks", raw="", prompt=Prompt(()), abstained=False, citations=(), usage=Usage(), timing=Timing()
    )
    assert outcome_of("answer", example, answer) == "right"
