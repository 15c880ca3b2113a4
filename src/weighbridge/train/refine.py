"""What every training after the supervised one shares: the adapter it goes on from, its steps, and how it is kept."""

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.adapters import EpochScore, Training
from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.protocols import Notify
from weighbridge.train.base import BaseFiles, load_network
from weighbridge.train.memory import release, trim
from weighbridge.train.methods import precision
from weighbridge.train.quiet import quiet
from weighbridge.train.recipe import Recipe
from weighbridge.train.weights import method_of
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json

_CHECKPOINTS = 5
"""Times that the state is saved in one training."""
_LORA = ("lora", "rslora", "dora", "qlora")
_SHOWN: Mapping[str, str] = {
    "loss": "loss {:.3f}",
    "reward": "reward {:.2f}",
    "rewards/margins": "margin {:.3f}",
    "rewards/accuracies": "accuracy {:.2f}",
    "margin": "margin {:.3f}",
    "accuracy": "accuracy {:.2f}",
}
"""What the libraries log that is told with each step."""


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Train quietly, and turn what the libraries raise into errors that say what to do; memory is given back after.

    Raises:
        TrainingError: the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    with quiet():
        try:
            yield
        except OSError as error:
            raise WorkspaceError(f"{folder}: cannot be written ({error}); free some disk, then run again") from error
        except (RuntimeError, ValueError) as error:
            raise TrainingError(f"{folder}: training failed: {error}; free memory or disk, then run again") from error
        finally:
            release()


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


@dataclass(kw_only=True)
class Course:
    """How far one training is; the trainer's callback tells it of steps and checkpoints, in one thread."""

    task: str
    """What the person waiting is told is going on."""
    folder: Path
    """Where checkpoints lie while it lasts."""
    fingerprint: str
    """Of all that the training depends on: a checkpoint of another one is not gone on from."""
    seconds: float
    """Wall-clock budget of the steps; it ends after the step that exceeds it."""
    notify: Notify
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=perf_counter)

    @property
    def latest(self) -> str | None:
        """The checkpoint to go on from; None at the beginning. What lies there of another training is removed."""
        found = read_json(self._record)
        if found and found["fingerprint"] == self.fingerprint:
            checkpoint = self.folder / str(found["checkpoint"])
            if (checkpoint / "trainer_state.json").is_file():
                return str(checkpoint)
        shutil.rmtree(self.folder, ignore_errors=True)
        return None

    def step(self, step: int, total: int, logs: Mapping[str, float]) -> None:
        """Tell of a step that was logged. `TrainingError` where its loss is not a number."""
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"the loss is not a number at step {step}; lower training.preference.learning_rate, or "
                "training.learning_rate where it is the reward model's"
            )
        note = ", ".join(form.format(logs[name]) for name, form in _SHOWN.items() if logs.get(name) is not None)
        self.notify(Progress(task=self.task, done=step, total=total, unit="steps", note=note))

    def spent(self, step: int, total: int) -> bool:
        """Tell whether the budget is spent before the last step, and note it."""
        if step >= total or perf_counter() - self.started < self.seconds:
            return False
        self.notes.append(
            f"training.seconds ({self.seconds:,.0f}) allowed {step} of {total} steps of {self.task}; raise it to take "
            "them all"
        )
        return True

    def saved(self, step: int) -> None:
        """Take note of a checkpoint that is whole, and drop those before it."""
        name = f"checkpoint-{step}"
        write_json(self._record, {"fingerprint": self.fingerprint, "checkpoint": name})
        for other in self.folder.glob("checkpoint-*"):
            if other.name != name:
                shutil.rmtree(other, ignore_errors=True)
        trim()

    def finish(self) -> None:
        """Drop the checkpoints; their record first, so that it never outlives them."""
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _record(self) -> Path:
        return self.folder / "latest.json"


def followed(kind: Any, course: Course) -> Any:
    """Return a kind of trainer that tells a course of its steps and checkpoints."""

    class Followed(kind):  # type: ignore[misc] # trl is untyped
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            if "loss" in logs:
                course.step(self.state.global_step, self.state.max_steps, self.state.log_history[-1])
                self.control.should_training_stop |= course.spent(self.state.global_step, self.state.max_steps)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            super()._save_checkpoint(model, trial)
            course.saved(self.state.global_step)

    return Followed


def take(trainer: Any, latest: str | None) -> None:
    """Take a trainer's steps from the latest checkpoint on, without its printing any."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=latest)


def usual(recipe: Recipe, folder: Path, *, rate: float, steps: int) -> dict[str, Any]:
    """Return the training arguments that all second trainings share: AdamW, a cosine with warm-up, gradients clipped.

    `steps` is how many there will be: the state is saved a few times on the way.
    """
    import torch

    return {
        "output_dir": str(folder),
        "learning_rate": rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": steps // 20,
        "max_steps": steps,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch",
        "bf16": precision() == torch.bfloat16,
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": max(1, math.ceil(steps / _CHECKPOINTS)),
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
        seconds=perf_counter() - course.started,
        first_loss=losses[0][1],
        last_loss=losses[-1][1],
        precision=str(precision()).removeprefix("torch."),
        notes=tuple(course.notes),
    )
