"""Prepares a training before any model is loaded: conversations, texts, dev questions, its id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from weighbridge.adapters import Access, Learnt, Lesson, Span, inherit_access
from weighbridge.answer.composed import Composed
from weighbridge.dataset.near_duplicates import comparable_text
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Metric, Notify, silent
from weighbridge.scoring.grade import scorer_fingerprint
from weighbridge.train.data.conversations import Conversation, conversations, lesson
from weighbridge.train.data.lint import Finding, Lint, lint, shown_row
from weighbridge.train.data.tokens import Encoded, text_rows
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.generate import Say, Validate
from weighbridge.train.supervised.methods import odd_rates
from weighbridge.types import Completion, Document, Example, Split, Timing, Usage

_FORMAT = 2
_ID = 12
_TEXTS_SHOWN = 2
"""Rows of text that are shown token by token, where documents are learnt."""
_DEV_SEED = 0
"""Draws the dev examples: the same ones for every training seed, or their scores could not be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The examples and documents that a strategy may be trained on."""

    examples: Sequence[Example]
    """Of all splits; those of train are learnt and those of dev choose the checkpoint, public ones alone unless
    `training.groups` names their askers' groups too."""
    documents: Sequence[Document] = ()
    """Read where `training.on` wants the documents themselves learnt."""
    split: str = ""
    """Fingerprint of the split, for the card."""
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    """Where in the documents the examples stand that were made from them, by the example's id."""
    search: Mapping[str, str] = field(default_factory=dict)
    """How passages are found, for the card of a strategy that reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One tuning, ready to begin."""

    strategy: Composed
    made: tuple[Conversation, ...]
    checked: Lint
    text_rows: tuple[Encoded, ...]
    """Documents as rows of tokens, for continued pre-training."""
    asked: tuple[Example, ...]
    """The dev examples that choose the checkpoint."""
    left_out: tuple[Example, ...]
    """Training examples of askers with access groups that `training.groups` does not name."""
    metric: Metric
    recipe: Recipe
    fingerprint: str
    learnt: Learnt
    lessons: tuple[Lesson, ...]
    """The lessons, example by example, with their places in the documents."""
    parent: str = ""
    """The id of the adapter that it goes on from; empty in a first training."""

    @property
    def id(self) -> str:
        """The name of the folder it is trained in."""
        return self.fingerprint[:_ID]

    @property
    def rows(self) -> tuple[Encoded, ...]:
        """The rows of the training; `TrainingError` if the lint found an error."""
        answers = self.checked.require() if self.recipe.training.on != "documents" else ()
        if not (rows := (*answers, *self.text_rows)):
            raise TrainingError(
                "there is no public document to learn, nor one for training.groups; set training.on to answers"
            )
        return rows

    def validate(self) -> Validate | None:
        """Return how an epoch is scored: the metric's mean over the dev examples it can score; None without any."""
        return _validation(self.strategy, self.asked, self.metric) if self.asked else None


def prepare_exercise(
    strategy: Composed, material: Material, *, recipe: Recipe, metric: Metric, notify: Notify = silent
) -> Exercise:
    """Build and check the training data of a strategy, on exactly the prompts it sends.

    Raises:
        TrainingError: nothing may be learnt: all examples are restricted, or a prompt holds a passage that its asker
            may not read.
    """
    how = recipe.training
    learnt, left_out = _learnable(material.examples, recipe)
    made = conversations(strategy, learnt, how=how, notify=notify)
    taught = made if how.on != "documents" else ()
    tests = tuple(example for example in material.examples if example.split == "test")
    rows = _text_rows(material, recipe)
    key = _key(recipe, made, rows)
    lessons = _lessons(taught, rows, material)
    access = inherit_access(one for each in lessons for one in each.access)
    return Exercise(
        strategy=strategy,
        made=made,
        checked=_check(made, rows, recipe, tests),
        text_rows=rows,
        asked=_dev_sample(material.examples, recipe),
        left_out=left_out,
        metric=metric,
        recipe=recipe,
        fingerprint=fingerprint(
            key,
            _dev(material.examples, recipe),
            metric.name,
            scorer_fingerprint(),
            [e.id for e in left_out],
            *label_key(access),
        ),
        learnt=Learnt(
            fingerprint=fingerprint(_texts(taught), [row.tokens for row in rows]),
            split=material.split,
            examples=len(taught),
            documents=_versions(taught, lessons[len(taught) :], material.spans),
            search=material.search if taught and strategy.instructions.reads else {},
            access=access,
        ),
        lessons=lessons,
    )


def label_key(access: Access) -> list[list[list[str]]]:
    """Return an access label for a fingerprint: the same words may have other readers today."""
    return [[sorted(one) for one in access]] if access else []


def _text_rows(material: Material, recipe: Recipe) -> tuple[Encoded, ...]:
    if recipe.training.on == "answers":
        return ()
    limit, groups = recipe.model.context, recipe.training.learnable_groups
    return text_rows(material.documents, load_tokenizer(recipe.base), maximum_tokens=limit, groups=groups)


def _lessons(taught: Sequence[Conversation], rows: Sequence[Encoded], material: Material) -> tuple[Lesson, ...]:
    """Return the lessons with their places in the documents; rows of text last."""
    lessons = []
    for one in taught:
        own = lesson(one)
        lessons.append(replace(own, spans=own.spans or material.spans.get(one.example_id, ())))
    known = {document.id: document for document in material.documents}
    for row in rows:
        name, _, stretch = row.example_id.rpartition("#")  # text_rows names a row after its stretch: id#start-end
        start, end = map(int, stretch.split("-"))
        span = Span(name, start, end, known[name].version)
        access = inherit_access([known[name].groups])
        lessons.append(Lesson(example_id=row.example_id, target="", spans=(span,), access=access))
    return tuple(lessons)


def _check(made: Sequence[Conversation], texts: Sequence[Encoded], recipe: Recipe, tests: Sequence[Example]) -> Lint:
    """Check the conversations and the recipe; the lint shows the first rows, texts last."""
    model, how = recipe.model, recipe.training
    tokenizer = load_tokenizer(recipe.base)
    found = lint(made, tokenizer, context=model.context, maximum_tokens=model.maximum_tokens, test=tests)
    told, rows = (found.findings, found.rows) if how.on != "documents" else ((), ())
    read = tuple(shown_row(row, tokenizer) for row in texts[:_TEXTS_SHOWN])
    odd = [Finding("warning", message) for message in odd_rates(how)]
    return replace(found, findings=(*told, *odd), rows=(*rows[: max(1, len(found.rows) - len(read))], *read))


def _learnable(examples: Sequence[Example], recipe: Recipe) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return the examples to learn, and those of the train split left out because of who may hear them.

    Raises:
        TrainingError: those are all there are.
    """
    how = recipe.training
    learnt = _sample(_allowed_examples(examples, "train", recipe), how.maximum_examples, how.seed)
    left_out = tuple(
        one for one in examples if one.split == "train" and not one.question.groups <= how.learnable_groups
    )
    if left_out and not learnt:
        raise TrainingError(
            f"all {len(left_out):,} training examples are of askers with access groups that training.groups does not "
            "name; add examples without groups, name the groups that may be learnt from, or take fine-tuned and raft "
            "out of strategies in weighbridge.yaml"
        )
    return learnt, left_out


def _allowed_examples(examples: Sequence[Example], split: Split, recipe: Recipe) -> list[Example]:
    """Return the examples of a split that may be learnt from."""
    return [one for one in examples if one.split == split and one.question.groups <= recipe.training.learnable_groups]


def _sample(own: Sequence[Example], most: int, seed: int) -> tuple[Example, ...]:
    """Return at most so many examples, drawn with the seed, in their order."""
    if len(own) <= most:
        return tuple(own)
    chosen = set(Random(seed).sample(range(len(own)), most))  # noqa: S311 - a sample, not a secret
    return tuple(example for number, example in enumerate(own) if number in chosen)


def _dev_sample(examples: Sequence[Example], recipe: Recipe) -> tuple[Example, ...]:
    return _sample(_allowed_examples(examples, "dev", recipe), recipe.training.dev_examples, _DEV_SEED)


def _dev(examples: Sequence[Example], recipe: Recipe) -> list[object]:
    """Return all of the dev examples that their prompts and scores depend on."""
    rows: list[object] = []
    for one in _dev_sample(examples, recipe):
        history, groups = [[turn.role, turn.content] for turn in one.question.history], sorted(one.question.groups)
        said = [history, groups] if history or groups else []  # left out where empty: adapters made before keep theirs
        rows.append([one.id, comparable_text(one), one.answers, one.answerable, *said])
    return rows


def _key(recipe: Recipe, made: Sequence[Conversation], texts: Sequence[Encoded]) -> str:
    """Return the fingerprint of the base model, the recipe and all that is trained on."""
    model, how = (recipe.model.context, recipe.model.maximum_tokens), recipe.training.supervised_recipe
    return fingerprint(_FORMAT, recipe.base.fingerprint, how, model, _texts(made), [row.tokens for row in texts])


def _texts(made: Sequence[Conversation]) -> list[list[tuple[str, str]]]:
    return [[(turn.role, turn.content) for turn in one.prompt] + [("target", one.target)] for one in made]


def _versions(
    taught: Sequence[Conversation], read: Sequence[Lesson], spans: Mapping[str, tuple[Span, ...]]
) -> Mapping[str, str]:
    """Return the version of every document behind the lessons and the made examples, by id."""
    told = [span for one in taught for span in spans.get(one.example_id, ()) if span.version]
    chunks = (passage.chunk for one in taught for passage in one.passages)
    shown = {chunk.document_id: chunk.version for chunk in chunks}
    own = (span for one in read for span in one.spans)
    return {**{span.document_id: span.version for span in (*told, *own)}, **shown}


def _validation(strategy: Composed, asked: Sequence[Example], metric: Metric) -> Validate:
    prompts = [strategy.prompt_for(example.question) for example in asked]

    def validate(say: Say) -> float | None:
        said = say([prompt.messages for prompt in prompts])
        answers = [
            strategy.read_completion(prompt, Completion(text=raw, usage=Usage()), Timing())
            for prompt, raw in zip(prompts, said, strict=True)
        ]
        scores = [metric.score(example, answer).value for example, answer in zip(asked, answers, strict=True)]
        known = [value for value in scores if value is not None]
        return sum(known) / len(known) if known else None

    return validate
