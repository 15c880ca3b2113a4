"""What a finished tuning is checked for before anybody is served by it; the findings go onto its card."""

from collections.abc import Iterator
from dataclasses import replace

from weighbridge.adapters import AdapterCard, Parity
from weighbridge.guard.examine import Examined, examine
from weighbridge.report.adapter import adapter_page
from weighbridge.results import Estimate
from weighbridge.train.card import write_card
from weighbridge.train.exercise import Exercise
from weighbridge.train.registry import folder_of
from weighbridge.workflow.bench import Bench
from weighbridge.workflow.curving import curve_points
from weighbridge.workflow.engines import Engine
from weighbridge.workflow.voice import Voice
from weighbridge.workspace import write_text

_APART = 0.15
_FEW = 4
"""Dev questions that may fall either way by rounding."""


def guarded(card: AdapterCard, exercise: Exercise, bench: Bench, engine: Engine, voice: Voice) -> AdapterCard:
    """Examine an adapter that was not examined yet, write what was found onto its card and report, and say it.

    Raises:
        TrainingError: a training for the learning curve failed.
    """
    if card.guards or engine.served is None:
        return card
    folder, how = folder_of(bench.workspace, card), exercise.recipe.training
    points = curve_points(exercise, folder, voice) if how.learning_curve and not card.parent else ()
    examined = Examined(
        strategy=exercise.strategy,
        recipe=exercise.recipe,
        folder=folder,
        card=card,
        base_gguf=engine.served,
        examples=exercise.asked,
        task=bench.workload.outline.task,
        metric=exercise.metric,
        kept=bench.workspace.state / "guards",
        workers=bench.settings.measure.workers,
        points=points,
    )
    found = examine(examined, notify=voice.notify)
    parity = (*card.parity, *_scores_apart(card, found.dev))
    card = replace(card, guards=found.guards, dev=found.dev, parity=parity)
    write_card(card, folder)
    write_text(folder / "report.html", adapter_page(card))
    for guard in card.guards:
        mark = {True: "passed", False: "FAILED", None: "noted"}[guard.passed]
        voice.say(f"  {guard.name}: {mark}. {guard.summary}")
    return card


def _scores_apart(card: AdapterCard, served: Estimate | None) -> Iterator[Parity]:
    """Yield a failed comparison where what is served scores otherwise on dev than the adapter did while training."""
    own = next((epoch.dev for epoch in card.training.epochs if epoch.epoch == card.training.chosen_epoch), None)
    if own is None or served is None or not card.parity or card.parent:
        return
    if abs(served.value - own) > max(_APART, _FEW / served.scored):
        told = f"dev score {served.value:.2f} as it is served, {own:.2f} while training"
        yield replace(card.parity[0], form="scores on dev", ok=False, reasons=(told,))
