"""A training that is killed while it cleans up goes on and ends with the same adapter; a time limit only stops it."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import TrainingError
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.preference.trainer_setup import halve_rows
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit, epoch_ends
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.train.supervised.trainer import epoch_batches
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
    train_supervised(Job(encoded=encoded, folder=tmp_path / "whole", recipe=recipe))
    checkpoints = tmp_path / "cut" / "checkpoints"

    def last_step(progress: Progress) -> None:
        if progress.done == progress.total:
            dies_removing(checkpoints)

    with pytest.raises(KeyboardInterrupt):
        train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=recipe, notify=last_step))
    assert list(checkpoints.glob("checkpoint-*"))
    assert not (checkpoints / "checkpoints.json").exists()
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
    train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=recipe))
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
        train_supervised(
            Job(encoded=encoded, folder=tmp_path, recipe=recipe, validate=lambda _: next(scores), notify=kill)
        )
    path = tmp_path / "checkpoints" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    seen: list[Progress] = []
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, notify=seen.append))
    assert seen[0].done == 0
    assert len(done.epochs) == 4


def store(folder: Path, **changes: object) -> CheckpointStore:
    """Three epochs of two steps."""
    usual = {"fingerprint": "a", "ends": (2, 4, 6), "patience": 9}
    return CheckpointStore(folder=folder / "checkpoints", **{**usual, **changes})


def save(own: CheckpointStore, dev: float | None = 0.5) -> Path:
    checkpoint = own.folder / f"checkpoint-{len(own.losses)}"
    checkpoint.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (checkpoint / name).write_text(str(len(own.losses)))
    own.save(0.1, lambda: dev)
    return checkpoint


def take(own: CheckpointStore, steps: int, dev: float | None = 0.5) -> None:
    """Take steps as a trainer does, and save the state after each."""
    for _ in range(steps):
        own.report(1.0, "")
        save(own, dev)


def run(own: CheckpointStore) -> None:
    while not own.is_finished:
        own.report(1.0, "")
        if own.is_due():
            save(own)
            if own.limit.is_over:
                return


@pytest.mark.parametrize("seconds", [0.0, 2.0, 3.5, 100.0, None])
def test_a_time_limit_stops_the_run_and_the_next_takes_the_steps_left(tmp_path: Path, seconds: float | None):
    runs, done, finished = 0, 0, False
    while not finished:
        ticks = iter(range(1000))
        own = store(tmp_path, limit=TimeLimit(seconds, lambda ticks=ticks: float(next(ticks))))
        own.open()
        assert len(own.losses) == done
        run(own)
        assert len(own.losses) > done  # every run gets on, however short it is
        runs, done, finished = runs + 1, len(own.losses), own.is_finished
    assert len(own.losses) == 6
    assert [(score.epoch, score.dev) for score in own.scores] == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert (runs > 1) == (seconds is not None and seconds < 100)


def test_the_latest_and_the_best_are_kept_and_what_no_record_names_is_removed(tmp_path: Path):
    own = store(tmp_path)
    own.open()
    assert own.latest is None
    for step in range(5):
        take(own, 1, 0.9 if step == 1 else 0.1)
    assert {path.name for path in own.folder.glob("checkpoint-*")} == {"checkpoint-2", "checkpoint-5"}
    (own.folder / "checkpoint-6").mkdir()
    again = store(tmp_path)
    again.open()
    assert again.latest == own.folder / "checkpoint-5"
    assert not (own.folder / "checkpoint-6").exists()
    again.keep_best(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_text() == "2"
    assert [file.name for file in (tmp_path / "adapter").iterdir()] == ["adapter_model.safetensors"]
    assert not own.folder.exists()


def test_without_dev_scores_only_the_latest_is_kept(tmp_path: Path):
    own = store(tmp_path)
    take(own, 5, None)
    assert [path.name for path in own.folder.glob("checkpoint-*")] == ["checkpoint-5"]


@pytest.mark.parametrize(
    ("marks", "pause", "due"), [((), 9.0, [2, 4, 6]), ((3,), 9.0, [2, 3, 4, 6]), ((), 0.0, [1, 2, 3, 4, 5, 6])]
)
def test_it_is_saved_at_ends_at_marks_and_after_a_pause(tmp_path: Path, marks, pause: float, due: list[int]):
    own = store(tmp_path, marks=marks, pause=pause, limit=TimeLimit(clock=lambda: 0.0))
    found = []
    for step in range(1, 7):
        own.report(1.0, "")
        if own.is_due():
            found.append(step)
    assert found == due


def test_the_time_before_a_kill_counts(tmp_path: Path):
    own = store(tmp_path)
    take(own, 2)
    record = own.folder / "checkpoints.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "seconds": 59.0}))
    again = store(tmp_path)
    again.open()
    assert again.seconds >= 59.0


def test_another_training_begins_afresh(tmp_path: Path):
    take(store(tmp_path), 2)
    other = store(tmp_path, fingerprint="b")
    other.open()
    assert other.latest is None
    assert not other.folder.exists()


@pytest.mark.parametrize("left", ["epochs.json", "course.json", "checkpoints.json"])
def test_checkpoints_of_another_version_are_told_of_and_removed(tmp_path: Path, left: str):
    told: list[Progress] = []
    own = store(tmp_path, notify=told.append)
    (own.folder / "checkpoint-2").mkdir(parents=True)
    (own.folder / left).write_text('{"fingerprint": "a", "version": 1}')
    own.open()
    assert [one.note.partition(" left ")[0] for one in told] == ["another version of Weighbridge"]
    assert not own.folder.exists()


def test_half_the_rows_are_read_once(tmp_path: Path):
    told: list[Progress] = []
    own = store(tmp_path, at_once=6, notify=told.append)
    take(own, 2)
    own.report(1.0, "")
    halve_rows(own, "CUDA out of memory\nand a long story", batch=12)
    note = "memory did not suffice to read 6 rows at once; 3 are read instead, in the same steps"
    assert (own.at_once, own.halved, told[-1].note, told[-1].done) == (3, note, note, 0)
    again = store(tmp_path, at_once=6)
    again.open()
    assert again.latest == own.folder / "checkpoint-2"
    assert (again.at_once, again.halved, len(again.losses)) == (3, note, 2)
    with pytest.raises(TrainingError, match=r"memory does not suffice .* \(bad_alloc\); close other programs"):
        halve_rows(again, "bad_alloc", batch=12)


def test_it_is_remembered_before_there_is_a_checkpoint(tmp_path: Path):
    halve_rows(store(tmp_path, at_once=6), "", batch=12)
    again = store(tmp_path, at_once=6)
    again.open()
    assert again.latest is None
    assert again.at_once == 3


@pytest.mark.parametrize(("at_once", "least", "left"), [(12, 1, 6), (4, 2, 2), (3, 1, 1), (3, 2, 0), (1, 1, 0)])
def test_a_step_is_never_changed(at_once: int, least: int, left: int, tmp_path: Path):
    own = store(tmp_path, at_once=at_once)
    if not left:
        with pytest.raises(TrainingError, match="no more is known"):
            halve_rows(own, "", batch=12, least=least)
        return
    halve_rows(own, "", batch=12, least=least)
    assert own.at_once == left


@given(st.integers(1, 60), st.integers(1, 16), st.integers(1, 4))
def test_epochs_end_where_the_last_batch_does(rows: int, batch: int, epochs: int):
    assert epoch_ends(rows, batch, epochs) == tuple(
        number * len(epoch_batches(rows, batch, 0)) for number in range(1, epochs + 1)
    )
