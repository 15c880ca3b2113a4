"""Named versions of a LanceDB table. Each is copied into a table of its own beside it.

LanceDB cannot remove versions between a tagged one and the latest, so its own tags would make every later state stay
on disk. A copy takes as much as the version would, and nothing else has to stay with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from weighbridge.protocols import Version
from weighbridge.retrieve.stores.lance_rows import READ, table_of
from weighbridge.retrieve.stores.lance_upkeep import add_indexes
from weighbridge.workspace import read_json, write_json

_NAMES = "names.json"
_PREFIX = "kept-"
_BATCH = 1 << 14


@dataclass(frozen=True, slots=True)
class Kept:
    """Which versions have names, and when each of them was made."""

    names: Mapping[str, int]
    made: Mapping[int, str]

    def version(self, number: int, made: str) -> Version:
        """Return a version with its names."""
        tags = sorted(name for name, named in self.names.items() if named == number)
        return Version(number=number, made=made, tags=tuple(tags))


def read_kept(folder: Path) -> Kept:
    """Return what was named in an index's folder."""
    found = read_json(folder / _NAMES)
    if not isinstance(found, dict):
        return Kept({}, {})
    return Kept(found["names"], {int(number): made for number, made in found["made"].items()})


def open_kept(connection: Any, number: int) -> Any:
    """Return the copy of a named version."""
    return connection.open_table(f"{_PREFIX}{number}")


def name_version(connection: Any, folder: Path, rows: Any, version: Version, name: str) -> None:
    """Name a version, of which `rows` is a reader, and remove copies that have no name any more.

    The caller may write.
    """
    kept = read_kept(folder)
    if version.number not in kept.made:
        own = f"{_PREFIX}{version.number}"
        connection.drop_table(own, ignore_missing=True)  # what a crash has left
        add_indexes(connection.create_table(own, data=rows))
    names = {**kept.names, name: version.number}
    made = {**kept.made, version.number: version.made}
    made = {number: when for number, when in made.items() if number in names.values()}
    write_json(folder / _NAMES, {"names": names, "made": {str(number): when for number, when in made.items()}})
    for copy in folder.glob(f"{_PREFIX}*.lance"):
        if int(copy.stem.removeprefix(_PREFIX)) not in made:
            connection.drop_table(copy.stem)


def put_back(table: Any, copy: Any) -> None:
    """Make a table's rows those of a copy, in one commit. The caller may write."""
    import pyarrow as pa

    there = set(copy.search().select(["id"]).to_arrow()["id"].to_pylist())
    now = table.search().where(READ).select(["id", "document_id"]).to_list()
    gone = {row["id"]: row["document_id"] for row in now if row["id"] not in there}
    merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
    stones = table_of([], np.zeros((0, copy.schema.field("vector").type.list_size), np.float32), gone)
    rows = _both(copy.search().where(READ).to_batches(_BATCH), stones)
    merge.execute(pa.RecordBatchReader.from_batches(copy.schema, rows))


def _both(rows: Any, more: Any) -> Iterator[Any]:
    yield from rows
    yield from more.to_batches()
