"""Other ways to run the measured arms: hosted or not, quantised or not, merged or not. They were not measured.

Each takes the tokens or seconds that were measured and changes one thing; the notes say what is assumed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.decide.money.ledger import ArmPlan, Band, CostInput, around
from weighbridge.decide.money.measured_costs import MIGRATION, STORAGE, Pricing, is_tuned, machine_line, token_lines
from weighbridge.decide.money.ownership import MoneyCase
from weighbridge.decide.money.price_book import HostedModel
from weighbridge.errors import SettingsError
from weighbridge.results import Measurement

GPU = "gpu"
_BITS = {"Q4_0": 4.5, "Q8_0": 8.5, "F16": 16.0, "BF16": 16.0}
"""Bits a weight in GGUF files: a block of 32 weights shares a scale of 16 bits."""
_WIDE, _NARROW = "BF16", "Q8_0"
_UNMERGED = Band(1.0, 1.1, 1.3)
"""Seconds of an answer with the adapter beside the model, against merged into it. An assumption: two thin matrices more
for every matrix of the model, and one more call for each."""


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A plan that was not measured, the inputs that it adds, and its assumption as a sentence."""

    plan: ArmPlan
    inputs: Mapping[str, CostInput]
    note: str


def with_other_ways(case: MoneyCase, measurements: Sequence[Measurement], pricing: Pricing) -> MoneyCase:
    """Return the case with the other ways to run its arms, of those that the measurements have the numbers for.

    Raises:
        SettingsError: `ownership.alternative` is no hosted model of the price book.
    """
    plans = {plan.name: plan for plan in case.plans}
    inputs, alternatives, notes = dict(case.inputs), [], dict.fromkeys(case.notes)
    for measurement in measurements:
        if plan := plans.get(measurement.strategy):
            for way in _ways(plan, measurement, inputs, pricing.for_arm(plan.name)):
                inputs |= way.inputs
                alternatives.append(replace(way.plan, measured_as=plan.name))
                notes[way.note] = None
    return replace(case, inputs=inputs, alternatives=tuple(alternatives), notes=tuple(notes))


def _ways(
    plan: ArmPlan, measurement: Measurement, inputs: Mapping[str, CostInput], pricing: Pricing
) -> Iterable[OtherWay]:
    if plan.machine is None:
        yield from _self_hosted(plan, inputs, pricing)
        return
    tuned = is_tuned(measurement)
    if not tuned and (hosted := alternative_model(pricing)):
        yield _run_hosted(plan, hosted, pricing)
    yield _other_precision(plan, inputs, pricing)
    if tuned:
        seconds = _scale(inputs[f"{plan.name}.seconds"], _UNMERGED)
        yield OtherWay(
            replace(plan, name=f"{plan.name}, adapter not merged", machine=machine_line(f"{plan.name}.unmerged")),
            {f"{plan.name}.unmerged": seconds},
            "An adapter that is not merged is assumed to take a tenth longer for an answer; it can be exchanged while "
            "the model runs.",
        )


def alternative_model(pricing: Pricing) -> HostedModel | None:
    """Return the hosted model to compare with; None where the settings name none.

    Raises:
        SettingsError: the price book does not have it.
    """
    name, book = pricing.settings.ownership.alternative, pricing.book
    if name and name not in book.hosted:
        raise SettingsError(f"{book.place} has no hosted model {name!r}; it has {', '.join(book.hosted)}")
    return book.hosted[name] if name else None


def _run_hosted(plan: ArmPlan, hosted: HostedModel, pricing: Pricing) -> OtherWay:
    """Return the arm at a provider: its measured tokens, at the prices of the book."""
    name, spread = pricing.settings.ownership.alternative, pricing.settings.ownership.spread.prices
    cached = hosted.input if hosted.cached is None else hosted.cached
    inputs = {
        f"alternative.{key}": CostInput(
            label=f"{name}: {label}",
            unit="money a million",
            band=around(amount * pricing.rate, spread),
            basis="price book",
        )
        for key, label, amount in (
            ("in", "tokens in", hosted.input),
            ("cached", "cached tokens in", cached),
            ("out", "tokens out", hosted.output),
        )
    }
    lines = (*(line for line in plan.lines if line.label != STORAGE), *token_lines(plan.name, "alternative"))
    return OtherWay(
        replace(plan, name=f"{plan.name} on {name}", lines=lines, machine=None),
        inputs,
        f"{name} is assumed to need as many tokens as your model did; how well it answers was not measured.",
    )


def _self_hosted(plan: ArmPlan, inputs: Mapping[str, CostInput], pricing: Pricing) -> Iterable[OtherWay]:
    """Yield the arm on a rented GPU: its measured tokens, at the tokens a second of the book."""
    machine, name = pricing.book.machines.get(GPU), plan.name
    if machine is None:
        return
    read, written = inputs[f"{name}.input_tokens"].band, inputs[f"{name}.output_tokens"].band
    ends = [
        tokens_in / machine.input_tokens_per_second + tokens_out / machine.output_tokens_per_second
        for tokens_in, tokens_out in ((read.low, written.low), (read.likely, written.likely), (read.high, written.high))
    ]
    hour = around(machine.per_hour * pricing.rate, pricing.settings.ownership.spread.prices)
    added = {
        f"{name}.gpu_seconds": CostInput(
            label=f"{name}: seconds of a GPU", unit="seconds", band=Band(*ends), basis="price book"
        ),
        GPU: CostInput(label="the GPU", unit="money an hour", band=hour, basis="price book"),
    }
    # No provider switches off a model of your own.
    kept = tuple(line for line in plan.lines if line.timing != "answer" and line.label != MIGRATION)
    way = replace(plan, name=f"{name} on a GPU of yours", lines=kept, machine=machine_line(f"{name}.gpu_seconds", GPU))
    note = (
        f"A GPU of yours is assumed to read {machine.input_tokens_per_second:,.0f} and to write "
        f"{machine.output_tokens_per_second:,.0f} tokens a second ({pricing.book.place}, machines.gpu)."
    )
    yield OtherWay(way, added, note)


def _other_precision(plan: ArmPlan, inputs: Mapping[str, CostInput], pricing: Pricing) -> OtherWay:
    """Return the arm with its weights in another form. Speed and files go with the bits of a weight."""
    used = pricing.settings.model.quantisation
    other = _WIDE if _BITS[used] < _BITS[_WIDE] else _NARROW
    factor, name = _BITS[other] / _BITS[used], plan.name
    ratio = Band(factor, factor, factor)
    added = {
        f"{name}.other_seconds": _scale(inputs[f"{name}.seconds"], ratio),
        f"{name}.other_gib": _scale(inputs[f"{name}.gib"], ratio),
    }
    lines = tuple(
        replace(line, factors=(f"{name}.other_gib", "storage")) if line.label == STORAGE else line
        for line in plan.lines
    )
    words = "not quantised" if other == _WIDE else f"quantised to {other}"
    return OtherWay(
        replace(plan, name=f"{name}, {words}", lines=lines, machine=machine_line(f"{name}.other_seconds")),
        added,
        f"Seconds and files are assumed to grow with the bits of a weight: {_BITS[used]:g} in {used}, "
        f"{_BITS[other]:g} in {other}.",
    )


def _scale(given: CostInput, ratio: Band) -> CostInput:
    band = given.band
    scaled = Band(band.low * ratio.low, band.likely * ratio.likely, band.high * ratio.high)
    return replace(given, label=f"{given.label}, another way", band=scaled)
