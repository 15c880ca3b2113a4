"""Which products are computed in whole numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from weighbridge.retrieve.embed.bert_graph import INPUTS, quantise
from weighbridge.retrieve.embed.folder import Bert, read_tokenizer
from weighbridge.retrieve.embed.int8 import find_scales, sample_texts


@pytest.mark.models
def test_the_sample_is_the_same_each_time(minilm: Path) -> None:
    tokenizer = read_tokenizer(minilm)
    first, second = sample_texts(tokenizer, 256), sample_texts(tokenizer, 256)
    assert [group.shape[1] for group in first][:: len(first) - 1] == [8, 256]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
        assert {int(one[0, 0]), int(one[0, -1])} == {101, 102}


def test_a_product_that_would_be_far_off_stays_in_floats() -> None:
    random = np.random.default_rng(1)
    parts = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
    names = [*parts, "intermediate.dense", "output.dense"]
    weights = {f"encoder.layer.0.{n}.weight": random.normal(size=(16, 16)).astype(np.float32) for n in names}
    even = random.normal(size=(1, 64, 16)).astype(np.float32)
    wild = even.copy()
    wild[0, 0, 0] = 3000
    found = find_scales(Bert(weights, 1, 2, 1e-12), [np.zeros((1, 1), np.int32)], lambda _: [even, even, even, wild])
    assert sorted(found) == sorted(f"0.{kind}" for kind in INPUTS[:3])


@given(arrays(np.float32, (3, 5), elements=st.floats(-4, 4, width=32)))
def test_rounded_weights_are_within_half_a_step(weights: NDArray[np.float32]) -> None:
    numbers, steps = quantise(weights)
    assert np.abs(numbers).max() <= 127
    assert (np.abs(numbers * steps - weights) <= steps * 0.5001).all()
