"""Finds the files below a folder, and names each."""

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
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


def reason_to_skip(path: Path, *, largest: int) -> str:
    """Return why a file is not to be opened; empty where it is. `largest` is in bytes."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "a broken link"
    except OSError as error:
        return "a broken link" if path.is_symlink() else describe_os_error(error)
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    return f"larger than {largest // 1_000_000:,} MB" if found.st_size > largest else ""


def describe_os_error(error: OSError) -> str:
    """Return why a file cannot be opened, as the system says it."""
    return f"cannot be read ({error.strerror})".lower()


def name_files(folder: Path, paths: Sequence[Path], given: Mapping[str, str]) -> dict[Path, str]:
    """Return one id a path: the one it was given before, else its path without the suffix, where no other has that.

    A file that appears or goes away never changes the id of another, as long as `given` holds the earlier ids
    by the path inside the folder. Of files with one name that come together, each keeps its suffix.
    """
    whole = {path: relative_name(folder, path) for path in paths}
    short = {path: relative_name(folder, path.with_suffix("")) for path in paths}
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        known = given.get(whole[path])
        if known and known not in taken:
            names[path] = known
            taken.add(known)
    claims = Counter((*short.values(), *(name for path, name in whole.items() if name != short[path])))
    for path in paths:
        if path in names:
            continue
        free = claims[short[path]] == 1 and short[path] not in taken
        names[path] = _number_names(short[path] if free else whole[path], taken)
        taken.add(names[path])
    return names


def _number_names(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken, with the smallest number behind it that makes it one."""
    return next(one for number in count(1) if (one := name if number == 1 else f"{name} ({number})") not in taken)


def make_unique(name: str, used: Counter[str]) -> str:
    """Return a name, numbered where it is in `used`, and count it there: no two that it returns are the same."""
    used[name] += 1
    return name if used[name] == 1 else make_unique(f"{name} ({used[name]})", used)


def relative_name(folder: Path, path: Path) -> str:
    """Return a path below a folder as text; bytes that are not UTF-8 and unprintable characters are escaped."""
    name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)
