"""A course remembers how far a training is and how many rows it reads at once, and nothing of another training."""

import json
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.preference.checkpoints import Course
from weighbridge.train.runtime.time_limit import TimeLimit
from weighbridge.types import Progress


def course(folder: Path, told: list[Progress] | None = None, **how: object) -> Course:
    asked = {"fingerprint": "a", "steps": 10, "batch": 12, "at_once": 6, "least": 1, **how}
    notify = (told if told is not None else []).append
    return Course(task="DPO", folder=folder / "checkpoints", limit=TimeLimit(), notify=notify, **asked)


def save(one: Course, step: int) -> Path:
    checkpoint = one.folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    one.saved(step)
    return checkpoint


def test_the_last_whole_checkpoint_is_gone_on_from(tmp_path: Path):
    own = course(tmp_path)
    assert own.go_on() is None
    first, second = save(own, 2), save(own, 4)
    assert not first.exists()
    (own.folder / "checkpoint-6").mkdir()
    again = course(tmp_path)
    assert again.go_on() == str(second)
    again.finish()
    assert not own.folder.exists()


def test_the_time_before_a_kill_counts(tmp_path: Path):
    own = course(tmp_path)
    save(own, 2)
    record = own.folder / "course.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "seconds": 59.0}))
    again = course(tmp_path)
    again.go_on()
    assert again.taken >= 59.0


def test_another_training_begins_afresh(tmp_path: Path):
    save(course(tmp_path), 2)
    other = course(tmp_path, fingerprint="b")
    assert other.go_on() is None
    assert not other.folder.exists()


def test_half_the_rows_are_read_once(tmp_path: Path):
    told: list[Progress] = []
    own = course(tmp_path, told)
    checkpoint = save(own, 2)
    own.halve("CUDA out of memory\nand a long story")
    assert (own.at_once, own.gathered) == (3, 4)
    assert own.told == ("memory did not suffice to read 6 rows at once; 3 are read instead, in the same steps",)
    assert told[-1].note == own.told[0]
    again = course(tmp_path)
    assert again.go_on() == str(checkpoint)
    assert (again.at_once, again.told) == (3, own.told)
    with pytest.raises(TrainingError, match=r"memory does not suffice .* \(bad_alloc\); close other programs"):
        again.halve("bad_alloc")


def test_it_is_remembered_before_there_is_a_checkpoint(tmp_path: Path):
    course(tmp_path).halve("")
    again = course(tmp_path)
    assert again.go_on() is None
    assert again.at_once == 3


@pytest.mark.parametrize(("at_once", "least", "left"), [(12, 1, 6), (4, 2, 2), (3, 1, 1), (3, 2, 0), (1, 1, 0)])
def test_a_step_is_never_changed(at_once: int, least: int, left: int, tmp_path: Path):
    own = course(tmp_path, at_once=at_once, least=least)
    if not left:
        with pytest.raises(TrainingError, match="no more is known"):
            own.halve("")
        return
    own.halve("")
    assert own.at_once == left
    assert own.gathered * own.at_once == 12
