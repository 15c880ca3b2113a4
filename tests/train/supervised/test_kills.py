"""A training that is killed, interrupted, or short of disk or memory ends as the undisturbed one does."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, read_losses, train_supervised
from weighbridge.types import Progress

KILLS = 10
ROOM = [2**18, *(megabytes * 2**20 for megabytes in (6, 20, 40, 45, 50, 60, 70, 80))]
"""Bytes of memory left for a training, to be tried one after another. A processor with AMX needs the larger ones."""
CHILD = """
import gc, json, os, resource, sys
from pathlib import Path
import peft, torch, transformers, trl
torch.set_num_threads(1)
from weighbridge.errors import WeighbridgeError
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.train.data.tokens import Encoded

limited = []

def limit(room):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room, resource.RLIM_INFINITY))
    limited.append(room)

def work(hf, gguf, training, texts, row_tokens, folder, room, die_after, by):
    base = BaseFiles(hf=Path(hf), source_gguf=Path(gguf), fingerprint="tiny")
    recipe = Recipe(base=base, training=TrainingSettings(**training), model=ModelSettings())
    encoded = [Encoded(example_id=str(n), tokens=tuple(t), start=s) for n, (t, s) in enumerate(texts)]

    def tell(progress):
        nonlocal die_after
        if room and not limited:
            limit(room)
        if progress.note:
            die_after -= 1
            if die_after == 0:
                print("dies", progress.done, flush=True)
                os.kill(os.getpid(), by)
    job = Job(encoded=encoded, folder=Path(folder), recipe=recipe, notify=tell, checkpoint_seconds=0.0,
              row_tokens=row_tokens)
    try:
        print("done", *train_supervised(job).notes, flush=True)
    except WeighbridgeError as error:
        print("error", error, flush=True)

gc.collect()
gc.freeze()  # makes later collections quick
print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if not (child := os.fork()):
        try:
            work(**asked)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


@dataclass
class Nursery:
    """Trains in children of a process that has loaded all libraries. They may be killed."""

    process: subprocess.Popen
    recipe: Recipe
    texts: tuple[Encoded, ...]
    row_tokens: int = 1024

    def train(self, folder: Path, *, room: int = 0, die_after: int = 0, by: int = signal.SIGKILL) -> str:
        """Train in a child, which is killed after so many steps of its own (0: never), and return its last words."""
        asked = {
            "hf": str(self.recipe.base.hf),
            "gguf": str(self.recipe.base.source_gguf),
            "training": self.recipe.training.model_dump(mode="json"),
            "texts": [(one.tokens, one.start) for one in self.texts],
            "row_tokens": self.row_tokens,
            "folder": str(folder),
            "room": room,
            "die_after": die_after,
            "by": by,
        }
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        last = ""
        for line in self.process.stdout:
            if line == "gone\n":
                break
            last = line.strip()
        return last


@pytest.fixture(scope="module")
def parent() -> Iterator[subprocess.Popen]:
    """The process of which trainings are children: it loads the libraries once, for ten seconds."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


def texts_of(length: int, count: int) -> tuple[Encoded, ...]:
    numbers = np.random.default_rng(4).integers(3, 261, (count, length))
    return tuple(
        Encoded(example_id=str(n), tokens=tuple(int(token) for token in row), start=length // 2)
        for n, row in enumerate(numbers)
    )


def weights(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def shorter(recipe: Recipe, **changes: object) -> Recipe:
    return replace(recipe, training=recipe.training.model_copy(update=changes))


def test_killed_at_ten_random_steps(parent: subprocess.Popen, recipe: Recipe, tmp_path: Path):
    chance = random.Random(9)
    own = Nursery(parent, shorter(recipe, epochs=5, batch_size=2), texts_of(24, 12))
    assert own.train(tmp_path / "whole") == "done"
    reached = []
    for number in range(KILLS):
        how = signal.SIGINT if number % 4 == 3 else signal.SIGKILL
        last = own.train(tmp_path / "cut", die_after=chance.randint(1, 4), by=how)
        reached.append(int(last.removeprefix("dies ")))
    assert own.train(tmp_path / "cut") == "done"
    assert 4 < max(reached) < 30, "every kill hit a training under way, and those after it went on from there"
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    assert len(read_losses(tmp_path / "cut")) == 30
    assert read_losses(tmp_path / "cut") == read_losses(tmp_path / "whole")


def test_too_little_memory_halves_the_rows_once(parent: subprocess.Popen, recipe: Recipe, tmp_path: Path):
    own = Nursery(parent, shorter(recipe, epochs=1, batch_size=8), texts_of(512, 8), row_tokens=4096)
    own.train(tmp_path / "whole")
    outcomes: dict[int, str] = {}
    for room in ROOM:
        outcomes[room] = own.train(tmp_path / str(room), room=room)
        if outcomes[room].startswith("done"):
            break
    assert any(said.startswith("error") and "memory does not suffice" in said for said in outcomes.values()), outcomes
    assert outcomes[room].startswith("done memory did not suffice"), outcomes
    assert read_losses(tmp_path / str(room)) == pytest.approx(read_losses(tmp_path / "whole"), rel=1e-2)


@contextmanager
def unlimited_afterwards() -> Iterator[None]:
    """Undo a limit on the size of files, which is how a full disk looks to the one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [20_000, 60_000])
def test_a_full_disk_loses_nothing(recipe: Recipe, tmp_path: Path, size: int):
    quick, texts = shorter(recipe, epochs=2), texts_of(24, 12)
    train_supervised(Job(encoded=texts, folder=tmp_path / "whole", recipe=quick))
    cut = Job(encoded=texts, folder=tmp_path / "cut", recipe=quick, checkpoint_seconds=0.0)

    def fill(progress: Progress) -> None:
        if progress.done == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with pytest.raises(WorkspaceError, match="free some disk"), unlimited_afterwards():
        train_supervised(replace(cut, notify=fill))
    seen: list[Progress] = []
    train_supervised(replace(cut, notify=seen.append))
    assert seen[0].done == 3
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
