"""Fusion's arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.retrieve.search.fusion import fuse, min_max_scale
from weighbridge.types import Chunk, Passage


def passage(id_: str) -> Passage:
    return Passage(Chunk(id=id_, document_id=id_, text=id_, start=0, end=1), 1.0)


def test_scores_are_those_of_the_paper() -> None:
    fused = fuse([[passage("a"), passage("b")], [passage("b"), passage("c")]], k=60)
    assert [(p.chunk.id, p.score) for p in fused] == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_scaled_scores_reach_from_0_to_1_in_the_same_order(values: list[float]) -> None:
    scores = min_max_scale(np.array(values))
    assert scores.shape == (len(values),)
    assert all(0 <= score <= 1 for score in scores)
    assert all(scores[i] <= scores[j] for i in range(len(values)) for j in range(len(values)) if values[i] < values[j])
    if len(set(values)) > 1:
        assert (scores.min(), scores.max()) == (0, 1)
