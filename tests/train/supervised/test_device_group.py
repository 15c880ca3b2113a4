"""Several processes take the steps that one takes; one that dies, hangs or lacks memory is heard of; none is left."""

import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.checkpoints import read_losses
from weighbridge.train.supervised.train import Job, train
from weighbridge.types import Progress


def texts_of(length: int, count: int) -> tuple[Encoded, ...]:
    """Texts of which every second one begins like the others of its kind."""
    random = np.random.default_rng(4)
    common = [int(token) for token in random.integers(3, 261, length // 2)]
    made = []
    for number in range(count):
        own = [int(token) for token in random.integers(3, 261, length)]
        tokens = [*common, *own[length // 2 :]] if number % 2 else own
        made.append(Encoded(example_id=str(number), tokens=tuple(tokens), start=length * 3 // 4))
    return tuple(made)


def by(recipe: Recipe, **changes: object) -> Recipe:
    return replace(recipe, training=recipe.training.model_copy(update={"patience": 9, **changes}))


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(next((folder / "adapter").glob("*model.safetensors")))


def same(one: Path, other: Path) -> None:
    assert read_losses(one) == pytest.approx(read_losses(other), abs=1e-5)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], atol=2e-5, rtol=1e-3, err_msg=name)


def peers() -> list[int]:
    return [process.pid for process in multiprocessing.active_children()]


def test_short_of_memory_then_killed_it_ends_as_one_process_does(recipe: Recipe, tmp_path: Path):
    """All weights of the upper block learn; below it states are kept that both read.

    Once the first peer has its replica, it is allowed a few more MiB than it has: it has read 1,024 tokens at once by
    then, and is to read some 1,700. The next one, which reads rows of half the length, is killed; the last one goes on.
    """
    upper = by(recipe, method="full", layers=1, epochs=10, batch_size=8, learning_rate=1e-4)
    job = Job(encoded=texts_of(512, 8), folder=tmp_path / "one", recipe=upper, exact=True, checkpoint_seconds=0.0)
    job = replace(job, processes=1, row_tokens=4096)
    train(job)
    limited: list[int] = []
    killed: list[int] = []

    def disturb(progress: Progress) -> None:
        if progress.task == "starting on several devices" and not limited:
            limited.extend(peers())
            pages = int(Path(f"/proc/{limited[0]}/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + 2**23
            resource.prlimit(limited[0], resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        elif progress.done == 7 and progress.task == "training":
            killed.extend(peers())
            os.kill(killed[0], signal.SIGKILL)

    both = replace(job, folder=tmp_path / "two", processes=2)
    with pytest.raises(TrainingError, match=r"the process on device 1 ended \(exit status -9; it was killed"):
        train(replace(both, notify=disturb))
    assert len(limited) == len(killed) == 1
    assert limited != killed
    assert not peers()
    seen: list[Progress] = []
    done = train(replace(both, notify=seen.append))
    assert seen[0].done in {6, 7}
    assert done.steps == 10
    assert [note.partition(" to read")[0] for note in done.notes] == ["memory did not suffice"]
    same(tmp_path / "two", tmp_path / "one")
    assert not peers()


def test_a_device_that_does_not_answer_ends_the_training(recipe: Recipe, tmp_path: Path):
    job = Job(encoded=texts_of(32, 12), folder=tmp_path, recipe=recipe, processes=2, patience=0.1)
    with pytest.raises(TrainingError, match="device 1 did not answer"):
        train(job)
    assert not peers()


PARENT = """
import json, sys
from multiprocessing import get_context
from pathlib import Path
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.train.supervised.device_worker import Replica, Seat, serve
from weighbridge.train.supervised.shards import Work

hf, port = sys.argv[1], int(sys.argv[2])
base = BaseFiles(hf=Path(hf), source_gguf=Path(hf), fingerprint="tiny")
replica = Replica(base=base, how=TrainingSettings(), start=None, exact=True, folder=Path(hf), key="", upper=False)
work = Work(encoded=(), order=(), row_tokens=1024, processes=2)
ours, theirs = get_context("spawn").Pipe()
seat = Seat(rank=1, port=port, threads=1, seconds=60.0, replica=replica, work=work)
process = get_context("spawn").Process(target=serve, args=(seat, theirs), daemon=True)
process.start()
ours.recv()
print(process.pid, flush=True)
ours.recv()
"""


def test_none_is_left_where_the_first_process_is_killed(recipe: Recipe):
    """The other process is then waiting for the first one, which listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        command = [sys.executable, "-W", "ignore", "-c", PARENT, str(recipe.base.hf), str(deaf.getsockname()[1])]
        parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with parent:
            peer = psutil.Process(int(parent.stdout.readline()))
            assert not gone(peer)
            parent.kill()
        for _ in range(400):
            if gone(peer):
                break
            time.sleep(0.05)
        assert gone(peer)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
