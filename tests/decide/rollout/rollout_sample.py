"""Makers of measurements, decisions and settings for the tests of plans."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from weighbridge.decide.rollout.make_plan import PlanRequest, make_plan
from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.evaluate.weighing import measurements_of
from weighbridge.results import Contradiction, Decision, Estimate, Measurements, Omission, ReadingReport, ResourceUse
from weighbridge.settings.schema import Settings

from ...report.sample import weighing

TODAY = date(2026, 12, 1)
READING = ReadingReport(
    files=70,
    documents=65,
    seconds=0.4,
    skipped=(
        Omission("scans/bollards.pdf", "no text on any page; install the ocr extra"),
        Omission("scans/quay.pdf", "no text on any page; install the ocr extra"),
        Omission("old/rota.doc", "an old Word format; save it as .docx"),
    ),
    losses=(Omission("fares.xlsx, sheet 2", "a chart became a table"),),
    repeated=("parking-2019 repeats parking",),
    conflicts=(
        Contradiction(
            subject="The barrier closes at ...",
            values={"23:15": ("parking",), "22:00": ("late-crews",)},
            score=0.8,
            reasons=("same sentence",),
        ),
        Contradiction(
            subject="The signature of Petronella Wix is needed over ...",
            values={"£43,850": ("pay-bands",), "£40,000": ("pay-2019",)},
            score=0.7,
            reasons=("same sentence",),
            restricted=True,
        ),
    ),
)


def measured(reading: ReadingReport | None = READING) -> Measurements:
    """The sample weighing of five strategies, with a reading report and the seconds of indexing and training."""
    taken = measurements_of(weighing())
    usage = {
        "rag": ResourceUse(indexing_seconds=6.2),
        "fine-tuned": ResourceUse(training_seconds=412.0),
        "raft": ResourceUse(indexing_seconds=6.2, training_seconds=1310.5),
    }
    measurements = tuple(replace(one, usage=usage.get(one.strategy, ResourceUse())) for one in taken.measurements)
    return replace(taken, measurements=measurements, reading=reading)


def change(taken: Measurements, strategy: str, **changes: Any) -> Measurements:
    """Return the measurements with other values for one strategy; `figures` are added to its own."""
    changed = []
    for one in taken.measurements:
        if one.strategy == strategy:
            figures = {**one.figures, **changes.get("figures", {})}
            one = replace(one, **{**changes, "figures": figures})  # noqa: PLW2901 - the changed one
        changed.append(one)
    return replace(taken, measurements=tuple(changed))


def share(value: float, scored: int = 100, reach: float = 0.05) -> Estimate:
    """Return a share with an interval."""
    return Estimate(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach), scored=scored)


def settings(**sections: Any) -> Settings:
    """Return settings with some sections, given as in the file."""
    return Settings.model_validate({"examples": Path("e.jsonl"), **sections})


def plan(
    strategy: str = "",
    *,
    taken: Measurements | None = None,
    decision: Decision | str | None = "recommended",
    chosen: Settings | None = None,
    **request: Any,
) -> RolloutPlan:
    """Return a plan of the sample; `decision` is an outlook, or a decision, or None."""
    made = weighing(decision).decision if isinstance(decision, str) else decision
    wanted = PlanRequest(**{"today": TODAY, "strategy": strategy, **request})
    return make_plan(taken or measured(), made, chosen or settings(), wanted)


def keys(made: RolloutPlan) -> set[str]:
    """Return the keys of the tasks of a plan."""
    return {task.key for task in made.tasks}
