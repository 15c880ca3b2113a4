"""Gates between the phases: figures with thresholds, from the user's limits where set, else from the measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.decide.limits import FAILURES_ALLOWED
from weighbridge.decide.rollout.facts import FEW_EXAMPLES, WANTED_REACH, RolloutFacts, count_of, share_of
from weighbridge.decide.rollout.rollout_plan import Basis, Direction, Gate, Kpi
from weighbridge.formatting import percentage

FEWEST_QUESTIONS = 30
"""Test questions below which accuracy is known no better than to 18 points either way."""


@dataclass(frozen=True, slots=True)
class PhaseGates:
    """The gates before and after a phase."""

    entry: tuple[Gate, ...]
    exit: tuple[Gate, ...]


def phase_gates(facts: RolloutFacts, kpis: Sequence[Kpi]) -> tuple[PhaseGates, ...]:
    """Return the gates of the six phases."""
    targets = {kpi.name: kpi for kpi in kpis}
    undecided = () if facts.is_settled else (_decision(facts),)
    quality = ("accuracy", "hallucination", "latency_p95", "needless_abstention")
    listed: tuple[tuple[Sequence[Gate], Sequence[Gate]], ...] = (
        ((_enough_questions(facts),), (_limits_set(facts),)),
        ((_source(facts),), (*_clean_data(facts), *undecided)),
        ((_place(facts), *undecided), (_failures(facts),)),
        ((_no_leaks(facts),), (*_at_targets(targets, ("accuracy", "hallucination"), alarms=True), *_first_test(facts))),
        (_at_targets(targets, ("accuracy",), alarms=True), (*_at_targets(targets, quality), _no_broken_limit(facts))),
        (
            (_no_broken_limit(facts), *_at_targets(targets, ("latency_p95", "cost_per_answer"))),
            (_rehearsal(facts), *_at_targets(targets, ("satisfaction",), alarms=True)),
        ),
    )
    return tuple(
        PhaseGates(
            entry=tuple(replace(gate, kind="entry") for gate in entry),
            exit=tuple(replace(gate, kind="exit") for gate in after),
        )
        for entry, after in listed
    )


def _at_targets(targets: Mapping[str, Kpi], names: Sequence[str], *, alarms: bool = False) -> list[Gate]:
    """Return gates at the targets; with `alarms` at the worse end of the intervals that they come from."""
    gates = []
    for name in names:
        if (kpi := targets.get(name)) is None:
            continue
        words = kpi.basis.words
        if alarms and kpi.alarm != kpi.target:
            words += "; the worse end of the interval counts"
        gates.append(
            Gate(
                kind="exit",
                label=kpi.label,
                unit=kpi.unit,
                direction=kpi.direction,
                threshold=kpi.alarm if alarms else kpi.target,
                measured=kpi.measured,
                basis=Basis(figure=kpi.basis.figure, words=words),
            )
        )
    return gates


def _count_gate(label: str, direction: Direction, threshold: float, measured: float | None, basis: Basis) -> Gate:
    return Gate(
        kind="exit",
        label=label,
        unit="count",
        direction=direction,
        threshold=threshold,
        measured=measured,
        basis=basis,
    )


def _enough_questions(facts: RolloutFacts) -> Gate:
    asked = facts.taken.questions
    words = f"{asked:,} were asked; fewer than {FEWEST_QUESTIONS} say little"
    return _count_gate("test questions", "at least", FEWEST_QUESTIONS, asked, Basis(figure="questions", words=words))


def _limits_set(facts: RolloutFacts) -> Gate:
    count = len(facts.settings.needs.limits.model_dump(exclude_none=True, exclude_defaults=True))
    words = f"{count_of(count, 'limit is', 'limits are')} set under needs.limits"
    return _count_gate("limits agreed with the users", "at least", 1, count, Basis(figure="needs.limits", words=words))


def _source(facts: RolloutFacts) -> Gate:
    if facts.trains:
        have = facts.taken.split.train
        basis = Basis(figure="split.train", words=f"{have:,} examples are for training")
        return _count_gate("training examples at hand", "at least", 1, have, basis)
    if not facts.reads:
        return _enough_questions(facts)
    files = facts.taken.documents
    basis = Basis(figure="documents", words=f"{files:,} documents were read")
    return _count_gate("documents at hand", "at least", 1, files, basis)


def _clean_data(facts: RolloutFacts) -> list[Gate]:
    gates = []
    if (reading := facts.taken.reading) is not None:
        for name, label, items in (
            ("skipped", "files left out without a reason that is accepted", reading.skipped),
            ("conflicts", "contradictions that nobody settled", reading.conflicts),
        ):
            basis = Basis(figure=f"reading.{name}", words=f"{len(items):,} were found in reading")
            gates.append(_count_gate(label, "at most", 0, len(items), basis))
    if facts.trains:
        have = facts.taken.split.train
        basis = Basis(figure="split.train", words=f"published scales call fewer than {FEW_EXAMPLES} few")
        gates.append(_count_gate("training examples", "at least", FEW_EXAMPLES, have, basis))
    if accuracy := facts.estimate("accuracy"):
        gates.append(
            Gate(
                kind="exit",
                label="half the interval of accuracy",
                unit="points",
                direction="at most",
                threshold=WANTED_REACH,
                measured=(accuracy.high - accuracy.low) / 2,
                basis=facts.figure_basis("accuracy"),
            )
        )
    return gates


def _decision(facts: RolloutFacts) -> Gate:
    recommended = 0 if facts.decision is None or facts.decision.recommended is None else 1
    words = facts.decision.outlook if facts.decision else "no decision is saved"
    return _count_gate(
        "strategies recommended", "at least", 1, recommended, Basis(figure="decision.outlook", words=words)
    )


def _place(facts: RolloutFacts) -> Gate:
    """Return the gate on the place of the model: an agreement with the provider, or a machine with enough memory."""
    if facts.is_hosted:
        basis = Basis(figure=f"measurements.{facts.arm}.offline", words="questions leave this machine")
        return _count_gate("agreements on data processing signed", "at least", 1, None, basis)
    memory = facts.estimate("memory")
    if memory is None:
        basis = Basis(figure="machine.memory_bytes", words="the memory of the strategy was not measured")
        return _count_gate("machines reserved", "at least", 1, None, basis)
    return Gate(
        kind="exit",
        label="memory of the machine",
        unit="bytes",
        direction="at least",
        threshold=memory.high,
        measured=facts.taken.machine.memory_bytes,
        basis=facts.figure_basis("memory"),
    )


def _failures(facts: RolloutFacts) -> Gate:
    attempts = facts.chosen.attempts
    allowed = f"at most {percentage(FAILURES_ALLOWED)} may fail in a comparison"
    return Gate(
        kind="exit",
        label="failed attempts",
        unit="share",
        direction="at most",
        threshold=FAILURES_ALLOWED,
        measured=facts.chosen.failures / attempts if attempts else None,
        basis=Basis(
            figure=f"measurements.{facts.arm}.failures",
            words=f"{share_of(facts.chosen.failures, attempts)} failed; {allowed}",
        ),
    )


def _no_leaks(facts: RolloutFacts) -> Gate:
    leaks = facts.taken.split.leaks
    basis = Basis(figure="split.leaks", words=f"{leaks:,} near-duplicates straddle the split")
    return _count_gate("test questions that training saw", "at most", 0, leaks, basis)


def _first_test(facts: RolloutFacts) -> list[Gate]:
    gates = []
    if facts.reads and (recall := facts.estimate("recall")):
        words = f"{facts.figure_basis('recall').words}; the low end of its interval counts"
        gates.append(
            Gate(
                kind="exit",
                label="evidence recall",
                unit="share",
                direction="at least",
                threshold=recall.low,
                measured=recall.value,
                basis=Basis(figure=f"measurements.{facts.arm}.figures.recall", words=words),
            )
        )
    if facts.trains:
        basis = Basis(
            figure=f"measurements.{facts.arm}.usage.training_seconds",
            words="forgetting, refusals, paraphrases, repetition and parity of the trained model",
        )
        gates.append(_count_gate("checks of the adapter that failed", "at most", 0, None, basis))
    return gates


def _no_broken_limit(facts: RolloutFacts) -> Gate:
    count = len(facts.limits_broken)
    words = "; ".join(facts.limits_broken) or f"{facts.arm} keeps every limit as measured"
    return _count_gate("broken limits", "at most", 0, count, Basis(figure="decision.verdicts", words=words))


def _rehearsal(facts: RolloutFacts) -> Gate:
    words = f"to {facts.fallback.strategy}" if facts.fallback else "to answers by people"
    return _count_gate("rollbacks rehearsed", "at least", 1, None, Basis(figure="decision.verdicts", words=words))
