"""Handles too little memory and a full disk during a training, and gives memory back."""

import ctypes
import errno
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.train.runtime.quiet import quiet

Done = TypeVar("Done")

TOO_LITTLE = "close other programs, shorten the examples (retrieval.limit), or train a smaller model"
_UNWRITTEN = ("PytorchStreamWriter", "inline_container")
"""PyTorch raises a RuntimeError with one of these words if a file cannot be written."""
_SPENT = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "could not create a ",
    "status_alloc_failed",
)
"""Messages of PyTorch, its allocators, oneDNN and cuBLAS; only CUDA's allocator has an error class of its own."""


def with_less_memory(folder: Path, attempt: Callable[[], Done], halve: Callable[[str], None]) -> Done:
    """Run a training quietly. If memory does not suffice, halve the forward pass and run it again.

    `halve` is told how the library said so, and raises `TrainingError` where nothing is left to halve. Memory is given
    back before the next attempt, and at the end.

    Raises:
        TrainingError: the libraries fail, or `halve` gives up.
        WorkspaceError: the folder cannot be written.
    """
    with quiet():
        try:
            while True:
                try:
                    with _translate_errors(folder):
                        return attempt()
                except MemoryError as error:
                    failure = str(error)
                release()
                with _translate_errors(folder):
                    halve(failure)
        finally:
            release()


@contextmanager
def raise_clear_errors(folder: Path) -> Iterator[None]:
    """Silence the libraries, turn their errors into errors with advice, and free memory afterwards.

    Raises:
        TrainingError: the libraries fail, or memory does not suffice.
        WorkspaceError: the folder cannot be written.
    """
    with quiet():
        try:
            with _translate_errors(folder):
                yield
        except MemoryError as error:
            raise TrainingError(f"{too_little(folder, str(error))}; {TOO_LITTLE}") from None
        finally:
            release()


def too_little(folder: Path, failure: str) -> str:
    """Say that memory does not suffice for a training, and how the library said so."""
    said = failure.splitlines()[0] if failure else "no more is known"
    return f"{folder}: memory does not suffice for training ({said})"


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    """Raise `MemoryError` where memory is short, and our own errors for all else that libraries fail with."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, RuntimeError, ValueError, MemoryError) as error:
        if out_of_memory(error):
            raise MemoryError(str(error)) from None
        if isinstance(error, OSError | SafetensorError) or any(mark in str(error) for mark in _UNWRITTEN):
            raise WorkspaceError(f"{folder}: cannot be written ({error}); free some disk, then run again") from error
        raise TrainingError(f"{folder}: training failed: {error}; free memory or disk, then run again") from error


def release() -> None:
    """Give memory that is no longer used back to the system.

    A trainer and its network refer to each other, so only a collection frees them. glibc keeps
    freed memory in its heap, with tensors of up to 32 MiB: some 2 GiB after a training.
    """
    gc.collect()
    trim()
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        torch.cuda.empty_cache()


def trim() -> None:
    """Return freed memory to the system. Otherwise the heap grows with each new length of prompt."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def out_of_memory(error: BaseException) -> bool:
    """Tell whether this is how a library says that memory could not be had."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    said = str(error).casefold()
    return isinstance(error, RuntimeError) and any(mark in said for mark in _SPENT)
