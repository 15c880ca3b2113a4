"""Finds settings that contradict each other."""

from collections.abc import Iterator
from pathlib import Path

from weighbridge.extensions import extension_names
from weighbridge.settings.currencies import currency_problem
from weighbridge.settings.curves import CRITERIA
from weighbridge.settings.money import volume_problem
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.settings.training import TrainingSettings


def conflicts(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each setting that contradicts another: its keys, outermost first, and the problem as a sentence."""
    splits, priorities, prices = settings.splits, settings.needs.priorities, settings.prices
    if (both := splits.dev + splits.test) > 1 + 1e-9:  # rounding
        key = "dev" if "dev" in splits.model_fields_set else "test"
        problem = (
            f"splits.dev ({splits.dev:g}) and splits.test ({splits.test:g}) add up to {both:g}, more than the whole"
        )
        yield ("splits", key), problem
    if not any(getattr(priorities, name) for name in CRITERIA):
        yield ("needs", "priorities"), "needs.priorities are all 0; give at least one of them a weight above 0"
    offered = extension_names("weighbridge.metrics") if settings.measure.metrics else ()
    if missing := [name for name in settings.measure.metrics if name not in offered]:
        problem = f"measure.metrics: no installed distribution offers {missing[0]!r}; offered are: "
        yield ("measure", "metrics"), problem + (", ".join(offered) or "none")
    found = (problem for one in settings.by_base for problem in _untrainable(one.model, settings.training))
    yield from dict.fromkeys(found)  # each once, for however many models
    labels = [source.label for source in settings.sources if not isinstance(source, Path)]
    if twice := next((label for label in labels if labels.count(label) > 1), ""):
        yield ("documents",), f"documents: two sources are called {twice!r}; give one of them another `name`"
    own = settings.ownership
    if problem := volume_problem(settings.needs.answers_per_month, own.growth, own.years):
        yield ("ownership", "growth"), f"ownership.growth: {problem}"
    if problem := currency_problem(prices.currency):
        yield ("prices", "currency"), f"prices.currency {problem}"
    if (prices.input_per_million is None) != (prices.output_per_million is None):
        given, other = ("input_per_million", "output_per_million")[:: 1 if prices.output_per_million is None else -1]
        problem = f"prices.{given} is given but prices.{other} is not; give both (0 where it is free), or neither"
        yield ("prices", given), problem


def _untrainable(model: ModelSettings, training: TrainingSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    method, after = training.method, training.preference.method
    if training.groups and model.engine == "openai":
        problem = "training.groups allows learning from restricted documents, and an endpoint gets public ones alone"
        yield ("training", "groups"), f"{problem}; leave it out, or train here (model.engine: llamacpp)"
    if method == "prompt-tuning" and model.engine == "llamacpp":
        problem = (
            "training.method: prompt-tuning leaves no weights that llama.cpp can run; set model.engine: transformers"
        )
        yield ("training", "method"), f"{problem}, or another method"
    if method == "prompt-tuning" and training.layers and model.engine != "openai":
        problem = "training.layers cannot be used with training.method: prompt-tuning, which learns below all blocks"
        yield ("training", "layers"), f"{problem}; leave it out, or choose another method"
    if after != "none" and method in ("ia3", "prompt-tuning", "full") and model.engine != "openai":
        problem = f"training.preference.method: {after} continues a LoRA adapter, and training.method is {method}"
        yield ("training", "preference"), f"{problem}; set that to lora, rslora, dora or qlora, or this to none"
