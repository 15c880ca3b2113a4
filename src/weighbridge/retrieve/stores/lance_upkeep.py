"""Keeping a LanceDB table fast and small: indexes brought up to date, files merged, old versions removed.

All of these are commits that change no content. Their numbers are noted in a file beside the table, so that the
history shows only what somebody did. While they are made the file says so, hence a crash leaves nothing unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from weighbridge.retrieve.stores.keeping import KEPT
from weighbridge.workspace import read_json, write_json

_AGE = timedelta(minutes=1)
"""Versions younger than this are kept too: a search of them may not have ended."""
_SCANNED = 200
_ONE_IN = 50
"""An index may lack 200 rows, or one in 50: each search scans them, 1,000 in some 1.5 ms."""
_SMALL = 5_000
"""In a table of up to so many rows the full-text index lacks none: words of scanned rows are weighed less exactly."""
_FRAGMENTS = 40
_VERSIONS = 400
_HOLLOW = 0.2
"""Share of the rows in the files that may be removed ones."""
_NOTES = "upkeep.json"
_TEXT = {"base_tokenizer": "whitespace", "lower_case": False, "stem": False, "remove_stop_words": False}


@dataclass(frozen=True, slots=True)
class Notes:
    """Which versions of a table were made by upkeep."""

    numbers: frozenset[int]
    since: int | None
    """Upkeep is being made, or was when somebody was killed: versions from this one on are its."""

    def made(self, number: int) -> bool:
        """Tell whether a version is upkeep's, and has the content of the one before."""
        return number in self.numbers or (self.since is not None and number >= self.since)


def read_notes(folder: Path) -> Notes:
    """Return the notes kept beside a table."""
    found = read_json(folder / _NOTES)
    return Notes(frozenset(found["numbers"]), found["since"]) if isinstance(found, dict) else Notes(frozenset(), None)


def settle(table: Any, folder: Path) -> None:
    """Note what upkeep was cut short by a crash, before anything else is committed. The caller may write."""
    notes = read_notes(folder)
    if notes.since is not None:
        _note(folder, notes.numbers | set(range(notes.since, int(table.version) + 1)), None)


def is_behind(table: Any) -> bool:
    """Tell whether searches would have to scan too many rows, or read too many fragments."""
    return _fragments(table) > _FRAGMENTS or _lacks(table, "terms")


def tend(table: Any, folder: Path) -> None:
    """Bring the indexes up to date, and write the table anew where it is in many fragments, or has many versions.

    The caller may write.
    """
    notes, first = _begin(table, folder)
    listed = table.list_versions()
    if _ragged(listed):
        table.optimize(cleanup_older_than=_age([v for v in listed if not notes.made(v["version"])]))
    add_indexes(table)
    _end(table, folder, range(first, int(table.version) + 1))


def finish(table: Any, folder: Path) -> None:
    """Write the table anew and bring all indexes up to date.

    Where most rows came since the indexes were made, that ends a filling: its versions go but for the named ones, and
    the result is a version of its own. The caller may write.
    """
    notes, first = _begin(table, folder)
    stats = table.index_stats("terms_idx")
    filled = stats is None or stats.num_unindexed_rows > stats.num_indexed_rows
    content = [version for version in table.list_versions() if not notes.made(version["version"])]
    table.optimize(cleanup_older_than=timedelta(milliseconds=1) if filled else _age(content))
    add_indexes(table)
    _end(table, folder, range(first, int(table.version) + (0 if filled else 1)))


def _begin(table: Any, folder: Path) -> tuple[Notes, int]:
    notes, first = read_notes(folder), int(table.version) + 1
    _note(folder, notes.numbers, first)
    if table.count_rows("audience IS NULL"):
        table.delete("audience IS NULL")
    return notes, first


def _end(table: Any, folder: Path, made: Iterable[int]) -> None:
    oldest = table.list_versions()[0]["version"]
    numbers = {number for number in read_notes(folder).numbers if number >= oldest}
    _note(folder, numbers | set(made), None)


def add_indexes(table: Any) -> None:
    """Make indexes anew that are behind: full text, and what filters by id, document and readers."""
    from lancedb.index import FTS, Bitmap, BTree, LabelList

    text = FTS(**_TEXT, ascii_folding=False, max_token_length=None)
    kinds = {"terms": text, "id": BTree(), "document_id": BTree(), "public": Bitmap(), "groups": LabelList()}
    for column, kind in kinds.items():
        if _lacks(table, column):
            table.create_index(column, config=kind)


def made_at(listed: Any) -> datetime:
    """Return when a listed version was committed. LanceDB tells it in local time."""
    made: datetime = listed["timestamp"]
    return made.astimezone(UTC)


def _lacks(table: Any, column: str) -> bool:
    stats = table.index_stats(f"{column}_idx")
    if stats is None:
        return True
    rows, missing = stats.num_indexed_rows, stats.num_unindexed_rows
    exact = column == "terms" and rows <= _SMALL
    return bool(missing > (0 if exact else max(_SCANNED, rows // _ONE_IN)))


def _fragments(table: Any) -> int:
    return int(table.stats()["fragment_stats"]["num_fragments"])


def _ragged(listed: Sequence[Any]) -> bool:
    of = {name: int(count) for name, count in listed[-1]["metadata"].items()}
    hollow = of["total_deletion_file_rows"] > _HOLLOW * of["total_data_file_rows"]
    return hollow or of["total_fragments"] > _FRAGMENTS or len(listed) > _VERSIONS


def _age(content: Sequence[Any]) -> timedelta:
    """Return from which age on a version may go."""
    if len(content) <= KEPT:
        return timedelta(days=36_500)
    return max(_AGE, datetime.now(UTC) - made_at(content[-KEPT]) + timedelta(seconds=1))


def _note(folder: Path, numbers: frozenset[int] | set[int], since: int | None) -> None:
    write_json(folder / _NOTES, {"numbers": sorted(numbers), "since": since})
