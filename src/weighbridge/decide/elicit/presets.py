"""Presets: needs of usual cases, from `presets.toml`, each value with its reason."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from weighbridge.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetValue:
    """A weight or a limit of a preset, and why."""

    value: float | bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The needs of a usual case. Priorities that it does not name weigh nothing; limits that it does not name stay."""

    name: str
    title: str
    situation: str
    weights: Mapping[str, PresetValue]
    """By priority, as under `needs.priorities`."""
    limits: Mapping[str, PresetValue]
    """By setting, as under `needs.limits`."""


@cache
def load_presets() -> Mapping[str, Preset]:
    """Return all presets by name, in the order of the file."""
    text = (files("weighbridge.decide.elicit") / "presets.toml").read_text(encoding="utf-8")
    return {
        name: Preset(
            name=name,
            title=given["title"],
            situation=given["situation"],
            weights={key: PresetValue(**value) for key, value in given["weights"].items()},
            limits={key: PresetValue(**value) for key, value in given.get("limits", {}).items()},
        )
        for name, given in tomllib.loads(text).items()
    }


def find_preset(name: str) -> Preset:
    """Return a preset by its name; `UserError` where there is none, with the nearest name."""
    presets = load_presets()
    if name in presets:
        return presets[name]
    near = difflib.get_close_matches(name, presets, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(presets)}"
    raise UserError(f"there is no preset '{name}'; {hint}")
