"""Frees memory between the stages of a training, so that finished stages do not add to the next one."""

import ctypes
import errno
import gc
import sys

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
