"""Runs all checks of one adapter for regressions after tuning, before it is served.

Models are loaded one after another. The base model answers the dev questions in other words only where it gets some of
them right as they stand: else it has nothing to lose.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from weighbridge.adapters import AdapterCard, Guard
from weighbridge.answer.composed import Composed
from weighbridge.checks.abstention import refusals, unanswerable
from weighbridge.checks.before_after import Records, ServedModels, ask_all, each, open_served
from weighbridge.checks.curve import CurvePoint, learning_curve
from weighbridge.checks.forgetting import SHOT, Likelihoods, check_forgetting, option_likelihoods, probes
from weighbridge.checks.paraphrases import paraphrases, reword, worth_rewording
from weighbridge.checks.repetition import repetition
from weighbridge.checks.speed import forms_of, speed_not_compared, time_forms
from weighbridge.evaluate.run import EvaluationSpec
from weighbridge.evaluate.statistics import SHARE, mean_interval
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Metric, Notify, silent
from weighbridge.results import Estimate
from weighbridge.train.runtime.adapter_weights import load_tuned, method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import precision
from weighbridge.types import Example, Progress, Task
from weighbridge.workspace import load_json, write_json

_TASK = "checking the adapter"
_STEPS = ("general knowledge", "answers of the tuned model", "answers of the base model", "serving speed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A finished tuning, with the models and examples for its examination."""

    strategy: Composed
    """The arm; its model is replaced by the tuned one, and by the base."""
    recipe: Recipe
    folder: Path
    """The card's folder, with the adapter and the GGUF it names."""
    card: AdapterCard
    base_gguf: Path
    """The base model as it is served, in the form of the tuned one; not read where engine transformers serves both."""
    examples: tuple[Example, ...]
    """Dev examples. With any of askers with access groups no cases are shown, because a card is read by everybody; nor
    of an adapter that does not answer everybody."""
    task: Task
    metric: Metric
    """From 0 to 1."""
    kept: Path
    """A folder for the base model's answers, so that a second adapter need not ask it again."""
    workers: int = 1
    """Questions asked at once."""
    points: tuple[CurvePoint, ...] = ()
    """Trainings on parts of the data; none: no learning curve is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The results of an examination."""

    guards: tuple[Guard, ...]
    dev: Estimate | None
    """The metric on the dev questions, as the served form answers them; None without any that could be scored."""


def run_checks(tuned: Examined, *, notify: Notify = silent) -> Findings:
    """Run every guard that needs the adapter, and the learning curve where it was trained for.

    At most two models are in memory at once.

    Raises:
        ValueError: an example is not of the dev split; a caller's mistake that would leak the test.
        TrainingError: the adapter's folder is not whole.
        UserError: llama.cpp cannot load a model.
        WorkspaceError: `kept` cannot be written.
    """
    if strangers := [example.id for example in tuned.examples if example.split != "dev"]:
        raise ValueError(f"an adapter is examined on dev examples only, not on {', '.join(strangers[:3])}")
    public = [example for example in tuned.examples if not example.question.groups]
    _say(notify, 0)
    likelihoods = _likelihoods(tuned)
    _say(notify, 1)
    answers, dev = _answers(tuned, notify)
    if tuned.card.learnt.access or len(public) < len(tuned.examples):
        answers = tuple(replace(guard, shown=()) for guard in answers)
    _say(notify, 3)
    speed = _speed(tuned, public)
    _say(notify, len(_STEPS))
    curve = (learning_curve(tuned.points),) if tuned.points else ()
    return Findings(guards=(check_forgetting(probes(), *likelihoods), *answers, *curve, speed), dev=dev)


def _say(notify: Notify, done: int) -> None:
    note = _STEPS[done] if done < len(_STEPS) else ""
    notify(Progress(task=_TASK, done=done, total=len(_STEPS), note=note))


def _likelihoods(tuned: Examined) -> tuple[Likelihoods, Likelihoods]:
    """Return the choices of the base and of the tuned network on the probe."""
    base, adapter = tuned.recipe.base, tuned.folder / tuned.card.adapter
    told = ["summed over tokens", *map(asdict, SHOT), *map(asdict, probes())]
    kept = tuned.kept / f"probe-{fingerprint(base.fingerprint, str(precision()), told)}.json"
    with quiet():
        before, after = _read(base, adapter, load_json(kept))
    release()
    write_json(kept, before)
    return before, after


def _read(base: BaseFiles, adapter: Path, before: Likelihoods | None) -> tuple[Likelihoods, Likelihoods]:
    read = partial(option_likelihoods, tokenizer=load_tokenizer(base), asked=probes())
    network = load_tuned(base, adapter, precision=precision())
    after = read(network)
    if before is None and method_of(adapter) == "full":
        del network
        release()
        before = read(load_network(base, precision=precision()))
    elif before is None:
        with network.disable_adapter():
            before = read(network)
    return before, after


def _answers(tuned: Examined, notify: Notify) -> tuple[tuple[Guard, ...], Estimate | None]:
    """Return the guards that ask (refusals, paraphrases, repetition), and the dev score."""
    both = (*tuned.examples, *(unanswerable() if tuned.strategy.instructions.abstains else ()))
    answerable = [example for example in tuned.examples if example.answerable]
    reworded = reword(answerable, tuned.task)
    models = open_served(tuned.recipe, tuned.folder, tuned.card, tuned.base_gguf, workers=tuned.workers)
    after = ask_all(
        tuned.strategy, models.tuned, _exam(tuned, (*both, *(one.example for one in reworded))), notify=notify
    )
    _say(notify, 2)
    before = _asked_before(tuned, models, both, notify)
    if worth_rewording(answerable, before, metric=tuned.metric.name):
        before = {**before, **_asked_before(tuned, models, [one.example for one in reworded], notify)}
    guards = (
        refusals(before, after, both),
        paraphrases(answerable, reworded, after, before, metric=tuned.metric.name),
        repetition(before, after, both),
    )
    return guards, _score(tuned, after)


def _score(tuned: Examined, after: Records) -> Estimate | None:
    name = tuned.metric.name
    scores = each(tuned.examples, after, lambda record: next(s.value for s in record.scores if s.metric == name))
    known = [score for score in scores if score is not None]
    seed, unscored = tuned.recipe.model.seed, len(scores) - len(known)
    return mean_interval(known, seed, bounds=SHARE, unscored=unscored) if known else None


def _asked_before(tuned: Examined, models: ServedModels, examples: Sequence[Example], notify: Notify) -> Records:
    kept = tuned.kept / f"{tuned.strategy.name}.jsonl"
    return ask_all(tuned.strategy, models.base, _exam(tuned, examples), kept=kept, notify=notify)


def _exam(tuned: Examined, examples: Sequence[Example]) -> EvaluationSpec:
    return EvaluationSpec(
        task=tuned.task,
        examples=examples,
        metrics=(tuned.metric,),
        reads=tuned.strategy.instructions.reads,
        seed=tuned.recipe.model.seed,
        workers=tuned.workers,
    )


def _speed(tuned: Examined, public: Sequence[Example]) -> Guard:
    asked = [*public, *unanswerable()]
    prompts = [tuned.strategy.prompt_for(example.question).messages for example in asked[:6]]
    ggufs = (tuned.base_gguf, tuned.folder / tuned.card.gguf)
    with TemporaryDirectory(prefix="weighbridge-") as scratch, quiet():
        adapter = tuned.folder / tuned.card.adapter
        forms = forms_of(adapter, tuned.recipe.base, ggufs, tuned.recipe.model, Path(scratch))
        if forms is None:
            return speed_not_compared("this method leaves one form only")
        try:
            return time_forms(forms, prompts)
        finally:
            release()
