"""Which files there are below a folder, and what each is called."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from weighbridge.errors import DataError


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder. A folder that was seen under another name is not entered again.

    Raises:
        DataError: a folder cannot be opened. It might hold most of the documents.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from error

    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        place = Path(root).stat()
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        real_first = sorted((Path(root, name).is_symlink(), name) for name in folders if name[0] != ".")
        folders[:] = [name for _, name in real_first]
        yield from (Path(root, name) for name in names if name[0] != ".")


def unsuitable(path: Path, *, largest: int) -> str:
    """Return why a file is not to be opened; empty where it is. `largest` is in bytes."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "a broken link"
    except OSError as error:
        return "a broken link" if path.is_symlink() else unreadable(error)
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    return f"larger than {largest // 1_000_000:,} MB" if found.st_size > largest else ""


def unreadable(error: OSError) -> str:
    """Return why a file cannot be opened, as the system says it."""
    return f"cannot be read ({error.strerror})".lower()


def short_names(folder: Path, paths: Sequence[Path]) -> Iterator[str]:
    """Yield one id a path: without its suffix, unless another file is then called the same."""
    whole = {inside(folder, path) for path in paths}
    short = Counter(inside(folder, path.with_suffix("")) for path in paths)
    for path in paths:
        name = inside(folder, path.with_suffix(""))
        yield name if short[name] == 1 and name not in whole else inside(folder, path)


def unique(name: str, used: Counter[str]) -> str:
    """Return a name, numbered where it is in `used`, and count it there: no two that it returns are the same."""
    used[name] += 1
    return name if used[name] == 1 else unique(f"{name} ({used[name]})", used)


def inside(folder: Path, path: Path) -> str:
    """Return a path below a folder as text: bytes that are no UTF-8, and what cannot be printed, are escaped."""
    name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)
