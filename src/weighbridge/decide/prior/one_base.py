"""Narrows a comparison on several base models to one of them, because published claims compare strategies on one."""

from dataclasses import replace

from weighbridge.arms import base_of, bases_of, strategy_of, words_about
from weighbridge.results import Decision, JointOutcomes, Measurements


def base_of_decision(measurements: Measurements, decision: Decision) -> str:
    """Return the base model of the strategy that the decision comes nearest to; empty where there is one model."""
    bases = bases_of(measurement.strategy for measurement in measurements.measurements)
    if len(bases) == 1:
        return bases[0]
    nearest = (decision.recommended or "", *decision.contenders, *(verdict.strategy for verdict in decision.verdicts))
    named = [base_of(name) for name in nearest if name]
    return next((base for base in named if base in bases), bases[0])


def on_one_base(measurements: Measurements, decision: Decision) -> tuple[Measurements, Decision]:
    """Return a comparison and its decision on the base model of the decision; unchanged where there is one model."""
    base = base_of_decision(measurements, decision)
    return (measurements_on(measurements, base), decision_on(decision, base)) if base else (measurements, decision)


def measurements_on(measurements: Measurements, base: str) -> Measurements:
    """Return the measurements on one base model, with the strategies by their own names: `rag` for `rag@small`."""
    own = tuple(one for one in measurements.measurements if base_of(one.strategy) == base)
    joint = measurements.joint
    places = [place for place, arm in enumerate(joint.strategies) if base_of(arm) == base]
    rows = tuple(
        replace(
            row,
            accuracy=tuple(row.accuracy[place] for place in places),
            hallucination=tuple(row.hallucination[place] for place in places),
        )
        for row in joint.rows
    )
    model = words_about(base, measurements.settings.get("model", ""))
    return replace(
        measurements,
        name=f"{measurements.name}, on {base}",
        settings={**measurements.settings, "model": model},
        measurements=tuple(replace(one, strategy=strategy_of(one.strategy)) for one in own),
        comparisons=tuple(
            replace(one, left=strategy_of(one.left), right=strategy_of(one.right))
            for one in measurements.comparisons
            if base_of(one.left) == base_of(one.right) == base
        ),
        joint=JointOutcomes(strategies=tuple(strategy_of(joint.strategies[place]) for place in places), rows=rows),
    )


def decision_on(decision: Decision, base: str) -> Decision:
    """Return the decision on one base model alone, with the strategies by their own names."""
    alone = next((one for one in decision.by_base if one.base == base), None)
    if alone is None:
        return decision
    return replace(
        decision,
        outlook=alone.outlook,
        recommended=strategy_of(alone.recommended) if alone.recommended else None,
        contenders=tuple(map(strategy_of, alone.contenders)),
        verdicts=tuple(
            replace(verdict, strategy=strategy_of(verdict.strategy))
            for verdict in decision.verdicts
            if base_of(verdict.strategy) == base
        ),
    )
