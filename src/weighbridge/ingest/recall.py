"""What one process remembers of the files it has read, so that a folder is gone through again in no time."""

from dataclasses import dataclass
from pathlib import Path

from weighbridge.ingest.parsed import Entry

_EXACT = 2.0
"""Seconds that times of files may be off; some file systems count in twos."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A file as an earlier reading in this process found it: its state, its entry, and when that was."""

    state: tuple[int, int, int]
    entry: Entry
    seen: float

    def holds(self, path: Path) -> bool:
        """Tell whether the file is as it was: nothing shows a change, and one that was made would show."""
        return self.state[1] / 1e9 < self.seen - _EXACT and self.state == state_of(path)


Memory = dict[Path, Recalled]


def state_of(path: Path) -> tuple[int, int, int]:
    """Return a file's size, and what tells that it was written or replaced; of one that is gone, nothing like it."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_size, found.st_mtime_ns, found.st_ino)
