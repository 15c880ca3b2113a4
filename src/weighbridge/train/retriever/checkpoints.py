"""What training an embedder and training a reranker have in common: epochs scored, the best kept, a kill survived.

`epochs.json` is written after the weights it names; the trainer's own checkpoint follows it. A training that was killed
goes on from its last checkpoint, takes the epochs after it again, and ends with the same weights.
"""

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from weighbridge.adapters import EpochScore, Training
from weighbridge.errors import MissingExtraError, TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.retrieve.embed.local import Precision
from weighbridge.train.runtime.devices import one_device
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.train.supervised.checkpoints import best
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json, write_text

_BEST = "best.safetensors"
_RECORD = "epochs.json"
_TUNED = "tuned.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieverRecipe:
    """How a model of the retriever is trained: AdamW, a linear schedule with warm-up, gradients clipped at 1."""

    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 2e-5
    warmup: float = 0.1
    """Share of the steps."""
    seed: int = 7
    seconds: float | None = None
    """A time limit: training stops with the epoch it is in, and goes on when called again. None: no limit."""
    precision: Precision | None = None
    """What documents will be embedded in, where the result is to agree with the library; None: as `open_embedder`."""

    @property
    def lasting(self) -> Mapping[str, Any]:
        """All that shapes what is learnt: everything but the time limit."""
        return {name: value for name, value in asdict(self).items() if name != "seconds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """A finished training, and how well what we serve agrees with the library that trained it."""

    fingerprint: str
    training: Training
    agreement: float
    """Of an embedder the lower mean cosine, over questions and over documents; of a reranker the largest difference."""


class Watched:
    """The epochs of one training, as its trainer tells of them, in one thread."""

    def __init__(self, folder: Path, key: str, limit: TimeLimit, notify: Notify = silent) -> None:
        """Take up what the folder holds of this very training, and remove what it holds of any other."""
        self.folder, self.key, self.limit, self._notify = folder, key, limit, notify
        found = read_json(folder / _RECORD)
        whole = found and found["key"] == key and (folder / _BEST).is_file()
        self.scores = tuple(EpochScore(**score) for score in found["scores"]) if whole else ()
        self.earlier_seconds: float = found["seconds"] if whole else 0.0
        if not whole:
            shutil.rmtree(folder, ignore_errors=True)
        self._start = limit.clock()

    @property
    def latest(self) -> str | None:
        """The checkpoint to go on from; None at the beginning."""
        ends = sorted(self.folder.glob("checkpoint-*/trainer_state.json"), key=lambda file: file.stat().st_mtime)
        return str(ends[-1].parent) if ends and self.scores else None

    @property
    def seconds(self) -> float:
        """Seconds so far, those before a kill included as far as an epoch had ended."""
        return self.earlier_seconds + self.limit.clock() - self._start

    def step(self, done: int, total: int, losses: Sequence[float]) -> None:
        """Tell of a step. `TrainingError` where its loss is not a number."""
        if losses and not math.isfinite(losses[-1]):
            raise TrainingError(f"the loss is not a number at step {done}; lower the learning rate")
        note = f"loss {losses[-1]:.3f}" if losses else ""
        self._notify(Progress(task="training", done=done, total=total, unit="steps", note=note))

    def end(self, epoch: int, loss: float, dev: float | None, weights: Callable[[], Mapping[str, Any]]) -> None:
        """Note an epoch's end, and keep its weights where none before was better."""
        self.scores = (*self.scores[: epoch - 1], EpochScore(epoch=epoch, loss=loss, dev=dev))
        if best(self.scores).epoch == epoch:
            save_weights(weights(), self.folder / _BEST)
        value = {"key": self.key, "scores": [asdict(score) for score in self.scores], "seconds": self.seconds}
        write_json(self.folder / _RECORD, value)

    def best_weights(self) -> Mapping[str, Any]:
        """Return the weights of the best epoch, by name."""
        from safetensors.torch import load_file

        weights: dict[str, Any] = load_file(self.folder / _BEST)
        return weights

    def close(self) -> None:
        """Remove the checkpoints."""
        shutil.rmtree(self.folder, ignore_errors=True)


def require_library() -> None:
    """See that what trains is installed, or raise `MissingExtraError`; it is imported later, quietly."""
    if not all(find_spec(library) for library in ("datasets", "sentence_transformers")):
        raise MissingExtraError("tuning the embedder or the reranker", "retriever")


def without_widgets(model: Any) -> Any:
    """Return the model, of which the library will pick no examples for a card that nobody reads."""
    model.model_card_data.widget = [{"text": ""}]
    return model


def arguments(kind: Any, folder: Path, recipe: RetrieverRecipe) -> Any:
    """Return the trainer's arguments, of the library's class `kind`. Batches hold no text twice."""
    import torch

    made = kind(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup,
        lr_scheduler_type="linear",
        optim="adamw_torch",
        use_cpu=not torch.cuda.is_available(),
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="epoch",
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        seed=recipe.seed,
    )
    return one_device(made)


def watching(
    kind: Any, watched: Watched, score: Callable[[], float] | None, weights: Callable[[], Mapping[str, Any]]
) -> Any:
    """Return the library's trainer class `kind`, but one that tells of its steps, and scores every epoch's end."""

    class Watching(kind):  # type: ignore[misc] # known only when it runs
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            watched.step(self.state.global_step, self.state.max_steps, _losses(self.state))

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            epoch = math.ceil(round(self.state.epoch, 6))
            before = math.ceil(self.state.max_steps / self.args.num_train_epochs) * (epoch - 1)
            own = _losses(self.state)[before:]
            watched.end(epoch, sum(own) / len(own), score() if score else None, weights)
            super()._save_checkpoint(model, trial)
            self.control.should_training_stop |= watched.limit.passed  # here alone is something to go on from

    return Watching


def run(trainer: Any, watched: Watched) -> None:
    """Train to the end, from the last checkpoint if there is one.

    Raises:
        UnfinishedError: the recipe's time limit passed before the last epoch.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=watched.latest)
    if trainer.state.global_step < trainer.state.max_steps:
        raise watched.limit.stopped(trainer.state.global_step, trainer.state.max_steps)


def summary(trainer: Any, watched: Watched, *, examples: int, tokens: int) -> Training:
    """Return what happened; `tokens` are those of one pass."""
    state = trainer.state
    losses = _losses(state)
    return Training(
        epochs=watched.scores,
        chosen_epoch=best(watched.scores).epoch,
        examples=examples,
        tokens=round(tokens * state.epoch),
        steps=state.global_step,
        seconds=watched.seconds,
        first_loss=losses[0],
        last_loss=losses[-1],
        precision="float32",
    )


def save_weights(weights: Mapping[str, Any], file: Path) -> None:
    """Write tensors by name, whole or not at all."""
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}")
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
    save_file(own, beside, metadata={"format": "pt"})
    beside.replace(file)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into, which takes the place of `folder` when all went well."""
    beside = folder.with_name(f".{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield beside
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)


def write_tuned(tuned: Tuned, folder: Path) -> None:
    """Write `tuned.json` into a model's folder; from then on it counts as complete."""
    write_text(folder / _TUNED, _tuned().dump_json(tuned, indent=2).decode() + "\n")


def read_tuned(folder: Path, fingerprint: str) -> Tuned | None:
    """Return how this very model was trained; None where it was not, or not to the end."""
    try:
        tuned = _tuned().validate_json((folder / _TUNED).read_bytes())
    except (OSError, ValidationError):
        return None
    return tuned if tuned.fingerprint == fingerprint else None


def _losses(state: Any) -> list[float]:
    return [float(entry["loss"]) for entry in state.log_history if "loss" in entry]


@cache
def _tuned() -> TypeAdapter[Tuned]:
    return TypeAdapter(Tuned)
