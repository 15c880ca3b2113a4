"""What a row of the LanceDB table is: a chunk with its vector, its terms, and who may read it.

A row without an `audience` is a stone on the place of a removed chunk: nobody sees it, and upkeep takes it away. So a
change that removes and adds is one merge by id, which Lance commits as a whole and finds by an index.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from secrets import randbits
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.protocols import Changes
from weighbridge.retrieve.analyse import ANALYSER, terms
from weighbridge.retrieve.searchable import searchable_text
from weighbridge.retrieve.stores.slots import Labels
from weighbridge.types import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PARTS = ("id", "document_id", "text", "start", "end", "title", "place", "version", "context")
CHUNK = "chunk"
"""The column that holds all of a chunk: one column is read several times faster than ten."""
READ = "audience IS NOT NULL"
"""The filter of rows that are no stones."""
LAYOUT = f"lance 2; {ANALYSER}"
"""What a table is like besides its content. An index of another layout is built anew: count up with `schema`."""


def schema(dimensions: int) -> Any:
    """Return the table's schema."""
    import pyarrow as pa

    return pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in ("id", "document_id", "version", CHUNK)),
            pa.field("audience", pa.string()),  # the groups as JSON, sorted
            pa.field("groups", pa.list_(pa.string())),
            pa.field("public", pa.bool_(), nullable=False),
            pa.field("terms", pa.string()),
            pa.field("stamp", pa.int64(), nullable=False),  # this row and no other, wherever it is moved
            pa.field("vector", pa.list_(pa.float32(), dimensions)),
        ]
    )


def checked(changes: Changes, dimensions: int) -> "NDArray[np.float32]":
    """Return the vectors of the changes.

    Raises:
        ValueError: two chunks have one id, or the vectors do not fit the chunks.
    """
    count = len(changes.added)
    vectors = np.zeros((0, dimensions), np.float32) if changes.vectors is None else changes.vectors
    if vectors.shape != (count, dimensions):
        raise ValueError(f"{count} chunks need vectors of shape {(count, dimensions)}, not {vectors.shape}")
    if len({chunk.id for chunk in changes.added}) != count:
        raise ValueError("two added chunks have the same id")
    return np.ascontiguousarray(vectors, np.float32)


def table_of(chunks: Sequence[Chunk], vectors: "NDArray[np.float32]", stones: Mapping[str, str]) -> Any:
    """Return rows of chunks, and stones for removed chunks, given as document ids by chunk id."""
    import pyarrow as pa

    nothing = [None] * len(stones)
    first = randbits(62)
    columns: list[Any] = [
        [*(chunk.id for chunk in chunks), *stones],
        [*(chunk.document_id for chunk in chunks), *stones.values()],
        [*(chunk.version for chunk in chunks), *("" for _ in stones)],
        [*map(_written, chunks), *("" for _ in stones)],
        [*(json.dumps(sorted(chunk.groups)) for chunk in chunks), *nothing],
        [*(sorted(chunk.groups) for chunk in chunks), *([] for _ in stones)],
        [*(not chunk.groups for chunk in chunks), *(False for _ in stones)],
        [*(" ".join(terms(searchable_text(chunk))) for chunk in chunks), *nothing],
        np.arange(first, first + len(chunks) + len(stones)),
    ]
    dimensions = vectors.shape[1]
    flat = np.concatenate([vectors, np.zeros((len(stones), dimensions), np.float32)]).reshape(-1)
    made = schema(dimensions)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, made, strict=False)]
    return pa.Table.from_arrays([*arrays, pa.FixedSizeListArray.from_arrays(pa.array(flat), dimensions)], schema=made)


def _written(chunk: Chunk) -> str:
    parts = [getattr(chunk, name) for name in _PARTS]
    return json.dumps([*parts, sorted(chunk.groups)], ensure_ascii=False, separators=(",", ":"))


def chunk_of(text: str) -> Chunk:
    """Return what a row has in the column `CHUNK`."""
    *parts, context, groups = json.loads(text)
    fields = dict(zip(_PARTS, parts, strict=False))
    return Chunk(**fields, context=tuple(context), groups=frozenset(groups))


def labels_of(table: Any) -> Labels:
    """Return what names rows with `stamp` and `audience`, and who may read them; no stones."""
    audience = table["audience"].combine_chunks().dictionary_encode()
    readers = [frozenset(json.loads(text)) for text in audience.dictionary.to_pylist()]
    return Labels(numbers(table["stamp"]), readers, numbers(audience.indices))


def vectors_of(table: Any, dimensions: int) -> "NDArray[np.float32]":
    """Return the `vector` column of a table or a batch."""
    column = table["vector"]
    pieces = [piece.flatten().to_numpy() for piece in getattr(column, "chunks", [column])]
    flat = pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, np.float32), *pieces])
    return np.asarray(flat, np.float32).reshape(-1, dimensions)


def numbers(column: Any) -> "NDArray[np.int64]":
    """Return a column of whole numbers."""
    return np.asarray(column.to_numpy(), np.int64)


def visible(groups: frozenset[str]) -> str:
    """Return the filter of what these groups may read."""
    return f"(public OR array_has_any(groups, [{_quoted(groups)}]))" if groups else "public"


def one_of(column: str, values: Collection[str]) -> str:
    """Return the filter of rows with one of some values."""
    return f"{column} IN ({_quoted(values)})" if values else "false"


def _quoted(values: Collection[str]) -> str:
    """Return values as literals, in which only the quote has a meaning; it is doubled."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
