"""A race of settings: the best on dev wins, an interrupted one ends as it would have, the untrainable drop out."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from weighbridge.adapters import EpochScore, Training
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError, UnfinishedError
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.lints import Finding
from weighbridge.settings.training import Method
from weighbridge.train.prepare import Exercise, Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import USUAL_RATES
from weighbridge.train.supervised.train import Job
from weighbridge.types import Example
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.training.rate_search import race_settings
from weighbridge.workspace import Workspace

from ...tiny_llama import examples, no_model, one_thread, recipe, tiny

__all__ = ["examples", "no_model", "one_thread", "recipe", "tiny"]


@pytest.fixture
def exercise(no_model, examples: Sequence[Example], recipe: Recipe) -> Callable[..., Exercise]:
    strategy = Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))

    def made(**training: object) -> Exercise:
        quick = recipe.training.model_copy(update={"epochs": 1, **training})
        chosen = replace(recipe, training=quick)
        return prepare_exercise(strategy, Material(examples=examples), recipe=chosen, metric=Accuracy("answer"))

    return made


def race(exercise: Exercise, folder: Path, said: list[str], *, kill_after: int = 1000) -> Mapping[str, object]:
    def say(text: str) -> None:
        if text.startswith("Racing 3 settings on 10 rows and 2 dev questions"):
            return
        said.append(text)
        if len(said) == kill_after:
            raise KeyboardInterrupt

    return race_settings(exercise, Workspace(folder), 3, Reporter(say=say))


def test_a_race_that_was_interrupted_ends_as_if_it_had_not_been(exercise: Callable[..., Exercise], tmp_path: Path):
    whole: list[str] = []
    wanted = race(exercise(), tmp_path / "whole", whole)
    laps = [line for line in whole if "of the examples" in line]
    first = next(number for number, line in enumerate(laps, 1) if "100%" in line or ", out" in line)
    cut: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        race(exercise(), tmp_path / "cut", cut, kill_after=first + 1)
    resumed: list[str] = []
    assert race(exercise(), tmp_path / "cut", resumed) == wanted
    assert [*cut[:first], *resumed] == whole
    assert whole[-1].startswith("Best of 3:")


def test_settings_that_cannot_be_trained_with_drop_out(exercise: Callable[..., Exercise], tmp_path: Path):
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(TrainingError, match="none of the 3 settings that were raced"):
            race(exercise(layers=9), tmp_path, said)
    assert sum("out, because training.layers: 9 is more than" in line for line in said) == 3


def test_what_must_not_be_learnt_is_refused_before_anything_is_trained(
    exercise: Callable[..., Exercise], tmp_path: Path
):
    made = exercise()
    spoilt = replace(made, checked=replace(made.checked, findings=(Finding("error", "it leaks"),)))
    said: list[str] = []
    with pytest.raises(TrainingError, match="the training data cannot be used: it leaks"):
        race(spoilt, tmp_path, said)
    assert not said


@pytest.mark.parametrize("method", ["full", "ia3", "lora"])
def test_learning_rates_are_proposed_as_the_method_wants_them(
    exercise: Callable[..., Exercise], tmp_path: Path, method: Method
):
    low, high = USUAL_RATES[method]
    found = race_settings(exercise(method=method), Workspace(tmp_path), 1, Reporter(say=lambda _: None))
    assert low <= float(str(found["learning_rate"])) <= high
    assert ("rank" in found) == (method == "lora")


@dataclass
class Trainings:
    """Trainings whose end is known: the nearer a learning rate is to `best`, the better is the epoch that is chosen.

    Their last epoch is the better the farther it is, and their last loss says nothing: whoever goes by either of them
    finds another learning rate. With `stop_at`, the training of that number stops once, by a time limit.
    """

    best: float
    stop_at: int = 0
    seen: list[tuple[float, int]] = field(default_factory=list)
    """The learning rate and the number of rows of each."""
    dev: Callable[["Trainings", float], float] = lambda own, rate: -abs(math.log(rate / own.best))

    def __call__(self, job: Job) -> Training:
        rate, folder = job.recipe.training.rate, job.folder
        self.seen.append((rate, len(job.encoded)))
        if len(self.seen) == self.stop_at:
            raise UnfinishedError("time is up")
        (folder / "adapter").mkdir(parents=True, exist_ok=True)
        (folder / "adapter" / "adapter_model.safetensors").touch()
        dev = self.dev(self, rate)
        return Training(
            epochs=(EpochScore(epoch=1, loss=1.0, dev=dev), EpochScore(epoch=2, loss=1.0, dev=-dev)),
            chosen_epoch=1, examples=len(job.encoded), tokens=1, steps=1, seconds=1.0, first_loss=1.0,
            last_loss=1 / rate, precision="float32",
        )  # fmt: skip


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trainings]:
    """Puts trainings whose end is known in the place of real ones, which nobody knows the best of."""

    def put(**told: object) -> Trainings:
        trainings = Trainings(**{"best": 1e-3, **told})
        monkeypatch.setattr("weighbridge.workflow.training.rate_search.train_supervised", trainings)
        return trainings

    return put


def run_race(exercise: Exercise, folder: Path, trials: int = 8) -> tuple[Mapping[str, object], list[str]]:
    said: list[str] = []
    return race_settings(exercise, Workspace(folder), trials, Reporter(say=said.append)), said


@pytest.mark.parametrize("best", [2e-4, 1e-3, 4e-3])
def test_the_best_on_dev_wins(exercise: Callable[..., Exercise], scripted, tmp_path: Path, best: float):
    trainings = scripted(best=best)
    found, said = run_race(exercise(), tmp_path)
    tried = {rate for rate, _ in trainings.seen}
    assert len(tried) == 8
    assert found["learning_rate"] == min(tried, key=lambda rate: abs(math.log(rate / best)))
    assert found["alpha"] == 2 * int(str(found["rank"]))
    assert said[-1].startswith("Best of 8: learning rate")


def test_laps_grow_and_the_worse_half_does_not_run_the_next(
    exercise: Callable[..., Exercise], scripted, tmp_path: Path
):
    trainings = scripted()
    run_race(exercise(), tmp_path)
    laps = Counter(rows for _, rows in trainings.seen)
    assert set(laps) == {2, 5, 10}  # a quarter, a half and all of ten
    assert laps[2] == 8
    assert laps[10] <= laps[5] < laps[2]
    good = [rate for rate, rows in trainings.seen if rows == 10]
    dropped = {rate for rate, _ in trainings.seen} - set(good)
    assert abs(math.log(min(good, key=lambda rate: abs(math.log(rate / 1e-3))) / 1e-3)) < min(
        abs(math.log(rate / 1e-3)) for rate in dropped
    )


def test_of_equal_dev_scores_the_lower_loss_wins(exercise: Callable[..., Exercise], scripted, tmp_path: Path):
    trainings = scripted(dev=lambda *_: 0.5)
    found, said = run_race(exercise(), tmp_path)
    assert found["learning_rate"] == max(rate for rate, _ in trainings.seen)
    assert said[-1].endswith("no better than 7 of the others, but its last loss was the lowest")


@pytest.mark.parametrize("stop_at", range(1, 7))
def test_nobody_drops_out_for_a_time_limit_and_no_lap_is_run_twice(
    exercise: Callable[..., Exercise], scripted, tmp_path: Path, stop_at: int
):
    whole = scripted()
    wanted, said = run_race(exercise(), tmp_path / "whole", 3)
    stopped = scripted(stop_at=stop_at)
    with pytest.raises(UnfinishedError):
        run_race(exercise(), tmp_path / "cut", 3)
    found, resumed = run_race(exercise(), tmp_path / "cut", 3)
    assert found == wanted
    assert resumed[-1] == said[-1]
    stopped.seen.pop(stop_at - 1)
    assert stopped.seen == whole.seen
    assert not (tmp_path / "cut" / ".weighbridge" / "adapters" / "fine-tuned" / "race" / "laps").exists()
