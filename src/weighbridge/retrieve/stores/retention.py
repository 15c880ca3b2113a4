"""Chooses the versions of an index to keep: those with a name, and the latest ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from weighbridge.errors import WorkspaceError

KEPT_VERSIONS = 20
"""Versions that are kept without a name. Each keeps the rows on disk that later ones deleted."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class ExpiredVersion:
    """A version to delete, with those rows that are neither in the version after it nor in the kept one before it."""

    number: int
    after: int
    before: int
    """0 if none before it is kept."""


def expired_versions(numbers: Sequence[int], tagged: Collection[int]) -> list[ExpiredVersion]:
    """Return the versions that are no longer kept, oldest first. `numbers` is ascending."""
    late = set(numbers[-KEPT_VERSIONS:])
    kept = [number for number in numbers if number in late or number in tagged]
    found = []
    for number in numbers:
        if number not in late and number not in tagged:
            after = min(one for one in numbers if one > number)
            found.append(ExpiredVersion(number, after, max((one for one in kept if one < number), default=0)))
    return found


def check_name(name: str) -> str:
    """Return a version's name.

    Raises:
        WorkspaceError: it is too long, or cannot be printed.
    """
    if 0 < len(name) <= _LONGEST and name.isprintable():
        return name
    raise WorkspaceError(f"a version's name has 1 to {_LONGEST} characters that can be printed; this is {name[:40]!r}")


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
