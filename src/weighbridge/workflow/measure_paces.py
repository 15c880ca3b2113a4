"""Measures the paces that an estimate is made of: embedding, answering, training, each for a few seconds."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from time import perf_counter

from weighbridge.answer.build import Parts, build, build_own, shape_of
from weighbridge.answer.demonstrations import nearest
from weighbridge.arms import strategy_of
from weighbridge.dataset.examples import infer_task, load_examples
from weighbridge.errors import WeighbridgeError
from weighbridge.evaluate.timing import peak_memory_bytes
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, Embedder, Model, Strategy
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.settings.schema import ARMS, Arm, Settings
from weighbridge.train.data.conversations import conversation
from weighbridge.train.data.tokens import encode
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Answer, Chunk, Document, Example, Passage, Progress, Question
from weighbridge.wiring.documents import read_sources
from weighbridge.wiring.engines import Engine, Weights, open_model
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import fetch_embedder, index_source, open_computed_embedder
from weighbridge.wiring.workload import answer_choices
from weighbridge.workflow.reckon import Paces, TrainingPace
from weighbridge.workspace import Workspace

_ASKED = 4
"""Questions of each arm to answer: two for each of two workers, so that both are busy at the same time."""
_EMBEDDED = 96
"""Chunks to embed: three batches, after one that is not timed."""
_STEPS, _ROWS = 4, 4
"""Training steps, the first not timed, and examples of each."""
_SAMPLE = 200
"""Documents to cut, spread over all; the number of chunks is scaled by characters."""


@dataclass(frozen=True, slots=True)
class SampledPassages:
    """A `Retriever` that returns some chunks, whatever is asked: prompts of the usual length without an index."""

    chunks: tuple[Chunk, ...]
    fingerprint: str = "sampled"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        start = len(question.text) % max(1, len(self.chunks) - limit)
        return [Passage(chunk=chunk, score=1.0) for chunk in self.chunks[start : start + limit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSample:
    """What is measured on."""

    settings: Settings
    examples: tuple[Example, ...]
    parts: Parts
    documents: int
    chunks: tuple[Chunk, ...]
    """Of some documents, spread over all."""
    total_chunks: int
    reading_seconds: float
    embedder: Embedder


def open_sample(settings: Settings, workspace: Workspace, reporter: Reporter) -> EstimateSample:
    """Read documents and examples, and make parts that build prompts of the usual length."""
    assert settings.examples is not None  # noqa: S101 - refused above
    folder = fetch_embedder(settings)
    embedder = open_computed_embedder(settings, folder)
    start = perf_counter()
    documents: Sequence[Document] = read_sources(settings, workspace, reporter) if settings.sources else ()
    examples = load_examples(settings.examples).examples
    reading = perf_counter() - start
    step = max(1, len(documents) // _SAMPLE)
    cut = index_source(documents, settings, folder).cut
    shown = documents[::step]
    every = [chunk for document in shown for chunk in cut(document)]
    chunks = tuple(chunk for chunk in every if not chunk.groups)
    share = sum(len(one.text) for one in documents) / max(1, sum(len(one.text) for one in shown))
    task = infer_task(examples).task if settings.task == "auto" else settings.task
    public = [example for example in examples if not example.question.groups] or list(examples)
    taught = tuple(replace(example, split="train") for example in public[:64])
    shows = any(shape_of(arm).shows for arm in settings.arms)
    parts = Parts(
        task=task,
        about=settings.instructions,
        choices=answer_choices(task, examples, None),
        retriever=SampledPassages(chunks),
        demonstrations=nearest(taught, embedder, count=settings.measure.demonstrations) if shows else NONE,
        limit=settings.retrieval.limit,
        quotes=settings.training.raft.quotes,
    )
    return EstimateSample(
        settings=settings,
        examples=examples,
        parts=parts,
        documents=len(documents),
        chunks=chunks,
        total_chunks=round(len(every) * share),
        reading_seconds=reading,
        embedder=embedder,
    )


def measure_paces(sample: EstimateSample, engine: Engine, reporter: Reporter) -> Paces:
    """Measure every pace of a workload: about a minute for a model of 0.1 billion parameters, with its trainings."""
    tuned = [arm for arm in sample.settings.strategies if is_trained_here(arm, engine)]
    chunk_seconds = _time_chunks(sample)
    indexing = peak_memory_bytes()
    start = perf_counter()
    with ExitStack() as stack:
        model = open_model(engine, Weights(engine.served), workers=sample.settings.measure.workers, stack=stack)
        loading = perf_counter() - start
        asked = {arm: _ask(arm, sample, model, reporter) for arm in sample.settings.strategies}
        answering = peak_memory_bytes()
    own = {arm for arm in asked if strategy_of(arm) not in ARMS}
    answers = {arm: found.answers for arm, found in asked.items() if found.answers and arm not in own}
    told = [answer for found in answers.values() for answer in found]
    reading = sum(answer.timing.first_token - answer.timing.retrieval for answer in told)
    writing = sum(answer.timing.total - answer.timing.first_token for answer in told)
    training = {arm: _train(arm, sample, engine, reporter) for arm in tuned}
    # A tuned arm writes answers like those it learnt, and the base model here does not.
    taught = fmean(len(e.answers[0].encode()) / 4 + 3 if e.answers else 6 for e in sample.examples)
    return Paces(
        prompt_tokens_per_second=sum(answer.usage.input_tokens for answer in told) / max(reading, 1e-6),
        answer_tokens_per_second=sum(max(1, answer.usage.output_tokens) for answer in told) / max(writing, 1e-6),
        model_seconds=loading,
        process_seconds=loading + _time_process(),
        reading_seconds=sample.reading_seconds,
        chunks=sample.total_chunks,
        chunk_seconds=chunk_seconds,
        prompt_tokens={arm: fmean(a.usage.input_tokens for a in found) for arm, found in answers.items()},
        answer_tokens={
            arm: taught if shape_of(arm).tuned else fmean(a.usage.output_tokens for a in found)
            for arm, found in answers.items()
        },
        training=training,
        answer_seconds={arm: asked[arm].seconds for arm in own if asked[arm].answers},
        unknown={arm: found.failure for arm, found in asked.items() if not found.answers},
        indexing_bytes=indexing,
        answering_bytes=answering,
        training_bytes=peak_memory_bytes() if training else 0,
    )


def is_trained_here(arm: Arm, engine: Engine) -> bool:
    """Tell whether an arm is tuned, and on this machine."""
    return shape_of(arm).tuned and engine.base is not None


def _time_chunks(sample: EstimateSample) -> float:
    """Return the seconds to embed a chunk; the first batch loads the model and is not timed."""
    texts = [searchable_text(chunk) for chunk in sample.chunks[: 2 * _EMBEDDED : 2] or sample.chunks]
    if not texts:
        return 0.0
    sample.embedder.embed(texts[:8], kind="document")
    start = perf_counter()
    sample.embedder.embed(texts, kind="document")
    return (perf_counter() - start) / len(texts)


def _time_process() -> float:
    """Return the seconds until a fresh process has loaded the libraries that answer."""
    start = perf_counter()
    code = "import weighbridge.workflow.ask, weighbridge.generate.llamacpp, numpy, faiss, xllamacpp"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)  # noqa: S603 - our own code
    return perf_counter() - start


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The answers of an arm to a few questions, and the mean seconds of one."""

    answers: tuple[Answer, ...]
    seconds: float
    failure: str
    """Why there are none; empty where there are."""


def _ask(arm: Arm, sample: EstimateSample, model: Model, reporter: Reporter) -> _Asked:
    """Let the base model answer a few questions of an arm, as many at once as the comparison will."""
    from concurrent.futures import ThreadPoolExecutor

    step = max(1, len(sample.examples) // _ASKED)
    asked = [example.question for example in sample.examples[::step][:_ASKED]]

    def answer(question: Question) -> tuple[Answer | None, float, str]:
        start = perf_counter()
        try:
            return strategy.answer(question), perf_counter() - start, ""
        except Exception as error:  # noqa: BLE001 - a strategy may be the user's own code: the others go on
            return None, 0.0, str(error) or type(error).__name__

    try:
        own = strategy_of(arm) not in ARMS
        strategy: Strategy = build_own(arm, sample.parts, lambda: model) if own else build(arm, sample.parts, model)
    except WeighbridgeError as error:
        return _Asked(answers=(), seconds=0.0, failure=str(error))
    with ThreadPoolExecutor(sample.settings.measure.workers) as pool:
        found = list(pool.map(answer, asked))
    reporter.notify(Progress(task=f"measuring {arm}", done=1, total=1))
    answers = tuple(given for given, _, _ in found if given is not None)
    failures = [problem for _, _, problem in found if problem]
    return _Asked(
        answers=answers,
        seconds=sum(seconds for _, seconds, _ in found) / max(1, len(answers)),
        failure="" if answers else f"no estimate: none of {len(asked)} questions was answered ({failures[0]})",
    )


def _train(arm: Arm, sample: EstimateSample, engine: Engine, reporter: Reporter) -> TrainingPace:
    """Take a few training steps of an arm in a folder that is deleted, and answer some dev questions."""
    from weighbridge.train.supervised.generate import Say
    from weighbridge.train.supervised.train import Job, train_supervised

    assert engine.base is not None  # noqa: S101 - asked before
    settings = sample.settings
    strategy = build(arm, sample.parts, Scripted())
    public = [replace(example, split="train") for example in sample.examples if not example.question.groups]
    taught = public[:: max(1, len(public) // (_STEPS * _ROWS))][: _STEPS * _ROWS]
    tokenizer = load_tokenizer(engine.base)
    rows = [encode(tokenizer, conversation(strategy, example)) for example in taught]
    prompts = [strategy.prompt_for(example.question).messages for example in taught[:8]]
    once = settings.training.model_copy(update={"epochs": 1, "batch_size": _ROWS, "seconds": None}).with_rate
    recipe = Recipe(base=engine.base, training=once, model=settings.model)
    times: dict[int, float] = {}
    dev = 0.0

    def note(step: Progress) -> None:
        if step.task == "training":
            times.setdefault(step.done, perf_counter())
        reporter.notify(replace(step, task=f"measuring the training of {arm}"))

    def validate(say: Say) -> float:
        nonlocal dev
        start = perf_counter()
        say(prompts)
        dev = (perf_counter() - start) / len(prompts)
        return 0.0

    start = perf_counter()
    with TemporaryDirectory(prefix="weighbridge-") as folder:
        train_supervised(Job(encoded=rows, folder=Path(folder), recipe=recipe, validate=validate, notify=note))
    tokens = [len(row.tokens) for row in rows]
    # The steps are taken in another order than the rows, so all have the mean length; the first one warms up.
    timed = (len(times) - 2) * _ROWS * fmean(tokens)
    taken = times[max(times) - 1 if len(times) > _STEPS else max(times)] - times[1]
    return TrainingPace(
        load_seconds=times[0] - start,
        row_tokens=fmean(tokens),
        tokens_per_second=timed / max(taken, 1e-6),
        dev_seconds=dev,
    )
