"""An embedder of a few words, for suites that need vectors and no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

VOCABULARY = ("ferry", "parking", "crew", "harbour", "pilot", "price", "mast", "colour")


@dataclass(frozen=True, slots=True)
class ToyEmbedder:
    """Turns a text into the unit vector of the vocabulary's words that it holds."""

    name: str = "toy"
    fingerprint: str = "toy"
    dimensions: int = len(VOCABULARY) + 1

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = [[0.1, *(float(word in text.casefold()) for word in VOCABULARY)] for text in texts]
        vectors = np.array(rows, np.float32).reshape(len(texts), self.dimensions)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
