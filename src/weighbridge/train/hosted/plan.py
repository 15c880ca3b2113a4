"""Plans a fine-tuning at an endpoint: the files, checked and counted, before anything is sent.

A plan is one stage, or two: the supervised one, and after it one on preferences that continues from its model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from pydantic import TypeAdapter, ValidationError

from weighbridge.adapters import Learnt, Lesson, Span
from weighbridge.answer.composed import Composed
from weighbridge.errors import SettingsError, TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.card import write_lessons
from weighbridge.train.data.conversations import Conversation, conversations, lesson
from weighbridge.train.data.lint_text import leaks, texts
from weighbridge.train.data.preference_file import PreferenceFile, read_preferences
from weighbridge.train.hosted.client import Order
from weighbridge.train.hosted.files import Counted, TokenEstimate, chat_lines, estimate, preference_lines
from weighbridge.train.hosted.job import TRAINING, VALIDATION
from weighbridge.train.hosted.validate import check_apart, check_file
from weighbridge.types import Example, Split
from weighbridge.workspace import write_text

DEV_SEED = 0
"""Draws the dev examples: the same ones for every training seed, or their scores could not be compared."""
_FORMAT = 1
_ID = 12
_PLAN = "plan.json"
_ITS_OWN = ("method", "rank", "alpha", "layers", "learning_rate", "patience", "seconds")
"""Training settings that are the endpoint's own business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One job: its order, and the amount of training data."""

    name: str
    """The folder its files lie in."""
    order: Order
    examples: int
    validated: int
    tokens: TokenEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPlan:
    """All that the card of a hosted adapter says and that is known beforehand. It is written to disk before a job."""

    strategy: str
    fingerprint: str
    endpoint: str
    base: str
    """The base model's name at the endpoint."""
    recipe: Mapping[str, Any]
    learnt: Learnt
    stages: tuple[Stage, ...]
    warnings: tuple[str, ...]
    seconds: float = 0.0
    """Building the conversations."""

    @property
    def id(self) -> str:
        """The name of the folder it lies in."""
        return self.fingerprint[:_ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaching:
    """The training data of a strategy at an endpoint, and the settings of the training."""

    strategy: Composed
    examples: Sequence[Example]
    """Of all splits: public ones of train are learnt, public ones of dev validated on, and test ones kept out."""
    split: str
    """Fingerprint of the split, for the card."""
    model: ModelSettings
    training: TrainingSettings
    endpoint: str
    """Its address, in words for people."""
    tokens: Counted
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    """Where in the documents the examples stand that were made from them, by the example's id."""
    search: Mapping[str, str] = field(default_factory=dict)
    """How passages are found, for the card of a strategy that reads them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, and the files of its stages by name: those to learn from and those to validate on."""

    plan: HostedPlan
    files: Mapping[str, tuple[str, str]]
    lessons: tuple[Lesson, ...]

    def write(self, folder: Path) -> None:
        """Write the files, the lessons, and the plan last."""
        for name, (training, validation) in self.files.items():
            write_text(folder / name / TRAINING, training)
            if validation:
                write_text(folder / name / VALIDATION, validation)
        write_lessons(self.lessons, folder)
        write_text(folder / _PLAN, _plans().dump_json(self.plan, indent=2).decode() + "\n")


def read_plan(folder: Path) -> HostedPlan | None:
    """Return the plan that was written into a folder; None where there is none."""
    try:
        return _plans().validate_json((folder / _PLAN).read_bytes())
    except (OSError, ValidationError):
        return None


def prepare_hosted(teaching: Teaching, *, notify: Notify = silent) -> Prepared:
    """Build the files of a hosted training, check them, and count their tokens.

    Raises:
        SettingsError: the API does not offer a feature of the settings.
        TrainingError: there is nothing to train on, or the data repeats the test split.
        DataError: the API would refuse a file; with line numbers.
    """
    how = teaching.training
    _possible(how)
    learnt = public(teaching.examples, "train", how.maximum_examples, how.seed)
    made = conversations(teaching.strategy, learnt, how=how, notify=notify)
    asked = public(teaching.examples, "dev", how.dev_examples, DEV_SEED)
    validation = chat_lines(conversations(teaching.strategy, asked, split="dev", notify=notify))
    warnings = _check(made, teaching)
    files = {"supervised": (chat_lines(made), validation)}
    lessons = [lesson(one) for one in made]
    lessons = [replace(one, spans=one.spans or teaching.spans.get(one.example_id, ())) for one in lessons]
    if how.preference.method == "dpo":
        read = _read_preferences(teaching, warnings, notify)
        files["dpo"] = (preference_lines(read.told.as_pairs()), "")
        lessons += read.lessons
    stages = tuple(_stage(name, *both, teaching, warnings) for name, both in files.items())
    plan = HostedPlan(
        strategy=teaching.strategy.name,
        fingerprint=fingerprint("hosted", _FORMAT, teaching.endpoint, [asdict(stage.order) for stage in stages], files),
        endpoint=teaching.endpoint,
        base=teaching.model.reference.removeprefix("openai:"),
        recipe=_recipe(how, stages[0].order),
        learnt=_training_data(made, lessons, teaching),
        stages=stages,
        warnings=tuple(warnings),
    )
    return Prepared(plan, files, tuple(lessons))


def public(examples: Sequence[Example], split: Split, most: int, seed: int) -> tuple[Example, ...]:
    """Return the public examples of a split, at most so many, drawn with the seed, in their order."""
    own = [example for example in examples if example.split == split and not example.question.groups]
    chosen = set(Random(seed).sample(range(len(own)), min(most, len(own))))  # noqa: S311 - a sample, not a secret
    return tuple(example for number, example in enumerate(own) if number in chosen)


def _possible(how: TrainingSettings) -> None:
    if how.groups:
        raise SettingsError(
            "weighbridge.yaml: training.groups lets restricted documents be learnt from, and an endpoint is sent "
            "public ones alone; leave it out, or train here (model.engine: llamacpp)"
        )
    if how.on != "answers":
        raise SettingsError(
            f"weighbridge.yaml: training.on is {how.on}, and the fine-tuning API learns answers only; set it to answers"
        )
    if how.preference.method not in ("none", "dpo"):
        raise SettingsError(
            f"weighbridge.yaml: training.preference.method is {how.preference.method}; the fine-tuning API has dpo"
        )
    if how.preference.method == "dpo" and how.preference.pairs is None:
        raise SettingsError(
            "weighbridge.yaml: training.preference.method is dpo; at an endpoint it needs a file of pairs as "
            "training.preference.pairs"
        )


def _check(made: Sequence[Conversation], teaching: Teaching) -> list[str]:
    """Return warnings about the training data; `TrainingError` where it cannot be used."""
    tests = [example for example in teaching.examples if example.split == "test"]
    findings = (*texts(made), *leaks(made, tests))
    if errors := [finding.message for finding in findings if finding.severity == "error"]:
        raise TrainingError("the training data cannot be used: " + "; ".join(errors))
    warnings = [finding.message for finding in findings]
    closed = [one for one in teaching.examples if one.split in ("train", "dev") and one.question.groups]
    if closed:
        warnings.append(
            f"{len(closed):,} examples of restricted askers are left out: they may not leave, and a model speaks to all"
        )
    usual = TrainingSettings()
    if own := [name for name in _ITS_OWN if getattr(teaching.training, name) != getattr(usual, name)]:
        names = ", ".join(f"training.{name}" for name in own)
        warnings.append(f"{names}: not sent; an endpoint trains in its own way")
    return warnings


def _read_preferences(teaching: Teaching, warnings: list[str], notify: Notify) -> PreferenceFile:
    path = teaching.training.preference.pairs
    held_out = [example for example in teaching.examples if example.split != "train"]
    read = read_preferences(path, teaching.strategy, held_out, notify=notify) if path else None
    if read is None or not read.told.as_pairs():
        raise TrainingError(f"{path}: holds no pair of a better and a worse answer to the same prompt")
    if read.tested or read.restricted or read.repeated or read.contradicted:
        warnings.append(f"{path}: {read.sentence}")
    return read


def _stage(name: str, training: str, validation: str, teaching: Teaching, warnings: list[str]) -> Stage:
    checked = check_file(training, f"{name}/{TRAINING}")
    warnings.extend(checked.warnings if name != "supervised" else ())  # the lint has said it of those
    validated = check_file(validation, f"{name}/{VALIDATION}", fewest=1).examples if validation else 0
    check_apart(training, validation, f"{name}/{VALIDATION}")
    order = _order(name, teaching)
    tokens = estimate(training, teaching.tokens, epochs=order.epochs)
    if tokens.longest > teaching.model.context:
        warnings.append(
            f"{name}/{TRAINING}: the longest example has about {tokens.longest:,} tokens, more than model.context "
            f"({teaching.model.context:,}); an endpoint may cut it"
        )
    return Stage(name=name, order=order, examples=checked.examples, validated=validated, tokens=tokens)


def _order(name: str, teaching: Teaching) -> Order:
    """Return the order of a stage. Settings that the file does not name are left to the endpoint."""
    how = teaching.training
    second = name == "dpo"
    told = how.preference if second else how
    return Order(
        model=teaching.model.reference.removeprefix("openai:"),
        method="dpo" if second else "supervised",
        suffix=how.hosted.suffix,
        seed=how.seed,
        epochs=told.epochs if "epochs" in told.model_fields_set else None,
        batch_size=how.batch_size if "batch_size" in how.model_fields_set else None,
        beta=how.preference.beta if second and "beta" in how.preference.model_fields_set else None,
    )


def _recipe(how: TrainingSettings, order: Order) -> Mapping[str, Any]:
    """Return the recipe for the card, without the endpoint's own choices."""
    chosen_there = {name for name in ("epochs", "batch_size") if getattr(order, name) is None}
    left_out = dict.fromkeys((*_ITS_OWN, *chosen_there, "learning_curve"), True)
    sent = {"method", "pairs"} | (how.preference.model_fields_set & {"epochs", "beta"})
    unsent = {"preference": set(type(how.preference).model_fields) - sent}
    return how.model_dump(mode="json", exclude={**left_out, **unsent, "hosted": {"poll_seconds", "price_per_million"}})


def _training_data(made: Sequence[Conversation], lessons: Sequence[Lesson], teaching: Teaching) -> Learnt:
    said = [[(turn.role, turn.content) for turn in one.prompt] + [("target", one.target)] for one in made]
    return Learnt(
        fingerprint=fingerprint(said),
        split=teaching.split,
        examples=len(made),
        documents={span.document_id: span.version for one in lessons for span in one.spans},
        search=teaching.search if teaching.strategy.instructions.reads else {},
    )


@cache
def _plans() -> TypeAdapter[HostedPlan]:
    return TypeAdapter(HostedPlan)
