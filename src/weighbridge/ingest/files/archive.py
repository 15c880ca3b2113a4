"""Reads files inside files: the members of a ZIP archive and the attachments of mails, each as a file of its own.

An archive may come from a stranger, so limits bound the number of its members, their unpacked size and its depth. Names
are names only: nothing is unpacked to a path that an archive names.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from weighbridge.errors import DataError, ExtensionError, MissingExtraError
from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.files.kinds import Kind, describe_misnaming, reader_of, sniff
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.scan import make_unique

REST = "(the rest)"
"""The name that stands for all members that come after a limit was reached."""

_BLOCK = 1 << 20
# Bytes that a member may unpack to whatever its ratio: a short file of zeros is no bomb.
_HARMLESS = 10_000_000
_PLAIN = re.compile(r"[A-Za-z0-9_. -]{1,80}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,12}")
# Characters of a library's error; some print the whole file.
_WHY = 300


@dataclass(frozen=True, slots=True)
class FileBegun:
    """A file is about to be looked at; files are numbered in order, the same in every walk. `name` is inside."""

    number: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The documents of a file, or the reason why it has none; `lasting` unless the reason lies in this machine."""

    name: str
    kind: Kind | None = None
    contents: tuple[Content, ...] = ()
    losses: tuple[Loss, ...] = ()
    reason: str = ""
    lasting: bool = True


@dataclass(slots=True)
class _Walk:
    """The parts of its limits that a walk has used."""

    limits: ReadingLimits
    skip: frozenset[int]
    begun: int = 0
    members: int = 0
    unpacked: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def begin(self, name: str) -> FileBegun:
        self.begun += 1
        return FileBegun(self.begun - 1, self.unique(name))

    def unique(self, name: str) -> str:
        return make_unique(name, self.names)


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be looked at: its name inside, its depth, and the function that puts it on disk."""

    name: str
    depth: int
    fetch: Callable[[], Path]


class _SpentError(Exception):
    """A limit of the whole archive is reached; the message is the reason."""


def walk(path: Path, *, limits: ReadingLimits, skip: frozenset[int] = frozenset()) -> Iterator[FileBegun | FileOutcome]:
    """Yield the outcome of a file and of each one inside it, outermost first, each after its `FileBegun`.

    An archive that could be opened has no outcome itself, its members have. Files with a number in `skip` are begun
    and then left alone. `MemoryError` is passed on.
    """
    try:
        yield from _look(_File("", 0, lambda: path), _Walk(limits, skip))
    except _SpentError as error:
        yield FileOutcome(name=REST, reason=str(error))


def _look(file: _File, state: _Walk) -> Iterator[FileBegun | FileOutcome]:
    begun = state.begin(file.name)
    yield begun
    if begun.number in state.skip:
        return
    try:
        path = file.fetch()
        kind = sniff(path)
    except MemoryError:
        raise
    except _SpentError as error:
        yield FileOutcome(name=begun.name, reason=str(error))
        raise
    except Exception as error:  # noqa: BLE001 - a broken file may raise anything, and costs that file only
        yield FileOutcome(name=begun.name, reason=_describe_error(error), lasting=not isinstance(error, OSError))
        return
    try:
        if kind == "zip":
            yield from _look_inside(path, begun.name, file.depth, state)
        else:
            yield from _read_file(path, kind, begun, file, state)
    finally:
        if file.depth:
            rmtree(path.parent, ignore_errors=True)


def _read_file(
    path: Path, kind: Kind, begun: FileBegun, file: _File, state: _Walk
) -> Iterator[FileBegun | FileOutcome]:
    try:
        parsed = reader_of(kind)(path)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file may raise anything, and costs that file only
        lasting = not isinstance(error, ExtensionError | MissingExtraError | ImportError | OSError)
        yield FileOutcome(name=begun.name, kind=kind, reason=_describe_error(error, path), lasting=lasting)
        return
    note = describe_misnaming(path.name, kind)
    yield _judge(parsed, begun.name, kind, (Loss("", note),) if note else ())
    for number, enclosed in enumerate(parsed.enclosed):
        yield from _look(_open_enclosed(enclosed, number, begun.name, file.depth, state), state)


def _judge(parsed: Parsed, name: str, kind: Kind, notes: tuple[Loss, ...]) -> FileOutcome:
    contents = tuple(content for content in parsed.contents if content.text.strip())
    losses = (*notes, *parsed.losses)
    if contents:
        blank = (content for content in parsed.contents if not content.text.strip())
        losses = (*losses, *(Loss(content.name, "is empty") for content in blank))
        return FileOutcome(name=name, kind=kind, contents=contents, losses=losses)
    why = parsed.losses[0].what if parsed.losses else ""
    return FileOutcome(name=name, kind=kind, losses=losses, reason=f"has no text ({why})" if why else "empty")


def _open_enclosed(enclosed: Enclosed, number: int, inside: str, depth: int, state: _Walk) -> _File:
    def fetch() -> Path:
        _check_depth(depth, state)
        _count_member(state)
        _count_unpacked(len(enclosed.content), 0, state)
        path = _temporary_path(enclosed.name)
        path.write_bytes(enclosed.content)
        return path

    return _File(_join_names(inside, enclosed.name or f"attachment {number + 1}"), depth + 1, fetch)


def _look_inside(path: Path, inside: str, depth: int, state: _Walk) -> Iterator[FileBegun | FileOutcome]:
    try:
        with ZipFile(path) as archive:
            wanted = [member for member in archive.infolist() if _is_wanted(member)]
            for member in wanted:
                yield from _look(_open_member(archive, member, inside, depth, state), state)
    except (BadZipFile, OSError, ValueError) as error:
        yield FileOutcome(name=inside, kind="zip", reason=_describe_error(error))
        return
    if not wanted:
        yield FileOutcome(name=inside, kind="zip", reason="an archive without files")


def _open_member(archive: ZipFile, member: ZipInfo, inside: str, depth: int, state: _Walk) -> _File:
    def fetch() -> Path:
        _check_depth(depth, state)
        _count_member(state)
        if member.flag_bits & 1:
            raise UnreadableError("encrypted")
        path = _temporary_path(member.filename)
        try:
            with archive.open(member) as packed, path.open("wb") as file:
                _unpack(packed, file, member.compress_size, state)
        except (BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error) as error:
            rmtree(path.parent, ignore_errors=True)
            raise UnreadableError(f"cannot be unpacked ({error})") from error
        return path

    return _File(_join_names(inside, member.filename), depth + 1, fetch)


def _unpack(packed: IO[bytes], file: IO[bytes], size: int, state: _Walk) -> None:
    length = 0
    while block := packed.read(_BLOCK):
        length += len(block)
        _count_unpacked(len(block), length, state)
        if length > _HARMLESS and length > state.limits.ratio * size:
            raise UnreadableError(f"unpacks to more than {state.limits.ratio} times its size")
        file.write(block)


def _count_unpacked(more: int, length: int, state: _Walk) -> None:
    state.unpacked += more
    if max(more, length) > state.limits.member_mb * 1_000_000:
        raise UnreadableError(f"larger than {state.limits.member_mb:,} MB when it is unpacked")
    if state.unpacked > state.limits.unpacked_mb * 1_000_000:
        raise _SpentError(f"the archive unpacks to more than {state.limits.unpacked_mb:,} MB")


def _count_member(state: _Walk) -> None:
    state.members += 1
    if state.members > state.limits.members:
        raise _SpentError(f"the archive holds more than {state.limits.members:,} files")


def _check_depth(depth: int, state: _Walk) -> None:
    if depth >= state.limits.depth:
        raise UnreadableError(f"lies more than {state.limits.depth} archives or mails deep")


def _is_wanted(member: ZipInfo) -> bool:
    parts = member.filename.strip("/").split("/")
    is_folder = member.filename.endswith("/")  # ZipInfo.is_dir fails on an empty name
    return not is_folder and not any((part[:1] == "." and part != "..") or part == "__MACOSX" for part in parts)


def _join_names(outer: str, name: str) -> str:
    tidy = "".join(character if character.isprintable() else "\ufffd" for character in name).strip("/") or "unnamed"
    return f"{outer}/{tidy}" if outer else tidy


def _temporary_path(name: str) -> Path:
    """Return where a file inside is put: its own last name where that is harmless, else its suffix at least."""
    last = re.split(r"[/\\]", name)[-1]
    folder = Path(mkdtemp(prefix="inside-"))
    if _PLAIN.fullmatch(last) and last.strip(". "):
        return folder / last
    suffix = Path(last).suffix
    return folder / f"file{suffix if _SUFFIX.fullmatch(suffix) else ''}"


def _describe_error(error: Exception, path: Path | None = None) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})".lower()
    if isinstance(error, RecursionError):
        return "nested too deeply"
    said = " ".join(str(error).split())[:_WHY]
    if path is not None:
        said = said.replace(f"{path}: ", "").replace(f"{path}:", "line ").replace(str(path), path.name)
    if isinstance(error, DataError | ExtensionError | MissingExtraError):
        return said
    return f"broken, or not understood ({type(error).__name__}{f': {said}' if said else ''})"
