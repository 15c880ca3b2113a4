"""Fuses several rankings into one."""

from collections import defaultdict
from collections.abc import Sequence
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.types import Chunk, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fuse(rankings: Sequence[Sequence[Passage]], *, k: int = 60) -> list[Passage]:
    """Fuse rankings by reciprocal rank: best first, ties in order of chunk id. Each ranking is best first.

    A passage scores the sum of 1 / (k + rank) over the rankings it stands in (Cormack, Clarke and Büttcher, SIGIR
    2009, with their k of 60), so the rankings need no common scale. Neither their order nor their scores matter. A
    chunk that a ranking repeats counts once, at its best rank.
    """
    shares: defaultdict[str, list[float]] = defaultdict(list)
    chunks: dict[str, Chunk] = {}
    for ranking in rankings:
        for rank, chunk in enumerate({passage.chunk.id: passage.chunk for passage in ranking}.values(), start=1):
            chunks.setdefault(chunk.id, chunk)
            shares[chunk.id].append(1 / (k + rank))
    fused = [Passage(chunk, fsum(shares[id_])) for id_, chunk in chunks.items()]
    return sorted(fused, key=lambda passage: (-passage.score, passage.chunk.id))


def min_max_scale(scores: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return scores scaled to reach from 0 to 1; all 0 if they are all equal."""
    if scores.size == 0 or (spread := float(np.ptp(scores))) <= 0:
        return np.zeros_like(scores)
    moved: NDArray[np.float64] = (scores - scores.min()) / spread
    return moved
