"""Memory between the stages of a tuning: what one stage is done with must not stand beside what the next one needs."""

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
"""What PyTorch, its allocators, oneDNN and cuBLAS say; only the allocator of CUDA has an error of its own."""


def release() -> None:
    """Give memory that is no longer used back to the system.

    A trainer and its network refer to each other, so only a collection frees them. What has been freed, glibc keeps
    in its heap, where tensors of up to 32 MiB lie: some 2 GiB after a training.
    """
    gc.collect()
    trim()
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        torch.cuda.empty_cache()


def trim() -> None:
    """Give back what has been freed already: the heap of a training otherwise grows with each new length of prompt."""
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
