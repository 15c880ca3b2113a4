"""The embedder and the reranker are trained alike: by sentence-transformers, the best epoch kept, a kill survived."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from weighbridge.adapters import Training
from weighbridge.errors import MissingExtraError, TrainingError
from weighbridge.protocols import Notify
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.retrieve.embed.local import Precision
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit, epoch_ends
from weighbridge.train.runtime.out_of_memory import raise_clear_errors
from weighbridge.train.runtime.recorded_trainer import one_device, record_into, run_trainer, shared_arguments
from weighbridge.workspace import write_text

_TUNED = "tuned.json"
"""Written last into a model's folder: from then on it is complete."""


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
    """A time limit: training stops after the step it is in, and goes on when called again. None: no limit."""
    precision: Precision | None = None
    """The precision of later embedding, for the comparison with the library; None: as `open_embedder`."""

    @property
    def without_time_limit(self) -> Mapping[str, Any]:
        """The fields that decide the result: all but the time limit."""
        return {name: value for name, value in asdict(self).items() if name != "seconds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """A finished training, and the agreement of the served model with the library that trained it."""

    fingerprint: str
    training: Training
    agreement: float
    """Of an embedder the lower mean cosine, over questions and over documents; of a reranker the largest difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """The arguments of the library's trainer."""

    trainer: Any
    """The library's class."""
    arguments: Any
    """The library's class of the trainer's arguments."""
    dataset: Any
    loss: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """The differences between embedder and reranker, as functions of the model that `open` returns."""

    name: str
    open: Callable[[], Any]
    network: Callable[[Any], Any]
    """Returns the transformers model; a checkpoint holds its weights."""
    lessons: Callable[[Any], Lessons]
    score: Callable[[Any], float] | None
    """How good the model is as it is now; higher is better."""
    write: Callable[[Any, Path], None]
    """Writes the model into an empty folder, as we open it."""
    agreement: Callable[[Any, Path], float]
    """Measures the agreement of the saved model with the trained one; `TrainingError` if it is too low."""
    tokens: Callable[[Any], int]
    """Of one pass."""


def tune_model(
    learner: Learner, folder: Path, *, key: str, examples: int, recipe: RetrieverRecipe, notify: Notify
) -> Tuned:
    """Train a model and leave the best epoch's in `folder`, or return how that was done where it was; see the callers.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        TrainingError: there are too few examples, training fails, or we do not agree with the library.
        UnfinishedError: the recipe's time limit is over, and steps are left.
        WorkspaceError: the folder cannot be written.
    """
    if tuned := _read_tuned(folder, key):
        return tuned
    if examples <= 1:
        raise TrainingError(f"{examples} pairs are too few to train {learner.name} on; add examples with doc_ids")
    if not all(find_spec(library) for library in ("datasets", "sentence_transformers")):
        raise MissingExtraError("tuning the embedder or the reranker", "retriever")
    with raise_clear_errors(folder):
        model = learner.open()
        # The library would pick examples for a model card that nobody reads.
        model.model_card_data.widget = [{"text": ""}]
        lessons = learner.lessons(model)
        store = CheckpointStore(
            folder=folder.with_name(f"{folder.name}.training"),
            fingerprint=key,
            ends=epoch_ends(len(lessons.dataset), recipe.batch_size, recipe.epochs),
            limit=TimeLimit(recipe.seconds),
            notify=notify,
            remedy="lower the learning rate",
        )
        store.open()
        run_trainer(_trainer(model, lessons, learner, store, recipe), store)
        _load_best(learner.network(model), store)
        with _replace_folder(folder) as written:
            learner.write(model, written)
            training = store.summary(
                examples=examples, tokens=learner.tokens(model) * recipe.epochs, precision="float32"
            )
            tuned = Tuned(fingerprint=key, training=training, agreement=learner.agreement(model, written))
            write_text(written / _TUNED, _tuned_type().dump_json(tuned, indent=2).decode() + "\n")
        store.close()
        return tuned


def _trainer(model: Any, lessons: Lessons, learner: Learner, store: CheckpointStore, recipe: RetrieverRecipe) -> Any:
    arguments = lessons.arguments(
        **shared_arguments(store, recipe.seed),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup,
        lr_scheduler_type="linear",
        optim="adamw_torch",
    )
    score = learner.score
    kind = record_into(
        store,
        lessons.trainer,
        note=lambda logs: f"loss {logs['loss']:.3f}",
        score=(lambda: score(model)) if score else None,
    )
    return kind(model=model, args=one_device(arguments), train_dataset=lessons.dataset, loss=lessons.loss)


def _load_best(network: Any, store: CheckpointStore) -> None:
    from safetensors.torch import load_file

    network.load_state_dict(load_file(store.best_checkpoint() / WEIGHTS))


@contextmanager
def _replace_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into. It replaces `folder` on success."""
    beside = folder.with_name(f".{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    yield beside
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)


def _read_tuned(folder: Path, fingerprint: str) -> Tuned | None:
    """Return how this very model was trained; None where it was not, or not to the end."""
    try:
        tuned = _tuned_type().validate_json((folder / _TUNED).read_bytes())
    except (OSError, ValidationError):
        return None
    return tuned if tuned.fingerprint == fingerprint else None


@cache
def _tuned_type() -> TypeAdapter[Tuned]:
    return TypeAdapter(Tuned)
