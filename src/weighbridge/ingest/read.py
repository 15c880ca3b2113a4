"""Documents are read: a folder of files, one file, or a JSONL of documents."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError
from weighbridge.ingest.formats import FORMATS
from weighbridge.ingest.rows import Row, read_jsonl
from weighbridge.ingest.text import Skipped, load_text
from weighbridge.types import Document

__all__ = ["Reading", "Skipped", "read_documents"]

_SUPPORTED = ".txt, .md, .html and .htm files, or one .jsonl file"


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents that were read, sorted as their files are, and what was left out."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]


def read_documents(path: Path) -> Reading:
    """Read a folder of .txt, .md, .html and .htm files (with its subfolders), one such file, or a .jsonl file.

    A JSONL line is `{"id", "text"}` with optional `"title"` and `"groups"`. The id of a file is its path inside the
    folder, without the suffix where that is unique. Files that are too large, empty, not text, or of another kind
    are skipped with a reason; names that begin with a dot are passed over. Links are followed, each folder once.

    Raises:
        DataError: where nothing is left, a file cannot be opened, or a line, its types, or its id is wrong.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file or folder; correct 'documents' in weighbridge.yaml") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if stat.S_ISDIR(mode):
        reading = _read_files(path, tuple(_files(path)))
    elif not stat.S_ISREG(mode):
        raise DataError(f"{path}: is neither a file nor a folder")
    elif path.suffix.lower() == ".jsonl":
        reading = _read_lines(path)
    else:
        reading = _read_files(path.parent, (path,))
    if not reading.documents:
        raise DataError(_nothing(path, reading.skipped))
    return reading


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder. A folder that was seen under another name is not entered again."""

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


def _read_files(folder: Path, paths: Sequence[Path]) -> Reading:
    documents: list[Document] = []
    skipped: list[Skipped] = []
    readable: list[Path] = []
    for path in sorted(paths, key=lambda path: path.relative_to(folder).as_posix()):
        if reason := _unsuitable(path):
            skipped.append(Skipped(_inside(folder, path), reason))
        else:
            readable.append(path)
    for path, name in zip(readable, _names(folder, readable), strict=True):
        read = _read_file(path, name, _inside(folder, path))
        if isinstance(read, Document):
            documents.append(read)
        else:
            skipped.append(read)
    return Reading(tuple(documents), tuple(skipped))


def _unsuitable(path: Path) -> str:
    suffix = path.suffix.lower()
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except PermissionError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except OSError:
        return "a broken link"
    if not regular:
        return "not a regular file"
    if suffix == ".jsonl":
        return "a .jsonl file inside a folder (name the file itself under 'documents')"
    return "" if suffix in FORMATS else f"a {suffix} file" if suffix else "a file without a suffix"


def _names(folder: Path, paths: Sequence[Path]) -> Iterator[str]:
    """Yield one id a path: without its suffix, unless another file is then called the same."""
    whole = {_inside(folder, path) for path in paths}
    short = Counter(_inside(folder, path.with_suffix("")) for path in paths)
    for path in paths:
        name = _inside(folder, path.with_suffix(""))
        yield name if short[name] == 1 and name not in whole else _inside(folder, path)


def _inside(folder: Path, path: Path) -> str:
    name = path.relative_to(folder).as_posix()
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _read_file(path: Path, name: str, source: str) -> Document | Skipped:
    text = load_text(path)
    if isinstance(text, Skipped):
        return Skipped(source, text.reason)
    content = FORMATS[path.suffix.lower()](text, str(path))
    if not content.text.strip():
        return Skipped(source, "empty")
    return Document(id=name, text=content.text, title=content.title, source=source, groups=content.groups)


def _read_lines(path: Path) -> Reading:
    documents: list[Document] = []
    skipped: list[Skipped] = []
    places: dict[str, str] = {}
    for row in read_jsonl(path):
        name = _identified(row, places)
        if text := _text(row):
            groups = frozenset(row.names("groups"))
            title = " ".join(row.optional_text("title").split())
            documents.append(Document(id=name, text=text, title=title, source=f"{path.name}", groups=groups))
        else:
            skipped.append(Skipped(row.place, "empty"))
    return Reading(tuple(documents), tuple(skipped))


def _identified(row: Row, places: dict[str, str]) -> str:
    name = row.name("id") or row.text("id")
    if first := places.get(name):
        raise DataError(f"{row.place}: the id {name!r} was used before, at {first}; ids must be unique")
    places[name] = row.place
    return name


def _text(row: Row) -> str:
    if "text" not in row.values:
        return row.text("text")
    text = row.optional_text("text").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.strip() else ""


def _nothing(path: Path, skipped: Sequence[Skipped]) -> str:
    first = {item.reason: item.path for item in reversed(skipped)}
    counts = Counter(item.reason for item in skipped).most_common()
    told = (f"{first[reason]}{f' and {count - 1:,} more' if count > 1 else ''}: {reason}" for reason, count in counts)
    why = f"skipped {'; '.join(told)}" if skipped else "it is empty"
    return f"{path}: holds no document that can be read ({why}). Weighbridge reads {_SUPPORTED}"
