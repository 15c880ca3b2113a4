"""Estimates how long a comparison will take and how much memory, from a short measurement and what is stored already.

The documents are read (the run reads them again from the cache), some chunks are embedded, a few questions of each arm
are answered by the base model, and if a tuned arm is asked for, a few training steps are taken. Nothing is trained,
answered or indexed for good. The workspace keeps the paces, so that the next estimate of the same settings is instant,
and the speed of the model is kept for this machine.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from weighbridge.answer.build import shape_of
from weighbridge.arms import base_of
from weighbridge.errors import SettingsError
from weighbridge.evaluate.ledger import load
from weighbridge.evaluate.run import record_key
from weighbridge.fingerprint import fingerprint
from weighbridge.machine import ModelSpeed, save_model_speed
from weighbridge.models import file_fingerprint, find_local, find_model, machine_memory
from weighbridge.settings.schema import Arm, Settings
from weighbridge.train.registry import promoted_adapter
from weighbridge.types import Example
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import Engine, open_engines
from weighbridge.wiring.index import index_is_current
from weighbridge.wiring.opening import open_arm
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import fetch_embedder
from weighbridge.wiring.workload import applied_caps, read_outline
from weighbridge.workflow.compare import records_under_other_names, test_questions, timed_questions
from weighbridge.workflow.endpoint_check import choose_prices, is_endpoint, require_endpoint
from weighbridge.workflow.measure_paces import EstimateSample, is_trained_here, measure_paces, open_sample
from weighbridge.workflow.memory import measured_warnings
from weighbridge.workflow.reckon import EstimatedPrice, Paces, ReckonedBase, RemainingWork, RunEstimate, reckon_steps
from weighbridge.workspace import Workspace, load_json, write_json

_BYTES_A_SECOND = 10e6
"""Of a download: a tenth of a gigabit line. A network is not measured."""


def estimate_run(settings: Settings, workspace: Workspace, reporter: Reporter) -> RunEstimate:
    """Return the seconds and the memory of every step that `compare` would take now, on each base model.

    Raises:
        SettingsError: there are no examples, or a model is not on this machine yet.
    """
    if settings.examples is None:
        raise SettingsError(f"{workspace.settings_file}: there are no examples to weigh strategies on; set examples:")
    _require_models(settings)
    for one in settings.by_base:
        if is_endpoint(one.model):
            require_endpoint(one.model)
    with workspace.lock():
        engines = open_engines(settings, reporter)
        sample = open_sample(settings, workspace, reporter)
        samples = [replace(sample, settings=one) for one in settings.by_base]
        file = workspace.state / "estimate.json"
        paces, measured = _paces(samples, engines, file, reporter)
        examples, bench = _split_examples(sample, workspace, reporter)
        caps = applied_caps(
            settings,
            examples,
            documents=sample.documents,
            embedder=fetch_embedder(settings),
        )
        bases = [
            ReckonedBase(settings=one, paces=pace, work=_work_left(one, engine, examples, bench, workspace))
            for one, engine, pace in zip(settings.by_base, engines, paces, strict=True)
        ]
        steps = tuple(reckon_steps(bases))
    warnings = tuple(measured_warnings(steps, settings, engines, machine_memory()))
    prices = tuple(price for base in bases for price in _prices(base, workspace))
    return RunEstimate(steps=steps, caps=caps, measured=measured, warnings=warnings, prices=prices)


def _prices(base: ReckonedBase, workspace: Workspace) -> Iterator[EstimatedPrice]:
    """Yield the price of each arm of a base model at an endpoint: of its questions, and of those that are timed."""
    if not is_endpoint(base.settings.model):
        return
    prices, paces = choose_prices(base.settings, workspace), base.paces
    for arm, questions in base.work.questions.items():
        asked = questions + base.work.timed[arm]
        if asked and arm in paces.prompt_tokens:
            yield prices.of(arm, asked, tokens=(paces.prompt_tokens[arm], paces.answer_tokens[arm]), longest=False)


def _paces(
    samples: Sequence[EstimateSample], engines: Sequence[Engine], file: Path, reporter: Reporter
) -> tuple[Sequence[Paces], str]:
    """Return the paces of each base model, and how they were found. What is measured is kept in a file."""
    kept: Any = load_json(file)
    kept = kept if isinstance(kept, dict) else {}
    keys = [_key(sample.settings, engine, sample) for sample, engine in zip(samples, engines, strict=True)]
    found, measured = [], "kept from an earlier estimate of these settings"
    for key, sample, engine in zip(keys, samples, engines, strict=True):
        paces = _read_paces(kept.get(key))
        if paces is None:
            base = base_of(sample.settings.strategies[0])
            what = "some chunks, some questions" + (", some training steps" if engine.base else "")
            reporter.say(f"Measuring{f' {base}' if base else ''}: {what}")
            paces = measure_paces(sample, engine, reporter)
            measured = "measured just now, under the load of this moment"
            kept[key] = asdict(paces)
            write_json(file, {known: kept[known] for known in keys if known in kept})
            _keep_speed(paces, engine)
        found.append(paces)
    return found, measured


def _require_models(settings: Settings) -> None:
    """Refuse to fetch: an estimate comes before that. The advice tells the size where it is known."""
    models = [one.model for one in settings.by_base]
    wanted = [] if settings.retrieval.embedder.startswith("openai:") else [settings.retrieval.embedder]
    wanted += [model.reference for model in models if model.engine != "scripted" and not is_endpoint(model)]
    if missing := [reference for reference in wanted if find_local(reference) is None]:
        known = [model for reference in missing if (model := find_model(reference))]
        size = sum(model.download_bytes for model in known)
        told = f" ({size / 1e6:,.0f} MB, about {size / _BYTES_A_SECOND / 60:.0f} minutes at 10 MB/s)" if size else ""
        raise SettingsError(
            f"{', '.join(missing)}: not on this machine yet{told}, so nothing can be measured; fetch with: "
            f"weighbridge models fetch {' '.join(missing)}"
        )


def _key(settings: Settings, engine: Engine, sample: EstimateSample) -> str:
    """Return the fingerprint of all that the paces depend on."""
    groups = ("model", "chunks", "retrieval", "instructions", "strategies", "training")
    told = settings.model_dump(mode="json", include=set(groups))
    served = file_fingerprint(engine.served) if engine.served and engine.served.is_file() else ""
    workers = settings.measure.workers, settings.measure.demonstrations
    return fingerprint("estimate 1", told, workers, served, sample.total_chunks, [e.id for e in sample.examples])


def _read_paces(kept: Any) -> Paces | None:
    with suppress(ValidationError):
        return TypeAdapter(Paces).validate_python(kept)
    return None


def _keep_speed(paces: Paces, engine: Engine) -> None:
    """Keep the speed of the model for this machine, where its file tells it from others."""
    if engine.served is None or not engine.served.is_file() or not paces.prompt_tokens:
        return
    save_model_speed(
        ModelSpeed(
            model=file_fingerprint(engine.served),
            engine=engine.settings.engine,
            prompt_tokens_per_second=paces.prompt_tokens_per_second,
            answer_tokens_per_second=paces.answer_tokens_per_second,
            peak_bytes=paces.answering_bytes,
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    )


def _split_examples(
    sample: EstimateSample, workspace: Workspace, reporter: Reporter
) -> tuple[tuple[Example, ...], Bench | None]:
    """Return the examples with their split, and the bench if the documents are indexed already."""
    if index_is_current(sample.settings, workspace) and read_outline(workspace):
        # Opening takes seconds now: documents, split and vectors are kept.
        bench = open_bench(sample.settings, workspace, reporter)
        return bench.workload.examples, bench
    return _split_by_shares(sample.examples, sample.settings), None


def _work_left(
    settings: Settings, engine: Engine, examples: Sequence[Example], bench: Bench | None, workspace: Workspace
) -> RemainingWork:
    """Return what is stored nowhere yet of the work on one base model."""
    asked = test_questions([example for example in examples if example.split == "test"], settings)
    learnt = sum(e.split == "train" and e.question.groups <= settings.training.learnable_groups for e in examples)
    tuned = [arm for arm in settings.strategies if is_trained_here(arm, engine)]
    missing = [arm for arm in tuned if not _has_adapter(arm, settings, engine, bench, workspace)]
    train = dict.fromkeys(missing, min(learnt, settings.training.maximum_examples))
    questions = {
        arm: len(asked) if arm in train else len(asked) - _count_answers(arm, asked, bench, engine)
        for arm in settings.strategies
    }
    wanted = len(timed_questions(asked, settings))
    timed = {arm: 0 if not left and workspace.latency(arm).exists() else wanted for arm, left in questions.items()}
    dev = sum(example.split == "dev" for example in examples)
    return RemainingWork(
        indexed=bench is not None,
        train=train,
        hosted={
            arm: promoted_adapter(workspace, arm) is None
            for arm in settings.strategies
            if shape_of(arm).tuned and arm not in tuned
        },
        dev=min(dev, settings.training.dev_examples),
        questions=questions,
        timed=timed,
    )


def _split_by_shares(examples: Sequence[Example], settings: Settings) -> tuple[Example, ...]:
    """Return the examples with splits of the sizes that the real split aims at."""
    test = round(settings.splits.test * len(examples))
    dev = round(settings.splits.dev * len(examples))
    return (
        *(replace(example, split="test") for example in examples[:test]),
        *(replace(example, split="dev") for example in examples[test : test + dev]),
        *(replace(example, split="train") for example in examples[test + dev :]),
    )


def _has_adapter(arm: Arm, settings: Settings, engine: Engine, bench: Bench | None, workspace: Workspace) -> bool:
    """Tell whether the serving adapter of an arm is of these settings, this split and this base model."""
    card = promoted_adapter(workspace, arm)
    if card is None or engine.base is None or card.base_fingerprint != engine.base.fingerprint:
        return False
    if bench is not None and card.learnt.split != bench.workload.outline.key:
        return False
    return bool(card.recipe == settings.training.with_rate.model_dump(mode="json"))


def _count_answers(arm: Arm, asked: Sequence[Example], bench: Bench | None, engine: Engine) -> int:
    """Return how many questions have a stored answer of the strategy as it is now."""
    if bench is None:
        return 0
    path = bench.workspace.records(arm)
    stored = {**records_under_other_names(arm, path, bench.workspace), **load(path)}
    if not stored:
        return 0
    with ExitStack() as stack:
        identity = open_arm(arm, bench.parts, engine, bench.workspace, workers=1, stack=stack).fingerprint
    keys = [record_key(identity, example, bench.settings.measure.seed) for example in asked]
    return sum(key in stored and stored[key].answer is not None for key in keys)
