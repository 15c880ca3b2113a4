"""Tunes the embedder or the reranker, and keeps the result only if the whole search improves with confidence.

The search is measured as it would be served: indexed again with the tuned embedder, or reranked by the tuned reranker.
It is compared with the present search and its promoted models. An embedder always starts from that of the settings, a
reranker from the present embedder. Tune the embedder first, because a reranker works only with the embedder that it was
tuned for.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from weighbridge.checks.retrieval import FEWEST, RetrievalVerdict, judge_retrieval, revert_undecided
from weighbridge.errors import SettingsError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Retriever
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.settings.schema import Settings
from weighbridge.train.retriever.contrastive import RetrieverRecipe, Tuned
from weighbridge.train.retriever.embedder import tune_embedder
from weighbridge.train.retriever.negatives import Contrast, Mine, Mined, mine
from weighbridge.train.retriever.pairs import RetrievalPairs
from weighbridge.train.retriever.reranker import tune_reranker
from weighbridge.types import Document
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import embedder_name, open_local_embedder
from weighbridge.wiring.tuned_retrievers import (
    RetrieverCard,
    Which,
    promote_retriever,
    promoted_embedder,
    read_retriever_card,
    tuned_models_in_use,
    with_retrieval,
    with_tuned_models,
    write_retriever_card,
)
from weighbridge.wiring.workload import open_workload
from weighbridge.workflow.training.retriever_data import Division, divide_examples, pairs_of, with_made
from weighbridge.workflow.training.retriever_judges import embedder_judge, reranker_judge
from weighbridge.workflow.training.trial_index import TrialSearch, search_aside, search_in_workspace
from weighbridge.workspace import Workspace

_FORMAT = 1
"""Part of the fingerprint. It grows when a change of the code makes old tunings incomparable."""
_RATES: Mapping[Which, float] = {"embedder": 2e-5, "reranker": 5e-5}
_NEGATIVES: Mapping[Which, int] = {"embedder": 2, "reranker": 3}
"""Wrong texts beside each pair. An embedder also learns from the other texts of its batch, so it needs fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lessons:
    """The division of the questions, the training pairs, and their wrong texts."""

    division: Division
    pairs: RetrievalPairs
    mined: Mined

    @property
    def contrasts(self) -> Sequence[Contrast]:
        return self.mined.contrasts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searches:
    start: TrialSearch
    """The search with the model that the tuning starts from. It mines negatives and judges epochs."""
    served: Retriever
    """The present search with its promoted models. The tuned one must be better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One tuning."""

    which: Which
    settings: Settings
    """The user's own, without promoted models."""
    workspace: Workspace
    documents: Sequence[Document]
    searches: _Searches
    against: tuple[str, ...]
    """The promoted models, by kind and id."""
    lessons: _Lessons
    recipe: RetrieverRecipe
    fingerprint: str
    """Fingerprint of the base, the pairs, the questions, the recipe, and the search that it starts from."""

    @property
    def base(self) -> str:
        return file_fingerprint(self.searches.start.folder / WEIGHTS)

    @property
    def folder(self) -> Path:
        return self.workspace.adapter(self.which, self.fingerprint[:12])

    @property
    def name(self) -> str:
        """The name of the model's folder, also in reports."""
        return f"{embedder_name(self.settings)}-{'tuned' if self.which == 'embedder' else 'reranker'}"


def tune_retriever(which: Which, settings: Settings, workspace: Workspace, reporter: Reporter) -> RetrieverCard:
    """Tune the embedder or a reranker on this workload, measure the search with it, and promote it if it is better.

    A better model is used for the index at once. Otherwise the present one stays.

    A tuning that was finished before returns its card, and a killed one continues. If the present search is not the one
    of a card's comparison, the comparison runs again. Nothing is trained if too few questions name their evidence for a
    verdict.

    Raises:
        SettingsError: the settings name no documents.
        MissingExtraError: sentence-transformers is not installed.
        TrainingError: there is too little to learn from, or training failed.
        WorkspaceError: the workspace is in use, or cannot be written.
    """
    if not settings.sources:
        raise SettingsError(f"{workspace.settings_file}: there are no documents to search; set documents:")
    started = perf_counter()
    with workspace.lock(), _task(which, settings, workspace, reporter) as task:
        card = read_retriever_card(task.folder)
        name = f"{which} {task.folder.name}"
        if card is None or (name not in task.against and card.against != task.against):
            card = _train_and_judge(task, reporter, started)
            write_retriever_card(card, task.folder)
        if card.verdict.kept:
            promote_retriever(card, workspace)
            search_in_workspace(task.documents, with_tuned_models(settings, workspace), workspace, reporter)
        sentences = tuple(_describe_outcome(card, task))
    for sentence in sentences:
        reporter.say(sentence)
    return card


def _describe_outcome(card: RetrieverCard, task: _Task) -> Iterator[str]:
    """Yield the verdict of a tuning, and its consequence for the other model of the search."""
    own = [] if any(name.startswith("embedder") for name in card.against) else ["the embedder of the settings"]
    named = " and ".join((*own, *(f"the tuned {name}" for name in card.against)))
    yield card.verdict.sentence
    if card.model:
        yield f"Before was the search with {named}"
    if card.which == "embedder" and card.verdict.kept:
        yield from (
            f"The tuned {name} was made for the embedder before, and is not used any more; tune it again: weighbridge "
            "train reranker"
            for name in set(task.against) - set(tuned_models_in_use(task.workspace, task.settings))
            if name.startswith("reranker")
        )


@contextmanager
def _task(which: Which, settings: Settings, workspace: Workspace, reporter: Reporter) -> Iterator[_Task]:
    own = open_local_embedder(settings, f"tuning the {which}", reporter)
    workload = open_workload(settings, workspace, own, reporter)
    splits, training = settings.splits, settings.training
    division = divide_examples(workload.given_examples, own, similarity=splits.similarity, seed=splits.seed)
    if made := [example for example in workload.examples if example.id in workload.spans]:
        division = with_made(division, made, own, similarity=splits.similarity)
    reporter.say(f"Tuning the {which}: {division.sentence}")
    recipe = RetrieverRecipe(
        epochs=training.epochs,
        learning_rate=_RATES[which],
        seed=training.seed,
        seconds=training.seconds,
        precision=None if settings.retrieval.precision == "auto" else settings.retrieval.precision,
    )
    with _searches(which, settings, workspace, workload.documents, reporter) as searches:
        lessons = _lessons(which, division, searches.start, training.seed, reporter)
        yield _Task(
            which=which,
            settings=settings,
            workspace=workspace,
            documents=workload.documents,
            searches=searches,
            against=tuned_models_in_use(workspace, settings),
            lessons=lessons,
            recipe=recipe,
            fingerprint=_fingerprint(which, searches.start, lessons, recipe),
        )


def _fingerprint(which: Which, search: TrialSearch, lessons: _Lessons, recipe: RetrieverRecipe) -> str:
    division, base = lessons.division, file_fingerprint(search.folder / WEIGHTS)
    asked = [[(e.id, e.question.text, e.evidence) for e in side] for side in (division.choosing, division.deciding)]
    learnt = [asdict(one) for one in lessons.contrasts]
    return fingerprint(_FORMAT, which, base, search.retriever.fingerprint, asked, learnt, recipe.without_time_limit)


@contextmanager
def _searches(
    which: Which, settings: Settings, workspace: Workspace, documents: Sequence[Document], reporter: Reporter
) -> Iterator[_Searches]:
    now = search_in_workspace(documents, with_tuned_models(settings, workspace), workspace, reporter)
    if which == "embedder" and promoted_embedder(workspace, settings):
        with search_aside(documents, settings, workspace.adapters(which), reporter) as own:
            yield _Searches(start=own, served=now.retriever)
    else:
        own = replace(now, settings=with_retrieval(now.settings, {"rerank": settings.retrieval.rerank}))
        yield _Searches(start=own, served=now.retriever)


def _lessons(which: Which, division: Division, search: TrialSearch, seed: int, reporter: Reporter) -> _Lessons:
    if not division.decidable:
        nothing = Mined(contrasts=(), hard=0, random=0, filtered={})
        return _Lessons(division=division, pairs=RetrievalPairs(pairs=(), attrition={}), mined=nothing)
    pairs = pairs_of(division, search.index, search.embedder, seed=seed)
    source = Mine(retriever=search.hybrid, index=search.index, embedder=search.embedder)
    mined = mine(pairs.pairs, source, wanted=_NEGATIVES[which], seed=seed, notify=reporter.notify)
    reporter.say(
        f"{len(mined.contrasts):,} pairs; wrong texts beside them: {mined.hard:,} mined, {mined.random:,} random"
    )
    for reason, count in (*pairs.attrition.items(), *mined.filtered.items()):
        reporter.say(f"  left out: {count:,} x {reason}")
    return _Lessons(division=division, pairs=pairs, mined=mined)


def _train_and_judge(task: _Task, reporter: Reporter, started: float) -> RetrieverCard:
    """Train the model, compare the searches, and return the card."""
    card = _card(task)
    if not task.lessons.division.decidable:
        return replace(card, seconds=perf_counter() - started)
    model = task.folder / task.name
    tuned = _train_model(task, model, reporter)
    verdict = _judge_model(task, model, reporter)
    return replace(
        card,
        training=tuned.training,
        agreement=tuned.agreement,
        verdict=verdict,
        seconds=perf_counter() - started,
        model=task.name,
    )


def _card(task: _Task) -> RetrieverCard:
    """Return the card of a tuning before its training."""
    lessons, settings = task.lessons, task.settings
    asked = len(lessons.division.deciding)
    few = f"only {asked:,} train and dev questions name their evidence, and {FEWEST} families of them are needed"
    return RetrieverCard(
        id=task.folder.name,
        which=task.which,
        fingerprint=task.fingerprint,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        base_reference=settings.retrieval.embedder,
        base_fingerprint=task.base,
        replaces=settings.retrieval.rerank,
        against=task.against,
        division=lessons.division.sentence,
        pairs=Counter(pair.origin for pair in lessons.pairs.pairs),
        negatives={"mined": lessons.mined.hard, "random": lessons.mined.random},
        questions=tuple(dict.fromkeys(pair.question for pair in lessons.pairs.pairs if pair.origin == "evidence")),
        attrition={**lessons.pairs.attrition, **lessons.mined.filtered},
        training=None,
        agreement=None,
        verdict=revert_undecided(few, settings.retrieval.limit),
        seconds=0.0,
    )


def _train_model(task: _Task, model: Path, reporter: Reporter) -> Tuned:
    search, lessons = task.searches.start, task.lessons
    asked = lessons.division.choosing
    if task.which == "embedder":
        judge = embedder_judge(asked, search.hybrid, search.index)
        return tune_embedder(
            lessons.contrasts, search.folder, model, recipe=task.recipe, judge=judge, notify=reporter.notify
        )
    reading = reranker_judge(asked, search.hybrid)
    return tune_reranker(
        lessons.contrasts, search.folder, model, recipe=task.recipe, judge=reading, notify=reporter.notify
    )


def _judge_model(task: _Task, model: Path, reporter: Reporter) -> RetrievalVerdict:
    """Compare the present search with the search that uses the model."""
    if task.which == "reranker":
        start = task.searches.start
        after = replace(start, settings=with_retrieval(start.settings, {"rerank": str(model)}))
        return _verdict(task, after.retriever, reporter)
    changed = with_retrieval(task.settings, {"embedder": str(model)})
    with search_aside(task.documents, changed, task.folder, reporter) as aside:
        return _verdict(task, aside.retriever, reporter)


def _verdict(task: _Task, after: Retriever, reporter: Reporter) -> RetrievalVerdict:
    measure = task.settings.measure
    return judge_retrieval(
        task.searches.served,
        after,
        task.lessons.division.deciding,
        k=task.settings.retrieval.limit,
        seed=measure.seed,
        notify=reporter.notify,
    )
