"""Plans a sync: compares the sources' documents with those of the index, by fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass

_FEW = 4
"""An index of fewer documents may lose any number of them without asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """The documents that a sync would add, change and delete, by id, each list sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: int = 0
    anew: str = ""
    """Why the whole index is rebuilt beside the old one; empty where it is changed in place."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.deleted or self.anew)

    @property
    def shrinks(self) -> bool:
        """Whether most documents would go: more than half of an index of at least four."""
        before = self.unchanged + len(self.changed) + len(self.deleted)
        return before >= _FEW and len(self.deleted) * 2 > before


def compare_versions(
    before: Mapping[str, str], now: Mapping[str, str], *, anew: str = "", unsettled: frozenset[str] = frozenset()
) -> SyncPlan:
    """Compare two states, each the version of every document by its id.

    Unsettled documents that are missing now stay as they were before, unless the whole index is rebuilt.
    """
    if unsettled and not anew:
        now = {**{name: before[name] for name in unsettled & before.keys()}, **now}
    shared = before.keys() & now.keys()
    changed = tuple(sorted(name for name in shared if before[name] != now[name]))
    return SyncPlan(
        added=tuple(sorted(now.keys() - before.keys())),
        changed=changed,
        deleted=tuple(sorted(before.keys() - now.keys())),
        unchanged=len(shared) - len(changed),
        anew=anew,
    )
