"""Arrays that are found once."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.embed.array_cache import load_or_compute, read_arrays

ARRAYS = {"0.attention": np.array([1.0, 2.0], np.float32)}


def test_arrays_are_found_once_and_again_where_the_file_is_broken(tmp_path: Path) -> None:
    asked = []

    def find() -> dict[str, NDArray[np.float32]]:
        asked.append(1)
        return ARRAYS

    file = tmp_path / "embedders" / "scales.npz"
    for _ in range(2):
        np.testing.assert_array_equal(load_or_compute(file, find)["0.attention"], ARRAYS["0.attention"])
    file.write_bytes(b"PK\3\4 cut off")
    with pytest.raises(WorkspaceError, match=r"scales\.npz"):
        read_arrays(file)
    load_or_compute(file, find)
    assert len(asked) == 2
    assert [found.name for found in file.parent.iterdir()] == ["scales.npz"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "embedders").write_text("a file")
    assert load_or_compute(tmp_path / "embedders" / "scales.npz", lambda: ARRAYS) == ARRAYS
