"""A training that is killed while it cleans up goes on and ends with the same adapter; a time limit only stops it."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.protocols import silent
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.train.supervised.checkpoints import Epochs
from weighbridge.train.supervised.plan import Plan
from weighbridge.train.supervised.train import train_adapter
from weighbridge.types import Message, Progress

_FATAL: set[str] = set()
"""Folders whose removal kills the process, as seen from inside."""


def _killer(event: str, values: tuple[object, ...]) -> None:
    if _FATAL and event == "shutil.rmtree" and str(values[0]) in _FATAL:
        _FATAL.clear()
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def dies_removing() -> Callable[[Path], None]:
    """Arm one death: the next removal of this folder is interrupted before it begins."""
    sys.addaudithook(_killer)
    return lambda folder: _FATAL.add(str(folder))


@pytest.fixture
def recipe(recipe: Recipe) -> Recipe:
    """Four steps, one an epoch."""
    return replace(recipe, training=recipe.training.model_copy(update={"epochs": 4, "patience": 4}))


@pytest.fixture
def encoded(recipe: Recipe) -> tuple[Encoded, ...]:
    tokenizer = load_tokenizer(recipe.base)
    made = [Conversation(example_id=w, prompt=(Message("user", f"Say {w}!"),), target=w) for w in ("a", "bb", "c")]
    return tuple(encode(tokenizer, one) for one in made)


def adapter(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_killed_while_the_checkpoints_are_dropped(recipe: Recipe, encoded, tmp_path: Path, dies_removing):
    train_adapter(encoded, tmp_path / "whole", recipe=recipe)
    checkpoints = tmp_path / "cut" / "checkpoints"

    def last_step(progress: Progress) -> None:
        if progress.done == progress.total:
            dies_removing(checkpoints)

    with pytest.raises(KeyboardInterrupt):
        train_adapter(encoded, tmp_path / "cut", recipe=recipe, notify=last_step)
    assert list(checkpoints.glob("checkpoint-*"))
    assert not (checkpoints / "epochs.json").exists()
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
    train_adapter(encoded, tmp_path / "cut", recipe=recipe)
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
    assert not checkpoints.exists()


@pytest.mark.parametrize(
    "lost", ["checkpoint-3", "checkpoint-3/optimizer.pt", "checkpoint-1/adapter_model.safetensors"]
)
def test_a_record_without_its_checkpoints_is_not_believed(recipe: Recipe, encoded, tmp_path: Path, lost: str):
    def kill(progress: Progress) -> None:
        if progress.done == 4 and progress.note:
            raise KeyboardInterrupt

    scores = iter((0.9, 0.1, 0.2))
    with pytest.raises(KeyboardInterrupt):
        train_adapter(encoded, tmp_path, recipe=recipe, validate=lambda _: next(scores), notify=kill)
    path = tmp_path / "checkpoints" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    seen: list[Progress] = []
    done = train_adapter(encoded, tmp_path, recipe=recipe, notify=seen.append)
    assert seen[0].done == 0
    assert len(done.epochs) == 4


def three_epochs(folder: Path, *, limit: float | None, clock: Callable[[], float]) -> Epochs:
    """Three epochs of two steps."""
    plan = Plan(fingerprint="a", batches=(((0,), (1,)),) * 3, row_tokens=9)
    return Epochs(folder, plan, lengths=(3, 4), patience=9, limit=TimeLimit(limit, clock)).open(silent)


def save(epochs: Epochs, validate: Callable[[object], float]) -> None:
    checkpoint = epochs.folder / f"checkpoint-{len(epochs.losses)}"
    checkpoint.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (checkpoint / name).write_text("")
    epochs.saved(0.1, validate, lambda _: ())


def run(epochs: Epochs) -> None:
    """Take steps as the trainer does."""
    while not epochs.finished:
        epochs.report(1.0)
        if epochs.due():
            save(epochs, lambda _: 0.5)
            if epochs.late:
                return


@pytest.mark.parametrize("limit", [0.0, 2.0, 3.5, 100.0, None])
def test_a_time_limit_stops_the_run_and_the_next_takes_the_steps_left(tmp_path: Path, limit: float | None):
    runs, done, finished = 0, 0, False
    while not finished:
        ticks = iter(range(1000))
        epochs = three_epochs(tmp_path, limit=limit, clock=lambda ticks=ticks: float(next(ticks)))
        assert epochs.done_steps == done
        run(epochs)
        assert len(epochs.losses) > done  # every run gets on, however short it is
        runs, done, finished = runs + 1, len(epochs.losses), epochs.finished
    assert (len(epochs.losses), epochs.plan.ends) == (6, (2, 4, 6))
    assert [(score.epoch, score.dev) for score in epochs.scores] == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert (runs > 1) == (limit is not None and limit < 100)
