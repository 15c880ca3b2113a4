"""How JSON answers are compared with their references: leaf by leaf, values by value."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Leaves = Mapping[tuple[str | int, ...], Any]
"""A JSON value taken apart: each scalar or empty container by its path of keys and positions."""

_FENCE = re.compile(r"```(?:json)?\s*\n?(.*?)```", re.DOTALL | re.IGNORECASE)
NOT_JSON: Final = None
"""Stands for a text that is not JSON; the leaves of a JSON value are never None."""


def parse_leaves(text: str) -> Leaves | None:
    """Take a JSON text apart. None where it is not JSON by RFC 8259: no NaN, no words around it."""
    try:
        return dict(_leaves((), loads(text)))
    except (ValueError, RecursionError):
        return NOT_JSON


def loads(text: str) -> Any:
    """Parse JSON strictly; `ValueError` where a text is not JSON, NaN and Infinity included."""
    return json.loads(text, parse_constant=_refuse)


def share_of_fields(text: str, references: Sequence[str]) -> float | None:
    """Return the share of the best reference's fields that the answer gives exactly; 0 where it is not JSON.

    Numbers are equal by value (1 and 1.0), strings after stripping. Fields that no reference has are not counted
    here; `same_fields` does count them. None where no reference is JSON.
    """
    wanted = [leaves for reference in references if (leaves := parse_leaves(reference)) is not NOT_JSON]
    if not wanted:
        return None
    given = parse_leaves(find_json(text))
    return 0.0 if given is NOT_JSON else max(_share(given, leaves) for leaves in wanted)


def same_fields(text: str, references: Sequence[str]) -> bool | None:
    """Tell whether the answer has exactly the fields and values of a reference. None where no reference is JSON."""
    wanted = [leaves for reference in references if (leaves := parse_leaves(reference)) is not NOT_JSON]
    if not wanted:
        return None
    given = parse_leaves(find_json(text))
    return given is not NOT_JSON and any(len(given) == len(leaves) and _share(given, leaves) == 1 for leaves in wanted)


def _share(given: Leaves, wanted: Leaves) -> float:
    same = sum(path in given and _equal(given[path], value) for path, value in wanted.items())
    return same / len(wanted)


def _equal(given: Any, wanted: Any) -> bool:
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, str) and isinstance(wanted, str):
        return given.strip() == wanted.strip()
    return bool(given == wanted)


def _leaves(path: tuple[str | int, ...], value: Any) -> list[tuple[tuple[str | int, ...], Any]]:
    inside: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    if not inside:
        return [(path, value)]
    return [leaf for key, part in inside for leaf in _leaves((*path, key), part)]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def find_json(text: str) -> str:
    """Return the JSON of an answer without the code fence or the sentence around it; the text itself without any.

    The words around it are a matter of form: whether the answer is JSON alone is the figure `json_valid`.
    """
    if parse_leaves(text) is not NOT_JSON:
        return text
    if fenced := _FENCE.search(text):
        return fenced[1]
    start = min((place for sign in "{[" if (place := text.find(sign)) >= 0), default=-1)
    end = max(text.rfind("}"), text.rfind("]"))
    return text[start : end + 1] if 0 <= start < end else text
