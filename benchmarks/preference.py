"""Do DPO, KTO, ORPO and GRPO each move their own measure, and does a reward model order answers it has not seen?

A sample workload is tuned for, and the adapter that comes of it is what every method goes on from: it is
asked its own training questions several times over, right tries stand against wrong ones, and a fifth of the examples
is kept back. DPO, KTO and ORPO are to make the better answers of those likelier than the worse ones, GRPO is to raise
the mean reward of greedy answers to dev questions, and the reward model is to order the pairs kept back. Last, the RLHF
path: GRPO by that reward model. Dev accuracy stands beside, which none of them is promised to raise.

Run: python benchmarks/preference.py [--workload examples/tickets] [--examples 128] [--steps 20] [--only dpo ...]
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from weighbridge.answer.build import build
from weighbridge.generate.scripted import Scripted
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.measure.statistics import SHARE, mean_interval
from weighbridge.results import Estimate
from weighbridge.settings import Settings
from weighbridge.settings_file import load_settings
from weighbridge.settings_training import PreferenceSettings
from weighbridge.train.exercise import Material, prepare
from weighbridge.train.export import merged_weights, write_gguf
from weighbridge.train.grpo import greedy_rewards
from weighbridge.train.recipe import Recipe
from weighbridge.train.rewards import Grounds, rewarding
from weighbridge.train.sft import train_adapter
from weighbridge.workflow.bench import Bench, open_bench
from weighbridge.workflow.engines import Engine, Weights, open_engine
from weighbridge.workflow.pairing import Moved, Refinement, refine
from weighbridge.workflow.voice import Voice
from weighbridge.workspace import Workspace

TRIED = 4
"""Answers tried for each question."""
RUNS: dict[str, dict[str, object]] = {
    "dpo": {"method": "dpo"},
    "kto": {"method": "kto"},
    "orpo": {"method": "orpo"},
    "grpo": {"method": "grpo", "rewards": ("accuracy",)},
    "rlhf": {"method": "grpo", "rewards": ("model",)},
}


def main() -> None:
    """Tune, go on from there in every way, and print what moved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", type=Path, default=Path("examples/tickets"))
    parser.add_argument("--examples", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=2, help="of the supervised training")
    parser.add_argument("--steps", type=int, default=20, help="of GRPO")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    given = parser.parse_args()
    start = perf_counter()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "workload"
        shutil.copytree(given.workload, root, ignore=shutil.ignore_patterns(".weighbridge"))
        settings = _settings(load_settings(root / "weighbridge.yaml"), given)
        voice = Voice(say=lambda sentence: print(f"  {sentence}", flush=True))
        engine, bench = open_engine(settings, voice), open_bench(settings, Workspace(root), voice)
        first = _first(bench, engine, root / "first")
        print(f"supervised: dev accuracy {_dev(first, first.start)}, {perf_counter() - start:.0f} s", flush=True)
        rows = [row for run in given.only for row in _run(run, given, first, (bench, engine, voice))]
    print("\n| method | its own measure | before | after | difference | p | dev accuracy after | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    print(f"\n{perf_counter() - start:.0f} s in all")


def _settings(settings: Settings, given: argparse.Namespace) -> Settings:
    training = settings.training.model_copy(update={"maximum_examples": given.examples, "epochs": given.epochs})
    changed = {"strategies": ("fine-tuned",), "documents": None, "training": training}
    return settings.model_copy(update=changed)


def _first(bench: Bench, engine: Engine, folder: Path) -> Refinement:
    """Return the supervised adapter that all go on from, and the same as the engine runs it."""
    if engine.base is None:
        raise SystemExit("this workload's model cannot be trained")
    settings = bench.settings
    recipe = Recipe(base=engine.base, training=settings.training, model=settings.model)
    metric = Accuracy(bench.workload.outline.task)
    strategy = build("fine-tuned", bench.parts, Scripted())
    exercise = prepare(strategy, Material(examples=bench.workload.examples), recipe=recipe, metric=metric)
    train_adapter(exercise.rows, folder, recipe=recipe)
    gguf = folder / "model.gguf"
    weights = merged_weights(recipe.base, folder / "adapter")
    write_gguf(recipe.base.source_gguf, weights, gguf, quantisation=settings.model.quantisation)
    return Refinement(
        arm="fine-tuned", exercise=exercise, start=folder / "adapter", weights=Weights(gguf), folder=folder
    )


def _run(name: str, given: argparse.Namespace, first: Refinement, opened: tuple[Bench, Engine, Voice]) -> Iterator[str]:
    """Yield a row for each measure of one way to go on."""
    how = {"samples": TRIED, "learning_rate": given.rate, "steps": given.steps, "epochs": 1, **RUNS[name]}
    training = first.exercise.recipe.training.model_copy(update={"preference": PreferenceSettings.model_validate(how)})
    exercise = replace(first.exercise, recipe=replace(first.exercise.recipe, training=training))
    print(f"{name}:", flush=True)
    todo = replace(first, exercise=exercise, folder=first.folder.with_name(name))
    done = refine(todo, *opened)
    accuracy = _dev(todo, todo.folder / "adapter")
    for moved in done.moved:
        yield _row(name, moved, accuracy, done.training.seconds)


def _row(name: str, moved: Moved, accuracy: str, seconds: float) -> str:
    figures = (_words(moved.before), _words(moved.after), _words(moved.difference, "+"))
    measure = f"{moved.measure} (n={moved.before.scored})"
    return f"| {name} | {measure} | {' | '.join(figures)} | {moved.p_value:.3f} | {accuracy} | {seconds:.0f} |"


def _dev(todo: Refinement, adapter: Path) -> str:
    """Return the accuracy of an adapter's greedy answers to the dev questions, in words."""
    exercise = todo.exercise
    rewarded = rewarding(exercise.strategy, ("accuracy",), Grounds(metric=exercise.metric))
    values = greedy_rewards(adapter, exercise.asked, recipe=exercise.recipe, rewarding=rewarded)
    known = [value for value in values if value is not None]
    return _words(mean_interval(known, 7, bounds=SHARE))


def _words(value: Estimate, sign: str = "") -> str:
    return f"{value.value:{sign}.2f} ({value.low:{sign}.2f} to {value.high:{sign}.2f})"


if __name__ == "__main__":
    main()
