"""From a strategy and its examples to a checked GGUF: conversations, lint, training, merge, export, parity, card."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from weighbridge.answer.composed import Composed
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Metric, Notify, silent
from weighbridge.train.base import load_tokenizer
from weighbridge.train.card import AdapterCard, Training, read_card, read_training, write_card, write_training
from weighbridge.train.conversations import Conversation, conversations
from weighbridge.train.export import merged_weights, write_gguf
from weighbridge.train.lint import Lint, lint
from weighbridge.train.memory import release
from weighbridge.train.parity import Parity, check_parity
from weighbridge.train.recipe import Recipe
from weighbridge.train.say import Say, Validate
from weighbridge.train.sft import train_adapter
from weighbridge.types import Completion, Example, Progress, Split, Timing, Usage

_FORMAT = 1
_PREVIEWED = 3
_CHECKED = 4
"""Prompts on which the exported model is compared, spread over the training examples."""


def tune(
    strategy: Composed,
    examples: Sequence[Example],
    folder: Path,
    *,
    recipe: Recipe,
    metric: Metric,
    notify: Notify = silent,
) -> AdapterCard:
    """Tune a strategy's model on its own prompts, and leave the adapter, the GGUF and the card in `folder`.

    Only public examples (those of askers without access groups) of the train split are learnt, because an adapter says
    what it learnt to everybody; public ones of the dev split pick the epoch, by `metric`; any other is left alone. A
    folder that holds the card of this very tuning is returned at once, and one that was left in the middle is
    finished, with the same result; a finished adapter is not trained again, also where only its rounding changes.

    Raises:
        TrainingError: the data cannot be used, training fails, or the exported model differs from the adapter.
        WorkspaceError: the folder cannot be written.
    """
    start = perf_counter()
    learnt, left_out = _public(examples, recipe)
    asked = _sample(examples, "dev", recipe.training.dev_examples, recipe.training.seed)
    made = conversations(strategy, learnt, notify=notify)
    key = _key(recipe, made, asked, metric, left_out)
    if (card := read_card(folder)) and card.fingerprint == key:
        return card
    (folder / "card.json").unlink(missing_ok=True)
    checked = _checked(made, recipe)
    validate = _validation(strategy, asked, metric) if asked else None
    train = partial(train_adapter, checked.require(), folder, recipe=recipe, validate=validate, notify=notify)
    building = perf_counter() - start
    training = _trained(folder, _key(_unrounded(recipe), made, asked, metric, ()), train)
    start = perf_counter()
    parity = _export(folder, made, recipe, notify)
    card = AdapterCard(
        strategy=strategy.name,
        fingerprint=key,
        base_reference=recipe.reference,
        base_fingerprint=recipe.base.fingerprint,
        recipe=recipe.training.model_dump(),
        training=training,
        parity=parity,
        seconds=building + training.seconds + perf_counter() - start,
        quantisation=recipe.model.quantisation,
        warnings=tuple(_warnings(left_out, checked, training, parity, recipe)),
    )
    write_card(card, folder)
    return card


def _trained(folder: Path, key: str, train: Callable[[], Training]) -> Training:
    """Train the folder's adapter, unless it is finished already, and say how it went."""
    if (finished := read_training(folder, key)) is not None:
        return finished
    (folder / "training.json").unlink(missing_ok=True)
    training = train()
    write_training(training, folder, key)
    return training


def _warnings(
    left_out: Sequence[Example], checked: Lint, training: Training, parity: Parity, recipe: Recipe
) -> Iterator[str]:
    """Yield what the owner of a tuned strategy should know."""
    if left_out:
        which = "1 training example" if len(left_out) == 1 else f"{len(left_out):,} training examples"
        verb = "was" if len(left_out) == 1 else "were"
        yield f"{which} of restricted askers {verb} left out: an adapter speaks to everybody"
    yield from (finding.message for finding in checked.findings)
    yield from _cut(training, recipe)
    if not parity.changed:
        yield (
            f"on the {parity.prompts} prompts that were checked the adapter chooses the same words as the base model: "
            "it may have learnt nothing; raise training.epochs or training.learning_rate"
        )


def _cut(training: Training, recipe: Recipe) -> tuple[str, ...]:
    """Say so where the time budget did not allow all passes over the examples."""
    how = recipe.training
    wanted = how.epochs * -(-training.examples // min(how.batch_size, training.examples))
    if training.steps >= wanted:
        return ()
    budget = f"training.seconds ({how.seconds:,.0f}) allowed {training.steps} of {wanted} steps"
    return (f"{budget}; raise it, or lower training.epochs or training.maximum_examples",)


def _export(folder: Path, made: Sequence[Conversation], recipe: Recipe, notify: Notify) -> Parity:
    """Merge the folder's adapter, write its GGUF and compare the two. `TrainingError` where they differ."""
    notify(Progress(task="exporting", done=0, total=2))
    gguf, adapter = folder / "model.gguf", folder / "adapter"
    weights = merged_weights(recipe.base, adapter)
    write_gguf(recipe.base.source_gguf, weights, gguf, quantisation=recipe.model.quantisation)
    del weights
    release()
    notify(Progress(task="exporting", done=1, total=2, note="comparing the exported model with the adapter"))
    prompts = [one.prompt for one in made[:: max(1, len(made) // _CHECKED)]]
    parity = check_parity(adapter, recipe.base, gguf, prompts, settings=recipe.model)
    release()
    if not parity.ok:
        raise TrainingError(
            f"{gguf}: the exported model differs from the adapter: {'; '.join(parity.reasons)}; "
            "it will not be measured; try model.quantisation: F16"
        )
    notify(Progress(task="exporting", done=2, total=2))
    return parity


def preview(strategy: Composed, examples: Sequence[Example], *, recipe: Recipe) -> Lint:
    """Return the first few conversations that `tune` would train on, token by token."""
    learnt, _ = _public(examples, recipe)
    return _checked(conversations(strategy, learnt[:_PREVIEWED]), recipe)


def _checked(made: Sequence[Conversation], recipe: Recipe) -> Lint:
    model = recipe.model
    return lint(made, load_tokenizer(recipe.base), context=model.context, maximum_tokens=model.maximum_tokens)


def _public(examples: Sequence[Example], recipe: Recipe) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return the examples to learn, and those of the train split left out because not everybody may hear them.

    Raises:
        TrainingError: restricted examples are all there are.
    """
    learnt = _sample(examples, "train", recipe.training.maximum_examples, recipe.training.seed)
    left_out = tuple(example for example in examples if example.split == "train" and example.question.groups)
    if left_out and not learnt:
        raise TrainingError(
            f"all {len(left_out):,} training examples are of askers with access groups, and an adapter speaks to "
            "everybody; add examples without groups, or take fine-tuned and raft out of strategies in weighbridge.yaml"
        )
    return learnt, left_out


def _sample(examples: Sequence[Example], split: Split, most: int, seed: int) -> tuple[Example, ...]:
    """Return the public examples of a split, at most so many, drawn with the seed, in their order."""
    own = [example for example in examples if example.split == split and not example.question.groups]
    if len(own) <= most:
        return tuple(own)
    chosen = set(Random(seed).sample(range(len(own)), most))  # noqa: S311 - a sample, not a secret
    return tuple(example for number, example in enumerate(own) if number in chosen)


def _key(
    recipe: Recipe,
    made: Sequence[Conversation],
    asked: Sequence[Example],
    metric: Metric,
    left_out: Sequence[Example],
) -> str:
    """Return the fingerprint of all that is trained on, and of what the card says was left out."""
    said = [[(turn.role, turn.content) for turn in one.prompt] + [("target", one.target)] for one in made]
    dev = [(example.id, example.question.text, example.answers) for example in asked]
    model = (recipe.model.context, recipe.model.maximum_tokens, recipe.model.quantisation)
    how = (_FORMAT, recipe.base.fingerprint, recipe.training.model_dump(), model)
    return fingerprint(*how, said, dev, metric.name, *(example.id for example in left_out))


def _unrounded(recipe: Recipe) -> Recipe:
    """Return the recipe of the adapter, which is the same however its export is rounded."""
    return replace(recipe, model=recipe.model.model_copy(update={"quantisation": "F16"}))


def _validation(strategy: Composed, asked: Sequence[Example], metric: Metric) -> Validate:
    """Return how an epoch is scored: the metric's mean over the dev examples it can score."""
    prompts = [strategy.prompt_for(example.question) for example in asked]

    def validate(say: Say) -> float | None:
        said = say([prompt.messages for prompt in prompts])
        answers = [
            strategy.understood(prompt, Completion(text=raw, usage=Usage()), Timing())
            for prompt, raw in zip(prompts, said, strict=True)
        ]
        scores = [metric.score(example, answer).value for example, answer in zip(asked, answers, strict=True)]
        known = [value for value in scores if value is not None]
        return sum(known) / len(known) if known else None

    return validate
