"""Risks of a roll-out: how likely each is follows from measured facts; and the way back when one comes true."""

import math
from collections.abc import Sequence
from datetime import date

from weighbridge.decide.limits import FAILURES_ALLOWED
from weighbridge.decide.rollout.facts import RolloutFacts, count_of, share_of
from weighbridge.decide.rollout.rollout_plan import Basis, Kpi, Level, Risk, Rollback
from weighbridge.formatting import join_words, percentage, write_day

LEVELS: Sequence[Level] = ("low", "medium", "high")
# A fiftieth of the documents, or a twentieth of the files: an answer in fifty then rests on disputed or missing text.
_MANY_CONFLICTS = 0.02
_MANY_SKIPPED = 0.05
_WIDE = 0.1
"""Half an interval of accuracy beyond which a loss of 10 points cannot be seen in a test of the same size."""
_HEAVY = 0.5
"""Share of all priorities from which on a figure decides the ranking alone."""
LAST_TRAINING, TUNED_OFF = date(2027, 1, 6), date(2027, 1, 14)
"""OpenAI takes no new fine-tuning jobs from the first day, and switches tuned GPT-4o models off on the second, by its
deprecation notice (platform.openai.com/docs/deprecations)."""
_OPENAI = "api.openai.com"


def rollout_risks(facts: RolloutFacts, end: date) -> tuple[Risk, ...]:
    """Return the five risks, the gravest first."""
    risks = (_data_quality(facts), _integration(facts), _drift(facts), _compliance(facts), _provider(facts, end))
    return tuple(sorted(risks, key=lambda risk: -LEVELS.index(risk.likelihood) * 3 - LEVELS.index(risk.impact)))


def _quality_impact(facts: RolloutFacts) -> tuple[Level, str]:
    """Return how much a loss of quality costs by the user's needs, with the reason."""
    limits, weights = facts.settings.needs.limits, facts.settings.needs.priorities
    if limits.minimum_accuracy is not None or limits.maximum_hallucination is not None:
        return "high", "quality has a limit of yours"
    total = weights.accuracy + weights.hallucination + weights.latency + weights.cost
    quality = (weights.accuracy + weights.hallucination) / total if total else 0.0
    words = f"quality has {percentage(quality)} of your priorities"
    return ("high" if quality >= _HEAVY else "medium"), words


def _data_quality(facts: RolloutFacts) -> Risk:
    reading = facts.taken.reading
    impact, weight = _quality_impact(facts)
    likelihood: Level = "low"
    if reading is None:
        likelihood = "medium" if facts.reads or facts.trains else "low"
        found, figure = f"no report on the reading of {facts.taken.documents:,} documents is saved", "documents"
    else:
        conflicts, skipped = len(reading.conflicts), len(reading.skipped)
        found = (
            f"{count_of(conflicts, 'contradiction')} and {count_of(len(reading.repeated), 'repeated document')} among "
            f"{reading.documents:,} documents; {share_of(skipped, reading.files)} files left out"
        )
        figure = "reading.conflicts" if conflicts else "reading.skipped"
        many = conflicts > _MANY_CONFLICTS * reading.documents or skipped > _MANY_SKIPPED * reading.files
        if many and not facts.reads and not facts.trains:
            many = False  # a strategy without documents is only as exposed as its instructions
            likelihood = "medium"
        if many:
            likelihood = "high"
        elif conflicts or skipped or reading.losses or reading.repeated:
            likelihood = "medium"
    return Risk(
        hazard="data quality",
        title="Answers rest on wrong, old or missing text",
        likelihood=likelihood,
        impact=impact,
        why=f"{found}; {weight}",
        sign="a thumb down on an answer that quotes a document rightly; more contradictions after an update",
        answer="settle contradictions in weeks 3 and 4; the owner of a document answers for it from then on",
        basis=Basis(figure=figure, words=found),
    )


def _integration(facts: RolloutFacts) -> Risk:
    failed, attempts = facts.chosen.failures, facts.chosen.attempts
    cut = facts.estimate("truncated")
    share = failed / attempts if attempts else 0.0
    likelihood: Level = "high" if share > FAILURES_ALLOWED else "low"
    if likelihood == "low" and (failed or facts.is_hosted or (cut and cut.value)):
        likelihood = "medium"
    found = f"{share_of(failed, attempts)} attempts failed"
    if cut and cut.value:
        found += f", and {percentage(cut.value)} of the answers were cut"
    limited = facts.settings.needs.limits.maximum_p95_seconds is not None
    return Risk(
        hazard="integration",
        title="The application meets failures, time-outs or answers in another form",
        likelihood=likelihood,
        impact="high" if limited else "medium",
        why=f"{found}; the model {'is reached over a network' if facts.is_hosted else 'runs on this machine'}; "
        f"{'latency has a limit of yours' if limited else 'latency has no limit'}",
        sign="failed answers, or time-outs, above the share of the comparison in any hour",
        answer="a time-out and one retry in the application; then an honest message, never an empty answer",
        basis=Basis(figure=f"measurements.{facts.arm}.failures", words=found),
    )


def _drift(facts: RolloutFacts) -> Risk:
    documents, accuracy = facts.taken.documents, facts.estimate("accuracy")
    reach = (accuracy.high - accuracy.low) / 2 if accuracy else 1.0
    if facts.trains and not facts.reads:
        level, why = (2, "its facts are in the weights, and change only by training") if documents else (1, "it learns")
    elif facts.trains:
        level, why = 1, "it reads the present documents, and learnt from earlier ones"
    elif facts.reads:
        level, why = 0, "it reads the present documents"
    else:
        level, why = (1, "its facts are those of the model and the instructions") if documents else (0, "no documents")
    if reach > _WIDE:
        level = min(2, level + 1)
        why += f", and the test sees no loss below {100 * reach:.0f} points"
    impact, weight = _quality_impact(facts)
    return Risk(
        hazard="drift",
        title="Documents or questions change, and answers become wrong unnoticed",
        likelihood=LEVELS[level],
        impact=impact,
        why=f"{why}; {documents:,} documents; {weight}",
        sign="accuracy of the 50 graded answers a week below its alarm; questions unlike those of the test",
        answer="index again after each change of a document"
        if facts.reads and not facts.trains
        else "train again after each change of the facts, and compare before promoting"
        if facts.trains
        else "change the instructions, compare, and release them as a new version",
        basis=facts.figure_basis("accuracy"),
    )


def _compliance(facts: RolloutFacts) -> Risk:
    limits = facts.settings.needs.limits
    wrong, restricted = facts.estimate("hallucination"), 0
    if facts.taken.reading is not None:
        restricted = sum(conflict.restricted for conflict in facts.taken.reading.conflicts)
    level = 0
    found = ["questions leave this machine" if facts.is_hosted else "everything stays on this machine"]
    if facts.is_hosted:
        level = 2 if limits.offline or restricted else 1
    if limits.must_cite and not facts.chosen.cites:
        level = 2
        found.append("it cannot cite, and you require citations")
    if facts.settings.training.groups and facts.trains:
        level = max(level, 1)
        found.append("it may learn from restricted documents")
    if restricted:
        level = max(level, 1)
        found.append(f"{count_of(restricted, 'contradiction')} in restricted documents")
    if wrong:
        found.append(f"{percentage(wrong.value)} of the answers assert something wrong")
    strict = limits.offline or limits.must_cite
    return Risk(
        hazard="compliance",
        title="Personal or restricted text reaches somebody who may not see it, or a wrong answer is relied on",
        likelihood=LEVELS[level],
        impact="high" if strict or restricted or facts.is_hosted else "medium",
        why=f"{join_words(found)}; {'you demand offline or citations' if strict else 'no such limit is set'}",
        sign="an answer that shows a passage to the wrong group; a request for deletion; a complaint",
        answer="groups on documents, no texts in logs, deletion within the time that you promise, and a person to call",
        basis=Basis(figure=f"measurements.{facts.arm}.offline", words=found[0]),
    )


def _provider(facts: RolloutFacts, end: date) -> Risk:
    base_url = facts.settings.model.base_url
    at_openai = facts.settings.model.engine == "openai" and (not base_url or _OPENAI in base_url)
    level, why = 0, f"the weights of {facts.model} are on this machine"
    answer = "keep the verified files of the model; its licence is checked in week 1"
    if facts.is_hosted:
        level, why = 1, f"{facts.model} is served by others, who may change its price, its terms or the model itself"
        answer = "pin the version of the model, and weigh one that runs here as the way out"
        if facts.trains:
            level = 2
            why += "; the adapter cannot leave the provider"
            if at_openai and end >= LAST_TRAINING:
                why += f"; OpenAI takes no fine-tuning jobs from {write_day(LAST_TRAINING)} on, and the plan ends later"
            if at_openai and "gpt-4o" in facts.settings.model.reference:
                why += f", and switches tuned GPT-4o models off on {write_day(TUNED_OFF)}"
            answer = "train open weights on this machine instead, or plan the strategy without an adapter"
    return Risk(
        hazard="provider",
        title="The model is switched off, changed, or becomes dearer",
        likelihood=LEVELS[level],
        impact="high" if facts.is_hosted else "low",
        why=why,
        sign="a notice of the provider; figures that move on a day without a release of yours"
        if facts.is_hosted
        else "a new licence, or a flaw published for this model",
        answer=answer,
        basis=Basis(figure="settings.model.reference", words=f"base model: {facts.model}"),
    )


def plan_rollback(facts: RolloutFacts, kpis: Sequence[Kpi]) -> Rollback:
    """Return the way back: first to the former state of the strategy, then to the next best one."""
    steps = []
    if facts.trains:
        steps.append(f"weighbridge models rollback {facts.arm}: the adapter before it answers again")
    if facts.reads:
        steps.append("weighbridge versions rollback NAME: the index before the last update")
    if not facts.trains and not facts.reads:
        steps.append("put the former version of the instructions back")
    fallback = facts.fallback
    accuracy = fallback.figures.get("accuracy") if fallback else None
    if fallback is None:
        to, figure, words = "answers by people", "decision.verdicts", "no other strategy keeps every limit"
        steps.append("if that is not enough, hand the questions to people and say so in the application")
    else:
        to, figure = fallback.strategy, f"measurements.{fallback.strategy}.figures.accuracy"
        words = f"{to} is the next best that keeps every limit"
        if accuracy and math.isfinite(accuracy.value):
            words += f", right on {percentage(accuracy.value)}"
        steps.append(f"if that is not enough, answer with {to}, which was measured on the same questions")
    steps.append("tell the users, and compare again before the next attempt")
    # What a team can act on within hours: the targets that are measured daily or weekly.
    watched = ("accuracy", "hallucination", "latency_p95", "needless_abstention", "satisfaction")
    signals = [kpi.name for kpi in kpis if kpi.name in watched]
    return Rollback(to=to, signals=tuple(signals), steps=tuple(steps), basis=Basis(figure=figure, words=words))
