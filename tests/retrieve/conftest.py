"""An embedder whose vectors depend on nothing but the text, so that tests of indexing need no model."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashing:
    """A real, if meaningless, embedder: a unit vector drawn by the text's hash. Notes what it was asked."""

    name: str = "hashing"
    fingerprint: str = "hashing-1"
    dimensions: int = 8
    asked: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        self.asked.extend(texts)
        rows = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
            row[:] = np.random.default_rng(seed).normal(size=self.dimensions)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def hashing() -> Hashing:
    return Hashing()
