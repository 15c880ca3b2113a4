"""Do DPO, KTO, ORPO and GRPO each move their own measure, and does a reward model order answers it has not seen?

A sample workload is tuned for, and the adapter that comes of it is what every method goes on from: it is asked training
questions several times over, and right tries stand against wrong ones. Each method is then measured on questions of the
dev and test splits, of which nothing is learnt and by which nothing is chosen: DPO, KTO and ORPO are to make the better
of two answers likelier than the worse one, GRPO is to raise the mean reward of greedy answers, and the reward model is
to order pairs. Last, the RLHF path: GRPO by that reward model. Accuracy on the same questions stands beside, which none
of them is promised to raise. Each row is printed when it is known, and all of them once more at the end.

Run: python benchmarks/preference.py [--workload examples/tickets] [--examples 128] [--steps 20] [--only dpo ...]
     [--tried 256] [--samples 4] [--questions 240]
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from random import Random
from time import perf_counter
from typing import get_args

from weighbridge.answer.build import build
from weighbridge.errors import WeighbridgeError
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.evaluate.statistics import SHARE, mean_interval
from weighbridge.generate.scripted import Scripted
from weighbridge.results import Estimate
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.settings.training import PreferenceSettings, Reward
from weighbridge.train.data.conversations import conversation
from weighbridge.train.data.preferences import PreferencePair
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.preference.grpo import greedy_rewards
from weighbridge.train.preference.reward_model import open_reward_model
from weighbridge.train.preference.rewards import Grounds, rewards_of
from weighbridge.train.preference.train import margins
from weighbridge.train.prepare import Exercise, Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.types import Example, Progress
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import Engine, Weights, open_engine
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.training.preferences import Moved, Refinement, collect_attempts, pairs_moved, refine
from weighbridge.workspace import Workspace

Opened = tuple[Bench, Engine, Reporter]
RUNS: dict[str, dict[str, object]] = {
    "dpo": {"method": "dpo"},
    "kto": {"method": "kto"},
    "orpo": {"method": "orpo"},
    "grpo": {"method": "grpo"},
    "rlhf": {"method": "grpo", "rewards": ("model",)},
}
HEAD = """| method | its own measure | before | after | difference | p | accuracy after | training, s | in all, s |
|---|---|---|---|---|---|---|---|---|"""
EVERY = 10
"""Steps after which one is told."""
_DRAWN = 7


def main() -> None:
    """Tune, go on from there in every way, and print what moved."""
    given = _given()
    start = perf_counter()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "workload"
        shutil.copytree(given.workload, root, ignore=shutil.ignore_patterns(".weighbridge"))
        settings = _settings(load_settings(root / "weighbridge.yaml"), given)
        reporter = Reporter(say=lambda sentence: print(f"  {sentence}", flush=True), notify=_tell)
        engine, bench = open_engine(settings, reporter), open_bench(settings, Workspace(root), reporter)
        first = _first(bench, engine, given, root / "first")
        print(f"supervised: {_taken(start)} s, accuracy {_accuracy(first, first.start)}", flush=True)
        for run in given.only:
            try:
                for row in _run(run, given, first, (bench, engine, reporter)):
                    rows.append(row)
                    print(f"{HEAD}\n{row}" if len(rows) == 1 else row, flush=True)
            except WeighbridgeError as error:
                print(f"  {run}: {error}", flush=True)
    print("\n".join(("", HEAD, *rows)))
    print(f"\n{_taken(start)} s in all", flush=True)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", type=Path, default=Path("examples/tickets"))
    parser.add_argument("--examples", type=int, default=128, help="that the supervised training learns from")
    parser.add_argument("--epochs", type=int, default=2, help="of the supervised training")
    parser.add_argument("--tried", type=int, default=256, help="training questions tried for pairs, and asked by GRPO")
    parser.add_argument("--samples", type=int, default=4, help="tries of each question")
    parser.add_argument("--questions", type=int, default=240, help="of dev and test, to measure by")
    parser.add_argument("--steps", type=int, default=20, help="of GRPO")
    parser.add_argument("--rewards", nargs="+", choices=get_args(Reward), default=["accuracy"], help="of grpo")
    parser.add_argument("--batch", type=int, default=8, help="answers of a step of GRPO, pairs or thumbs of others")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    return parser.parse_args()


def _tell(progress: Progress) -> None:
    if progress.unit == "steps" and progress.done % EVERY == 0:
        print(f"    {progress.task}: {progress.done} of {progress.total} steps, {progress.note}", flush=True)


def _settings(settings: Settings, given: argparse.Namespace) -> Settings:
    how = {"maximum_examples": given.examples, "epochs": given.epochs}
    training = settings.training.model_copy(update=how)
    changed = {"strategies": ("fine-tuned",), "documents": None, "training": training}
    return settings.model_copy(update=changed)


def _first(bench: Bench, engine: Engine, given: argparse.Namespace, folder: Path) -> Refinement:
    """Return the supervised adapter that all go on from, and the same as the engine runs it."""
    if engine.base is None:
        raise SystemExit("this workload's model cannot be trained")
    settings = bench.settings
    recipe = Recipe(base=engine.base, training=settings.training, model=settings.model)
    train_supervised(Job(encoded=_exercise(bench, recipe).rows, folder=folder, recipe=recipe))
    gguf = folder / "model.gguf"
    weights = merged_weights(recipe.base, folder / "adapter")
    write_gguf(recipe.base, weights, gguf, quantisation=settings.model.quantisation)
    more = settings.training.model_copy(update={"maximum_examples": given.tried})
    exercise = replace(_exercise(bench, replace(recipe, training=more)), asked=_unseen(bench, given.questions))
    return Refinement(
        arm="fine-tuned", exercise=exercise, start=folder / "adapter", weights=Weights(gguf), folder=folder
    )


def _exercise(bench: Bench, recipe: Recipe) -> Exercise:
    strategy, metric = build("fine-tuned", bench.parts, Scripted()), Accuracy(bench.workload.outline.task)
    return prepare_exercise(strategy, Material(examples=bench.workload.examples), recipe=recipe, metric=metric)


def _unseen(bench: Bench, most: int) -> tuple[Example, ...]:
    """Return public examples of dev and test, the dev ones first; all as dev, for here nothing is chosen by either."""
    dev, test = (
        [example for example in bench.workload.of(split) if not example.question.groups] for split in ("dev", "test")
    )
    left = max(0, min(most - len(dev), len(test)))
    drawn = (*dev[:most], *Random(_DRAWN).sample(test, left))
    return tuple(replace(example, split="dev") for example in drawn)


def _run(name: str, given: argparse.Namespace, first: Refinement, opened: Opened) -> Iterator[str]:
    """Yield a row for each measure of one way to go on."""
    start = perf_counter()
    how = {"samples": given.samples, "learning_rate": given.rate, "beta": given.beta, "steps": given.steps}
    how |= {"epochs": 1, "rewards": tuple(given.rewards), **RUNS[name]}
    changed = {"preference": PreferenceSettings.model_validate(how), "batch_size": given.batch}
    training = first.exercise.recipe.training.model_copy(update=changed)
    exercise = replace(first.exercise, recipe=replace(first.exercise.recipe, training=training))
    print(f"{name}:", flush=True)
    todo = replace(first, exercise=exercise, folder=first.folder.with_name(name))
    done = refine(todo, *opened)
    print(f"  {name}: {done.training.seconds:.0f} s of training; {_taken(start)} s with measuring", flush=True)
    accuracy = _accuracy(todo, todo.folder / "adapter")
    moved = done.moved if how["method"] == "grpo" else _pairs_moved(todo, opened)
    for one in moved:
        yield _row(name, one, accuracy, (f"{done.training.seconds:.0f}", _taken(start)))
    if name == "rlhf":
        yield _reward_model(todo, opened)


def _pairs_moved(todo: Refinement, opened: Opened) -> tuple[Moved, ...]:
    pairs, base = _unseen_pairs(todo, opened), todo.exercise.recipe.base
    before, after = (margins(adapter, pairs, base=base) for adapter in (todo.start, todo.folder / "adapter"))
    return pairs_moved(pairs, before, after, todo.seed) if pairs else ()


def _reward_model(todo: Refinement, opened: Opened) -> str:
    """Return the row of how many pairs of unseen questions a reward model orders rightly: the mean over questions."""
    judge = open_reward_model(todo.folder / "reward", todo.exercise.recipe.base)
    pairs = sorted(_unseen_pairs(todo, opened), key=lambda pair: pair.example_id)
    shares = [
        sum(own) / len(own)
        for own in (
            [float(judge(pair.prompt, pair.chosen) > judge(pair.prompt, pair.rejected)) for pair in of_one]
            for _, of_one in groupby(pairs, key=lambda pair: pair.example_id)
        )
    ]
    said = _words(mean_interval(shares, todo.seed, bounds=SHARE)) if shares else "not known"
    return f"| reward model | pairs ordered rightly (n={len(shares)}, {len(pairs)} pairs) | | {said} | | | | | |"


def _unseen_pairs(todo: Refinement, opened: Opened) -> tuple[PreferencePair, ...]:
    """Return pairs of the questions measured by, made as those that are learnt from: attempts are kept, and made once.

    These examples are called train ones here, and nowhere else: only of those are pairs made.
    """
    bench, engine, reporter = opened
    asked = tuple(replace(example, split="train") for example in todo.exercise.asked)
    made = tuple(conversation(todo.exercise.strategy, example) for example in asked)
    print("  of the questions measured by:", flush=True)
    apart = replace(bench, workload=replace(bench.workload, examples=asked))
    return collect_attempts(
        replace(todo, exercise=replace(todo.exercise, made=made)), apart, engine, reporter
    ).as_pairs()


def _row(name: str, moved: Moved, accuracy: str, seconds: tuple[str, str]) -> str:
    figures = (_words(moved.before), _words(moved.after), _words(moved.difference, "+"))
    measure = f"{moved.measure} (n={moved.before.scored})"
    return f"| {name} | {measure} | {' | '.join(figures)} | {moved.p_value:.3f} | {accuracy} | {' | '.join(seconds)} |"


def _accuracy(todo: Refinement, adapter: Path) -> str:
    """Return the accuracy of an adapter's greedy answers to the questions measured by, in words."""
    exercise = todo.exercise
    rewarded = rewards_of(exercise.strategy, ("accuracy",), Grounds(metric=exercise.metric))
    values = greedy_rewards(adapter, exercise.asked, recipe=exercise.recipe, rewarding=rewarded)
    known = [value for value in values if value is not None]
    return f"{_words(mean_interval(known, _DRAWN, bounds=SHARE))} (n={len(known)})"


def _taken(start: float) -> str:
    return f"{perf_counter() - start:.0f}"


def _words(value: Estimate, sign: str = "") -> str:
    return f"{value.value:{sign}.2f} ({value.low:{sign}.2f} to {value.high:{sign}.2f})"


if __name__ == "__main__":
    main()
