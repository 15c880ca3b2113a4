"""A weighing of the sample with measured use, so that prices and volume can be applied again, and its workspace."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from weighbridge.decide.what_if.retake import retake
from weighbridge.evaluate.weighing import measurements_of, save_weighing
from weighbridge.results import Estimate, Measurement, Measurements, ResourceUse, Weighing
from weighbridge.settings.file import load_settings
from weighbridge.settings.needs import Needs, Prices
from weighbridge.settings.schema import Settings
from weighbridge.workspace import Workspace

from ...report.sample import SECONDS, weighing
from ..conftest import make_comparisons

YAML = """# What we need.
examples: gone.jsonl
documents: gone
strategies: [prompt, few-shot, rag, fine-tuned, raft]
needs:
  limits:
    maximum_memory_gib: 4  # the small machine
  priorities: {accuracy: 5, hallucination: 3, latency: 1, cost: 1}
"""
"""Settings of a workspace that lost its documents and examples."""
EXAMPLES = 12
"""Examples of a property that takes decisions: each costs a thousand draws of the world."""


def used(measurement: Measurement) -> Measurement:
    """Return a measurement of the sample with the seconds and trainings that it took."""
    name = measurement.strategy
    seconds = SECONDS[name]
    use = ResourceUse(
        seconds_per_answer=Estimate(value=seconds, low=0.9 * seconds, high=1.15 * seconds, scored=12),
        indexing_seconds=6.2 if name in {"rag", "raft"} else 0.0,
        training_seconds=412.0 if name == "fine-tuned" else 1310.5 if name == "raft" else 0.0,
    )
    return replace(measurement, usage=use, failures=0, errors=(), attempts=12)


def priced(settings: Settings | None = None) -> Weighing:
    """Return the sample with use, comparisons of every pair, and the decision that follows from these settings."""
    made = weighing()
    measurements = tuple(map(used, made.measurements))
    made = replace(made, measurements=measurements, comparisons=make_comparisons(list(measurements), half=0.05))
    taken = retake(measurements_of(made), settings or a_settings())
    return replace(
        made,
        measurements=taken.measurements.measurements,
        settings=taken.measurements.settings,
        decision=taken.decision,
    )


def a_settings(needs: Needs | None = None, prices: Prices | None = None) -> Settings:
    """Return settings with these needs and prices."""
    return Settings(examples=Path("gone.jsonl"), needs=needs or Needs(), prices=prices or Prices())


@cache
def saved() -> Measurements:
    """Return the measurements of the sample with use."""
    return measurements_of(priced())


def workspace(root: Path, text: str = YAML) -> Workspace:
    """Write a workspace with a weighing, and without documents, examples and models."""
    place = Workspace(root)
    root.mkdir(parents=True, exist_ok=True)
    place.settings_file.write_text(text, encoding="utf-8")
    save_weighing(place, priced(load_settings(place.settings_file)))
    return place
