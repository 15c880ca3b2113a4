"""Three decisions that an earlier release got wrong, taken again from records.

Each row tells what was measured, what was said before, and what is said now. Run: python benchmarks/wrong_decisions.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.decide.decide import decide
from weighbridge.evaluate.summarise import compare_all, summarise
from weighbridge.results import Decision, Record, Score
from weighbridge.settings.needs import Limits, Needs
from weighbridge.types import Answer, Prompt, Timing, Usage

Outcomes = Sequence[bool | None]
"""Of one strategy, question by question: right, wrong, or None for a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongDecision:
    """What two strategies did, and what was wrongly made of it."""

    measured: str
    before: str
    outcomes: Mapping[str, Outcomes]
    limits: Limits = Limits()  # noqa: RUF009 - frozen


WRONG_DECISIONS = (
    WrongDecision(
        measured="A wins 3 of 300 and loses none",
        before="Use A, at least 0.3 with 95 % confidence (p = 0.25)",
        outcomes={"A": [True] * 203 + [False] * 97, "B": [True] * 200 + [False] * 100},
    ),
    WrongDecision(
        measured="A equals B on 95 questions and fails on 5 that B got wrong",
        before="Use A, lead 4.2",
        outcomes={"A": [True] * 70 + [False] * 25 + [None] * 5, "B": [True] * 70 + [False] * 30},
    ),
    WrongDecision(
        measured="A gets 1 of 60 right, B none",
        before="Use A, the only strategy that keeps every limit",
        outcomes={"A": [True] + [False] * 59, "B": [False] * 60},
    ),
    WrongDecision(
        measured="the same, where any accuracy will do (minimum_accuracy: 0)",
        before="Use A, the only strategy that keeps every limit",
        outcomes={"A": [True] + [False] * 59, "B": [False] * 60},
        limits=Limits(minimum_accuracy=0.0),
    ),
)


def taken_again(wrong: WrongDecision) -> Decision:
    """Return the decision from the records up."""
    records = {
        name: [_record(name, number, right) for number, right in enumerate(outcomes)]
        for name, outcomes in wrong.outcomes.items()
    }
    measurements = [summarise(attempts, [], task="answer", strategy=name, seed=7) for name, attempts in records.items()]
    return decide(measurements, compare_all(records, seed=7), Needs(limits=wrong.limits))


def _record(strategy: str, number: int, right: bool | None) -> Record:  # noqa: FBT001 - an outcome, not a switch
    key, example = f"{strategy}:{number}", f"question-{number}"
    if right is None:
        return Record(key=key, strategy=strategy, example_id=example, answer=None, error="the endpoint is down")
    text = "right" if right else "wrong"
    answer = Answer(
        text=text, raw=text, prompt=Prompt(()), abstained=False, citations=(), usage=Usage(), timing=Timing()
    )  # fmt: skip
    scores = (Score("accuracy", float(right)), Score("hallucination", float(not right)))
    return Record(key=key, strategy=strategy, example_id=example, answer=answer, scores=scores, outcome=text)


def main() -> None:
    """Print a row for every wrong decision."""
    print("| measured | said before | said now | because |\n|---|---|---|---|")
    for wrong in WRONG_DECISIONS:
        decision = taken_again(wrong)
        now = f"Use {decision.recommended}" if decision.recommended else decision.outlook
        because = decision.reasons[0].replace("\u00a0", " ")
        print(f"| {wrong.measured} | {wrong.before} | {now} | {because} |")


if __name__ == "__main__":
    main()
