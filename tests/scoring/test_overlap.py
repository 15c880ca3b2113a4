"""SQuAD v1.1 normalisation, exact match and F1."""

import pytest

from weighbridge.scoring.overlap import exact_match, normalise, token_f1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Eiffel Tower.", "eiffel tower"),
        ("an apple, a pear & the plum", "apple pear plum"),
        ("Theatre of Athens", "theatre of athens"),
        ("1,000.50 km", "100050 km"),
        ("mother-in-law", "motherinlaw"),
        ("  ", ""),
    ],
)
def test_normalises_as_the_official_script(text: str, expected: str):
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "references", "expected"),
    [
        ("the cat sat", ("cat",), 2 / 3),
        ("cat", ("the cat", "dog"), 1.0),
        ("dog dog cat", ("dog cat",), 0.8),
        ("a b c", ("x y",), 0.0),
        ("", ("cat",), 0.0),
        ("anything", (), 0.0),
        ("red green blue", ("red", "red green"), 0.8),
    ],
)
def test_token_f1_is_that_of_the_best_reference(text: str, references: tuple[str, ...], expected: float):
    assert token_f1(text, references) == pytest.approx(expected)


def test_a_reference_of_an_article_alone_is_compared_whole():
    assert token_f1("A", ["a"]) == 1.0
    assert token_f1("the", ["a"]) == 0.0
    assert exact_match("A", ["a"])
    assert not exact_match("the", ["a"])
    assert not exact_match("", ["a"])


def test_exact_match_takes_any_reference():
    assert exact_match("the 42nd street!", ["Broadway", "42nd Street"])
    assert not exact_match("42nd", ["42nd Street"])
