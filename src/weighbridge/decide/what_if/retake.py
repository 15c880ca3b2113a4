"""Takes the decision again from saved measurements, with given needs and prices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from weighbridge.decide.decide import decide
from weighbridge.decide.what_if.reprice import reprice
from weighbridge.results import Decision, JointOutcomes, Measurements
from weighbridge.settings.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Retaken:
    """A decision, with the measurements that it rests on: at the prices and the volume of the settings."""

    measurements: Measurements
    decision: Decision


def retake(measurements: Measurements, settings: Settings, *, without: Collection[str] = ()) -> Retaken:
    """Return the decision by the present needs and prices, between all measured strategies but those `without`.

    Raises:
        SettingsError: the needs or prices leave nothing to decide by.
        DataError: no strategy is left.
    """
    kept = tuple(
        reprice(one, settings.prices, settings.needs)
        for one in measurements.measurements
        if one.strategy not in without
    )
    joint = _joint_of([one.strategy for one in kept], measurements.joint)
    said = {**measurements.settings, "prices": describe_prices(settings)}
    return Retaken(
        measurements=replace(measurements, measurements=kept, settings=said),
        decision=decide(kept, measurements.comparisons, settings.needs, joint),
    )


def _joint_of(strategies: Sequence[str], joint: JointOutcomes) -> JointOutcomes:
    """Return the outcomes of some strategies alone. Questions with the same outcomes stay in rows of their own."""
    places = [place for place, name in enumerate(joint.strategies) if name in strategies]
    rows = tuple(
        replace(
            row,
            accuracy=tuple(row.accuracy[place] for place in places),
            hallucination=tuple(row.hallucination[place] for place in places),
        )
        for row in joint.rows
    )
    return JointOutcomes(strategies=tuple(joint.strategies[place] for place in places), rows=rows)


def describe_prices(settings: Settings) -> str:
    """Return the price of the machine and the volume in words, for the reports."""
    prices, needs = settings.prices, settings.needs
    return (
        f"{prices.machine_per_hour:g} {prices.currency} per machine hour, as of {prices.dated}; "
        f"{needs.answers_per_month:,} answers a month for {needs.months} months"
    )
