"""The keys of a what-if, and the needs and prices that follow from its changes.

A key is a short name such as `latency.p95`, or the whole name of a setting under `needs` or `prices`. Whatever these
gain is a key by its whole name at once.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ValidationError

from weighbridge.arms import strategy_of
from weighbridge.decide.what_if.quantity import Quantity, Unit, parse_quantity
from weighbridge.errors import UserError
from weighbridge.settings.file import conflicts
from weighbridge.settings.needs import Priorities
from weighbridge.settings.schema import Settings

OPTION = "--what-if"
WITHOUT = "without"
_STRATEGY, _WEIGHT = "strategy.", "weight."
_SHORT: Mapping[str, tuple[str, Unit]] = {
    "latency.p95": ("needs.limits.maximum_p95_seconds", "seconds"),
    "accuracy": ("needs.limits.minimum_accuracy", "share"),
    "hallucination": ("needs.limits.maximum_hallucination", "share"),
    "memory": ("needs.limits.maximum_memory_gib", "GiB"),
    "cost": ("needs.limits.maximum_cost_per_thousand", "number"),
    "offline": ("needs.limits.offline", "flag"),
    "must_cite": ("needs.limits.must_cite", "flag"),
    "volume": ("needs.answers_per_month", "count"),
    "months": ("needs.months", "count"),
    **{f"{_WEIGHT}{name}": (f"needs.priorities.{name}", "number") for name in Priorities.model_fields},
    "machine.hour": ("prices.machine_per_hour", "number"),
    "tokens.in": ("prices.input_per_million", "number"),
    "tokens.out": ("prices.output_per_million", "number"),
}
"""The short keys, each with its setting and the unit of its values."""
_PLAIN_KINDS: tuple[tuple[type, Unit], ...] = ((bool, "flag"), (float, "number"), (int, "count"))
_BOUNDS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
}


@dataclass(frozen=True, slots=True)
class WhatIfKey:
    """A thing that a what-if can change."""

    name: str
    setting: str
    """Its name in weighbridge.yaml, as `needs.months`."""
    unit: Unit
    may_be_none: bool
    """Whether `none` lifts it: a limit, or a price that is not charged."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a what-if, as given and as understood."""

    key: str
    text: str
    setting: str
    """Empty where a strategy is left out."""
    value: Quantity
    without: str = ""
    """The strategy that is left out."""


def what_if_keys() -> tuple[WhatIfKey, ...]:
    """Return every key but those of strategies: the short ones, then the other settings by their whole names."""
    leaves = {leaf.setting: leaf for leaf in (*_leaves("needs"), *_leaves("prices"))}
    short = []
    for name, (setting, unit) in _SHORT.items():
        leaf = leaves.pop(setting)
        short.append(WhatIfKey(name, setting, unit, leaf.may_be_none, leaf.meaning))
    return (*short, *leaves.values())


def parse_change(text: str, strategies: Sequence[str]) -> Change:
    """Return the change that `KEY=VALUE` stands for. `strategies` are the names of those that were measured.

    Raises:
        UserError: there is no such key (the nearest ones are named), or its value has another unit or makes no sense.
    """
    name, equals, given = (part.strip() for part in text.partition("="))
    if not (name and equals and given):
        raise UserError(f"{OPTION} '{text}': write KEY=VALUE, for example {OPTION} latency.p95=2s")
    if name.startswith(_STRATEGY):
        return _parse_without(name, given, strategies)
    keys = {key.name: key for key in what_if_keys()}
    key = keys.get(name) or next((key for key in keys.values() if key.setting == name), None)
    if key is None:
        known = sorted({*keys, *(key.setting for key in keys.values())})  # one without a short name is in both
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are: {', '.join(keys)}, {_STRATEGY}NAME"
        raise UserError(f"{OPTION} {text}: there is no key '{name}'; {hint}")
    try:
        value = parse_quantity(given, key.unit, may_be_none=key.may_be_none)
    except UserError as error:
        raise UserError(f"{OPTION} {text}: {error}") from None
    return Change(name, given, key.setting, value)


def apply_what_if(settings: Settings, changes: Sequence[Change]) -> Settings:
    """Return the settings with changed needs and prices.

    Raises:
        UserError: a value is out of its bounds, contradicts another setting, or one thing is changed twice.
    """
    targets = [change.setting or change.without for change in changes]
    for change in changes:
        if targets.count(change.setting or change.without) > 1:
            raise UserError(f"{OPTION} {change.key}={change.text}: {change.key} is changed twice; give it once")
    for group in ("needs", "prices"):
        # All changes of a group at once: values that are good together may not be so one by one.
        inside = [change for change in changes if change.setting.startswith(f"{group}.")]
        if inside:
            settings = settings.model_copy(update={group: _validate_section(getattr(settings, group), inside)})
    for path, problem in conflicts(settings):
        if path[0] in {"needs", "prices"}:
            raise UserError(f"{OPTION} {' '.join(f'{one.key}={one.text}' for one in changes)}: {problem}")
    return settings


def left_out(changes: Sequence[Change], strategies: Sequence[str]) -> frozenset[str]:
    """Return the strategies that the changes leave out, each on all base models unless one is named.

    Raises:
        UserError: none is left.
    """
    named = {change.without for change in changes if change.without}
    without = frozenset(arm for arm in strategies if arm in named or strategy_of(arm) in named)
    if without and without >= set(strategies):
        raise UserError(f"{OPTION}: no strategy is left to decide on; leave one of {', '.join(strategies)} in")
    return without


def _validate_section(section: BaseModel, changes: Sequence[Change]) -> BaseModel:
    values: dict[str, Any] = section.model_dump()
    for change in changes:
        *above, last = change.setting.split(".")[1:]
        inner = values
        for part in above:
            inner = inner[part]
        inner[last] = change.value
    try:
        return type(section).model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        change = next((one for one in changes if one.setting.partition(".")[2] == place), changes[0])
        words = _BOUNDS.get(problem["type"])
        must = f"must be {words.format(**problem['ctx'])}" if words else problem["msg"]
        raise UserError(f"{OPTION} {change.key}={change.text}: {change.key} {must}") from None


def _parse_without(name: str, given: str, strategies: Sequence[str]) -> Change:
    strategy = name.removeprefix(_STRATEGY)
    if strategy not in (*strategies, *map(strategy_of, strategies)):
        near = difflib.get_close_matches(strategy, strategies, n=1)
        hint = f"did you mean {_STRATEGY}{near[0]}?" if near else f"measured were: {', '.join(strategies)}"
        raise UserError(f"{OPTION} {name}={given}: no strategy '{strategy}' was measured; {hint}")
    if given != WITHOUT:
        raise UserError(f"{OPTION} {name}={given}: write {name}={WITHOUT} to leave the strategy out")
    return Change(name, given, "", None, strategy)


def _leaves(group: Literal["needs", "prices"]) -> Iterator[WhatIfKey]:
    """Yield the settings of a group that hold one number or one yes or no, by their whole names."""
    waiting: list[tuple[str, type[BaseModel]]] = [(group, Settings.model_fields[group].annotation)]  # type: ignore[list-item]
    while waiting:
        above, section = waiting.pop(0)
        for name, field in section.model_fields.items():
            kind, setting = field.annotation, f"{above}.{name}"
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                waiting.append((setting, kind))
                continue
            kinds = {kind, *get_args(kind), *(inner for part in get_args(kind) for inner in get_args(part))}
            unit = next((unit for of, unit in _PLAIN_KINDS if of in kinds), None)
            if unit and not kinds & {str, tuple, Mapping}:
                yield WhatIfKey(setting, setting, unit, type(None) in kinds, field.description or "")


def describe_change(change: Change, settings: Settings) -> str:
    """Return a change beside the present setting: `latency.p95: 2s (now none)`."""
    if change.without:
        return f"{change.without}: left out"
    value: Any = settings
    for part in change.setting.split("."):
        value = getattr(value, part)
    now = "none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value:,.10g}"
    return f"{change.key}: {change.text} (now {now})"
