"""Does the tuned strategy still say that it does not know? Questions without an answer, before and after tuning.

They are the workload's own unanswerable dev questions, and those of `unanswerable.jsonl`: things that do not exist, and
things nobody could know. Limits: the documents may happen to answer one of the shipped questions.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from weighbridge.adapters import Guard
from weighbridge.checks.before_after import Records, answer_line, each
from weighbridge.checks.shares import SHOWN, change, compare_shares, questions, share
from weighbridge.results import Estimate, Record
from weighbridge.types import Example, Question

_RARELY = 0.05
"""An abstention rate up to this leaves nothing to lose."""
MOST = 0.5
"""Of the questions that have an answer, a strategy that declines more than this is of no use."""


@cache
def unanswerable() -> tuple[Example, ...]:
    """Return the questions that are shipped with the product, as examples of the dev split."""
    lines = (files("weighbridge.checks") / "unanswerable.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [str(json.loads(line)["question"]) for line in lines]
    return tuple(
        Example(id=f"shipped:{number}", question=Question(text), answers=(), answerable=False, split="dev")
        for number, text in enumerate(asked, start=1)
    )


def refusals(base: Records, tuned: Records, asked: Sequence[Example]) -> Guard:
    """Compare abstentions over the same questions, those that can be answered too.

    Fails where the tuned strategy abstains less on questions without an answer than the base did, with confidence, and
    where it has come to decline most of those that have one. Where the base hardly ever abstains, nothing can be lost,
    and of the former nothing is required.
    """
    impossible = [example for example in asked if not example.answerable]
    possible = [example for example in asked if example.answerable]
    figures = {
        **compare_shares(each(impossible, base, _abstention), each(impossible, tuned, _abstention)),
        **compare_shares(each(possible, base, _needless), each(possible, tuned, _needless), called="needless"),
    }
    if "base" not in figures:
        summary = "Refusals were not measured: no question without an answer was asked of both models"
        return Guard(name="refusals", passed=None, summary=summary, figures=figures)
    mute = bool(figures.get("needless tuned")) and (
        figures["needless tuned"].value > MOST and figures["needless difference"].low > 0
    )
    passed = None if figures["base"].value <= _RARELY else figures["difference"].high >= 0
    return Guard(
        name="refusals",
        passed=False if mute else passed,
        summary=_sentence(figures, passed=passed, mute=mute),
        figures=figures,
        shown=tuple(_lost_refusals(base, tuned, impossible)),
    )


def _abstention(record: Record) -> float | None:
    return float(record.answer.abstained) if record.answer else None


def _needless(record: Record) -> float | None:
    return float(record.outcome == "abstained")


def _lost_refusals(base: Records, tuned: Records, asked: Sequence[Example]) -> list[str]:
    before, after = each(asked, base, _abstention), each(asked, tuned, _abstention)
    changed = [n for n in range(len(asked)) if after[n] == 0 and before[n] is not None]
    first = sorted(changed, key=lambda n: -(before[n] or 0.0))
    lines = []
    for example in (asked[n] for n in first[:SHOWN]):
        before_and_now = answer_line(base.get(example.id)), answer_line(tuned.get(example.id))
        lines.append("{} before: {}; now: {}".format(example.question.text, *before_and_now))
    return lines


def _sentence(figures: Mapping[str, Estimate], *, passed: bool | None, mute: bool) -> str:
    base, tuned, difference = figures["base"], figures["tuned"], figures["difference"]
    text = (
        f"Of {questions(base.scored)} without an answer the base model declines {share(base)} and the tuned one "
        f"{share(tuned)}, {change(difference)}"
    )
    if "needless difference" in figures:
        needless, more = figures["needless tuned"], figures["needless difference"]
        text = f"{text}; of the {needless.scored:,} that have one it declines {share(needless)}, {change(more)}"
    if mute:
        return (
            f"{text}; it has learnt to decline, as too many of its training examples do: see that the search finds "
            "their evidence, or lower training.raft.withheld"
        )
    if passed is None:
        return f"{text}; the base model hardly ever declines, so there is nothing to lose"
    if not passed:
        return f"{text}; add training examples without an answer (answerable: false), or set training.raft.withheld"
    return text
