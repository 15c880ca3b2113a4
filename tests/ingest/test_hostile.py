"""A small edition of `benchmarks/hostile.py`: each file in a folder is accounted for, and no process stays."""

import importlib
from pathlib import Path

import psutil
import pytest

from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.scan import relative_name
from weighbridge.ingest.read import read_documents

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    hostile = importlib.import_module("hostile")
    folder, cache = tmp_path / "documents", tmp_path / "cache"
    folder.mkdir()
    hostile.make(folder, files=40, seed=seed, scale=1_000)
    others = set(psutil.Process().children())  # of libraries that other tests use in this process
    reading = read_documents(folder, cache=cache, limits=ReadingLimits(seconds=10, memory_mb=400))
    told = hostile.outcomes(reading)
    assert reading.files == len(told)
    assert all(told.values())
    for path in folder.rglob("*"):
        if not path.is_dir():
            name = relative_name(folder, path)
            assert any(source == name or source.startswith(f"{name}/") for source in told), name
    assert set(psutil.Process().children()) <= others
    again = read_documents(folder, cache=cache, limits=ReadingLimits(seconds=10, memory_mb=400))
    assert hostile.outcomes(again) == told
