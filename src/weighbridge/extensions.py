"""Finds metrics, readers, strategies and stores of other distributions by their entry points.

Finding names imports nothing. A part is imported when the settings name it or a file needs it (docs/adr/0025).
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from weighbridge.errors import ExtensionError

Group = Literal["weighbridge.metrics", "weighbridge.readers", "weighbridge.strategies", "weighbridge.stores"]


@dataclass(frozen=True, slots=True)
class Extension:
    """An imported part, and its distribution."""

    part: Any
    origin: str
    """The name and version of the distribution. They enter the fingerprint of everything that uses the part."""


@cache
def entry_points_of(group: Group) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a group by name. They are looked up once per process, because that reads the disk."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=group):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def extension_names(group: Group) -> tuple[str, ...]:
    """Return the names that installed distributions offer in a group."""
    return tuple(sorted(entry_points_of(group)))


def extension_origin(group: Group, name: str) -> str:
    """Return the distribution that offers a name, with its version; empty if none or several offer it."""
    points = entry_points_of(group).get(name, ())
    return _origin(points[0]) if len(points) == 1 else ""


def load_extension(group: Group, name: str) -> Extension:
    """Import the part with this name.

    Raises:
        ExtensionError: no distribution offers it, several offer it, or the import fails.
    """
    points = entry_points_of(group).get(name, ())
    if not points:
        known = ", ".join(extension_names(group)) or "none"
        raise ExtensionError(f"no installed distribution offers {name!r} in {group}; offered are: {known}")
    if len(points) > 1:
        raise ExtensionError(
            f"{' and '.join(map(_origin, points))} both offer {name!r} in {group}; uninstall one of them"
        )
    origin = _origin(points[0])
    try:
        return Extension(points[0].load(), origin)
    except Exception as error:
        raise ExtensionError(
            f"{origin} offers {name!r} in {group}, but {points[0].value} cannot be imported "
            f"({type(error).__name__}: {error}); repair or uninstall that distribution"
        ) from error


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
