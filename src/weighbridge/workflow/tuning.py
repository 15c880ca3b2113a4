"""Train the adapters of the tuned arms, on exactly the prompts that these arms will send."""

from collections.abc import Iterator, Sequence

from weighbridge.answer.build import SHAPES, build
from weighbridge.errors import SettingsError, TrainingError
from weighbridge.generate.scripted import Scripted
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.settings import Arm, Settings
from weighbridge.train.card import AdapterCard, read_card
from weighbridge.train.lint import Lint
from weighbridge.train.recipe import Recipe
from weighbridge.train.tune import preview, tune
from weighbridge.workflow.bench import Bench, open_bench
from weighbridge.workflow.engines import Engine, open_engine
from weighbridge.workflow.voice import Voice, clocked
from weighbridge.workspace import Workspace

_TAIL = 90
"""Characters of a prompt's end that the lint shows."""


def train(arms: Sequence[Arm], settings: Settings, workspace: Workspace, voice: Voice) -> tuple[AdapterCard, ...]:
    """Train the tuned arms named, or all the settings name, and return their cards.

    Raises:
        SettingsError: an arm is not a tuned one, or there is none to train.
    """
    wanted = tuple(arms) or tuned(settings)
    for arm in wanted:
        if not SHAPES[arm].tuned:
            raise SettingsError(f"{arm} is not trained: it answers with the base model as it is")
    if not wanted:
        raise SettingsError(f"{workspace.settings_file}: strategies: names none that is trained (fine-tuned, raft)")
    with workspace.locked():
        engine = open_engine(settings, voice)
        bench = open_bench(settings, workspace, voice)
        return tuple(train_arm(arm, bench, engine, voice) for arm in wanted)


def tuned(settings: Settings) -> tuple[Arm, ...]:
    """Return the arms of the settings that need training."""
    return tuple(arm for arm in settings.strategies if SHAPES[arm].tuned)


def train_all(bench: Bench, engine: Engine, voice: Voice, seconds: dict[str, float]) -> dict[Arm, str]:
    """Train every tuned arm that is not trained yet on this very data; return why any could not be."""
    failed: dict[Arm, str] = {}
    for arm in tuned(bench.settings):
        with clocked(seconds, f"train: {arm}"):
            try:
                train_arm(arm, bench, engine, voice)
            except TrainingError as error:
                failed[arm] = f"{arm} is left out: {error}"
                voice.say(failed[arm])
    return failed


def train_arm(arm: Arm, bench: Bench, engine: Engine, voice: Voice) -> AdapterCard:
    """Train one arm, or return its card where it has been trained on this very data; say how it went."""
    if engine.base is None:
        raise SettingsError(f"{arm} cannot be trained on a model of the engine {engine.settings.engine}")
    settings = bench.settings
    recipe = Recipe(
        base=engine.base, training=settings.training, model=settings.model, reference=settings.model.reference
    )
    unasked = build(arm, bench.parts, Scripted())
    if read_card(bench.workspace.adapter(arm)) is None:
        for line in lint_lines(preview(unasked, bench.workload.examples, recipe=recipe)):
            voice.say(line)
    card = tune(
        unasked,
        bench.workload.examples,
        bench.workspace.adapter(arm),
        recipe=recipe,
        metric=Accuracy(bench.workload.outline.task),
        notify=voice.notify,
    )
    voice.say(_sentence(card))
    for warning in card.warnings:
        voice.say(f"  note: {warning}")
    return card


def lint_lines(lint: Lint) -> Iterator[str]:
    """Yield what a model is about to learn: the end of each prompt, and in brackets the tokens the loss counts."""
    for row in lint.rows:
        prompt = "".join(token.text for token in row.tokens if not token.trained)
        learnt = "".join(token.text for token in row.tokens if token.trained)
        stops = [token.text for token in row.tokens if token.stop]
        counted = sum(token.trained for token in row.tokens)
        yield (
            f"  {row.example_id}: ...{_line(prompt[-_TAIL:])}[[{_line(learnt)}]]  "
            f"({counted} of {len(row.tokens)} tokens are learnt; stop token: {stops[-1] if stops else 'MISSING'})"
        )


def _line(text: str) -> str:
    return text.replace("\n", "\\n")


def _sentence(card: AdapterCard) -> str:
    training, parity = card.training, card.parity
    best = next(epoch for epoch in training.epochs if epoch.epoch == training.chosen_epoch)
    dev = "" if best.dev is None else f", dev accuracy {best.dev:.2f}"
    return (
        f"Trained {card.strategy}: {training.examples:,} examples, {training.tokens:,} tokens, "
        f"epoch {training.chosen_epoch} of {len(training.epochs)} kept{dev}, loss {training.first_loss:.2f} to "
        f"{training.last_loss:.2f}, {card.seconds:.0f} s; exported model agrees with the adapter on "
        f"{parity.agreement:.0%} of tokens"
    )
