"""Memory between the stages of a tuning: what one stage is done with must not stand beside what the next one needs."""

import ctypes
import gc
import sys


def release() -> None:
    """Give memory that is no longer used back to the system.

    A trainer and its network refer to each other, so only a collection frees them. What has been freed, glibc keeps
    in its heap, where tensors of up to 32 MiB lie: some 2 GiB after a training.
    """
    gc.collect()
    trim()


def trim() -> None:
    """Give back what has been freed already: the heap of a training otherwise grows with each new length of prompt."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
