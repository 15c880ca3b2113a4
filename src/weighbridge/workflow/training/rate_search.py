"""Races learning rates and ranks: all on a quarter of the examples, the better ones on more.

Optuna runs the race: a tree-structured Parzen estimator proposes settings, and successive halving drops the worse half.
The race and its running laps are kept on disk, so that an interrupted race continues.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any

from weighbridge.adapters import Training
from weighbridge.errors import MissingExtraError, SettingsError, TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.train.card import read_training, write_training
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.prepare import Exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import USUAL_RATES
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace

_RANKS = (4, 8, 16, 32, 64)
"""Powers of two around the default of 16."""
_RANKED = frozenset({"lora", "rslora", "dora", "qlora"})
SHARES = (0.25, 0.5, 1.0)
"""The share of the training examples in each lap. The worse half does not run the next lap."""


def race_settings(exercise: Exercise, workspace: Workspace, trials: int, reporter: Reporter) -> Mapping[str, object]:
    """Race `trials` settings, and return those with the best dev score after the last lap.

    Raises:
        MissingExtraError: Optuna is not installed.
        SettingsError: there are no dev questions to tell the settings apart by.
        TrainingError: the data cannot be used, or none of the settings could be trained with.
        UnfinishedError: `training.seconds` ran out in a lap. No setting drops out for that.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise MissingExtraError("train --search", "search") from None
    if not exercise.asked:
        raise SettingsError("train --search tells settings apart by dev questions; there are none: raise splits.dev")
    rows = exercise.rows  # raises an error about wrong data before anything is trained
    logging.getLogger("optuna").setLevel(logging.ERROR)
    folder = workspace.adapters(exercise.strategy.name) / "race"
    folder.mkdir(parents=True, exist_ok=True)
    reporter.say(f"Racing {trials} settings on {len(rows):,} rows and {len(exercise.asked)} dev questions")
    study = _open_study(JournalStorage(JournalFileBackend(str(folder / "journal.log"))), exercise.fingerprint)
    for number in range(len(study.trials), trials):
        # A seed for each trial: the proposals must not depend on an interruption of the race.
        study.sampler = optuna.samplers.TPESampler(seed=exercise.recipe.training.seed + number)
        study.optimize(lambda trial: _run(trial, exercise, folder / "laps", reporter), n_trials=1)
    rmtree(folder / "laps", ignore_errors=True)
    finished = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not finished:
        raise TrainingError(
            f"none of the {len(study.trials)} settings that were raced could be trained with; the reasons are above. "
            "Race more of them (train --search), or train without a race"
        )
    best = max(finished, key=lambda trial: (trial.value, -trial.user_attrs["loss"]))
    alike = sum(trial.value == best.value for trial in finished)
    why = f", no better than {alike - 1} of the others, but its last loss was the lowest" if alike > 1 else ""
    reporter.say(f"Best of {len(study.trials)}: {_words(best.params)}, dev accuracy {best.value:.2f}{why}")
    return _trial_settings(best.params)


def _open_study(storage: Any, name: str) -> Any:
    """Return the study with this name, new or stored. Interrupted trials are removed, because they run again."""
    import optuna

    halving = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    begin = partial(
        optuna.create_study, storage=storage, study_name=name, pruner=halving, direction="maximize", load_if_exists=True
    )
    study = begin()
    kinds = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    finished = [trial for trial in study.trials if trial.state in kinds]
    if len(finished) < len(study.trials):
        optuna.delete_study(study_name=name, storage=storage)
        study = begin()
        study.add_trials(finished)
    return study


def _run(trial: Any, exercise: Exercise, folder: Path, reporter: Reporter) -> float:
    import optuna

    method = exercise.recipe.training.method
    params: dict[str, Any] = {"learning_rate": trial.suggest_float("learning_rate", *USUAL_RATES[method], log=True)}
    if method in _RANKED:
        params["rank"] = trial.suggest_categorical("rank", _RANKS)
    recipe = replace(
        exercise.recipe, training=exercise.recipe.training.model_copy(update=dict(_trial_settings(params)))
    )
    score = 0.0
    for lap, share in enumerate(SHARES, start=1):
        try:
            training = _lap(exercise, recipe, share, folder / str(lap), reporter)
            score = _dev(training)
        except TrainingError as error:
            reporter.say(f"  {_words(params)}: out, because {error}")
            raise optuna.TrialPruned from error
        trial.report(score, lap)
        trial.set_user_attr("loss", training.last_loss)
        out = lap < len(SHARES) and trial.should_prune()
        line = f"{_words(params)}: dev accuracy {score:.2f} on {share:.0%} of the examples"
        reporter.say(f"  {line}{', out' if out else ''}")
        if out:
            raise optuna.TrialPruned
    return score


def _lap(exercise: Exercise, recipe: Recipe, share: float, place: Path, reporter: Reporter) -> Training:
    """Train on a share of the examples, or continue. A finished lap in `place` is not run again."""
    key = fingerprint(exercise.fingerprint, recipe.training.supervised_recipe, share)
    if (finished := read_training(place, key)) is not None:
        return finished
    rows = part(exercise.rows, share, recipe.training.seed)
    training = train_supervised(
        Job(encoded=rows, folder=place, recipe=recipe, validate=exercise.validate(), notify=reporter.notify)
    )
    write_training(training, place, key)
    return training


def _dev(training: Training) -> float:
    score = next(epoch.dev for epoch in training.epochs if epoch.epoch == training.chosen_epoch)
    if score is None:
        raise TrainingError("none of its answers to the dev questions could be scored")
    return score


def part(rows: tuple[Encoded, ...], share: float, seed: int) -> tuple[Encoded, ...]:
    """Return a share of the rows, at least one, in order. A smaller share is part of a larger one."""
    order = Random(seed).sample(range(len(rows)), len(rows))  # noqa: S311 - a sample, not a secret
    chosen = set(order[: max(1, round(share * len(rows)))])
    return tuple(row for number, row in enumerate(rows) if number in chosen)


def _trial_settings(params: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the training settings of a trial. Alpha is twice the rank, as in the defaults."""
    return {**params, **({"alpha": 2 * params["rank"]} if "rank" in params else {})}


def _words(params: Mapping[str, Any]) -> str:
    rank = f", rank {params['rank']}" if "rank" in params else ""
    return f"learning rate {params['learning_rate']:.1e}{rank}"
