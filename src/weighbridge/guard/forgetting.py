"""Does the tuned model still know what everybody knows? 120 questions with four options each, in `probe.jsonl`.

The option that the network finds likeliest per token counts as its choice. The question stands behind another one that
was answered in a word: else a network that was merely taught to be brief would seem to know more than before.
What this does not know: skills that no such question asks for, such as writing long texts or other languages.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.guard.figures import SEED, SHOWN, change, compared, nats, questions, share
from weighbridge.guard.likelihood import Branches, log_likelihoods
from weighbridge.measure.statistics import mean_interval
from weighbridge.results import Estimate
from weighbridge.train.conversations import Conversation
from weighbridge.train.tokens import encode
from weighbridge.types import Message

MARGIN = 0.02
"""A loss of accuracy up to this is borne, however sure it is."""
CHANCE = 0.25
SHOT = (
    Message("system", "Answer in a few words."),
    Message("user", "What is the colour of grass?"),
    Message("assistant", "green"),
)
"""What stands before each question."""
Likelihoods = Sequence[Sequence[float]]
"""One row a question, one value an option: mean log-likelihood in nats per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question of general knowledge; `options[answer]` is right."""

    topic: str
    question: str
    options: tuple[str, ...]
    answer: int


@cache
def probes() -> tuple[Probe, ...]:
    """Return the questions that are shipped with the product."""
    lines = (files("weighbridge.guard") / "probe.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return tuple(
        Probe(topic=row["topic"], question=row["question"], options=tuple(row["options"]), answer=row["answer"])
        for row in rows
    )


def option_likelihoods(network: Any, tokenizer: Any, asked: Sequence[Probe]) -> tuple[tuple[float, ...], ...]:
    """Return how likely the network finds each option of each question, in nats per token, by its chat template."""
    return log_likelihoods(network, [_branches(tokenizer, probe) for probe in asked])


def forgetting(asked: Sequence[Probe], base: Likelihoods, tuned: Likelihoods) -> Guard:
    """Compare what the base and the tuned network make of the same questions.

    Fails where the accuracy is lower than before by more than `MARGIN`, with confidence. Where the base model does no
    better than guessing, nothing can be lost, and nothing is required.
    """
    choices = [[max(range(len(row)), key=row.__getitem__) for row in side] for side in (base, tuned)]
    right = [[float(pick == probe.answer) for pick, probe in zip(side, asked, strict=True)] for side in choices]
    figures = {**compared(right[0], right[1]), **_confidence(asked, base, tuned)}
    lost = [n for n in range(len(asked)) if right[0][n] > right[1][n]]
    shown = [
        f"{asked[n].question} before: {asked[n].options[choices[0][n]]}; now: {asked[n].options[choices[1][n]]}"
        for n in sorted(lost, key=lambda n: tuned[n][asked[n].answer] - tuned[n][choices[1][n]])
    ]
    passed = None if figures["base"].low <= CHANCE else figures["difference"].high >= -MARGIN
    return Guard(
        name="forgetting",
        passed=passed,
        summary=_sentence(figures, passed=passed),
        figures=figures,
        shown=tuple(shown[:SHOWN]),
    )


def _branches(tokenizer: Any, probe: Probe) -> Branches:
    """Return a question and its options as tokens, without the stop token: how an answer ends is another matter."""
    asked = (*SHOT, Message("user", probe.question))
    encoded = [encode(tokenizer, Conversation(example_id="", prompt=asked, target=text)) for text in probe.options]
    first = encoded[0]
    return Branches(first.tokens[: first.start], tuple(one.tokens[one.start : -1] for one in encoded))


def _confidence(asked: Sequence[Probe], base: Likelihoods, tuned: Likelihoods) -> dict[str, Estimate]:
    """Return how likely the right answers were and are: it moves before any choice does."""
    sides = [[row[probe.answer] for row, probe in zip(side, asked, strict=True)] for side in (base, tuned)]
    moved = [after - before for before, after in zip(*sides, strict=True)]
    return {
        "base log-likelihood": mean_interval(sides[0], SEED),
        "tuned log-likelihood": mean_interval(sides[1], SEED),
        "log-likelihood difference": mean_interval(moved, SEED),
    }


def _sentence(figures: dict[str, Estimate], *, passed: bool | None) -> str:
    base, tuned, difference = figures["base"], figures["tuned"], figures["difference"]
    moved = figures["log-likelihood difference"]
    said = (
        f"Of {questions(base.scored)} of general knowledge the base model gets {share(base)} right and the tuned one "
        f"{share(tuned)}, {change(difference)}; the right answers' log-likelihood moved by {nats(moved)}"
    )
    if passed is None:
        return f"{said}; the base model may be guessing, so there is nothing to lose"
    if not passed:
        return f"{said}; train more gently: lower training.learning_rate or epochs, or let fewer training.layers learn"
    if difference.low < -MARGIN:
        return f"{said}; no loss is shown, but one of {-difference.low * 100:.0f} points cannot be ruled out"
    return said
