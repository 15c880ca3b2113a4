"""Fine-tuning at an endpoint: prepare, ask, upload, follow; and the model that comes of it, as an arm like any other.

An adapter's folder holds the plan, a folder for each job with what was sent and how far it is, and the card at the end.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import cast

from weighbridge.adapters import AdapterCard
from weighbridge.answer.build import build
from weighbridge.answer.composed import Composed
from weighbridge.errors import ModelError, SettingsError, TrainingError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.openai import open_openai
from weighbridge.generate.scripted import Scripted
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.measure.statistics import SHARE, mean_interval
from weighbridge.results import Estimate
from weighbridge.retrieve.embed import open_tokenizer
from weighbridge.settings import Arm, Settings
from weighbridge.train.card import read_card, write_card
from weighbridge.train.hosted_api import Endpoint, HostedJob, address, unpause
from weighbridge.train.hosted_files import Counted
from weighbridge.train.hosted_job import HostedRun, Watch, follow, read_run, start, succeeded, write_run
from weighbridge.train.hosted_plan import (
    DEV_SEED,
    HostedPlan,
    Prepared,
    Stage,
    Teaching,
    prepare_hosted,
    public,
    read_plan,
)
from weighbridge.train.hosted_results import steps_of, training_of
from weighbridge.types import Example
from weighbridge.workflow.bench import Bench
from weighbridge.workflow.engines import Engine
from weighbridge.workflow.hosted_jobs import FAILED, asked_about, opened, unfinished
from weighbridge.workflow.leaving import require_leave
from weighbridge.workflow.searching import embedder_name
from weighbridge.workflow.voice import Voice

Agree = Callable[[str], bool]
"""Puts a question to the person who pays; True where they agree."""


def prepare(arm: Arm, bench: Bench, voice: Voice) -> Prepared:
    """Write the files that an endpoint would learn an arm from, and say what that would cost; nothing is sent.

    Raises:
        SettingsError: the settings ask for what the fine-tuning API has not, or forbid that data leaves.
        TrainingError: nothing may be learnt.
        DataError: the files are not what the API takes.
    """
    settings = bench.settings
    start_of = perf_counter()
    _may_send(settings)
    teaching = Teaching(
        strategy=build(arm, bench.parts, Scripted()),
        examples=bench.workload.examples,
        split=bench.workload.outline.key,
        model=settings.model,
        training=settings.training,
        endpoint=address(settings.model),
        tokens=_counted(bench),
        spans=bench.workload.spans,
    )
    made = prepare_hosted(teaching, notify=voice.notify)
    made = replace(made, plan=replace(made.plan, seconds=perf_counter() - start_of))
    folder = bench.workspace.adapter(arm, made.plan.id)
    made.write(folder)  # also where they lie there: what is sent is what was checked
    for stage in made.plan.stages:
        voice.say(f"{folder / stage.name}: {_size(stage)}; {_price(stage, settings)}")
    for warning in made.plan.warnings:
        voice.say(f"  note: {warning}")
    return made


def train_hosted(arm: Arm, bench: Bench, engine: Engine, voice: Voice, *, agree: Agree) -> AdapterCard:
    """Tune an arm at the endpoint, or return the card of the model tuned on this very data; not promoted yet.

    `agree` is asked before anything is sent, once for each job. A training that was interrupted goes on with the job
    it began, unasked.

    Raises:
        SettingsError, DataError: as `prepare`.
        TrainingError: it was not agreed to, or the endpoint refuses, or its job failed; in its own words.
        UserError: the endpoint's key is missing.
    """
    plan = prepare(arm, bench, voice).plan
    folder = bench.workspace.adapter(arm, plan.id)
    if (card := read_card(folder)) is not None:
        return card
    with opened(bench.settings) as endpoint:
        for other in unfinished(arm, bench.workspace):
            if other.folder.parent != folder:
                voice.say(f"Another job of {arm}, {other.job}, is {other.status}: it learns from older data")
        jobs = _jobs(plan, folder, endpoint, bench.settings, voice, agree)
        return _finished(plan, folder, endpoint, jobs, bench, engine)


def resume_hosted(arm: Arm, bench: Bench, engine: Engine, voice: Voice) -> AdapterCard:
    """Let the newest unfinished job of an arm go on, paused or not, and follow it to its card, asking nothing.

    Raises:
        UserError: there is none.
        TrainingError: as `train_hosted`.
    """
    _may_send(bench.settings)
    open_runs = unfinished(arm, bench.workspace)
    if not open_runs:
        raise UserError(f"{bench.workspace.root}: {arm} has no job to resume; begin one: weighbridge train {arm}")
    folder = open_runs[-1].folder.parent
    if (plan := read_plan(folder)) is None:
        raise TrainingError(f"{folder}: its plan cannot be read; cancel the job, and train again")
    with opened(bench.settings) as endpoint:
        for status in asked_about(open_runs[-1:], endpoint):
            if status.status == "paused":
                unpause(endpoint, status.job)
        jobs = _jobs(plan, folder, endpoint, bench.settings, voice, lambda _: False)
        return _finished(plan, folder, endpoint, jobs, bench, engine)


def _jobs(
    plan: HostedPlan, folder: Path, endpoint: Endpoint, settings: Settings, voice: Voice, agree: Agree
) -> tuple[HostedJob, ...]:
    """Run the stages of a plan that have not been run, one after the other, each on the model of the one before."""
    if plan.endpoint != endpoint.where:
        raise TrainingError(f"{folder}: begun at {plan.endpoint}, and model.base_url is {endpoint.where}; set it back")
    watch = Watch(every=settings.training.hosted.poll_seconds, tell=voice.say, notify=voice.notify)
    jobs: list[HostedJob] = []
    for stage in plan.stages:
        place = folder / stage.name
        model = jobs[-1].model if jobs else plan.base
        run = start(endpoint, _agreed(stage, model, place, endpoint, settings, agree), place)
        voice.say(f"{endpoint.where}: {run.job} ({plan.strategy}, {stage.name}) is {run.status}; following it")
        try:
            job = follow(endpoint, run, place, watch)
        except KeyboardInterrupt:
            voice.say(f"{run.job} goes on at {endpoint.where}; train again to follow it, or cancel it")
            raise
        jobs.append(succeeded(endpoint, job))
    return tuple(jobs)


def _agreed(stage: Stage, model: str, place: Path, endpoint: Endpoint, settings: Settings, agree: Agree) -> HostedRun:
    """Return the run that was begun in a stage's folder, or after a question a new one."""
    run = read_run(place)
    if run is not None and run.status not in FAILED:
        return run
    question = f"Send {_size(stage)} to {endpoint.where}, and fine-tune {model} there? {_price(stage, settings)}"
    if not agree(question):
        raise TrainingError(
            f"no job was begun at {endpoint.where}: it was not agreed to. {question}. To be asked at a terminal: "
            f"weighbridge train {place.parent.parent.name}"
        )
    order = replace(stage.order, model=model)
    begun_at = datetime.now(UTC).isoformat(timespec="seconds")
    return write_run(HostedRun(order=order, endpoint=endpoint.where, begun_at=begun_at), place)


def _finished(
    plan: HostedPlan, folder: Path, endpoint: Endpoint, jobs: Sequence[HostedJob], bench: Bench, engine: Engine
) -> AdapterCard:
    last, stage = jobs[-1], plan.stages[-1]
    seconds = sum(job.seconds or 0.0 for job in jobs)
    tokens = sum(each.tokens.trained for each in plan.stages)
    training = training_of(
        last, steps_of(endpoint, last), examples=stage.examples, tokens=tokens, seconds=last.seconds or 0.0
    )
    dev, missed = _dev(plan, last.model, bench)
    card = AdapterCard(
        id=plan.id,
        strategy=plan.strategy,
        fingerprint=plan.fingerprint,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        base_reference=engine.settings.reference,
        base_fingerprint=fingerprint("openai", plan.endpoint, plan.base),
        licence="",
        recipe=plan.recipe,
        learnt=plan.learnt,
        training=training,
        dev=dev,
        parity=(),
        seconds=plan.seconds + seconds,
        quantisation="",
        warnings=(*plan.warnings, *missed),
        adapter="",
        gguf="",
        hosted=last.model,
    )
    write_card(card, folder)
    return card


def _dev(plan: HostedPlan, model: str, bench: Bench) -> tuple[Estimate | None, tuple[str, ...]]:
    """Ask the tuned model the dev questions, and say why there is no score where there is none."""
    settings = bench.settings
    asked = public(bench.workload.examples, "dev", settings.training.dev_examples, DEV_SEED)
    if plan.learnt.split != bench.workload.outline.key:
        return None, ("the examples changed while it was trained, so it was asked no dev questions",)
    if not asked:
        return None, ()
    metric = Accuracy(bench.workload.outline.task)
    with closing(open_openai(settings.model.model_copy(update={"reference": model}))) as opened:
        strategy = build(cast("Arm", plan.strategy), bench.parts, opened)
        scores = [_score(strategy, example, metric) for example in asked]
    known = [value for value in scores if value is not None]
    if not known:
        return None, (f"{model} answered none of {len(asked)} dev questions",)
    return mean_interval(known, settings.measure.seed, bounds=SHARE, unscored=len(scores) - len(known)), ()


def _score(strategy: Composed, example: Example, metric: Accuracy) -> float | None:
    try:
        return metric.score(example, strategy.answer(example.question)).value
    except ModelError:
        return None


def _may_send(settings: Settings) -> None:
    model = settings.model
    if model.engine != "openai":
        raise SettingsError(f"weighbridge.yaml: model.engine is {model.engine}; only openai is tuned at an endpoint")
    require_leave("the training examples", model, settings)


def _counted(bench: Bench) -> Counted:
    offsets = open_tokenizer(bench.embedder_folder)
    name = embedder_name(bench.settings)
    return Counted(lambda text: len(offsets(text)), f"estimated with the tokenizer of {name}, not the endpoint's own")


def _size(stage: Stage) -> str:
    validated = f" and {stage.validated:,} validation" if stage.validated else ""
    return f"{stage.examples:,} training{validated} examples ({stage.name})"


def _price(stage: Stage, settings: Settings) -> str:
    tokens, rate = stage.tokens, settings.training.hosted.price_per_million
    chosen = ", as endpoints usually choose" if tokens.epochs_are_guessed else ""
    told = f"About {tokens.trained:,} tokens: {tokens.per_pass:,} ({tokens.how}) in {tokens.epochs} epochs{chosen}"
    price = tokens.price(rate)
    if price is None:
        return f"{told}. What they cost is not known: training.hosted.price_per_million is not set"
    return f"{told}; {price:,.2f} {settings.prices.currency} at {rate:g} a million"
