import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.ingest.split import Embed


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


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Give a folder that every user of the machine may enter."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """Give a context in which file permissions hold, even where the tests run as root."""

    @contextmanager
    def without_root() -> Iterator[None]:
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(before)

    return without_root
