"""Make training examples of the user's documents, sift them, and keep what is good with an account of the rest."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from time import perf_counter

from weighbridge.dataset.synthesise.cached_model import CachedModel
from weighbridge.dataset.synthesise.filters import (
    Accepts,
    drop_ambiguous,
    drop_orphans,
    drop_repeated,
    drop_unfindable,
    drop_unfitting_answers,
    drop_ungrounded,
    limit_count,
    limit_unanswerable,
    make_form_filters,
)
from weighbridge.dataset.synthesise.made_file import read_source_texts, write_synthetic
from weighbridge.dataset.synthesise.nouns import Filter, FilterResult, SyntheticExample, apply_filters
from weighbridge.dataset.synthesise.repeats import (
    cache_vectors,
    drop_changed_meaning,
    drop_near_each_other,
    drop_near_examples,
    drop_near_held_out,
)
from weighbridge.dataset.synthesise.rules import make_by_rules
from weighbridge.dataset.synthesise.teacher import (
    QUESTIONS,
    Teacher,
    TeacherReplies,
    ask_for_near_misses,
    ask_for_questions,
    ask_for_wordings,
    drop_answerable,
    drop_inconsistent,
    wrap_own_example,
)
from weighbridge.errors import SettingsError, WorkspaceError
from weighbridge.evaluate.metrics.form import first_problem
from weighbridge.generate.openai import open_openai
from weighbridge.protocols import Model
from weighbridge.retrieve.index.build import IndexSource
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Chunk, Document, Passage, Question
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import open_engine, open_model
from weighbridge.wiring.offline import require_leave
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import index_source, open_computed_embedder
from weighbridge.workflow.make_examples_report import By, MakingReport, kind
from weighbridge.workspace import Workspace

MOST_DOCUMENTS = 5_000
"""Documents, drawn with the seed, that examples are made of."""
_REPLY_TOKENS = 200
_FEWEST_WORDS = 8
"""Of a chunk that a model is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many examples, and how they are to be made."""

    count: int = 200
    by: By = "rules"
    teacher: ModelSettings | None = None
    """The model that is asked; None: the base model of the settings."""
    seed: int = 7
    path: Path | None = None
    """Where they are written; None: made.jsonl in the workspace."""


@dataclass(frozen=True)
class _Sources:
    """What examples are made of: public documents, as they are cut, and the user's own examples."""

    bench: Bench
    wanted: Wanted
    reporter: Reporter

    @cached_property
    def sample(self) -> Sequence[Document]:
        every = self.bench.workload.documents
        if len(every) <= MOST_DOCUMENTS:
            return tuple(every)
        random = Random(self.wanted.seed)  # noqa: S311 - reproducible, and no secret
        return tuple(every[place] for place in sorted(random.sample(range(len(every)), MOST_DOCUMENTS)))

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        return tuple(document for document in self.sample if not document.groups)

    @cached_property
    def material(self) -> IndexSource:
        return index_source(self.documents, self.bench.settings, self.bench.embedder_folder)

    def chunks(self, count: int) -> list[Chunk]:
        """Return chunks that say something, drawn with the seed."""
        cut = [chunk for document in self.documents for chunk in self.material.cut(document)]
        long = [chunk for chunk in cut if len(chunk.text.split()) >= _FEWEST_WORDS]
        return Random(self.wanted.seed).sample(long, min(count, len(long)))  # noqa: S311 - reproducible, and no secret

    def own(self, count: int) -> list[SyntheticExample]:
        """Return public train examples, drawn with the seed, as questions to be reworded."""
        asked = [one for one in self.bench.workload.of("train") if not one.question.groups and not one.question.history]
        chosen = Random(self.wanted.seed).sample(asked, min(count, len(asked)))  # noqa: S311 - reproducible, no secret
        known = {document.id: document for document in self.documents}
        return [
            wrap_own_example(one, [known[name] for name in one.evidence], self.material.version)
            for one in chosen
            if all(name in known for name in one.evidence)
        ]


def make_examples(settings: Settings, workspace: Workspace, wanted: Wanted, reporter: Reporter) -> MakingReport:
    """Make examples, sift them and write what was kept, whole or not at all; restricted documents are not used.

    What a model says is kept in the workspace: the same call after an interruption asks only what is missing. Those
    that were made before and are trained on (`training.made`) are not looked at: they may be made again.

    Raises:
        SettingsError: the settings name no documents, or forbid that they are sent to the model that is to be asked.
        WorkspaceError: there is a file already where they are to be written.
        ModelError: the model that is asked fails each time.
    """
    if not settings.sources:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to make examples of; set documents:")
    if wanted.by != "rules":
        require_leave("what the documents say", wanted.teacher or settings.model, settings)
    path = wanted.path or workspace.root / "made.jsonl"
    if path.exists():
        raise WorkspaceError(f"{path}: is there already, perhaps edited; move it away, or write another (--out)")
    settings = settings.model_copy(update={"training": settings.training.model_copy(update={"made": None})})
    start = perf_counter()
    with workspace.lock(), ExitStack() as stack:
        sources = _Sources(open_bench(settings, workspace, reporter), wanted, reporter)
        asking = _open_teacher(settings, workspace, wanted, reporter, stack) if wanted.by != "rules" else None
        heard = _make(sources, asking)
        sifted = _filter(heard, sources, asking)
        if sifted.kept:
            write_synthetic(path, sifted.kept)
    return MakingReport(
        kept=sifted.kept,
        attrition=sifted.attrition,
        kinds=Counter(map(kind, sifted.kept)),
        path=path if sifted.kept else None,
        setting=_setting(path, workspace),
        task=sources.bench.workload.outline.task,
        by=wanted.by,
        documents=len(sources.documents),
        restricted=len(sources.sample) - len(sources.documents),
        seconds=perf_counter() - start,
    )


def _setting(path: Path, workspace: Workspace) -> str:
    own, root = path.resolve(), workspace.root.resolve()
    return str(own.relative_to(root) if own.is_relative_to(root) else own)


def _open_teacher(
    settings: Settings, workspace: Workspace, wanted: Wanted, reporter: Reporter, stack: ExitStack
) -> Teacher:
    chosen = wanted.teacher or settings.model
    model = chosen.model_copy(update={"maximum_tokens": _REPLY_TOKENS, "temperature": 0.0})
    workers = settings.measure.workers
    if wanted.teacher and model.engine == "openai":
        opened: Model = stack.enter_context(closing(open_openai(model, option="--teacher")))
    else:
        engine = open_engine(settings.model_copy(update={"model": model, "strategies": ("prompt",)}), reporter)
        opened = open_model(engine, engine.weights("prompt", workspace), workers=workers, stack=stack)
    kept = CachedModel(opened, workspace.state / "making" / "said.jsonl")
    return Teacher(model=kept, workers=workers, notify=reporter.notify)


def _make(sources: _Sources, asking: Teacher | None) -> TeacherReplies:
    """Make more than is wanted: by rules all that can be, by a model as much as is likely to be enough."""
    wanted, bench = sources.wanted, sources.bench
    made: list[SyntheticExample] = []
    unparsed = 0
    quotes = bench.workload.outline.task == "answer"
    if wanted.by != "model":
        made += make_by_rules(
            sources.documents,
            bench.workload.documents,
            version=sources.material.version,
            seed=wanted.seed,
            notify=sources.reporter.notify,
        )
    if asking:
        share = wanted.count if wanted.by == "model" else wanted.count // 2
        heard = [ask_for_questions(sources.chunks(share), asking)] if quotes else []
        firsts = _good(heard[0].made, sources)[: share // 2] if heard else []
        heard.append(ask_for_wordings([*firsts, *sources.own(share // 2)], asking))
        if quotes:
            heard.append(ask_for_near_misses(sources.chunks(max(share // (2 * QUESTIONS), 1)), asking))
        made += [one for part in heard for one in part.made]
        unparsed = sum(part.unparsed for part in heard)
    return TeacherReplies(tuple(made), unparsed)


def _good(made: Sequence[SyntheticExample], sources: _Sources) -> list[SyntheticExample]:
    """Return the questions that are worth asking for other wordings of."""
    texts = read_source_texts(sources.documents, made)
    return list(
        apply_filters(
            made, [*make_form_filters(), drop_ungrounded(texts), drop_unfitting_answers(texts), drop_repeated()]
        ).kept
    )


def _filter(heard: TeacherReplies, sources: _Sources, asking: Teacher | None) -> FilterResult:
    bench, wanted = sources.bench, sources.wanted
    settings = bench.settings
    train = bench.workload.of("train")
    embedder = open_computed_embedder(settings, bench.embedder_folder)
    embed = cache_vectors(lambda texts: embedder.embed(list(texts), kind="query"))
    threshold = settings.splits.similarity
    texts = read_source_texts(sources.documents, heard.made)

    def search(text: str) -> Sequence[Passage]:
        return bench.parts.retriever.search(Question(text), limit=bench.parts.limit)

    filters: list[Filter] = [
        *make_form_filters(_accepts(bench)),
        drop_ungrounded(texts),
        drop_unfitting_answers(texts),
        drop_repeated(),
        drop_ambiguous(),
        drop_changed_meaning(
            {one.id: one.question for one in heard.made} | {one.id: one.question.text for one in train}, embed
        ),
        drop_near_held_out((*bench.workload.of("test"), *bench.workload.of("dev")), embed, threshold),
        drop_near_examples(train, embed, threshold),
        drop_near_each_other(embed, threshold),
        drop_unfindable(search, sources.reporter.notify),
        *([drop_inconsistent(texts, asking), drop_answerable(search, asking)] if asking else []),
        drop_orphans({example.family or example.id for example in train}),
        limit_unanswerable(wanted.count, wanted.seed),
        limit_count(wanted.count, wanted.seed),
    ]
    return apply_filters(heard.made, filters, unparsed=heard.unparsed)


def _accepts(bench: Bench) -> Accepts | None:
    """Return what tells an answer of this task from others; None where any short text is one."""
    task, choices, schema = bench.workload.outline.task, bench.workload.outline.choices, bench.workload.schema
    if task == "answer":
        return None
    if task == "label":
        labels = {choice.casefold() for choice in choices}
        return lambda answer: answer.casefold() in labels

    def is_json(answer: str) -> bool:
        try:
            value = json.loads(answer)
        except ValueError:
            return False
        return isinstance(value, dict) and not first_problem(value, schema)

    return is_json
