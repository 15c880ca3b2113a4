"""A second training that is killed, interrupted, or short of disk or memory ends as the undisturbed one does."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from weighbridge.adapters import Training
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.protocols import Notify, silent
from weighbridge.results import Score
from weighbridge.train.data.preferences import PreferencePair, Preferences
from weighbridge.train.preference.grpo import train_grpo
from weighbridge.train.preference.reward_model import RewardModel, train_reward_model
from weighbridge.train.preference.rewards import Grounds, Rewarding, rewards_of
from weighbridge.train.preference.train import train_preference
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Answer, Example, Message, Progress, Question

WORDS = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op")
PAIRS = tuple(
    PreferencePair(example_id=str(number), prompt=(Message("user", f"Say {word}!"),), chosen=word, rejected=word[::-1])
    for number, word in enumerate(WORDS)
)
THUMBS = Preferences(pairs=PAIRS).as_thumbs()
ASKED = tuple(Example(id=word, question=Question(word), answers=("a",), split="train") for word in WORDS[:5])
WAYS = ("dpo", "kto", "orpo", "grpo", "reward model")
STEPS = 6
KILLS = 6
FAR = {"dpo": 0.01, "kto": 0.04, "orpo": 0.01, "grpo": 0.01, "reward model": 0.01}
"""How far a weight may be from where it ends otherwise. KTO guesses how far the model has gone from the rows it reads
at once, so fewer of them are more than rounding."""
CHILD = """
import gc, importlib.util, json, os, signal, sys
from pathlib import Path
import peft, torch, transformers, trl
from trl import GRPOTrainer
torch.set_num_threads(1)
from weighbridge.generate.scripted import Scripted
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles

spec = importlib.util.spec_from_file_location("own", sys.argv[1])
own = sys.modules["own"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
asked = json.loads(sys.argv[2])
base = BaseFiles(hf=Path(asked["hf"]), source_gguf=Path(asked["gguf"]), fingerprint="tiny")
recipe = own.Recipe(base=base, training=TrainingSettings(**asked["training"]), model=ModelSettings(**asked["model"]))
strategy = own.Composed(name="vowels", model=Scripted(), instructions=own.Instructions(system="Sing."))
vowels = own.rewards_of(strategy, ("accuracy",), own.Grounds(metric=own.Vowels()))

def work(folder, die_after):
    def tell(progress):
        nonlocal die_after
        if progress.unit == "steps":
            die_after -= 1
            if die_after == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    own.train_grpo(Path(asked["start"]), own.ASKED, Path(folder), recipe=recipe, rewarding=vowels, notify=tell)

gc.collect()
gc.freeze()  # makes later collections quick
for line in sys.stdin:
    if not (child := os.fork()):
        try:
            work(**json.loads(line))
        finally:
            os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
Way = Callable[[Path, Notify], Training | RewardModel]


@dataclass(frozen=True)
class Vowels:
    """The share of an answer's letters that are vowels."""

    name: str = "vowels"

    def score(self, example: Example, answer: Answer) -> Score:
        letters = answer.text
        return Score(self.name, sum(letter in "aeiou" for letter in letters) / max(8, len(letters)))


@pytest.fixture(scope="session")
def vowels(no_model) -> Rewarding:
    strategy = Composed(name="vowels", model=no_model, instructions=Instructions(system="Sing."))
    return rewards_of(strategy, ("accuracy",), Grounds(metric=Vowels()))


def refining(recipe: Recipe, method: str, **how: object) -> Recipe:
    """Six steps of a method in two or three passes over what it learns from, with a checkpoint after every second."""
    epochs = {"grpo": 1, "kto": 2}.get(method, 3)
    preference = recipe.training.preference.model_copy(
        update={"method": method, "steps": STEPS, "samples": 4, "learning_rate": 1e-2, "epochs": epochs}
    )
    batch = {"kto": 6, "grpo": 8}.get(method, 4)
    changed = {"preference": preference, "batch_size": batch, "epochs": epochs, "learning_rate": 5e-3, **how}
    return replace(recipe, training=recipe.training.model_copy(update=changed))


@pytest.fixture(scope="session")
def ways(recipe: Recipe, start: Path, vowels: Rewarding) -> Callable[[str], Way]:
    """Each training, to be done in a folder, with a callback told of its steps."""

    def make(name: str) -> Way:
        how = refining(recipe, name)
        if name == "grpo":
            return lambda folder, tell: train_grpo(start, ASKED, folder, recipe=how, rewarding=vowels, notify=tell)
        if name == "reward model":
            return lambda folder, tell: train_reward_model(PAIRS, folder, recipe=how, notify=tell)
        lessons = THUMBS if name == "kto" else PAIRS
        return lambda folder, tell: train_preference(start, lessons, folder, recipe=how, notify=tell)

    return make


@dataclass(frozen=True)
class Undisturbed:
    """A training that nothing happened to."""

    done: Training | RewardModel
    folder: Path


@pytest.fixture(scope="session")
def undisturbed(ways: Callable[[str], Way], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    """Each training, done once."""

    @cache
    def make(name: str) -> Undisturbed:
        folder = tmp_path_factory.mktemp("undisturbed")
        return Undisturbed(ways(name)(folder, silent), folder)

    return make


def adapter(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def tensors(folder: Path):
    from safetensors.torch import load_file

    return load_file(folder / "adapter" / "adapter_model.safetensors")


def raising(step: int, error: BaseException) -> Notify:
    """Be told of a training's steps, and raise an error at one of them, once."""
    left = [error]

    def tell(progress: Progress) -> None:
        if progress.unit == "steps" and progress.done == step and left:
            raise left.pop()

    return tell


@pytest.mark.parametrize("name", WAYS)
def test_interrupted_at_random_steps(
    name: str, ways: Callable[[str], Way], undisturbed: Callable[[str], Undisturbed], tmp_path: Path
):
    own, whole = ways(name), undisturbed(name)
    for step in sorted(random.Random(name).sample(range(1, STEPS + 1), 2 if name == "grpo" else 1)):
        with pytest.raises(KeyboardInterrupt):
            own(tmp_path, raising(step, KeyboardInterrupt()))
    done = own(tmp_path, silent)
    assert adapter(tmp_path) == adapter(whole.folder)
    assert (done.steps, done.first_loss, done.last_loss) == (STEPS, whole.done.first_loss, whole.done.last_loss)
    assert not (tmp_path / "checkpoints").exists()
    if name == "reward model":
        assert own(tmp_path, raising(1, AssertionError())) == done


@pytest.mark.parametrize("name", WAYS)
def test_too_little_memory_halves_the_rows_once(
    name: str, ways: Callable[[str], Way], undisturbed: Callable[[str], Undisturbed], tmp_path: Path
):
    less, whole = ways(name)(tmp_path, raising(3, RuntimeError("out of memory"))), undisturbed(name)
    assert any(note.startswith("memory did not suffice to read") for note in less.notes)
    assert less.steps == whole.done.steps
    apart = tensors(tmp_path)
    far = max(float((one - apart[key]).abs().max()) for key, one in tensors(whole.folder).items())
    assert far < FAR[name], far


def test_memory_that_is_short_again_ends_it(ways: Callable[[str], Way], tmp_path: Path):
    own, told = ways("dpo"), []

    def starve(progress: Progress) -> None:
        told.append(progress)
        if progress.done == 3:
            raise RuntimeError("CUDA out of memory")

    with pytest.raises(TrainingError, match=r"memory does not suffice for training \(CUDA out of memory\)"):
        own(tmp_path, starve)
    assert [one.done for one in told] == [1, 2, 3, 0, 3]
    done = own(tmp_path, silent)
    assert any("2 are read instead" in note for note in done.notes)


@contextmanager
def unlimited_afterwards() -> Iterator[None]:
    """Undo a limit on the size of files, which is how a full disk looks to the one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("name", "size"), [("dpo", 20_000), ("dpo", 120_000), ("grpo", 20_000)])
def test_a_full_disk_loses_nothing(
    name: str, size: int, ways: Callable[[str], Way], undisturbed: Callable[[str], Undisturbed], tmp_path: Path
):
    own = ways(name)

    def fill(progress: Progress) -> None:
        if progress.unit == "steps" and progress.done == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with pytest.raises(WorkspaceError, match="free some disk"), unlimited_afterwards():
        own(tmp_path, fill)
    seen: list[Progress] = []
    own(tmp_path, seen.append)
    assert next(one.done for one in seen if one.unit == "steps") == 3
    assert adapter(tmp_path) == adapter(undisturbed(name).folder)


def trained(process: subprocess.Popen, folder: Path, *, die_after: int = 0) -> bool:
    """Train in a child, which is killed after so many steps of its own (0: never); tell whether it came to an end."""
    process.stdin.write(json.dumps({"folder": str(folder), "die_after": die_after}) + "\n")
    process.stdin.flush()
    status = int(process.stdout.readline())
    assert os.WTERMSIG(status) in {0, signal.SIGKILL}
    return status == 0


@contextmanager
def nursery(recipe: Recipe, start: Path) -> Iterator[subprocess.Popen]:
    """A process that has loaded all libraries and forks a child for every training."""
    asked = {
        "hf": str(recipe.base.hf),
        "gguf": str(recipe.base.source_gguf),
        "start": str(start),
        "training": recipe.training.model_dump(mode="json"),
        "model": recipe.model.model_dump(mode="json"),
    }
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, __file__, json.dumps(asked)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_grpo_killed_at_random_steps(recipe: Recipe, start: Path, tmp_path: Path):
    chance = random.Random(21)
    with nursery(refining(recipe, "grpo"), start) as own:
        assert trained(own, tmp_path / "whole")
        for _ in range(KILLS):
            assert not trained(own, tmp_path / "cut", die_after=chance.randint(1, 3))
        assert trained(own, tmp_path / "cut")
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
