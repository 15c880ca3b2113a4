"""The documents that a file holds, and the parts of it that did not become text.

Every reader renders structure as Markdown (headings, lists, tables, fenced code), whatever the format, so that
cutting into chunks needs to know one notation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from weighbridge.errors import DataError
from weighbridge.types import PUBLIC, Part


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of a file that did not become text, while the rest did: its place, and its description."""

    place: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One document of a file, with its title, access groups and parts."""

    text: str
    title: str = ""
    groups: frozenset[str] = PUBLIC
    name: str = ""
    """Its name among the documents of its file ("message 3", "chapters/two.txt"); empty where the file is one."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file inside a file, such as an attachment, that is still to be read."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of one file, and its losses. `Loss.place` is inside the file: "page 7", "sheet Old"."""

    contents: tuple[Content, ...]
    losses: tuple[Loss, ...] = ()
    enclosed: tuple[Enclosed, ...] = ()


class UnreadableError(DataError):
    """A file that is not readable in its own format; the message is the reason alone ("encrypted", "no ZIP at all")."""


Reader = Callable[[Path], Parsed]
"""Reads one local file. Raises `UnreadableError`; any other error is taken for a broken file too. Runs in a worker
process with a memory cap and a time limit; it takes the type as sniffed, never the file's suffix as proof of it."""
