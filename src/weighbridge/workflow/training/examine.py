"""Checks a trained adapter before it serves, and writes the findings onto its card."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from weighbridge.adapters import AdapterCard, Parity
from weighbridge.checks.curve import CurvePoint, learning_curve
from weighbridge.checks.run_all import Examined, run_checks
from weighbridge.report.adapter.adapter_page import adapter_page
from weighbridge.results import Estimate
from weighbridge.train.card import write_adapter_card
from weighbridge.train.prepare import Exercise
from weighbridge.train.registry import folder_of
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.training.learning_curve import curve_points
from weighbridge.workspace import write_text

_APART = 0.15
"""The dev scores of the served model and of the adapter may differ by so much, or by `_FEW` questions."""
_FEW = 4
"""Dev questions with an answer that rounding of the weights can change."""


def examine_adapter(
    card: AdapterCard, exercise: Exercise, bench: Bench, engine: Engine, reporter: Reporter
) -> AdapterCard:
    """Check an adapter once, write the findings onto its card and report, and show them.

    If only the learning curve is missing, only the curve is drawn.

    Raises:
        TrainingError: a training for the learning curve failed.
    """
    folder, training = folder_of(bench.workspace, card), exercise.recipe.training
    drawn = any(guard.name == "learning curve" for guard in card.guards)
    curve = training.learning_curve and not drawn and not card.parent
    if engine.served is None or (card.guards and not curve):
        return card
    points = curve_points(exercise, folder, reporter) if curve else ()
    if card.guards and not points:
        return card
    if card.guards:
        card = replace(card, guards=(*card.guards, learning_curve(points)))
    else:
        card = _run_checks(card, exercise, bench, engine.served, points, reporter)
    write_adapter_card(card, folder)
    write_text(folder / "report.html", adapter_page(card))
    for guard in card.guards:
        mark = {True: "passed", False: "FAILED", None: "no verdict"}[guard.passed]
        reporter.say(f"  {guard.name}: {mark}. {guard.summary}")
    return card


def _run_checks(
    card: AdapterCard, exercise: Exercise, bench: Bench, base: Path, points: tuple[CurvePoint, ...], reporter: Reporter
) -> AdapterCard:
    examined = Examined(
        strategy=exercise.strategy,
        recipe=exercise.recipe,
        folder=folder_of(bench.workspace, card),
        card=card,
        base_gguf=base,
        examples=exercise.asked,
        task=bench.workload.outline.task,
        metric=exercise.metric,
        kept=bench.workspace.state / "guards",
        workers=bench.settings.measure.workers,
        points=points,
    )
    found = run_checks(examined, notify=reporter.notify)
    return replace(card, guards=found.guards, dev=found.dev, parity=(*card.parity, *_scores_apart(card, found.dev)))


def _scores_apart(card: AdapterCard, served: Estimate | None) -> Iterator[Parity]:
    """Yield a failed parity check if the served model and the adapter score too differently on dev."""
    own = next((epoch.dev for epoch in card.training.epochs if epoch.epoch == card.training.chosen_epoch), None)
    if own is None or served is None or not card.parity or card.parent:
        return
    if abs(served.value - own) > max(_APART, _FEW / served.scored):
        reason = f"dev score {served.value:.2f} as it is served, {own:.2f} while training"
        yield replace(card.parity[0], form="scores on dev", ok=False, reasons=(reason,))
