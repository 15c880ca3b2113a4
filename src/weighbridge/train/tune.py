"""From a strategy and its examples to a checked GGUF: conversations, lint, training, merge, export, parity, card."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import perf_counter

from weighbridge.answer.composed import Composed
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Metric, Notify, silent
from weighbridge.train.base import load_tokenizer
from weighbridge.train.card import AdapterCard, Training, read_card, write_card
from weighbridge.train.conversations import Conversation, conversations
from weighbridge.train.export import merged_weights, write_gguf
from weighbridge.train.lint import Lint, lint
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

    Only examples of the train split are learnt; those of the dev split pick the epoch, by `metric`; any other is
    left alone. A folder that holds the card of this very tuning is returned at once, and one that was left in the
    middle is finished, with the same result.

    Raises:
        TrainingError: the data cannot be used, training fails, or the exported model differs from the adapter.
        WorkspaceError: the folder cannot be written.
    """
    start = perf_counter()
    learnt = _sample(examples, "train", recipe.training.maximum_examples, recipe.training.seed)
    asked = _sample(examples, "dev", recipe.training.dev_examples, recipe.training.seed)
    made = conversations(strategy, learnt, notify=notify)
    key = _key(recipe, made, asked, metric)
    if (card := read_card(folder)) and card.fingerprint == key:
        return card
    (folder / "card.json").unlink(missing_ok=True)
    checked = lint(made, load_tokenizer(recipe.base), context=recipe.model.context)
    validate = _validation(strategy, asked, metric) if asked else None
    training = train_adapter(checked.require(), folder, recipe=recipe, validate=validate, notify=notify)
    parity = _export(folder, made, recipe, notify)
    card = AdapterCard(
        strategy=strategy.name,
        fingerprint=key,
        base_reference=recipe.reference,
        base_fingerprint=recipe.base.fingerprint,
        recipe=recipe.training.model_dump(),
        training=training,
        parity=parity,
        seconds=perf_counter() - start,
        quantisation=recipe.model.quantisation,
        warnings=(*(finding.message for finding in checked.findings), *_cut(training, recipe)),
    )
    write_card(card, folder)
    return card


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
    notify(Progress(task="exporting", done=1, total=2, note="comparing the exported model with the adapter"))
    prompts = [one.prompt for one in made[:: max(1, len(made) // _CHECKED)]]
    parity = check_parity(adapter, recipe.base, gguf, prompts, settings=recipe.model)
    if not parity.ok:
        raise TrainingError(
            f"{gguf}: the exported model differs from the adapter: {'; '.join(parity.reasons)}; "
            "it will not be measured; try model.quantisation: F16"
        )
    notify(Progress(task="exporting", done=2, total=2))
    return parity


def preview(strategy: Composed, examples: Sequence[Example], *, recipe: Recipe) -> Lint:
    """Return the first few conversations that `tune` would train on, token by token."""
    learnt = _sample(examples, "train", recipe.training.maximum_examples, recipe.training.seed)
    made = conversations(strategy, learnt[:_PREVIEWED])
    return lint(made, load_tokenizer(recipe.base), context=recipe.model.context)


def _sample(examples: Sequence[Example], split: Split, most: int, seed: int) -> tuple[Example, ...]:
    """Return the examples of a split, at most so many, drawn with the seed, in their order."""
    own = [example for example in examples if example.split == split]
    if len(own) <= most:
        return tuple(own)
    chosen = set(Random(seed).sample(range(len(own)), most))  # noqa: S311 - a sample, not a secret
    return tuple(example for number, example in enumerate(own) if number in chosen)


def _key(recipe: Recipe, made: Sequence[Conversation], asked: Sequence[Example], metric: Metric) -> str:
    said = [[(turn.role, turn.content) for turn in one.prompt] + [("target", one.target)] for one in made]
    dev = [(example.id, example.question.text, example.answers) for example in asked]
    model = (recipe.model.context, recipe.model.maximum_tokens, recipe.model.quantisation)
    return fingerprint(_FORMAT, recipe.base.fingerprint, recipe.training.model_dump(), model, said, dev, metric.name)


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
