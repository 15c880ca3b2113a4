"""Situations for the tests of the prior: the thirty written cases, and any answers at all."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from weighbridge.decide.prior.matrix import Answer, Factor
from weighbridge.decide.prior.matrix_file import load_matrix

MATRIX = load_matrix()


@dataclass(frozen=True)
class Case:
    """A written situation: the strategies that one may begin with (none: not settled), and the disputed questions."""

    name: str
    situation: str
    answers: Mapping[str, Answer]
    advice: tuple[str, ...]
    disputed: frozenset[str]


def written_cases() -> list[Case]:
    rows = tomllib.loads((Path(__file__).parent / "cases.toml").read_text(encoding="utf-8"))["cases"]
    return [
        Case(row["name"], row["situation"], row["answers"], tuple(row["advice"]), frozenset(row["disputed"]))
        for row in rows
    ]


def answer_with_score(factor: Factor, score: int) -> Answer:
    """Return an answer of a question that has this score."""
    if factor.choices:
        return next(choice.value for choice in factor.choices if choice.score == score)
    place = factor.scores.index(score)
    return factor.bounds[place - 1] if place else (factor.minimum + factor.bounds[0]) / 2


def any_answer(factor: Factor) -> st.SearchStrategy[Any]:
    if factor.choices:
        return st.sampled_from([choice.value for choice in factor.choices])
    numbers = st.floats(factor.minimum, min(factor.maximum, 2 * factor.bounds[-1])).map(lambda value: round(value, 3))
    edges = st.sampled_from([*factor.bounds, factor.minimum, factor.maximum, factor.default])
    return (numbers | edges).map(lambda value: min(max(float(value), factor.minimum), factor.maximum))


def any_answers() -> st.SearchStrategy[dict[str, Any]]:
    """Return answers to all questions; a score of each factor comes up often, whatever its range."""
    drawn = {}
    for name, factor in MATRIX.factors.items():
        scored = st.integers(1, 5).map(lambda score, factor=factor: answer_with_score(factor, score))
        drawn[name] = scored | any_answer(factor)
    return st.fixed_dictionaries(drawn)
