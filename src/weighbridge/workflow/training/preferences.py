"""Trains an arm on preferences, collected or read from a file, and measures the effect."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import Training
from weighbridge.answer.build import shape_of
from weighbridge.errors import TrainingError
from weighbridge.evaluate.ledger import append, load
from weighbridge.evaluate.run import EvaluationSpec, evaluate, stored_records
from weighbridge.evaluate.statistics import DIFFERENCE, SHARE, Bounds, compare_pairs, mean_interval
from weighbridge.results import Estimate, Record
from weighbridge.settings.schema import Arm
from weighbridge.train.data.conversations import conversation
from weighbridge.train.data.preference_file import PreferenceFile, read_preferences
from weighbridge.train.data.preferences import PreferencePair, Preferences, held_out, preferences_from
from weighbridge.train.preference.grpo import greedy_rewards, train_grpo
from weighbridge.train.preference.reward_model import RewardModel, open_reward_model, reward_key, train_reward_model
from weighbridge.train.preference.rewards import Grounds, Judge, rewards_of
from weighbridge.train.preference.train import margins, train_preference, wants_pairs
from weighbridge.train.prepare import Exercise
from weighbridge.types import Example
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine, Weights, open_model
from weighbridge.wiring.reporter import Reporter

_SHARE = 0.2
"""Share of the examples held out to measure the effect."""
_CHANCE = 0.5
"""A model that orders pairs at random is right half of the time."""
_SURE = 0.05
"""The usual level of significance: a larger p-value is reported as possible chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A mean over held-out examples, before and after a training."""

    measure: str
    before: Estimate
    after: Estimate
    difference: Estimate
    p_value: float
    """Of a two-sided sign-flip test. With very few examples intervals are too narrow, and this test is not."""

    @property
    def sentence(self) -> str:
        """The effect as a sentence."""
        sure = self.p_value <= _SURE
        return (
            f"{self.measure}, on {self.before.scored:,} examples kept back: {_words(self.before)} before, "
            f"{_words(self.after)} after; difference {_words(self.difference, '+')}"
            f"{'' if sure else ', which may be chance'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """The result of a second training. Its notes contain the effect."""

    training: Training
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refinement:
    """A second training, ready to begin."""

    arm: Arm
    exercise: Exercise
    """The first training of the arm: its strategy, recipe, metric and dev questions."""
    start: Path
    """The adapter to continue from: a PEFT folder."""
    weights: Weights
    """The same weights in the form of the engine, to sample answers."""
    folder: Path
    """The folder for `adapter/`, and for `reward/` with a reward model."""
    read: PreferenceFile | None = None
    """The preferences of the user's own file; None if they come from attempts."""

    @property
    def seed(self) -> int:
        return self.exercise.recipe.training.seed


def refine(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Refined:
    """Continue the training by `training.preference`, and measure the effect on held-out examples.

    Raises:
        TrainingError: there is nothing to learn from, or training fails.
    """
    method = todo.exercise.recipe.training.preference.method
    if method not in _WAYS:
        raise TrainingError(f"training.preference.method: {method}; choose one of {', '.join(_WAYS)}")
    done = _WAYS[method](todo, bench, engine, reporter)
    sentences = tuple(moved.sentence for moved in done.moved)
    for sentence in sentences:
        reporter.say(f"  {sentence}")
    return replace(done, training=replace(done.training, notes=(*done.training.notes, *sentences)))


def preferences_file(exercise: Exercise, bench: Bench, reporter: Reporter) -> PreferenceFile | None:
    """Read the user's own file of preferences; None without a file, or if the method learns from rewards alone.

    Raises:
        DataError: the file cannot be used.
    """
    settings = exercise.recipe.training.preference
    if settings.pairs is None or (settings.method == "grpo" and "model" not in settings.rewards):
        return None
    held_out = (*bench.workload.of("dev"), *bench.workload.of("test"))
    groups = exercise.recipe.training.learnable_groups
    read = read_preferences(settings.pairs, exercise.strategy, held_out, groups=groups, notify=reporter.notify)
    reporter.say(f"{settings.pairs.name}: {read.sentence}")
    return read


def preferences(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Preferences:
    """Return the preferences of the user's file; without a file, those from attempts at the training questions."""
    return todo.read.told if todo.read else collect_attempts(todo, bench, engine, reporter)


def collect_attempts(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Preferences:
    """Ask the arm its training questions several times, and return preferences from the graded answers.

    The workspace keeps the attempts. Those with the same weights and seed are not repeated.
    """
    settings = todo.exercise.recipe.training.preference
    examples = training_examples(todo.exercise, bench)
    records: list[Record] = []
    for number in range(settings.samples):
        records += _tries(todo, examples, bench, engine, (number, reporter))
    references = [conversation(todo.exercise.strategy, example) for example in examples]
    collected = preferences_from(records, examples, references)
    answered = [record for record in records if record.answer]
    right = sum(record.outcome == "right" for record in answered)
    reporter.say(
        f"Tried {len(examples):,} training questions {settings.samples} times: {right:,} of {len(answered):,} answers "
        f"right, {len(records) - len(answered):,} failed; {len(collected.as_pairs()):,} pairs of a better and a worse "
        "answer"
    )
    return collected


def training_examples(exercise: Exercise, bench: Bench) -> tuple[Example, ...]:
    """Return the training examples of an exercise."""
    names = {one.example_id for one in exercise.made}
    return tuple(example for example in bench.workload.of("train") if example.id in names)


def _tries(
    todo: Refinement, examples: Sequence[Example], bench: Bench, engine: Engine, turn: tuple[int, Reporter]
) -> tuple[Record, ...]:
    number, reporter = turn
    seed, workers = todo.seed + number, bench.settings.measure.workers
    path = bench.workspace.attempts(todo.arm)
    sampling = {"temperature": todo.exercise.recipe.training.preference.temperature, "seed": seed}
    sampled = replace(engine, settings=engine.settings.model_copy(update=sampling))
    with ExitStack() as stack:
        model = open_model(sampled, todo.weights, workers=workers, stack=stack)
        strategy = replace(todo.exercise.strategy, model=model)
        spec = EvaluationSpec(
            task=bench.workload.outline.task,
            examples=examples,
            metrics=(todo.exercise.metric,),
            reads=shape_of(todo.arm).reads,
            seed=seed,
            workers=workers,
        )
        append(path, evaluate(strategy, spec, done=load(path), notify=reporter.notify))
        return stored_records(strategy, spec, load(path))


def _train_on_pairs(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Refined:
    recipe, begun = todo.exercise.recipe, perf_counter()
    collected = preferences(todo, bench, engine, reporter)
    collecting = perf_counter() - begun
    pairs = collected.as_pairs()
    kept_back = held_out([pair.example_id for pair in pairs], _SHARE, todo.seed)
    asked = [pair for pair in pairs if pair.example_id in kept_back]
    before = margins(todo.start, asked, base=recipe.base, notify=reporter.notify)
    lessons = pairs if wants_pairs(recipe.training.preference.method) else collected.as_thumbs()
    own = [one for one in lessons if one.example_id not in kept_back]
    training = train_preference(todo.start, own, todo.folder, recipe=recipe, notify=reporter.notify)
    after = margins(todo.folder / "adapter", asked, base=recipe.base, notify=reporter.notify)
    note = f"{recipe.training.preference.method}: learnt from {len(own):,} of {len(lessons):,} preferences"
    training = replace(training, seconds=training.seconds + collecting, notes=(note, *training.notes))
    return Refined(training=training, moved=pairs_moved(asked, before, after, todo.seed) if asked else ())


def pairs_moved(
    pairs: Sequence[PreferencePair], before: Sequence[float], after: Sequence[float], seed: int
) -> tuple[Moved, ...]:
    """Return the change of the margins (see `train.preference.margins`), and of the share of rightly ordered pairs.

    Both are means over examples. Pairs of one example are not independent, so each example counts once, by their mean.
    """
    nats = [_by_example(pairs, values) for values in (before, after)]
    right = [_by_example(pairs, [float(value > 0) for value in values]) for values in (before, after)]
    return (
        _compare_measure("pairs whose better answer is the likelier one", right[0], right[1], seed, SHARE),
        _compare_measure("log p(better) - log p(worse), nats", nats[0], nats[1], seed, None),
    )


def rewards_moved(before: Sequence[float | None], after: Sequence[float | None], seed: int) -> tuple[Moved, ...]:
    """Return the change of the mean reward, over the examples with a reward both times."""
    both = [(old, new) for old, new in zip(before, after, strict=True) if old is not None and new is not None]
    if not both:
        return ()
    return (_compare_measure("mean reward", [old for old, _ in both], [new for _, new in both], seed, None),)


def _compare_measure(
    measure: str, before: Sequence[float], after: Sequence[float], seed: int, bounds: Bounds | None
) -> Moved:
    compared = compare_pairs(after, before, seed, bounds=DIFFERENCE if bounds else None)
    return Moved(
        measure=measure,
        before=mean_interval(before, seed, bounds=bounds),
        after=mean_interval(after, seed, bounds=bounds),
        difference=compared.difference,
        p_value=compared.p_value,
    )


def _by_example(pairs: Sequence[PreferencePair], values: Sequence[float]) -> list[float]:
    grouped: dict[str, list[float]] = {}
    for pair, value in zip(pairs, values, strict=True):
        grouped.setdefault(pair.example_id, []).append(value)
    return [sum(own) / len(own) for own in grouped.values()]


def _train_on_rewards(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Refined:
    exercise, recipe, begun = todo.exercise, todo.exercise.recipe, perf_counter()
    names = recipe.training.preference.rewards
    judge = _judge(todo, bench, engine, reporter) if "model" in names else None
    judging = perf_counter() - begun
    judged_by = reward_key(todo.folder / "reward") if judge else ""
    grounds = Grounds(metric=exercise.metric, schema=bench.workload.schema, judge=judge, judged_by=judged_by)
    rewarded = rewards_of(exercise.strategy, names, grounds)
    before = greedy_rewards(todo.start, exercise.asked, recipe=recipe, rewarding=rewarded, notify=reporter.notify)
    training = train_grpo(
        todo.start,
        training_examples(exercise, bench),
        todo.folder,
        recipe=recipe,
        rewarding=rewarded,
        notify=reporter.notify,
    )
    tuned = todo.folder / "adapter"
    after = greedy_rewards(tuned, exercise.asked, recipe=recipe, rewarding=rewarded, notify=reporter.notify)
    note = f"grpo: {training.steps:,} steps, rewarded for {', '.join(names)}"
    training = replace(training, seconds=training.seconds + judging, notes=(note, *training.notes))
    return Refined(training=training, moved=rewards_moved(before, after, todo.seed))


def _judge(todo: Refinement, bench: Bench, engine: Engine, reporter: Reporter) -> Judge:
    recipe, folder = todo.exercise.recipe, todo.folder / "reward"
    pairs = preferences(todo, bench, engine, reporter).as_pairs()
    reporter.say(reward_sentence(train_reward_model(pairs, folder, recipe=recipe, notify=reporter.notify), todo.seed))
    return open_reward_model(folder, recipe.base)


def reward_sentence(model: RewardModel, seed: int) -> str:
    """Return a sentence about a reward model: its training, and the share of held-out pairs that it orders rightly."""
    learnt = f"Reward model: {model.trained:,} pairs, loss {model.first_loss:.2f} to {model.last_loss:.2f}"
    learning = "; ".join((learnt, *model.notes))
    if not model.right:
        return f"{learning}; no pair could be kept back to measure it by"
    share = mean_interval(model.right, seed, bounds=SHARE)
    unsure = "" if share.low > _CHANCE else "; it may be no better than chance, so do not trust what it rewards"
    return f"{learning}; orders {_words(share)} of the pairs of {share.scored:,} examples kept back rightly{unsure}"


def _words(value: Estimate, sign: str = "") -> str:
    return f"{value.value:{sign}.2f} ({value.low:{sign}.2f} to {value.high:{sign}.2f})"


_WAYS: Mapping[str, Callable[[Refinement, Bench, Engine, Reporter], Refined]] = {
    "dpo": _train_on_pairs,
    "kto": _train_on_pairs,
    "orpo": _train_on_pairs,
    "grpo": _train_on_rewards,
}
