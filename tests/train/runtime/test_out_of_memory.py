"""What libraries raise becomes an error that says what to do; short memory is met once by reading less."""

import errno
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.train.runtime.out_of_memory import raise_clear_errors, with_less_memory

SHORT = (
    MemoryError(),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
)


def unwritten() -> list[Exception]:
    from safetensors import SafetensorError

    return [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("I/O error: No space left on device"),
        RuntimeError("PytorchStreamWriter failed writing file data/1: file write failed"),
    ]


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_short_memory_is_met_by_reading_less(error: Exception, tmp_path: Path):
    halved: list[str] = []

    def attempt() -> str:
        return "done" if halved else fail(error)

    assert with_less_memory(tmp_path, attempt, halved.append) == "done"
    assert halved == [str(error)]


def test_it_ends_where_nothing_is_left_to_halve(tmp_path: Path):
    with pytest.raises(TrainingError, match="enough"):
        with_less_memory(tmp_path, lambda: fail(MemoryError()), lambda _: fail(TrainingError("enough")))


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_where_nothing_can_be_halved_it_is_said(error: Exception, tmp_path: Path):
    with (
        pytest.raises(TrainingError, match=r"memory does not suffice for training .*; close other programs"),
        raise_clear_errors(tmp_path),
    ):
        fail(error)


def test_a_full_disk_is_told_from_a_failed_training(tmp_path: Path):
    for error in unwritten():
        with pytest.raises(WorkspaceError, match="free some disk"):
            with_less_memory(tmp_path, lambda error=error: fail(error), lambda _: None)
        with pytest.raises(WorkspaceError, match="free some disk"), raise_clear_errors(tmp_path):
            fail(error)
    for error in (RuntimeError("size mismatch"), ValueError("no such thing")):
        with pytest.raises(TrainingError, match="training failed"):
            with_less_memory(tmp_path, lambda error=error: fail(error), lambda _: None)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TrainingError("ours"), WorkspaceError("ours")])
def test_all_else_passes(error: BaseException, tmp_path: Path):
    with pytest.raises(type(error)) as raised, raise_clear_errors(tmp_path):
        fail(error)
    assert raised.value is error
