"""What one process remembers of the files it has read, so that a folder is gone through again in no time."""

from dataclasses import dataclass
from pathlib import Path

from weighbridge.ingest.files.cache import CacheEntry

_EXACT = 2.0
"""Seconds that times of files may be off; some file systems count in twos."""


State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as an earlier reading in this process found it: its state, its entry, and when that was."""

    state: State
    entry: CacheEntry
    seen: float

    def holds(self, path: Path) -> bool:
        """Tell whether the file is as it was: nothing shows a change, one would show, and the entry is there."""
        return self.state[0] / 1e9 < self.seen - _EXACT and self.state == file_state(path) and self.entry.path.is_file()


Memory = dict[Path, KnownFile]


def file_state(path: Path) -> State:
    """Return when a file was written and changed, in ns, its size and its number; of one that is gone, nothing like it.

    Both times: many a tool sets the first back to what it was.
    """
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
