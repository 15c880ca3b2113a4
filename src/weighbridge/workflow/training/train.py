"""Trains the adapters of the tuned arms on exactly the prompts that these arms send; checks and promotes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import fmean, stdev

from weighbridge.adapters import AdapterCard, Lesson, Seeded
from weighbridge.answer.build import build, shape_of
from weighbridge.dataset.near_duplicates import comparable_text, normalise_question
from weighbridge.dataset.synthesise.nouns import SyntheticExample
from weighbridge.dataset.synthesise.repeats import drop_near_held_out
from weighbridge.errors import DataError, SettingsError, TrainingError
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.scripted import Scripted
from weighbridge.ingest.chunk import document_version
from weighbridge.models import file_fingerprint, find_model, machine_memory
from weighbridge.report.adapter.adapter_page import adapter_page
from weighbridge.report.lint_printout import render_lint
from weighbridge.settings.schema import Arm, Settings
from weighbridge.train.card import read_adapter_card, read_lessons, write_adapter_card
from weighbridge.train.prepare import Exercise, Material, prepare_exercise
from weighbridge.train.registry import adopt_adapter, folder_of, promoted_adapter, promotions, record_promotion
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.tune import tune
from weighbridge.types import Document
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import Engine, open_engine
from weighbridge.wiring.index import Agree, never_agree
from weighbridge.wiring.reporter import Reporter, measure_seconds
from weighbridge.wiring.search import fetch_embedder, open_computed_embedder
from weighbridge.wiring.tuned_retrievers import describe_search
from weighbridge.wiring.workload import applied_caps
from weighbridge.workflow.memory import training_warning
from weighbridge.workflow.training.examine import examine_adapter
from weighbridge.workflow.training.hosted import prepare_files, resume_hosted, train_hosted
from weighbridge.workflow.training.preferences import preferences_file
from weighbridge.workflow.training.rate_search import race_settings
from weighbridge.workflow.training.second_stage import Taught, train_second_stage
from weighbridge.workspace import Workspace, write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The number of trainings to try for one adapter."""

    seeds: int = 1
    """Trainings that differ only in the seed. The best on dev is promoted."""
    search: int = 0
    """Learning rates and ranks to race on small budgets first; 0 takes those of the settings."""
    agree: Agree = never_agree
    """Asks for consent to the price of a training at an endpoint."""


_CUT = "training.seconds ("
"""The start of a note on cards of adapters that a time limit cut short. This was possible until ADR 17."""


def train_arms(
    arms: Sequence[Arm], settings: Settings, workspace: Workspace, reporter: Reporter, *, effort: Effort
) -> tuple[AdapterCard, ...]:
    """Train the named arms, by default all tuned arms of the settings, and return their cards.

    Raises:
        SettingsError: an arm is not a tuned one, or there is none to train.
        TrainingError: training failed, or the served form differs from the adapter.
    """
    wanted = tuple(arms) or tuple(arm for one in settings.by_base for arm in arms_to_train(one))
    for arm in wanted:
        if not shape_of(arm).tuned:
            raise SettingsError(f"{arm} is not trained: it answers with the base model as it is")
    if not wanted:
        raise SettingsError(f"{workspace.settings_file}: strategies: names none that is trained (fine-tuned, raft)")
    with workspace.lock():
        engines = {arm: open_engine(settings.for_arm(arm), reporter) for arm in wanted}
        bench = open_bench(settings, workspace, reporter)
        caps = applied_caps(settings, bench.workload.examples, documents=0, embedder=bench.embedder_folder)
        for cap in caps:
            if "training." in cap.remedy:
                reporter.say(f"  note: {cap.sentence}")
        return tuple(_best_of(arm, bench.for_arm(arm), engines[arm], reporter, effort) for arm in wanted)


def resume(arm: Arm, settings: Settings, workspace: Workspace, reporter: Reporter) -> AdapterCard:
    """Resume the newest unfinished training of an arm at the endpoint, and promote its model.

    Raises:
        UserError: there is no unfinished training.
        TrainingError: the endpoint refuses, or its job failed.
    """
    with workspace.lock():
        engine = open_engine(settings.for_arm(arm), reporter)
        card = resume_hosted(arm, open_bench(settings, workspace, reporter).for_arm(arm), engine, reporter)
        record_promotion(workspace, card, chosen=False)
        return card


def arms_to_train(settings: Settings) -> tuple[Arm, ...]:
    """Return the tuned arms of the settings of one base model."""
    return tuple(arm for arm in settings.strategies if shape_of(arm).tuned)


def train_all(
    bench: Bench, engine: Engine, reporter: Reporter, seconds: dict[str, float], *, agree: Agree = never_agree
) -> dict[Arm, str]:
    """Train every tuned arm that has no adapter for these data and settings. Return the reasons of the failures.

    An adapter that a person promoted stays, even with other settings. The best of several seeds or of a race stays too,
    if the data and the settings are the same.
    """
    failed: dict[Arm, str] = {}
    for arm in arms_to_train(bench.settings):
        with measure_seconds(seconds, f"train: {arm}"):
            try:
                if not _stays(arm, bench, engine, reporter):
                    card = _adapter_of(arm, bench, engine, reporter, agree)
                    record_promotion(bench.workspace, card, chosen=False)
            except (TrainingError, DataError) as error:
                failed[arm] = f"{arm} is left out: {error}"
                reporter.say(failed[arm])
    return failed


def recipe_of(bench: Bench, engine: Engine) -> Recipe:
    """Return the recipe of the tuned arms.

    Raises:
        SettingsError: the base model cannot be trained here.
    """
    if engine.base is None:
        raise SettingsError(f"a model of the engine {engine.settings.engine} cannot be trained here")
    model = engine.settings
    known = find_model(model.reference)
    return Recipe(
        base=engine.base,
        training=bench.settings.training.with_rate,
        model=model,
        reference=model.reference,
        licence=known.licence if known else "",
    )


def exercise_of(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter) -> Exercise:
    """Return the checked training data of an arm, with its recipe."""
    workload, tokens = bench.workload, bench.settings.chunks.tokens
    documents: Sequence[Document] = workload.documents if bench.settings.training.on != "answers" else ()
    return prepare_exercise(
        build(arm, bench.parts, Scripted()),
        Material(
            examples=workload.examples,
            documents=tuple(replace(one, version=document_version(one, tokens=tokens)) for one in documents),
            split=workload.outline.key,
            spans=workload.spans,
            search=describe_search(bench.settings, bench.workspace),
        ),
        recipe=recipe_of(bench, engine),
        metric=Accuracy(workload.outline.task, workload.labels),
        notify=reporter.notify,
    )


def _best_of(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter, effort: Effort) -> AdapterCard:
    """Race settings, train with several seeds, and promote the adapter with the best dev score."""
    if effort.search and engine.base is None:
        raise SettingsError("train --search races trainings on this machine; an endpoint's are paid for one by one")
    found_for = _wanted_fingerprint(arm, bench, engine, reporter) if effort.search or effort.seeds > 1 else ""
    if effort.search:
        found = race_settings(exercise_of(arm, bench, engine, reporter), bench.workspace, effort.search, reporter)
        bench = _with(bench, found)
    first = bench.settings.training.seed
    benches = [_with(bench, {"seed": first + number}) for number in range(effort.seeds)]
    cards = [_adapter_of(arm, each, engine, reporter, effort.agree) for each in benches]
    card = max(
        cards,
        key=lambda card: (card.promotable, card.dev.value if card.dev else -inf, -card.training.last_loss, card.id),
    )
    tried = tuple(Seeded(id=c.id, seed=c.seed, dev=c.dev.value if c.dev else None) for c in cards if len(cards) > 1)
    if tried or effort.search:
        card = replace(card, seeds=tried or card.seeds, searched=effort.search or card.searched)
        write_adapter_card(card, folder_of(bench.workspace, card))
        write_text(folder_of(bench.workspace, card) / "report.html", adapter_page(card))
    if tried:
        reporter.say(_spread_sentence(cards, card))
    record_promotion(bench.workspace, card, chosen=False, found_for=found_for)
    return card


def _wanted_fingerprint(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter) -> str:
    """Return the fingerprint of the data and the settings of an arm's training."""
    if engine.base is None:
        return prepare_files(arm, bench, reporter).plan.fingerprint
    preference = bench.settings.training.preference
    pairs = file_fingerprint(preference.pairs) if preference.pairs and preference.pairs.is_file() else ""
    first = exercise_of(arm, bench, engine, reporter).fingerprint
    return fingerprint(first, preference.model_dump(mode="json"), pairs, engine.settings.quantisation)


def _with(bench: Bench, changed: Mapping[str, object]) -> Bench:
    training = bench.settings.training.model_copy(update=dict(changed))
    return replace(bench, settings=bench.settings.model_copy(update={"training": training}))


def _adapter_of(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter, agree: Agree) -> AdapterCard:
    """Return the checked adapter of an arm. It is trained here or at the endpoint, unless it exists already."""
    if engine.settings.engine == "openai":
        card = train_hosted(arm, bench, engine, reporter, agree=agree)
        reporter.say(_training_sentence(card))
        return card
    return _train_here(arm, bench, engine, reporter)


def _train_here(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter) -> AdapterCard:
    exercise = exercise_of(arm, bench, engine, reporter)
    adopt_adapter(bench.workspace, arm, exercise.id)
    folder = bench.workspace.adapter(arm, exercise.id)
    if read_adapter_card(folder) is None:
        reporter.show(render_lint(exercise.checked))
        if warning := training_warning(arm, bench.settings, engine, machine_memory()):
            reporter.say(f"  note: {warning}")
    second = bench.settings.training.preference.method != "none"
    # Read before the first training, so that an error in the file appears before hours of work.
    read = preferences_file(exercise, bench, reporter) if second else None
    card = tune(exercise, folder, notify=reporter.notify)
    reporter.say(_training_sentence(card))
    if second:
        card = train_second_stage(arm, card, Taught(exercise=exercise, read=read), bench, engine, reporter)
        reporter.say(_training_sentence(card))
    card = examine_adapter(card, exercise, bench, engine, reporter)
    for warning in card.warnings:
        reporter.say(f"  note: {warning}")
    return card


def _stays(arm: Arm, bench: Bench, engine: Engine, reporter: Reporter) -> bool:
    """Tell whether the serving adapter of an arm stays: a person chose it, or it matches the present settings.

    Raises:
        TrainingError: the adapter cannot be compared with the other strategies.
    """
    card, known = promoted_adapter(bench.workspace, arm), promotions(bench.workspace, arm)
    if card is None:
        return False
    if known.chosen:
        why = "which was promoted by hand"
    elif known.found_for and known.found_for == _wanted_fingerprint(arm, bench, engine, reporter):
        why = "the best of several that were trained on the same data"
    else:
        return False
    _require_comparable(card, bench, engine)
    reporter.say(
        f"{arm} answers with adapter {card.id}, {why}; to train by the settings as they are: weighbridge train {arm}"
    )
    return True


def _require_comparable(card: AdapterCard, bench: Bench, engine: Engine) -> None:
    """Refuse an adapter of another base model or quantisation, an unfinished one, or one that learnt test questions."""
    again = f"; run: weighbridge train {card.strategy}"
    if engine.base and engine.base.fingerprint != card.base_fingerprint:
        raise TrainingError(f"adapter {card.id} was trained on another base model, {card.base_reference}{again}")
    if card.gguf and engine.settings.engine == "llamacpp" and card.quantisation != engine.settings.quantisation:
        raise TrainingError(
            f"adapter {card.id} is kept in {card.quantisation}, and model.quantisation is "
            f"{engine.settings.quantisation} for all others{again}"
        )
    if any(note.startswith(_CUT) for note in card.training.notes):
        raise TrainingError(
            f"adapter {card.id} is unfinished: a time limit cut its training short, as an earlier version allowed, "
            f"so its score would say how busy the machine was{again}"
        )
    lessons = [one for one in read_lessons(folder_of(bench.workspace, card)) if one.question or one.target]
    if any(not one.question for one in lessons) and card.learnt.split != bench.workload.outline.key:
        raise TrainingError(
            f"adapter {card.id} was trained by an earlier version, which did not note the questions, and on another "
            f"split, so nobody can tell whether it learnt today's test questions{again}"
        )
    if learnt := _tests_learnt(lessons, bench):
        raise TrainingError(
            f"adapter {card.id} learnt what are test questions today, or nearly ({learnt:,} of its {len(lessons):,} "
            f"lessons), because the examples or their split changed since, so its score would measure memory{again}"
        )


def _tests_learnt(lessons: Sequence[Lesson], bench: Bench) -> int:
    """Return the number of lessons that repeat a test question exactly or nearly, by the similarity of the split.

    Ids cannot decide it, because in a file without ids they are line numbers. Questions that the present split has in
    train or dev are no test questions.
    """
    outside = {
        normalise_question(comparable_text(example)) for example in bench.workload.examples if example.split != "test"
    }
    others = [one for one in lessons if one.question and normalise_question(one.question) not in outside]
    if not others:
        return 0
    embedder = open_computed_embedder(bench.settings, fetch_embedder(bench.settings))
    tests = drop_near_held_out(
        bench.workload.of("test"),
        lambda texts: embedder.embed(list(texts), kind="query"),
        bench.settings.splits.similarity,
    )
    asked = [
        SyntheticExample(
            id=one.example_id, question=one.question, answers=(one.target,), spans=(), made_by="", family=""
        )
        for one in others
    ]
    return len(tests.positions(asked))


def _spread_sentence(cards: Sequence[AdapterCard], best: AdapterCard) -> str:
    """Return a sentence about the spread of several seeds, and the adapter that serves."""
    values = [card.dev.value for card in cards if card.dev]
    if len(values) < len(cards):
        return f"{len(cards)} seeds; there are no dev questions to tell them apart: {best.id} (seed {best.seed}) serves"
    listed = ", ".join(f"{value:.2f}" for value in values)
    return (
        f"{len(cards)} seeds: dev accuracy {listed}; mean {fmean(values):.3f}, standard deviation {stdev(values):.3f}; "
        f"{best.id} (seed {best.seed}) serves. Chosen for its score on {best.dev.scored if best.dev else 0} questions, "
        "so expect the mean of it, not its own"
    )


def _training_sentence(card: AdapterCard) -> str:
    """Return a sentence about a training, and the agreement of the served model with the adapter."""
    training = card.training
    best = next(epoch for epoch in training.epochs if epoch.epoch == training.chosen_epoch)
    dev = "" if best.dev is None else f", dev accuracy {best.dev:.2f}"
    # Wall-clock time with loading and scoring. Not every endpoint reports its seconds.
    speed = f", {training.tokens / training.seconds:,.0f} tokens/s" if training.seconds else ""
    return (
        f"Trained {card.strategy} ({card.id}): {training.examples:,} examples, {training.tokens:,} tokens, "
        f"epoch {training.chosen_epoch} of {len(training.epochs)} kept{dev}, loss {training.first_loss:.2f} to "
        f"{training.last_loss:.2f}, {card.seconds:.0f} s{speed}; "
        f"{'; '.join(_agreements(card)) or card.hosted or 'runs unmerged'}"
    )


def _agreements(card: AdapterCard) -> Iterator[str]:
    """Yield the agreement of the served model with the adapter, and the forms that disagree."""
    for served in card.parity[:1]:
        yield f"{served.form} agrees with the adapter on {served.agreement:.0%} of tokens"
    if others := [parity for parity in card.parity[1:] if parity.ok]:
        yield f"{len(others)} other forms agree too"
    if parted := [parity.form for parity in card.parity[1:] if not parity.ok]:
        yield f"these do not: {', '.join(parted)}"
