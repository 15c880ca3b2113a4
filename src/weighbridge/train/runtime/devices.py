"""Which devices a training has: a process on each of them, and no library that spreads it by itself."""

import os
from typing import Any

from weighbridge.errors import TrainingError


def devices() -> int:
    """Return how many devices a training uses unless told otherwise: the GPUs that are visible, or the processor."""
    import torch

    return max(1, torch.cuda.device_count()) if torch.cuda.is_available() else 1


def require_devices(processes: int) -> None:
    """See to it that so many processes can have a device each.

    Raises:
        TrainingError: there are fewer GPUs, or this is one of several processes that a launcher started.
    """
    import torch

    if "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE") or 1) > 1:
        raise TrainingError(
            "weighbridge starts a process for each GPU itself, and this is one of several that accelerate launch, "
            "torchrun or the like started; run the same command without it, and choose GPUs by CUDA_VISIBLE_DEVICES"
        )
    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise TrainingError(
            f"{processes} processes need a GPU each, and {torch.cuda.device_count()} are visible; "
            "see CUDA_VISIBLE_DEVICES"
        )


def one_device(arguments: Any) -> Any:
    """Return transformers' training arguments, made to see one GPU at most.

    Where it sees several, its trainer wraps the network in `nn.DataParallel`, multiplies batches, and so takes other
    steps than those asked for.
    """
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 - as transformers itself does; there is no setting for it
    return arguments
