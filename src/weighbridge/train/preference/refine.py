"""What every training after the supervised one shares: the adapter it goes on from, its steps, and how it is kept."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weighbridge.adapters import EpochScore, Training
from weighbridge.errors import TrainingError
from weighbridge.models import file_fingerprint
from weighbridge.train.preference.checkpoints import Course
from weighbridge.train.runtime.adapter_weights import method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import precision

_CHECKPOINTS = 5
"""Times that the state is saved in one training."""
_LORA = ("lora", "rslora", "dora", "qlora")


def open_adapter(base: BaseFiles, start: Path) -> Any:
    """Return the base model with the LoRA adapter of a PEFT folder, which learns on; adapters are float32.

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
    return PeftModel.from_pretrained(load_network(base, precision=precision()), str(start), is_trainable=True)


def weights_key(start: Path) -> list[str]:
    """Return what the files of a PEFT folder are fingerprinted by, in the order of their names."""
    return [file_fingerprint(file) for file in sorted(start.glob("adapter_*"))]


def placed(network: Any) -> Any:
    """Return a network where it is fastest asked: on the GPU if there is one."""
    import torch

    return network.to("cuda") if torch.cuda.is_available() else network


def save_adapter(network: Any, target: Path) -> None:
    """Write the adapter that learnt, and nothing else, as a PEFT folder; whole or not at all."""
    beside = target.with_name(f".{target.name}")
    shutil.rmtree(beside, ignore_errors=True)
    network.save_pretrained(beside, selected_adapters=["default"])
    for file in sorted(beside.iterdir()):
        if not file.name.startswith("adapter_"):
            file.unlink()
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def usual(recipe: Recipe, course: Course, *, rate: float) -> dict[str, Any]:
    """Return the training arguments that all second trainings share: AdamW, a cosine with warm-up, gradients clipped.

    The state is saved a few times on the way.
    """
    import torch

    return {
        "output_dir": str(course.folder),
        "learning_rate": rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": course.steps // 20,
        "max_steps": course.steps,
        "per_device_train_batch_size": course.at_once,
        "gradient_accumulation_steps": course.gathered,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch",
        "bf16": precision() == torch.bfloat16,
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": max(1, math.ceil(course.steps / _CHECKPOINTS)),
        "report_to": "none",
        "disable_tqdm": True,
        "seed": recipe.training.seed,
    }


def rows_at_once(lengths: Sequence[int], batch: int, *, tokens: int = 4096, least: int = 1) -> int:
    """Return the most rows, a divisor of the batch and `least` or more, whose padded tokens stay within bounds."""
    fitting = [n for n in range(least, batch + 1) if batch % n == 0 and n * max(lengths) <= tokens]
    return max(fitting, default=min(n for n in range(least, batch + 1) if batch % n == 0))


def steps_for(rows: int, batch: int, at_once: int, epochs: int) -> int:
    """Return how many steps the trainer will take: rows at a time, gathered until they make a batch, for each pass."""
    return epochs * math.ceil(math.ceil(rows / at_once) / (batch // at_once))


def told(trainer: Any, course: Course, *, examples: int, tokens: int, epochs: int) -> Training:
    """Return how a finished training went."""
    losses = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    size = math.ceil(trainer.state.max_steps / epochs)
    passes: dict[int, list[float]] = {}
    for step, loss in losses:
        passes.setdefault((step - 1) // size + 1, []).append(loss)
    scores = tuple(EpochScore(epoch=epoch, loss=sum(own) / len(own), dev=None) for epoch, own in passes.items())
    return Training(
        epochs=scores,
        chosen_epoch=scores[-1].epoch,
        examples=examples,
        tokens=tokens,
        steps=trainer.state.global_step,
        seconds=course.taken,
        first_loss=losses[0][1],
        last_loss=losses[-1][1],
        precision=str(precision()).removeprefix("torch."),
        notes=course.told,
    )
