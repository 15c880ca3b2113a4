"""Walks what a value is made of: each field in turn, however deep, is changed to another valid value.

A field that somebody adds is walked by itself. A value of a kind that is not known here is an error, so that nobody
leaves it out unseen.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel, ValidationError

from weighbridge.types import Message, Part

SAMPLES: Mapping[object, object] = {
    str: "other",
    int: 3,
    float: 0.5,
    bool: True,
    Path: Path("other"),
    Message: Message("user", "Please."),
    Part: Part("page 1", 0, 1),
    date: date(2027, 1, 1),
}


ANOTHER: Mapping[str, object] = {
    "store": "postgresql://host/database",
    "distribute": "ray",
    "base_url": "http://127.0.0.1:9/v1",
    "curves": {"latency": ((0.5, 1.0), (4.0, 0.0))},
    "stakeholders": {"users": {"latency": 2.0}},
    "currency": "EUR",
    "working_days": "sun-thu",
    "models": ({"reference": "other"},),
    "start": "2027-01-04",
}
"""Settings that not every text will do for."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that has a fingerprint, and what of it does not belong to that."""

    make: Callable[..., Any]
    """A class or a function whose result has the fingerprint."""
    given: Mapping[str, Any]
    """Its arguments; those left out have their defaults."""
    silent: Mapping[str, str] = field(default_factory=dict)
    """Fields that cannot change an answer, or are told by another, by path: with the reason."""
    distinct: bool = True
    """Whether no two changes come to the same."""

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments, with their defaults."""
        known = inspect.signature(self.make).parameters
        return {name: self.given.get(name, each.default) for name, each in known.items()}

    def fingerprint(self, **changed: Any) -> str:
        told: str = self.make(**{**self.arguments, **changed}).fingerprint
        return told

    def changed(self) -> Iterator[tuple[str, str]]:
        """Yield every field by its path, and the fingerprint after it alone was changed."""
        hints = type_hints(self.make)
        for name, value in self.arguments.items():
            if name in self.silent and callable(value):
                continue
            for path, other in changes(value, hints.get(name)):
                yield f"{name}{path}", self.fingerprint(**{name: other})

    def is_silent(self, path: str) -> bool:
        return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in self.silent)

    def check(self) -> None:
        """See that every field but the silent ones moves the fingerprint, each to another one."""
        usual = self.fingerprint()
        assert self.fingerprint() == usual, "the same fields have the same fingerprint"
        found = dict(self.changed())
        silent = {path for path in found if self.is_silent(path)}
        unmoved = {path for path, changed in found.items() if changed == usual}
        assert not unmoved - silent, f"may change an answer, but not the fingerprint: {sorted(unmoved - silent)}"
        assert not silent - unmoved, f"moves the fingerprint, so it is not silent: {sorted(silent - unmoved)}"
        gone = {name for name in self.silent if not any(path.startswith(name) for path in found)}
        assert gone <= self.arguments.keys(), f"no such field: {sorted(gone)}"
        moved = [changed for changed in found.values() if changed != usual]
        assert not self.distinct or len(set(moved)) == len(moved), "two different changes have the same fingerprint"


def type_hints(owner: Any) -> Mapping[str, Any]:
    """Return the declared types of a class's fields or a function's parameters; names for checkers only are `Any`."""
    known: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(owner, localns=known, include_extras=True)
        except NameError as error:
            known[error.name] = Any


def changes(value: Any, declared: Any = None) -> Iterator[tuple[str, Any]]:
    """Yield other valid values, each of which differs in one field, and the path of that field: ".name", "[0]"."""
    while get_origin(declared) is Annotated:
        declared = get_args(declared)[0]
    if options := _options(declared):
        yield "", next(option for option in options if option != value)
    elif value is None:
        yield "", _sample(declared)
    elif isinstance(value, BaseModel) or is_dataclass(value):
        yield from _fields(value)
    elif isinstance(value, (tuple, Mapping, frozenset)):
        yield from _members(value, declared)
    else:
        yield "", _plain(value)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _settings(value, name, info.annotation)
        return
    hints = type_hints(type(value))
    for each in fields(value):
        for path, other in changes(getattr(value, each.name), hints[each.name]):
            yield f".{each.name}{path}", replace(value, **{each.name: other})


def _settings(value: BaseModel, name: str, declared: Any) -> Iterator[tuple[str, Any]]:
    """Yield changes of one setting that are valid beside the others; an error where there is none."""
    others = [("", ANOTHER[name])] if name in ANOTHER else changes(getattr(value, name), declared)
    valid = False
    for path, other in others:
        try:
            changed = type(value).model_validate(value.model_copy(update={name: other}).model_dump(warnings=False))
        except ValidationError:
            continue
        valid = True
        yield f".{name}{path}", changed
    if not valid:
        raise TypeError(f"no other valid {name} is known; add one to ANOTHER in tests/walk.py")


def _members(value: Any, declared: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case tuple():
            yield from _tuples(value, declared)
        case frozenset():
            yield "[+]", value | {"other"}
            yield from [("[-]", value - {min(value)})] if value else ()
        case _:
            yield "[+]", {**value, "other": next(iter(value.values()), "other")}
            for key, held in list(value.items())[:1]:
                for path, other in changes(held):
                    yield f"[{key}]{path}", {**value, key: other}


def _tuples(value: tuple[Any, ...], declared: Any) -> Iterator[tuple[str, Any]]:
    element = (get_args(declared) or (None,))[0]
    if not value:
        yield "[+]", (_sample(element),)
        return
    for place, held in enumerate(value):
        for path, other in changes(held, element):
            yield f"[{place}]{path}", (*value[:place], other, *value[place + 1 :])
    yield "[-]", value[:-1]
    if len(value) > 1:
        yield "[reversed]", value[::-1]


def _options(declared: Any) -> list[object]:
    """Return what a `Literal`, or a union of them, allows; nothing for another type."""
    if get_origin(declared) is Literal:
        return list(get_args(declared))
    if get_origin(declared) in (Union, UnionType):
        return [option for each in get_args(declared) for option in _options(each)]
    return []


def _plain(value: Any) -> Any:
    other: Any
    match value:
        case bool():
            other = not value
        case int():
            other = value + 1
        case float():
            other = value / 2 if value else 0.5
        case str():
            other = f"{value}x"
        case Path():
            other = value.with_name(f"{value.name}-other")
        case date():
            other = value + timedelta(days=1)
        case np.ndarray():
            other = value[::-1] * 2
        case _:
            raise TypeError(f"no other value is known for {value!r}; teach tests/walk.py one")
    return other


def _sample(declared: Any) -> Any:
    while get_origin(declared) is Annotated:
        declared = get_args(declared)[0]
    if get_origin(declared) in (Union, UnionType):
        return _sample(next(option for option in get_args(declared) if option is not NoneType))
    if get_origin(declared) is Literal:
        return get_args(declared)[0]
    if declared not in SAMPLES:
        raise TypeError(f"no value of {declared} is known; give one, or teach tests/walk.py one")
    return SAMPLES[declared]
