"""Sentences about trainings for the terminal."""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

from weighbridge.adapters import AdapterCard, Training


def spread_sentence(cards: Sequence[AdapterCard], best: AdapterCard) -> str:
    """Say how much the trainings of several seeds differ, and name the one that serves."""
    values = [card.dev.value for card in cards if card.dev]
    if len(values) < len(cards):
        return f"{len(cards)} seeds; there are no dev questions to tell them apart: {best.id} (seed {best.seed}) serves"
    listed = ", ".join(f"{value:.2f}" for value in values)
    return (
        f"{len(cards)} seeds: dev accuracy {listed}; mean {fmean(values):.3f}, standard deviation {stdev(values):.3f}; "
        f"{best.id} (seed {best.seed}) serves. Chosen for its score on {best.dev.scored if best.dev else 0} questions, "
        "so expect the mean of it, not its own"
    )


def training_sentence(card: AdapterCard) -> str:
    """Say how a training went, and whether the served model agrees with the adapter."""
    training = card.training
    best = next(epoch for epoch in training.epochs if epoch.epoch == training.chosen_epoch)
    dev = "" if best.dev is None else f", dev accuracy {best.dev:.2f}"
    return (
        f"Trained {card.strategy} ({card.id}): {training.examples:,} examples, {training.tokens:,} tokens, "
        f"epoch {training.chosen_epoch} of {len(training.epochs)} kept{dev}, loss {training.first_loss:.2f} to "
        f"{training.last_loss:.2f}, {card.seconds:.0f} s{_speed(training)}; "
        f"{'; '.join(_agreements(card)) or card.hosted or 'runs unmerged'}"
    )


def _speed(training: Training) -> str:
    """Say how fast it learnt; by the clock, loading and scoring included. An endpoint does not always tell."""
    return f", {training.tokens / training.seconds:,.0f} tokens/s" if training.seconds else ""


def _agreements(card: AdapterCard) -> Iterator[str]:
    """Yield the agreement of the served model with the adapter, and the other forms that disagree."""
    for served in card.parity[:1]:
        yield f"{served.form} agrees with the adapter on {served.agreement:.0%} of tokens"
    if others := [parity for parity in card.parity[1:] if parity.ok]:
        yield f"{len(others)} other forms agree too"
    if parted := [parity.form for parity in card.parity[1:] if not parity.ok]:
        yield f"these do not: {', '.join(parted)}"
