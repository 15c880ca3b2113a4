"""Weighs every strategy: index, train, answer, time, decide. Each step runs only its missing parts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from weighbridge.adapters import access_words
from weighbridge.answer.build import shape_of
from weighbridge.arms import base_of, bases_of, words_for_each, write_arm
from weighbridge.decide.decide import decide
from weighbridge.decide.what_if.reprice import reprice
from weighbridge.decide.what_if.retake import describe_prices
from weighbridge.endpoints.connect import remote_address
from weighbridge.errors import ModelError, TrainingError
from weighbridge.evaluate.ledger import append, load
from weighbridge.evaluate.metrics.suite import metrics_for, own_metrics
from weighbridge.evaluate.outcomes import joint_outcomes
from weighbridge.evaluate.run import (
    Attempts,
    EvaluationSpec,
    KeyedExample,
    RemainingRun,
    evaluate,
    missing_examples,
    stored_records,
)
from weighbridge.evaluate.summarise import Footprint, compare_all, seconds_per_answer, summarise
from weighbridge.evaluate.timing import QUESTIONS_FOR_P95
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.fingerprint import fingerprint
from weighbridge.machine import this_machine
from weighbridge.models import machine_memory
from weighbridge.protocols import RemoteWork, Strategy
from weighbridge.report.safe_text import count_noun
from weighbridge.results import Measurement, Record, ResourceUse, Weighing
from weighbridge.scoring.grade import scorer_fingerprint
from weighbridge.settings.schema import Arm, ModelSettings, RetrievalSettings, Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.registry import promoted_adapter
from weighbridge.types import Example
from weighbridge.wiring.cluster import cluster
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.documents import reading_report
from weighbridge.wiring.engines import Engine, open_engines
from weighbridge.wiring.index import Agree, never_agree
from weighbridge.wiring.opening import open_arm
from weighbridge.wiring.reporter import Reporter, measure_seconds
from weighbridge.wiring.search import embedder_name
from weighbridge.wiring.tuned_retrievers import require_unlearnt, with_tuned_models
from weighbridge.wiring.workload import applied_caps
from weighbridge.workflow.ask import open_strategy
from weighbridge.workflow.endpoint_check import choose_prices, describe_price, is_endpoint, require_endpoint
from weighbridge.workflow.footprint import disk_bytes, indexing_seconds, training_price, training_seconds
from weighbridge.workflow.latency import Alone, time_in_own_process
from weighbridge.workflow.memory import answering_warning
from weighbridge.workflow.report import write_reports
from weighbridge.workflow.training.train import train_all
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The records of one strategy, and the fingerprint of that strategy."""

    identity: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """The records and the footprint of one strategy."""

    records: tuple[Record, ...]
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class ArmAttempts:
    """The `Work` of asking an arm of a workspace."""

    arm: Arm
    settings: Settings
    root: Path
    expected: str
    """The fingerprint of the driver's strategy: the records are its own."""
    spec: EvaluationSpec
    """Without the examples, which are the items."""

    def open(self, stack: ExitStack) -> Callable[[KeyedExample], Record]:
        strategy = open_strategy(self.arm, self.settings, Workspace(self.root), stack=stack, workers=self.spec.workers)
        if strategy.fingerprint != self.expected:
            raise ModelError(
                f"a machine of the cluster answers with another {self.arm} ({strategy.fingerprint}) than this one "
                f"({self.expected}): the workspace or the models there differ; share one folder, at the same path"
            )
        return Attempts(strategy, self.spec).open(stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One base model of the weighing: the bench with its settings, and its engine. The rest of the bench is shared."""

    bench: Bench
    engine: Engine
    every: Settings
    """The settings of all base models, from which another machine opens the same strategy."""


def compare(settings: Settings, workspace: Workspace, reporter: Reporter, *, agree: Agree = never_agree) -> Weighing:
    """Weigh all strategies of the settings, save the weighing and its report, and return it.

    `agree` is asked before a paid training at an endpoint.
    The process can be killed at any moment: finished parts are kept, and the next call runs the missing ones.
    """
    seconds: dict[str, float] = {}
    with workspace.lock():
        with measure_seconds(seconds, "fetch and convert models"):
            engines = open_engines(settings, reporter)
        for stand_settings in settings.by_base:
            _require_new_endpoint(stand_settings, workspace)
        with measure_seconds(seconds, "read, split and index"):
            bench = open_bench(settings, workspace, reporter)
        caps = applied_caps(
            settings,
            bench.workload.examples,
            documents=len(bench.workload.documents),
            embedder=bench.embedder_folder,
        )
        for cap in caps:
            reporter.say(f"  note: {cap.sentence}")
        # Before anything is trained: figures of a search that has learnt test questions would be worth nothing.
        require_unlearnt(bench.workload.of("test"), settings, workspace)
        stands = [
            Stand(bench=replace(bench, settings=one), engine=engine, every=settings)
            for one, engine in zip(settings.by_base, engines, strict=True)
        ]
        failed: dict[Arm, str] = {}
        for stand in stands:
            failed |= train_all(stand.bench, stand.engine, reporter, seconds, agree=agree)
        weighed = {arm: stand for stand in stands for arm in stand.bench.settings.strategies if arm not in failed}
        if not weighed:
            raise TrainingError(" ".join(failed.values()))
        asked = test_questions(bench.workload.of("test"), settings)
        reporter.say(f"Asking {_describe_arms(weighed)} {count_noun(len(asked), 'test question')}")
        whole = RemainingRun(
            tuple(weighed),
            questions=len(asked),
            timed=len(timed_questions(asked, settings)),
            workers=settings.measure.workers,
        )
        asking = replace(reporter, notify=whole.watch(reporter.notify))
        answered = {arm: _answer(arm, stand, asked, asking, seconds) for arm, stand in weighed.items()}
        # Timing comes after all answering, so that nothing else runs on the machine meanwhile.
        alone = {arm: _time(arm, bench, answered[arm].identity, asked, reporter, seconds) for arm in weighed}
        attempted = {
            arm: Attempted(records=answered[arm].records, footprint=_footprint(arm, stand, alone[arm]))
            for arm, stand in weighed.items()
        }
        weighing = replace(weigh(weighed, asked, attempted, seconds), left_out=tuple(failed.values()), caps=caps)
        save_weighing(workspace, weighing)
        write_reports(workspace, weighing)
    return weighing


def _require_new_endpoint(settings: Settings, workspace: Workspace) -> None:
    """Ask an endpoint that never answered here something tiny, before documents are read and anything is trained."""
    if is_endpoint(settings.model) and not any(workspace.records(arm).exists() for arm in settings.strategies):
        require_endpoint(settings.model)


def _describe_arms(arms: Iterable[Arm]) -> str:
    """Return the arms that are asked, in words: "rag", "2 strategies the same", "4 arms on 2 base models the same"."""
    names = list(arms)
    if len(names) == 1:
        return write_arm(names[0])
    bases = bases_of(names)
    return (
        f"{len(names)} arms on {len(bases)} base models the same" if bases[1:] else f"{len(names)} strategies the same"
    )


def test_questions(examples: Sequence[Example], settings: Settings) -> tuple[Example, ...]:
    """Return the test examples to ask: all, or a sample of the size and with the seed of the settings."""
    wanted = min(settings.measure.questions, len(examples))
    drawn = set(Random(settings.measure.seed).sample(range(len(examples)), wanted))  # noqa: S311 - not for secrets
    return tuple(example for place, example in enumerate(examples) if place in drawn)


def timed_questions(asked: Sequence[Example], settings: Settings) -> list[Example]:
    """Return the questions to time one by one. A limit on the p95 needs more of them than the settings say."""
    wanted = settings.measure.latency_questions
    if settings.needs.limits.maximum_p95_seconds is not None:
        wanted = max(wanted, QUESTIONS_FOR_P95)
    return Random(settings.measure.seed).sample(list(asked), min(wanted, len(asked)))  # noqa: S311 - not for secrets


def weigh(
    stands: Mapping[Arm, Stand],
    asked: Sequence[Example],
    attempted: Mapping[Arm, Attempted],
    seconds: Mapping[str, float],
) -> Weighing:
    """Compute measurements, comparisons and a decision from records. Nothing is asked or timed here."""
    bench = next(iter(stands.values())).bench
    settings = bench.settings
    measurements = tuple(_measure(arm, stands[arm].bench, asked, attempted[arm]) for arm in attempted)
    records = {arm: attempt.records for arm, attempt in attempted.items()}
    comparisons = compare_all(records, seed=settings.measure.seed)
    return Weighing(
        name=settings.name or bench.workspace.root.resolve().name,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        task=bench.workload.outline.task,
        machine=this_machine(),
        settings=_words(stands),
        split=bench.workload.outline.report,
        documents=len(bench.workload.documents),
        chunks=bench.index.chunks if bench.index else 0,
        measurements=measurements,
        comparisons=comparisons,
        decision=decide(measurements, comparisons, settings.needs, joint_outcomes(records)),
        examples=tuple(asked),
        records=tuple(record for attempt in attempted.values() for record in attempt.records),
        seconds=dict(seconds),
        reading=reading_report(bench.workspace) if bench.index else None,
    )


def _answer(
    arm: Arm, stand: Stand, asked: Sequence[Example], reporter: Reporter, seconds: dict[str, float]
) -> Answered:
    bench = stand.bench
    workers = bench.settings.measure.workers
    path = bench.workspace.records(arm)
    reads = shape_of(arm).reads
    if warning := answering_warning(arm, bench.settings, stand.engine, machine_memory()):
        reporter.say(f"  note: {warning}")
    with measure_seconds(seconds, f"answer: {arm}"), ExitStack() as stack:
        own = own_metrics(bench.settings.measure.metrics)
        strategy = open_arm(arm, bench.parts, stand.engine, bench.workspace, workers=workers, stack=stack)
        spec = EvaluationSpec(
            task=bench.workload.outline.task,
            examples=asked,
            metrics=(
                *metrics_for(
                    bench.workload.outline.task, reads=reads, schema=bench.workload.schema, labels=bench.workload.labels
                ),
                *own,
            ),
            labels=bench.workload.labels,
            reads=reads,
            seed=bench.settings.measure.seed,
            workers=workers,
            scorer=fingerprint(scorer_fingerprint(), *(metric.origin for metric in own)) if own else "",
        )
        remote = _remote_attempts(arm, stand, strategy, spec)
        earlier = records_under_other_names(arm, path, bench.workspace)
        done = {**earlier, **load(path)}
        if is_endpoint(model := stand.engine.settings) and (missing := missing_examples(strategy, spec, done)):
            require_endpoint(model)
            prices = choose_prices(bench.settings, bench.workspace)
            reporter.say(describe_price(strategy, list(missing.values()), model, prices))
        append(path, evaluate(strategy, spec, done=done, notify=reporter.notify, remote=remote))
        records = stored_records(strategy, spec, {**earlier, **load(path)})
        return Answered(identity=strategy.fingerprint, records=records)


def records_under_other_names(arm: Arm, path: Path, workspace: Workspace) -> dict[str, Record]:
    """Return the answers of an arm from before another list of models gave it this name.

    The key of a record tells its model and its prompts, so those of other models among them are never asked for.
    """
    return {
        key: replace(record, strategy=arm)
        for other in workspace.same_strategy(path)
        for key, record in load(other).items()
        if record.answer is not None
    }


def _remote_attempts(
    arm: Arm, stand: Stand, strategy: Strategy, spec: EvaluationSpec
) -> RemoteWork[KeyedExample, Record] | None:
    """Return the asking of an arm on the cluster of the settings; None if this process asks."""
    executor = cluster(stand.every)
    if executor is None:
        return None
    root = stand.bench.workspace.root.absolute()
    return RemoteWork(executor, ArmAttempts(arm, stand.every, root, strategy.fingerprint, replace(spec, examples=())))


def _time(
    arm: Arm, bench: Bench, identity: str, asked: Sequence[Example], reporter: Reporter, seconds: dict[str, float]
) -> Alone:
    with measure_seconds(seconds, f"time alone: {arm}"):
        questions = [example.question for example in timed_questions(asked, bench.settings)]
        try:
            return time_in_own_process(arm, bench.workspace, identity, questions, reporter)
        except ModelError as error:
            reporter.say(f"{arm} could not be timed: {error}")
            return Alone(timings=(), untimed=len(questions), memory_bytes=None)


def _footprint(arm: Arm, stand: Stand, alone: Alone) -> Footprint:
    bench, model = stand.bench, stand.engine.settings
    return Footprint(
        timings=alone.timings,
        untimed=alone.untimed,
        memory_bytes=alone.memory_bytes,
        disk_bytes=disk_bytes(arm, bench, stand.engine),
        setup_seconds=indexing_seconds(arm, bench) + training_seconds(arm, bench),
        offline=not remote_address(model),
        cites=shape_of(arm).reads and bench.workload.outline.task == "answer",
    )


def _measure(arm: Arm, bench: Bench, asked: Sequence[Example], attempted: Attempted) -> Measurement:
    settings = bench.settings
    measurement = summarise(
        attempted.records,
        asked,
        task=bench.workload.outline.task,
        strategy=arm,
        seed=settings.measure.seed,
        footprint=attempted.footprint,
    )
    usage = ResourceUse(
        seconds_per_answer=seconds_per_answer(attempted.footprint.timings, settings.measure.seed),
        indexing_seconds=indexing_seconds(arm, bench),
        training_seconds=training_seconds(arm, bench),
        training_paid=training_price(arm, bench),
        by_token=settings.model.engine == "openai",
    )
    return reprice(replace(measurement, usage=usage), settings.prices, settings.needs)


def _words(stands: Mapping[Arm, Stand]) -> dict[str, str]:
    """Return the settings that mattered, in words. Of several base models, what differs is named for each."""
    bench = next(iter(stands.values())).bench
    settings, searching = bench.settings, with_tuned_models(bench.settings, bench.workspace)
    engines = {base_of(arm): stand.engine for arm, stand in stands.items()}
    forms = {base: engine.form for base, engine in engines.items() if engine.form}
    return {
        "model": words_for_each({base: _model_name(engine.settings) for base, engine in engines.items()}),
        "engine": words_for_each({base: _describe_engine(engine.settings) for base, engine in engines.items()}),
        **({"quantisation": words_for_each(forms)} if forms else {}),
        "embedder": embedder_name(searching),
        "retrieval": search_summary(searching),
        "training": describe_trainings(stands, settings, bench.workspace),
        "seeds": f"split {settings.splits.seed}, sampling {settings.model.seed}, measuring {settings.measure.seed}",
        "scoring": f"by content: rules, and a classifier that learnt from people, version {scorer_fingerprint()[:8]}",
        "prices": describe_prices(settings),
    }


def _model_name(model: ModelSettings) -> str:
    return model.reference if model.engine == "openai" else model.reference.rsplit("/", 1)[-1]


def _describe_engine(model: ModelSettings) -> str:
    sampling = "greedy" if model.temperature == 0 else f"temperature {model.temperature:g}"
    return f"{model.engine}, {sampling}, at most {model.maximum_tokens} tokens"


def describe_trainings(arms: Iterable[Arm], settings: Settings, workspace: Workspace) -> str:
    """Describe the training of the serving adapters. Its settings may differ from the present ones."""
    descriptions: dict[str, str] = {}
    for arm in arms:
        if shape_of(arm).tuned and (card := promoted_adapter(workspace, arm)) and not card.hosted:
            access = card.learnt.access
            note = f", answering only {access_words(access)} (the base model answers the others)" if access else ""
            descriptions[arm] = describe_training(TrainingSettings.model_validate(card.recipe)) + note
    usual = describe_training(settings.training)
    if len(set(descriptions.values())) <= 1:
        return next(iter(descriptions.values()), usual)
    return "; ".join(f"{arm}: {words}" for arm, words in descriptions.items())


def describe_training(training: TrainingSettings) -> str:
    """Describe a training in a few words: method, length, data and seed."""
    ranked = f" rank {training.rank}" if training.method in {"lora", "rslora", "dora", "qlora"} else ""
    parts = [f"{training.method}{ranked}", f"at most {training.epochs} epochs, learning rate {training.rate:g}"]
    parts += [f"on {training.on}"] if training.on != "answers" else []
    parts += [f"the upper {training.layers} blocks"] if training.layers else []
    parts += [f"then {training.preference.method}"] if training.preference.method != "none" else []
    return ", ".join((*parts, f"seed {training.seed}"))


def search_summary(settings: Settings) -> str:
    """Describe the search in a few words: its usual parts, and the settings that differ from the defaults."""
    chosen, usual = settings.retrieval, RetrievalSettings()
    names = ("weight", "feedback", "rewrite", "rerank", "diversity", "neighbours", "sections", "static")
    changed = {name: getattr(chosen, name) for name in names if getattr(chosen, name) != getattr(usual, name)}
    parts = [name if value is True else f"{name} {str(value).rsplit('/', 1)[-1]}" for name, value in changed.items()]
    return "; ".join(["BM25 and dense, fused", *parts, f"{chosen.limit} passages of {settings.chunks.tokens} tokens"])
