"""Checks Office files, ZIP packages of XML, before they are opened, so that none exhausts the machine."""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from weighbridge.ingest.content import UnreadableError

LARGEST_XML = 100_000_000
"""Bytes of one XML member that is held in memory as a tree. The tree takes about eight times as many."""

_SHOWN = 100
"""Characters of a library's message that a reason quotes."""
_MEMBERS = 100_000
_UNPACKED = 1_000_000_000
_HARMLESS = 64_000_000
_RATIO = 200
"""A package may unpack to so many times its size, or to the harmless size if that is more."""
_PROLOG = 65_536
"""Bytes in which the root element must begin: only comments and instructions may stand before it."""
_NO_PART = (".svg", ".htm", ".html", ".xhtml")
_INNER = (AttributeError, TypeError, IndexError, AssertionError)
"""Errors of a library that took a part for another: the message speaks of its insides."""
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def check_package(path: Path, *, largest: int = LARGEST_XML, parse: bool = True) -> None:
    """Refuse a package that is not safe to unpack and parse.

    It refuses more than 1 GB unpacked, more than 64 MB that is over 200 times the file's size, and passwords. With
    `parse`, it calls `refuse_entities` for every member; a reader that opens members itself calls that for each.

    Raises:
        UnreadableError: the package is refused, or the file is none.
    """
    with path.open("rb") as file:
        if file.read(len(_OLD)) == _OLD:
            raise UnreadableError("encrypted, or in the old binary format; save it again, without a password")
    with convert_errors(), ZipFile(path) as package:
        _refuse_bombs(package.infolist(), path.stat().st_size)
        if parse:
            for member in package.infolist():
                refuse_entities(package, member, largest=largest)


@contextmanager
def convert_errors() -> Iterator[None]:
    """Turn every error of a library into an `UnreadableError`: none of them promises errors of its own."""
    try:
        yield
    except (UnreadableError, MemoryError):
        raise
    except (BadZipFile, EOFError, zlib.error) as error:
        raise UnreadableError("damaged: it is no whole ZIP package") from error
    except _INNER as error:
        raise UnreadableError("damaged, or not what it claims to be") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
        raise UnreadableError(f"damaged, or not what it claims to be ({reason})") from error


def _refuse_bombs(listed: list[ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in listed)
    if any(member.flag_bits & 1 for member in listed):
        raise UnreadableError("encrypted")
    if len(listed) > _MEMBERS:
        raise UnreadableError(f"a package of {len(listed):,} members")
    if unpacked > _UNPACKED or unpacked > max(_HARMLESS, _RATIO * size):
        raise UnreadableError(f"unpacks to {unpacked:,} bytes from {size:,}")


def refuse_entities(package: ZipFile, member: ZipInfo, *, largest: int = LARGEST_XML) -> None:
    """Refuse XML of over `largest` bytes, and document type declarations.

    Office files have no declarations, and entity bombs need them. A declaration stands before the root element; where
    that part cannot be read, such as in EBCDIC, the member is refused. One that is cut off before it declares nothing.

    Pages and drawings may declare a type; the libraries take them for pictures and do not parse them. One that poses
    as a sheet meets the parser's own limit: expat expands entities to a hundred times the file at most.

    Raises:
        UnreadableError: the member is refused.
    """
    if member.filename.lower().endswith(_NO_PART):
        return
    try:
        with package.open(member) as file:
            start = file.read(256).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
            if not start.startswith(b"<"):
                return
            if member.file_size > largest:
                raise UnreadableError(f"{member.filename} has {member.file_size:,} bytes of XML")
            start += file.read(_PROLOG).replace(b"\0", b"")
    except (BadZipFile, zlib.error, EOFError):  # it cannot be unpacked, so no library can parse it either
        return
    declared = re.sub(rb"(?s)<!--.*?-->|<\?.*?\?>", b"", start).lstrip()
    cut = member.file_size <= len(start) and re.fullmatch(rb"(?s)(?:<|<\?(?:(?!\?>).)*)?", declared)
    if not cut and not re.match(rb"<[A-Za-z_]", declared):
        raise UnreadableError(f"{member.filename} declares a document type, or is no plain XML")
