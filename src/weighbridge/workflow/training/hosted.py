"""Fine-tunes a model at an endpoint: prepare, ask, upload, follow, and write the card of the tuned model.

The folder of the adapter holds the plan, a folder for each job with its files and its state, and at the end the card.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import AdapterCard
from weighbridge.answer.build import build
from weighbridge.endpoints.connect import address
from weighbridge.errors import ModelError, SettingsError, TrainingError, UserError
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.evaluate.statistics import SHARE, mean_interval
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.openai import open_openai
from weighbridge.generate.scripted import Scripted
from weighbridge.results import Estimate
from weighbridge.settings.schema import Arm, Settings
from weighbridge.train.card import kept_up, read_adapter_card, write_adapter_card
from weighbridge.train.hosted.client import EndpointAwayError, HostedEndpoint, unpause
from weighbridge.train.hosted.files import Counted
from weighbridge.train.hosted.job import HostedRun, Watch, follow, read_run, require_success, start, write_run
from weighbridge.train.hosted.plan import (
    DEV_SEED,
    HostedPlan,
    Prepared,
    Stage,
    Teaching,
    prepare_hosted,
    public,
    read_plan,
)
from weighbridge.train.hosted.results import steps_of, training_of
from weighbridge.train.hosted.wire import HostedJob
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine
from weighbridge.wiring.index import Agree
from weighbridge.wiring.offline import require_leave
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import embedder_name, embedder_tokenizer
from weighbridge.wiring.tuned_retrievers import describe_search
from weighbridge.workflow.training.hosted_jobs import (
    FAILED,
    HostedStatus,
    act_on_job,
    asked_about,
    connect,
    unfinished_jobs,
)

_CENTS, _FRACTIONS = 2, 4
"""Decimal digits of a price, and of a price below 1."""

_RESUME, _CANCEL = "weighbridge hosted resume", "weighbridge hosted cancel"


def prepare_files(arm: Arm, bench: Bench, reporter: Reporter) -> Prepared:
    """Write the training files of an arm for an endpoint, and report their cost. Nothing is sent.

    Raises:
        SettingsError: the API lacks a feature of the settings, or the settings forbid sending data.
        TrainingError: there is nothing to learn from.
        DataError: the API would refuse the files.
    """
    settings = bench.settings
    start_of = perf_counter()
    _may_send(settings)
    offsets = embedder_tokenizer(bench.embedder_folder)
    teaching = Teaching(
        strategy=build(arm, bench.parts, Scripted()),
        examples=bench.workload.examples,
        split=bench.workload.outline.key,
        model=settings.model,
        training=settings.training,
        endpoint=address(settings.model),
        tokens=Counted(
            lambda text: len(offsets(text)),
            f"estimated with the tokenizer of {embedder_name(settings)}, not the endpoint's own",
        ),
        spans=bench.workload.spans,
        search=describe_search(settings, bench.workspace),
    )
    made = prepare_hosted(teaching, notify=reporter.notify)
    made = replace(made, plan=replace(made.plan, seconds=perf_counter() - start_of))
    folder = bench.workspace.adapter(arm, made.plan.id)
    made.write(folder)  # again, even if they exist: only checked files are sent
    for stage in made.plan.stages:
        reporter.say(f"{folder / stage.name}: {_size(stage)}. {_price(stage, settings)}")
    for warning in made.plan.warnings:
        reporter.say(f"  note: {warning}")
    return made


def train_hosted(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter, *, agree: Agree) -> AdapterCard:
    """Tune an arm at the endpoint, or return the card of a model that was tuned on the same data. Nothing is promoted.

    `agree` is asked once for each job, before anything is sent. An interrupted training follows its job again without
    asking.

    Raises:
        SettingsError, DataError: as `prepare_files`.
        TrainingError: nobody agreed, the endpoint refuses, or its job failed. The message quotes the endpoint.
        UserError: the endpoint's key is missing.
    """
    prepared = prepare_files(arm, bench, reporter)
    plan, folder = prepared.plan, bench.workspace.adapter(arm, prepared.plan.id)
    if (card := read_adapter_card(folder)) is not None:
        reporter.say(f"{card.hosted} was tuned on the same data: nothing is sent")
        return kept_up(card, plan.learnt, prepared.lessons, folder)
    with connect(bench.settings) as endpoint:
        for other in unfinished_jobs(arm, bench.workspace):
            if other.folder.parent != folder:
                reporter.say(_describe_other(other))
        jobs = _jobs(plan, folder, endpoint, bench.settings, reporter, agree)
        return _write_card(plan, folder, endpoint, jobs, bench, engine)


def resume_hosted(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter) -> AdapterCard:
    """Resume the newest unfinished job of an arm, paused or not, and follow it to its card without asking.

    Raises:
        UserError: there is no unfinished job.
        TrainingError: as `train_hosted`.
    """
    _may_send(bench.settings)
    open_runs = unfinished_jobs(arm, bench.workspace)
    if not open_runs:
        raise UserError(f"{bench.workspace.root}: {arm} has no job to resume; start one: weighbridge train {arm}")
    folder = open_runs[-1].folder.parent
    if (plan := read_plan(folder)) is None:
        raise TrainingError(f"{folder}: its plan cannot be read; cancel the job, and train again")
    with connect(bench.settings) as endpoint:
        for now in asked_about(open_runs[-1:], endpoint):
            if now.status == "paused":
                now = act_on_job(now, endpoint, unpause)  # noqa: PLW2901 - the same job, a moment later
            if now.refused:
                raise TrainingError(now.error)
        jobs = _jobs(plan, folder, endpoint, bench.settings, reporter, lambda _: False)
        return _write_card(plan, folder, endpoint, jobs, bench, engine)


def _jobs(
    plan: HostedPlan, folder: Path, endpoint: HostedEndpoint, settings: Settings, reporter: Reporter, agree: Agree
) -> tuple[HostedJob, ...]:
    """Run the missing stages of a plan in order. Each starts from the model of the stage before."""
    if plan.endpoint != endpoint.where:
        raise TrainingError(f"{folder}: begun at {plan.endpoint}, and model.base_url is {endpoint.where}; set it back")
    watch = Watch(every=settings.training.hosted.poll_seconds, tell=reporter.say, notify=reporter.notify)
    jobs: list[HostedJob] = []
    for stage in plan.stages:
        place = folder / stage.name
        model = jobs[-1].model if jobs else plan.base
        run = _agree_to_run(stage, model, place, endpoint, settings, agree)
        try:
            run = start(endpoint, run, place)
            reporter.say(f"{endpoint.where}: {run.job} ({plan.strategy}, {stage.name}) is {run.status}; following it")
            job = follow(endpoint, run, place, watch)
        except EndpointAwayError as error:
            raise TrainingError(f"{error}. Nothing is lost; to continue: {_RESUME} {plan.strategy}") from None
        except KeyboardInterrupt:
            reporter.say(_after_interruption(read_run(place), plan.strategy))
            raise
        if job.status == "paused":
            raise TrainingError(f"{endpoint.where}: {job.id} is paused; to continue it: {_RESUME} {plan.strategy}")
        jobs.append(require_success(endpoint, job))
    return tuple(jobs)


def _after_interruption(run: HostedRun | None, strategy: str) -> str:
    """Return a sentence: whether the job continues at the endpoint, and the commands to follow or stop it."""
    if run is None or not run.asked:
        return f"No job was created yet. To continue: {_RESUME} {strategy}; to cancel: {_CANCEL} {strategy}"
    continues = f"{run.job or 'The job'} continues at {run.endpoint}"
    return f"{continues}. To follow it again: {_RESUME} {strategy}; to stop it: {_CANCEL} {strategy}"


def _agree_to_run(
    stage: Stage, model: str, place: Path, endpoint: HostedEndpoint, settings: Settings, agree: Agree
) -> HostedRun:
    """Return the unfinished run in the folder of a stage, or ask and return a new one."""
    run = read_run(place)
    if run is not None and run.status not in FAILED:
        return run
    question = f"Send {_size(stage)} to {endpoint.where}, and fine-tune {model} there? {_price(stage, settings)}"
    if not agree(question):
        raise TrainingError(
            f"nothing was sent to {endpoint.where}, because nobody agreed to it: {_size(stage)} for {model}. "
            f"{_price(stage, settings)}. To be asked at a terminal: weighbridge train {place.parent.parent.name}"
        )
    order = replace(stage.order, model=model)
    begun_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return write_run(HostedRun(order=order, endpoint=endpoint.where, begun_at=begun_at), place)


def _describe_other(job: HostedStatus) -> str:
    """Return a sentence about an unfinished job with other data."""
    if job.refused:
        return f"Another job of other data may be running: {job.error}"
    state = f"{job.job} is {job.status}" if job.job else "it was agreed to, and has not begun"
    return f"Another job, of other data or settings, is not finished: {state} (adapter {job.adapter})"


def _write_card(
    plan: HostedPlan, folder: Path, endpoint: HostedEndpoint, jobs: Sequence[HostedJob], bench: Bench, engine: Engine
) -> AdapterCard:
    last = jobs[-1]
    seconds = sum(job.seconds or 0.0 for job in jobs)
    training = training_of(
        last,
        steps_of(endpoint, last),
        examples=sum(stage.examples for stage in plan.stages),
        tokens=sum(job.trained_tokens or stage.tokens.total for job, stage in zip(jobs, plan.stages, strict=True)),
        seconds=seconds,
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
    write_adapter_card(card, folder)
    return card


def _dev(plan: HostedPlan, model: str, bench: Bench) -> tuple[Estimate | None, tuple[str, ...]]:
    """Score the tuned model on the dev questions. Without a score, return the reason instead."""
    settings = bench.settings
    asked = public(bench.workload.examples, "dev", settings.training.dev_examples, DEV_SEED)
    if plan.learnt.split != bench.workload.outline.key:
        return None, ("the examples changed while it was trained, so it was asked no dev questions",)
    if not asked:
        return None, ()
    metric = Accuracy(bench.workload.outline.task, bench.workload.labels)
    with closing(open_openai(settings.model.model_copy(update={"reference": model}))) as opened:
        strategy = build(plan.strategy, bench.parts, opened)
        scores: list[float | None] = []
        for example in asked:
            try:
                scores.append(metric.score(example, strategy.answer(example.question)).value)
            except ModelError:  # a failure is no score, and never 0
                scores.append(None)
    known = [value for value in scores if value is not None]
    if not known:
        return None, (f"{model} answered none of {len(asked)} dev questions",)
    return mean_interval(known, settings.measure.seed, bounds=SHARE, unscored=len(scores) - len(known)), ()


def _may_send(settings: Settings) -> None:
    model = settings.model
    if model.engine != "openai":
        raise SettingsError(f"weighbridge.yaml: model.engine is {model.engine}; only openai is tuned at an endpoint")
    require_leave("the training examples", model, settings)


def _size(stage: Stage) -> str:
    validated = f" and {stage.validated:,} validation" if stage.validated else ""
    return f"{stage.examples:,} training{validated} examples ({stage.name})"


def _price(stage: Stage, settings: Settings) -> str:
    tokens, rate, currency = stage.tokens, settings.training.hosted.price_per_million, settings.prices.currency
    chosen = ", as endpoints usually choose" if tokens.epochs_are_guessed else ""
    passes = f"{tokens.per_pass:,} in each of {tokens.epochs} epochs{chosen}"
    estimate = f"About {tokens.total:,} tokens ({passes}; {tokens.how})"
    price = tokens.price(rate)
    if price is None:
        return f"{estimate}; their price is unknown, because training.hosted.price_per_million is not set"
    amount = f"{price:,.{_CENTS if price >= 1 else _FRACTIONS}f} {currency}"
    return f"{estimate}: about {amount}, at {rate:g} {currency} a million"
