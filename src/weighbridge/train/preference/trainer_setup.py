"""Every training after the supervised one shares these: the adapter it goes on from, its arguments, its rows."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.models import file_fingerprint
from weighbridge.train.runtime.adapter_weights import method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.runtime.checkpoints import CheckpointStore
from weighbridge.train.runtime.out_of_memory import TOO_LITTLE, too_little
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.recorded_trainer import record_into, shared_arguments
from weighbridge.train.supervised.methods import precision

_CHECKPOINTS = 5
"""Times that the state is saved in one training, besides at the ends of its passes."""
RATE_REMEDY = "lower training.preference.learning_rate"
_SHOWN: Mapping[str, str] = {
    "loss": "loss {:.3f}",
    "reward": "reward {:.2f}",
    "rewards/margins": "margin {:.3f}",
    "rewards/accuracies": "accuracy {:.2f}",
    "margin": "margin {:.3f}",
    "accuracy": "accuracy {:.2f}",
}
"""Logged values of the libraries that progress shows at each step."""
_LORA = ("lora", "rslora", "dora", "qlora")


def open_adapter(base: BaseFiles, start: Path, kind: Any) -> Any:
    """Return the base model with the LoRA adapter of a PEFT folder, ready to be trained.

    Frozen weights are of the torch type `kind`, and the adapter is float32.

    Raises:
        TrainingError: the folder holds no adapter, or one of another kind.
    """
    from peft import PeftModel

    if (method := method_of(start)) not in _LORA:
        raise TrainingError(
            f"{start}: a second training goes on from a LoRA adapter, of which a frozen copy is what it is held to, "
            f"and this one was trained by {method}; set training.method to one of {', '.join(_LORA)}, or "
            "training.preference.method to none"
        )
    return PeftModel.from_pretrained(load_network(base, precision=kind), str(start), is_trainable=True)


def weights_key(start: Path) -> list[str]:
    """Return the fingerprints of the files of a PEFT folder, in the order of their names."""
    return [file_fingerprint(file) for file in sorted(start.glob("adapter_*"))]


def move_to_gpu(network: Any) -> Any:
    """Return a network where it is fastest asked: on the GPU if there is one."""
    import torch

    return network.to("cuda") if torch.cuda.is_available() else network


def usual(recipe: Recipe, store: CheckpointStore, *, batch: int, rate: float) -> dict[str, Any]:
    """Return the training arguments that all second trainings share: AdamW and a cosine with warm-up."""
    import torch

    return {
        **shared_arguments(store, recipe.training.seed),
        "learning_rate": rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": store.steps // 20,
        "max_steps": store.steps,
        "per_device_train_batch_size": store.at_once,
        "gradient_accumulation_steps": batch // store.at_once,
        "optim": "adamw_torch",
        "bf16": precision(recipe.training.precision) == torch.bfloat16,
        "gradient_checkpointing": False,
    }


def trainer_in(kind: Any, store: CheckpointStore) -> Any:
    """Return TRL's trainer class `kind`, but one that reports to the store."""
    return record_into(store, kind, note=_note)


def _note(logs: Mapping[str, float]) -> str:
    return ", ".join(form.format(logs[name]) for name, form in _SHOWN.items() if logs.get(name) is not None)


def rows_at_once(lengths: Sequence[int], batch: int, *, tokens: int = 4096, least: int = 1) -> int:
    """Return the most rows with padded tokens within bounds: a divisor of the batch, and at least `least`."""
    fitting = [n for n in range(least, batch + 1) if batch % n == 0 and n * max(lengths) <= tokens]
    return max(fitting, default=min(n for n in range(least, batch + 1) if batch % n == 0))


def checkpoint_marks(steps: int) -> range:
    """Return the few steps of a training that end with a checkpoint."""
    every = max(1, math.ceil(steps / _CHECKPOINTS))
    return range(every, steps + 1, every)


def halve_rows(store: CheckpointStore, failure: str, *, batch: int, least: int = 1) -> None:
    """Read half the rows at a time from now on, and twice as often; `least` must be read together.

    Raises:
        TrainingError: that was done before, or nothing can be halved.
    """
    fewer = [n for n in range(least, store.at_once // 2 + 1) if batch % n == 0]
    if store.halved or not fewer:
        raise TrainingError(f"{too_little(store.folder.parent, failure)}; {TOO_LITTLE}")
    store.halve(store.at_once, max(fewer), "rows")
