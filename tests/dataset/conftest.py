import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.dataset.split import Embed


def hashed_trigrams(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts as counts of hashed character trigrams: unit rows, alike for texts that look alike."""
    counts = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in enumerate(texts):
        padded = f" {text.casefold()} "
        for place in range(len(padded) - 2):
            counts[row, zlib.crc32(padded[place : place + 3].encode()) % 256] += 1
    unit: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="session")
def embed() -> Embed:
    return hashed_trigrams
