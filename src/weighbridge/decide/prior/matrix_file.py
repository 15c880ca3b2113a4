"""Reads a matrix of published advice, and checks it: every error names the file, the key, and the remedy."""

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from weighbridge.decide.prior.answers import check_answers, read_answer
from weighbridge.decide.prior.contrasts import DERIVED_FIGURES
from weighbridge.decide.prior.matrix import MIDDLE, STRATEGIES, TOP, AdviceMatrix, Factor
from weighbridge.errors import SettingsError
from weighbridge.figures import FIGURES

T = TypeVar("T")
_VERSION = 1
_LIMITS = TOP - 1
"""Four limits cut the numbers into five scores."""
_KINDS = {str: "a text", float: "a number", int: "a whole number", date: "a date like 2027-01-06", Mapping: "a table"}


class _WrongKeyError(Exception):
    """A key of the file is wrong: its path, and the problem with its remedy."""


def load_matrix(path: Path | None = None) -> AdviceMatrix:
    """Read a matrix; without a path the one that comes with Weighbridge.

    Raises:
        SettingsError: `file:key: problem; remedy`, for the first key that is wrong.
    """
    try:
        shipped = files("weighbridge.decide.prior") / "matrix.toml"
        text = (shipped if path is None else path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); give a TOML file with --matrix") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8; save it as UTF-8") from error
    return parse_matrix(text, path or Path("matrix.toml"))


def parse_matrix(text: str, path: Path) -> AdviceMatrix:
    """Return the matrix of a TOML text; the path stands in the errors.

    Raises:
        SettingsError: as for `load_matrix`.
    """
    try:
        matrix: AdviceMatrix = _build(AdviceMatrix, tomllib.loads(text), "")
        problem = next(_problems(matrix), "")
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}; see https://toml.io") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: is nested too deeply; start from a copy of the matrix that is shipped") from error
    except _WrongKeyError as error:
        raise SettingsError(f"{path}:{error}") from error
    if problem:  # the first alone: the others may follow from it
        raise SettingsError(f"{path}:{problem}")
    return matrix


def _build(kind: Any, value: Any, place: str) -> Any:
    """Return a value of the file as its type: a dataclass, tuple, mapping, literal, union or scalar."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _build_fields(kind, _require(dict, value, place, Mapping), place)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        items = _require(list, value, place, tuple, "a list")
        return tuple(_build(inner[0], item, f"{place}[{number}]") for number, item in enumerate(items))
    if origin is Mapping:
        table = _require(dict, value, place, Mapping)
        return {name: _build(inner[1], item, _join(place, name)) for name, item in table.items()}
    if origin is Literal:
        if value not in inner:
            choices = [str(choice) for choice in inner if choice]
            raise _WrongKeyError(f"{place}: {value!r} is not one of {', '.join(choices)}{_nearest(value, choices)}")
        return value
    if origin is UnionType:
        kind = str if isinstance(value, str) else float
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _WrongKeyError(f"{place}: {value} is no figure to count with; give a finite number")
    return _require(kind, value, place, kind)


def _build_fields(kind: type[T], table: Mapping[str, Any], place: str) -> T:
    hints = get_type_hints(kind)
    # The file has the name of the strategy, with a hyphen.
    known = {"fine-tuning" if one.name == "fine_tuning" else one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    for name in table:
        if name not in known:
            hint = _nearest(name, known) or f"; known here: {', '.join(known)}"
            raise _WrongKeyError(f"{_join(place, name)}: unknown key{hint}")
    for name, one in known.items():
        if name not in table and one.default is MISSING:
            raise _WrongKeyError(f"{_join(place, name)}: is missing; add a line `{name} = ...`")
    built = {}
    for name, item in table.items():
        field_name = known[name].name
        built[field_name] = _build(hints[field_name], item, _join(place, name))
    return kind(**built)


def _require(kind: type, value: Any, place: str, name: Any, words: str = "") -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _WrongKeyError(f"{place}: must be {words or _KINDS[name]}, not {value!r}")
    return value


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _nearest(name: object, known: Any) -> str:
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _problems(matrix: AdviceMatrix) -> Iterator[str]:
    """Yield what is wrong and a type alone cannot say, as `key: problem; remedy`."""
    if matrix.version != _VERSION:
        yield f"version: {matrix.version} is not known; this Weighbridge reads version {_VERSION}"
    if set(matrix.strategies) != set(STRATEGIES):
        yield f"strategies: must be {', '.join(STRATEGIES)}, not {', '.join(matrix.strategies) or 'none'}"
    if not matrix.factors:
        yield "factors: is empty; keep at least one question"
    for name, factor in matrix.factors.items():
        yield from _problems_of_factor(f"factors.{name}", factor)
    for place, kind, name in _references(matrix):
        known: Mapping[str, Any] = {**FIGURES, **DERIVED_FIGURES} if kind == "figures" else getattr(matrix, kind)
        if name not in known:
            hint = _nearest(name, known) or f"; there are {', '.join(known)}"
            yield f"{place}: {name!r} is not in {kind}{hint}"
    yield from _problems_of_points(matrix)
    for number, scenario in enumerate(matrix.scenarios):
        for name, problem in check_answers(matrix, scenario.answers).items():
            yield f"scenarios[{number}].answers.{name}: {problem}"


def _problems_of_factor(place: str, factor: Factor) -> Iterator[str]:
    if factor.weight < 0:
        yield f"{place}.weight: is below 0; give the sign to the effects, not to the weight"
    if bool(factor.choices) == bool(factor.bounds):
        yield f"{place}: needs either choices, or bounds and scores; give one of the two"
    scores = [choice.score for choice in factor.choices] if factor.choices else list(factor.scores)
    if any(not 1 <= score <= TOP for score in scores):
        yield f"{place}: a score is outside 1 to {TOP}; give scores from 1 to {TOP}"
    if len({choice.value for choice in factor.choices}) < len(factor.choices):
        yield f"{place}.choices: two have the same value; give each its own"
    if factor.bounds:
        yield from _problems_of_limits(place, factor)
    try:
        score = factor.score(read_answer(factor, factor.default))
    except ValueError as error:
        yield f"{place}.default: {error}"
    else:
        if score != MIDDLE:
            yield f"{place}.default: has the score {score}; choose one with {MIDDLE}, the middle"


def _problems_of_limits(place: str, factor: Factor) -> Iterator[str]:
    if len(factor.bounds) != _LIMITS or list(factor.bounds) != sorted(set(factor.bounds)):
        yield f"{place}.bounds: must be four numbers, each above the one before"
    scores = list(factor.scores)
    if len(scores) != TOP or scores not in (sorted(scores), sorted(scores, reverse=True)):
        yield f"{place}.scores: must be five scores that only rise, or only fall"
    if factor.minimum >= factor.maximum:
        yield f"{place}.maximum: must be above minimum ({factor.minimum:g})"
    if factor.divisor <= 0:
        yield f"{place}.divisor: must be above 0"


def _references(matrix: AdviceMatrix) -> Iterator[tuple[str, str, str]]:
    """Yield every name that must stand elsewhere in the file: its place, the table to look in, and the name."""
    yield "hybrid.source", "sources", matrix.hybrid.source
    lists = ("cells", "claims", "orders", "directions", "requirements", "scenarios", "studies", "notices")
    for kind in lists:
        for number, one in enumerate(getattr(matrix, kind)):
            place = f"{kind}[{number}]"
            yield f"{place}.source", "sources", one.source
            for key in ("factor", "figure"):
                if name := getattr(one, key, ""):
                    yield f"{place}.{key}", f"{key}s", name
            for name in (*getattr(one, "factors", ()), *getattr(one, "answers", ())):
                yield place, "factors", name
            for name in (*getattr(one, "strategies", ()), *getattr(one, "advice", ())):
                yield place, "strategies", name
            for name in getattr(one, "effect", ()) if kind in ("cells", "directions") else ():
                yield f"{place}.effect", "strategies" if kind == "cells" else "factors", name
            if kind == "directions":
                yield f"{place}.strategy", "strategies", one.strategy


def _problems_of_points(matrix: AdviceMatrix) -> Iterator[str]:
    for name, number in (("hybrid.bonus", matrix.hybrid.bonus), ("margin", matrix.margin)):
        if number < 0:
            yield f"{name}: is below 0; give 0 or more points"
    for kind in ("cells", "directions"):
        for number, one in enumerate(getattr(matrix, kind)):
            for name, effect in one.effect.items():
                place = f"{kind}[{number}].effect.{name}"
                if not -1 <= effect <= 1:
                    yield f"{place}: {effect:g} is outside -1 to 1"
                is_need = kind == "directions" and one.strategy == "hybrid" and matrix.factors[name].need
                if is_need and effect < 0:
                    yield f"{place}: is below 0, but {name} is a need of the hybrid; leave out `need`, or the sign"
