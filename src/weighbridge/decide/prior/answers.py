"""The answers of an interview: read from texts and files, with errors that name the nearest word."""

import difflib
import math
import re
from collections.abc import Mapping

from weighbridge.decide.prior.matrix import AdviceMatrix, Answer, Factor
from weighbridge.formatting import join_words

_GROUPED = re.compile(r"(?<=\d)[ _,'\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}](?=\d{3}(?!\d))")
"""The marks between groups of three digits: 10,000 and 10 000. A point is always a decimal point."""
_NUMBER = re.compile(r"([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(k|m|bn)?\s*%?")
_TIMES = {"k": 1e3, "m": 1e6, "bn": 1e9}


def read_answer(factor: Factor, given: object) -> Answer:
    """Return a given answer as the value of a choice, or as a number.

    A choice may be given by its value or by its score; a number may have marks between its thousands, and `k`, `m` or
    `bn` behind it.

    Raises:
        ValueError: a sentence that says what is wrong and what to give instead.
    """
    if factor.choices:
        return _read_choice(factor, given)
    number = given if isinstance(given, int | float) and not isinstance(given, bool) else _read_number(given)
    if number is None or not math.isfinite(number):
        raise ValueError(f"{given!r} is not a number; give {factor.unit} as a number, like {factor.default:g}")
    if not factor.minimum <= number <= factor.maximum:
        raise ValueError(f"{number:g} is not between {factor.minimum:g} and {factor.maximum:g} {factor.unit}")
    return float(number)


def _read_choice(factor: Factor, given: object) -> str:
    values = [choice.value for choice in factor.choices]
    word = {True: "yes", False: "no"}.get(given) if isinstance(given, bool) else str(given).strip().casefold()
    for choice in factor.choices:
        if word in (choice.value.casefold(), str(choice.score)):
            return choice.value
    close = difflib.get_close_matches(str(word), values, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{given!r} is not one of {join_words(values, 'or')}{hint}")


def _read_number(given: object) -> float | None:
    """Return the number of a text such as `10,000`, `2.5k` or `85 %`; None if there is none."""
    found = re.fullmatch(
        r"([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(k|m|bn)?\s*%?", _GROUPED.sub("", str(given).strip().casefold())
    )
    try:
        return float(found[1]) * _TIMES.get(found[2] or "", 1.0) if found else None
    except ValueError:
        return None


def check_answers(matrix: AdviceMatrix, given: Mapping[str, object]) -> dict[str, str]:
    """Return what is wrong with the given answers: a sentence for each key, in their order."""
    problems = {}
    for name, value in given.items():
        if name not in matrix.factors:
            close = difflib.get_close_matches(str(name), list(matrix.factors), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the questions are {', '.join(matrix.factors)}"
            problems[name] = f"unknown key; {hint}"
            continue
        try:
            read_answer(matrix.factors[name], value)
        except ValueError as error:
            problems[name] = str(error)
    return problems


def complete_answers(matrix: AdviceMatrix, given: Mapping[str, object]) -> dict[str, Answer]:
    """Return an answer to every question: those given, and the defaults of the others.

    Raises:
        ValueError: `key: problem; remedy`, a line for each problem.
    """
    if problems := check_answers(matrix, given):
        raise ValueError("\n".join(f"{name}: {problem}" for name, problem in problems.items()))
    return {name: read_answer(factor, given.get(name, factor.default)) for name, factor in matrix.factors.items()}
