"""A weighing on two base models: records of a known pattern, measured, compared and decided as `compare` does it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from weighbridge.arms import strategy_of
from weighbridge.decide.decide import decide
from weighbridge.evaluate.outcomes import joint_outcomes
from weighbridge.evaluate.summarise import Footprint, compare_all, summarise
from weighbridge.results import Cost, Decision, Measurement, Record, ResourceUse, Score, Weighing
from weighbridge.settings.needs import Needs
from weighbridge.types import Answer, Example, Message, Prompt, Question, Timing, Usage

from .sample import exact, weighing

QUESTIONS = 72
RIGHT = {
    "prompt@tiny": 4, "few-shot@tiny": 6, "rag@tiny": 18, "fine-tuned@tiny": 30, "prompt@small": 9, "rag@small": 60,
}  # fmt: skip
"""The questions that each arm is right on: the first so many, so that the better arm is right wherever another is."""
SECONDS = {"tiny": 0.4, "small": 1.6}
MIB = {"tiny": 310, "small": 780}


def examples() -> tuple[Example, ...]:
    """Return questions of one kind; what they ask does not matter here."""
    return tuple(Example(id=f"q{n}", question=Question(f"Question {n}?"), answers=("yes",)) for n in range(QUESTIONS))


def records(right: Mapping[str, int] = RIGHT) -> dict[str, tuple[Record, ...]]:
    """Return the attempts of each arm."""
    return {
        arm: tuple(_record(arm, example, is_right=place < count) for place, example in enumerate(examples()))
        for arm, count in right.items()
    }


def measurements(right: Mapping[str, int] = RIGHT) -> tuple[Measurement, ...]:
    """Return what the records and a footprint say of each arm."""
    return tuple(_measure(arm, attempts) for arm, attempts in records(right).items())


def decision_on(right: Mapping[str, int] = RIGHT, needs: Needs | None = None) -> Decision:
    """Return the decision on arms that are right on so many questions."""
    attempts = records(right)
    return decide(measurements(right), compare_all(attempts, seed=7), needs or Needs(), joint_outcomes(attempts))


def weighing_on_bases(right: Mapping[str, int] = RIGHT, needs: Needs | None = None) -> Weighing:
    """Return the whole weighing."""
    attempts = records(right)
    return replace(
        weighing(),
        settings={**weighing().settings, "model": "tiny: SmolLM2-135M-Instruct; small: Qwen2.5-Coder-0.5B-Instruct"},
        measurements=measurements(right),
        comparisons=compare_all(attempts, seed=7),
        decision=decision_on(right, needs),
        examples=examples(),
        records=tuple(record for own in attempts.values() for record in own),
    )


def _measure(arm: str, attempts: Sequence[Record]) -> Measurement:
    base = arm.partition("@")[2]
    seconds = SECONDS[base] * (2 if strategy_of(arm) == "rag" else 1)
    timings = (Timing(retrieval=0.0, first_token=seconds / 2, total=seconds),) * 12
    measured = summarise(
        attempts,
        examples(),
        task="answer",
        strategy=arm,
        seed=7,
        footprint=Footprint(timings=timings, memory_bytes=MIB[base] * 2**20, disk_bytes=10**8, setup_seconds=3.0),
    )
    trained = 400.0 if strategy_of(arm) == "fine-tuned" else 0.0
    return replace(
        measured,
        figures={**measured.figures, "cost_per_thousand": exact(seconds / 100)},
        cost=Cost(upfront=trained / 1e4, per_thousand_answers=seconds / 100),
        usage=ResourceUse(
            seconds_per_answer=exact(seconds),
            indexing_seconds=3.0 if strategy_of(arm) == "rag" else 0.0,
            training_seconds=trained,
        ),
    )


def _record(arm: str, example: Example, *, is_right: bool) -> Record:
    said = "yes" if is_right else "no"
    return Record(
        key=f"{arm}:{example.id}",
        strategy=arm,
        example_id=example.id,
        answer=Answer(
            text=said,
            raw=said,
            prompt=Prompt((Message("user", example.question.text),), ()),
            abstained=False,
            citations=(),
            usage=Usage(input_tokens=60, output_tokens=3),
            timing=Timing(retrieval=0.0, first_token=0.5, total=1.0),
        ),
        scores=(Score("accuracy", float(is_right)), Score("hallucination", float(not is_right))),
        outcome="right" if is_right else "wrong",
    )
