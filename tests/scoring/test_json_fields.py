"""JSON answers, leaf by leaf."""

import json

import pytest

from weighbridge.scoring.json_fields import find_json, parse_leaves, same_fields, share_of_fields

REFERENCE = '{"name": "Ada", "age": 36, "tags": ["x", "y"], "home": {"city": "London"}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REFERENCE, 1.0),
        ('{"age": 36.0, "name": " Ada ", "home": {"city": "London"}, "tags": ["x", "y"]}', 1.0),
        ('{"name": "Ada"}', 0.2),
        ('{"name": "ada", "age": "36", "tags": ["y", "x"], "home": "London"}', 0.0),
        ("{}", 0.0),
        ("[]", 0.0),
        ("36", 0.0),
        ("not json", 0.0),
        (f"```json\n{REFERENCE}\n```", 1.0),
        (f"Here: {REFERENCE}", 1.0),
        ("", 0.0),
        ("[" * 100_000, 0.0),
    ],
)
def test_share_of_fields(text: str, expected: float):
    assert share_of_fields(text, [REFERENCE]) == pytest.approx(expected)


def test_an_extra_field_is_not_in_the_share_but_makes_it_differ():
    text = json.dumps({**json.loads(REFERENCE), "extra": None})
    assert share_of_fields(text, [REFERENCE]) == 1.0
    assert same_fields(text, [REFERENCE]) is False
    assert same_fields(REFERENCE, ["{}", REFERENCE]) is True


def test_true_is_not_one_and_null_is_not_missing():
    assert share_of_fields('{"a": 1}', ['{"a": true}']) == 0.0
    assert share_of_fields("{}", ['{"a": null}']) == 0.0
    assert share_of_fields('{"a": null}', ['{"a": null}']) == 1.0
    assert share_of_fields("null", ["null"]) == 1.0


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', '{"a": -Infinity}', "{'a': 1}", "1 2", '{"a": 1,}'])
def test_only_strict_json_is_json(text: str):
    assert parse_leaves(text) is None


def test_nothing_can_be_said_where_no_reference_is_json():
    assert share_of_fields("{}", ["Ada, 36"]) is None
    assert same_fields("{}", ["Ada, 36"]) is None


@pytest.mark.parametrize("text", ['"a [b] c"', '{"a": "```{}```"}', "[1]", "null"])
def test_an_answer_that_is_json_is_taken_whole(text: str):
    assert find_json(text) == text


def test_words_around_json_are_a_matter_of_form():
    assert same_fields(f"The record is ```json\n{REFERENCE}\n``` as asked.", [REFERENCE])
    assert not same_fields(f"{REFERENCE} and {REFERENCE}", [REFERENCE])
