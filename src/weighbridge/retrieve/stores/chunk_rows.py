"""Turns chunks into rows for the stores: as JSON, with counted terms and checked vectors."""

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.protocols import Changes
from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.types import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pack_chunk(chunk: Chunk) -> str:
    """Return a chunk as ASCII JSON: any database can hold that, whatever characters the text has."""
    return json.dumps({**asdict(chunk), "groups": sorted(chunk.groups)})


def unpack_chunk(text: str) -> Chunk:
    """Return the chunk of a text that `pack_chunk` wrote."""
    fields = json.loads(text)
    return Chunk(**{**fields, "context": tuple(fields["context"]), "groups": frozenset(fields["groups"])})


def pack_group(group: str) -> str:
    """Return the name of an access group as ASCII JSON, for the same reason."""
    return json.dumps(group)


def count_terms(chunk: Chunk) -> Counter[str]:
    """Return the number of times that a chunk has each of its terms."""
    return Counter(terms(searchable_text(chunk)))


def check_vectors(changes: Changes, dimensions: int) -> "NDArray[np.float32]":
    """Return the vectors of added chunks as float32, a row each.

    Raises:
        ValueError: two chunks have one id, or the vectors do not fit the chunks.
    """
    chunks, vectors = changes.added, changes.vectors
    given = np.zeros((0, dimensions), np.float32) if vectors is None else np.asarray(vectors, np.float32)
    if given.shape != (len(chunks), dimensions):
        raise ValueError(f"{len(chunks)} chunks need vectors of shape {(len(chunks), dimensions)}, not {given.shape}")
    if len({chunk.id for chunk in chunks}) != len(chunks):
        raise ValueError("two added chunks have the same id")
    return given
