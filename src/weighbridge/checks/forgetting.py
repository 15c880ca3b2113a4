"""Does the tuned model still have general knowledge? 120 questions with four options each, in `probe.jsonl`.

Only the four options are weighed against each other: by softmax over their log-likelihoods, each the sum over its
tokens. That is how probable an option is, given that one of the four is said; so it does not change where tuning made
all four less likely by the same factor, because the model would now rather say something of another kind, such as a
label. (The right answer's own log-likelihood does, and so does a mean per token, as the factor is then divided by the
number of tokens; see ADR 12.) The likeliest option counts as the choice. The question stands behind another one that
was answered in a word: else a network that was merely taught to be brief would seem to know more than before.
Limits: it does not measure other skills, such as writing long texts or other languages.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.checks.likelihood import Branches, log_likelihoods
from weighbridge.checks.shares import SHOWN, change, compare_shares, questions, share
from weighbridge.results import Estimate
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import encode
from weighbridge.types import Message

MARGIN = 0.02
"""A loss of accuracy up to this is borne, however sure it is."""
FADED = 0.05
"""A loss of the right option's probability up to this is borne: so much comes and goes with how a question is put."""
CHANCE = 0.25
"""Share of right answers by guessing among four options."""
GENTLER = "train more gently: lower training.learning_rate or epochs, or let fewer training.layers learn"
SHOT = (
    Message("system", "Answer in a few words."),
    Message("user", "What is the colour of grass?"),
    Message("assistant", "green"),
)
"""The turns before each question."""
Likelihoods = Sequence[Sequence[float]]
"""One row a question, one value an option: its log-likelihood in nats, summed over its tokens."""


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
    lines = (files("weighbridge.checks") / "probe.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return tuple(
        Probe(topic=row["topic"], question=row["question"], options=tuple(row["options"]), answer=row["answer"])
        for row in rows
    )


def option_likelihoods(network: Any, tokenizer: Any, asked: Sequence[Probe]) -> tuple[tuple[float, ...], ...]:
    """Return how likely the network finds each option of each question, in nats, by its chat template."""
    branches = [_branches(tokenizer, probe) for probe in asked]
    return tuple(
        tuple(mean * len(answer) for mean, answer in zip(means, one.answers, strict=True))
        for means, one in zip(log_likelihoods(network, branches), branches, strict=True)
    )


def check_forgetting(asked: Sequence[Probe], base: Likelihoods, tuned: Likelihoods) -> Guard:
    """Compare the answers of the base and of the tuned network to the same questions.

    Fails where the accuracy is lower than before by more than `MARGIN`, or the probability of the right option among
    the four by more than `FADED`, with confidence. A base model that does no better than guessing has nothing to lose,
    so nothing is required then.
    """
    choices = [[max(range(len(row)), key=row.__getitem__) for row in side] for side in (base, tuned)]
    right = [[float(pick == probe.answer) for pick, probe in zip(side, asked, strict=True)] for side in choices]
    sure = [[_probability(row, probe.answer) for row, probe in zip(side, asked, strict=True)] for side in (base, tuned)]
    figures = {**compare_shares(right[0], right[1]), **compare_shares(sure[0], sure[1], called="probability,")}
    lost = [n for n in range(len(asked)) if right[0][n] > right[1][n]]
    shown = [
        f"{asked[n].question} before: {asked[n].options[choices[0][n]]}; now: {asked[n].options[choices[1][n]]}"
        for n in sorted(lost, key=lambda n: tuned[n][asked[n].answer] - tuned[n][choices[1][n]])
    ]
    kept = figures["difference"].high >= -MARGIN and figures["probability, difference"].high >= -FADED
    passed = None if figures["base"].low <= CHANCE else kept
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


def _probability(row: Sequence[float], answer: int) -> float:
    """Return the softmax of an option: its probability, given that one of them is said."""
    most = max(row)
    return math.exp(row[answer] - most) / math.fsum(math.exp(value - most) for value in row)


def _sentence(figures: Mapping[str, Estimate], *, passed: bool | None) -> str:
    base, tuned, difference = figures["base"], figures["tuned"], figures["difference"]
    faded = figures["probability, difference"]
    said = (
        f"Of {questions(base.scored)} of general knowledge the base model gets {share(base)} right and the tuned one "
        f"{share(tuned)}, {change(difference)}; the right one of four options had "
        f"{share(figures['probability, base'])} of their probability and has "
        f"{share(figures['probability, tuned'])}, {change(faded)}"
    )
    if passed is None:
        return f"{said}; the base model may be guessing, so there is nothing to lose"
    if not passed:
        less = "" if difference.high < -MARGIN else "; it chooses as before, but is less sure of its answers"
        return f"{said}{less}; {GENTLER}"
    if difference.low < -MARGIN:
        shown = "some loss is likely" if difference.high < 0 else "no loss is shown"
        return f"{said}; {shown}, and one of {-difference.low * 100:.0f} points cannot be ruled out"
    return said
