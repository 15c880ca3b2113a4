"""Makes training examples from the user's documents, filters them, and counts the losses by reason."""

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
"""Examples are made from so many documents at most, drawn with the seed."""
_REPLY_TOKENS = 200
"""Room for a few questions with short answers. Answers of service are shorter, so their limit is too small here."""
_FEWEST_WORDS = 8
"""A chunk with fewer words says too little for a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The number of examples, and the way to make them."""

    count: int = 200
    by: By = "rules"
    teacher: ModelSettings | None = None
    """The model that writes questions; None: the first base model of the settings."""
    seed: int = 7
    path: Path | None = None
    """The file to write; None: made.jsonl in the workspace."""


@dataclass(frozen=True)
class _Sources:
    """The sources of examples: public documents with their chunks, and the user's own examples."""

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
        """Return chunks with enough words, drawn with the seed."""
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
    """Make examples, filter them, and write the good ones atomically. Restricted documents are not used.

    The workspace keeps the replies of a model, so a call after an interruption asks only the missing questions.
    Examples that `training.made` already names do not count as repeats: they may be made again.

    Raises:
        SettingsError: the settings name no documents, or forbid sending them to the model.
        WorkspaceError: the file to write exists already.
        ModelError: the model fails each time.
    """
    if not settings.sources:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to make examples of; set documents:")
    if wanted.by != "rules":
        require_leave("what the documents say", wanted.teacher or settings.by_base[0].model, settings)
    path = wanted.path or workspace.root / "made.jsonl"
    if path.exists():
        raise WorkspaceError(f"{path}: is there already, perhaps edited; move it away, or write another (--out)")
    settings = settings.model_copy(update={"training": settings.training.model_copy(update={"made": None})})
    start = perf_counter()
    with workspace.lock(), ExitStack() as stack:
        sources = _Sources(open_bench(settings, workspace, reporter), wanted, reporter)
        asking = _open_teacher(settings, workspace, wanted, reporter, stack) if wanted.by != "rules" else None
        replies = _make(sources, asking)
        result = _filter(replies, sources, asking)
        if result.kept:
            write_synthetic(path, result.kept)
    own, root = path.resolve(), workspace.root.resolve()
    return MakingReport(
        kept=result.kept,
        attrition=result.attrition,
        kinds=Counter(map(kind, result.kept)),
        path=path if result.kept else None,
        setting=str(own.relative_to(root) if own.is_relative_to(root) else own),
        task=sources.bench.workload.outline.task,
        by=wanted.by,
        documents=len(sources.documents),
        restricted=len(sources.sample) - len(sources.documents),
        seconds=perf_counter() - start,
    )


def _open_teacher(
    settings: Settings, workspace: Workspace, wanted: Wanted, reporter: Reporter, stack: ExitStack
) -> Teacher:
    chosen = wanted.teacher or settings.by_base[0].model
    model = chosen.model_copy(update={"maximum_tokens": _REPLY_TOKENS, "temperature": 0.0})
    workers = settings.measure.workers
    if wanted.teacher and model.engine == "openai":
        opened: Model = stack.enter_context(closing(open_openai(model, option="--teacher")))
    else:
        alone = settings.model_copy(update={"models": (), "model": model, "strategies": ("prompt",)})
        engine = open_engine(alone, reporter)
        opened = open_model(engine, engine.weights("prompt", workspace), workers=workers, stack=stack)
    kept = CachedModel(opened, workspace.state / "making" / "said.jsonl")
    return Teacher(model=kept, workers=workers, notify=reporter.notify)


def _make(sources: _Sources, asking: Teacher | None) -> TeacherReplies:
    """Make more examples than asked for, because filters drop many. Rules make all they can, a model a share."""
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
        replies = [ask_for_questions(sources.chunks(share), asking)] if quotes else []
        firsts = _good(replies[0].made, sources)[: share // 2] if replies else []
        replies.append(ask_for_wordings([*firsts, *sources.own(share // 2)], asking))
        if quotes:
            replies.append(ask_for_near_misses(sources.chunks(max(share // (2 * QUESTIONS), 1)), asking))
        made += [one for part in replies for one in part.made]
        unparsed = sum(part.unparsed for part in replies)
    return TeacherReplies(tuple(made), unparsed)


def _good(made: Sequence[SyntheticExample], sources: _Sources) -> list[SyntheticExample]:
    """Return the questions that are good enough to ask a model for other wordings."""
    texts = read_source_texts(sources.documents, made)
    return list(
        apply_filters(
            made, [*make_form_filters(), drop_ungrounded(texts), drop_unfitting_answers(texts), drop_repeated()]
        ).kept
    )


def _filter(replies: TeacherReplies, sources: _Sources, asking: Teacher | None) -> FilterResult:
    bench, wanted = sources.bench, sources.wanted
    settings = bench.settings
    train = bench.workload.of("train")
    embedder = open_computed_embedder(settings, bench.embedder_folder)
    embed = cache_vectors(lambda texts: embedder.embed(list(texts), kind="query"))
    threshold = settings.splits.similarity
    texts = read_source_texts(sources.documents, replies.made)

    def search(text: str) -> Sequence[Passage]:
        return bench.parts.retriever.search(Question(text), limit=bench.parts.limit)

    # Cheap filters come first. The last ones need a search or a model for each example that is left.
    filters: list[Filter] = [
        *make_form_filters(_accepts(bench)),
        drop_ungrounded(texts),
        drop_unfitting_answers(texts),
        drop_repeated(),
        drop_ambiguous(),
        drop_changed_meaning(
            {one.id: one.question for one in replies.made} | {one.id: one.question.text for one in train}, embed
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
    return apply_filters(replies.made, filters, unparsed=replies.unparsed)


def _accepts(bench: Bench) -> Accepts | None:
    """Return a test of answers for this task; None if any short text is an answer."""
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
