"""A workload on one page: the situation, the needs, the decision, its outcome, and the price of the published table.

It is made of measurements, a decision and settings. No question, answer, passage or message of a failure enters it, so
it shows nobody a document that is not theirs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from weighbridge.decide.points import priority_weights
from weighbridge.decide.prior.advice import draw_up_advice
from weighbridge.decide.prior.evidence import Evidence
from weighbridge.decide.prior.matrix import AdviceMatrix, Answer
from weighbridge.decide.prior.one_base import on_one_base
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, figure, join_words, percentage, points, seconds, write_amount
from weighbridge.report.advice.wording import advice_headline, describe_answer
from weighbridge.report.case.evidence_report import (
    OUTCOME_TITLES,
    evidence_rows,
    evidence_summary,
    untested_by_reason,
)
from weighbridge.report.case.price_of_advice import AdvicePrice, price_advice
from weighbridge.report.findings import headline, leader, leak_check, limit_sentences, steps
from weighbridge.report.money import break_evens
from weighbridge.report.safe_text import ABSENT, count_noun, one_line
from weighbridge.results import Decision, Measurements, Weighing
from weighbridge.settings.needs import Limits
from weighbridge.settings.schema import Settings
from weighbridge.types import Example, Question

_TASKS = {"answer": "a short answer", "label": "one label of a fixed set", "json": "JSON of a fixed schema"}
_COLUMNS = (
    "accuracy", "hallucination", "latency_p50", "latency_p95", "memory", "setup", "cost_per_thousand",
)  # fmt: skip
_WANTED = {
    "accuracy": "right answers",
    "hallucination": "few wrong assertions",
    "latency": "speed",
    "cost": "low cost",
    "memory": "little memory",
    "setup": "quick set-up",
    "citation": "citations",
    "needless_abstention": "few needless refusals",
}
_PRIVATE = frozenset({"documents", "examples", "name", "json_schema", "base_url", "key_variable", "headers", "store"})
"""Settings that a page for others leaves out: places on this machine, and addresses."""
_UNASKED = Example(id="", question=Question(""), answers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFiles:
    """Everything that a case study is made of."""

    measurements: Measurements
    decision: Decision
    settings: Settings
    matrix: AdviceMatrix
    facts: Mapping[str, Answer]
    """The answers of the interview that the workspace gives itself, by question."""
    given: Mapping[str, Answer]
    """Those that somebody gave."""
    evidence: Evidence
    origin: str = ""
    """Where the data come from, as sentences; empty where the page need not say."""
    commands: tuple[str, ...]
    """To be run one after another, to do it again."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeLines:
    """Lines to be copied as they are: commands or settings."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class CaseTable:
    """Rows of plain cells under a head; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Bullets | CodeLines | CaseTable


@dataclass(frozen=True, slots=True)
class CaseSection:
    """A titled part of the page."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStudy:
    """The whole page, as plain texts without markup."""

    title: str
    headline: str
    sure: str
    weighed: str
    """The day of the comparison."""
    sections: tuple[CaseSection, ...]


def draw_up_case(files: CaseFiles) -> CaseStudy:
    """Return the case study of a workload. The same files give the same page on any day."""
    found = files.measurements
    weighing = _without_questions(found, files.decision)
    said = headline(weighing)
    blocks: tuple[tuple[str, Iterator[Block]], ...] = (
        ("Situation", _situation(files)),
        ("Needs", _needs(files.settings)),
        ("Weighed", _arms(files)),
        ("Decision", _decision(files)),
        ("Outcome", _outcome(files)),
        ("By the published table", _by_the_table(files)),
        ("Prior against evidence", _evidence(files)),
        ("Cost of finding out", _effort(weighing)),
        ("What would change it", iter((Bullets(tuple(map(one_line, files.decision.would_change))),))),
        ("Do it again", _again(files)),
    )
    sections = [CaseSection(title, tuple(_without_empty(parts))) for title, parts in blocks]
    return CaseStudy(
        title=one_line(found.name, 80),
        headline=said.text,
        sure=one_line(said.sure),
        weighed=one_line(found.taken_at[:10]),
        sections=tuple(section for section in sections if section.blocks),
    )


def _without_questions(found: Measurements, decision: Decision) -> Weighing:
    """Return a weighing with as many blank questions as were asked, for the sentences that only count them."""
    return Weighing(
        name=found.name,
        taken_at=found.taken_at,
        task=found.task,
        machine=found.machine,
        settings=found.settings,
        split=found.split,
        documents=found.documents,
        chunks=found.chunks,
        measurements=found.measurements,
        comparisons=found.comparisons,
        decision=decision,
        examples=(_UNASKED,) * found.questions,
        records=(),
        seconds=found.seconds,
        left_out=found.left_out,
        reading=None,
    )


def _without_empty(blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if block not in (Paragraph(""), Bullets(())) and not (isinstance(block, CaseTable) and not block.rows):
            yield block


def _situation(files: CaseFiles) -> Iterator[Block]:
    found, machine, split = files.measurements, files.measurements.machine, files.measurements.split
    yield Paragraph(one_line(files.origin))
    model = [one_line(found.settings[key], 80) for key in ("model", "quantisation", "engine") if key in found.settings]
    parts = f"{split.train:,} to train on, {split.dev:,} to choose by and {split.test:,} to measure"
    total = split.train + split.dev + split.test
    hardware = (
        one_line(machine.processor, 60),
        count_noun(machine.cores, "core"),
        f"{machine.memory_bytes / 2**30:.0f}{NB}GiB",
        one_line(machine.system, 60),
    )
    yield Bullets(
        (
            f"Task: {_TASKS[found.task]}",
            f"Documents: {found.documents:,}, in {count_noun(found.chunks, 'chunk')}",
            f"Examples: {total:,}, of which {parts}; {count_noun(found.questions, 'question')} asked",
            f"Base model, the same for all: {', '.join(model)}",
            f"Machine: {', '.join(hardware)}",
        )
    )


def _needs(settings: Settings) -> Iterator[Block]:
    needs = settings.needs
    weights = priority_weights(needs.priorities)
    whole = sum(weights.values()) or 1.0
    wanted = [(_WANTED.get(name, name), weight / whole) for name, weight in weights.items() if weight > 0]
    limits = join_words(list(_limits(needs.limits, settings.prices.currency)))
    volume = f"{needs.answers_per_month:,} answers a month for {count_noun(needs.months, 'month')}"
    yield Bullets(
        (
            f"Limits: {limits}" if limits else "Limits: none was set",
            f"Weights: {join_words([f'{name} {percentage(share)}' for name, share in wanted])}",
            f"Volume: {volume}",
        )
    )


def _limits(limits: Limits, money: str) -> Iterator[str]:
    if limits.maximum_p95_seconds is not None:
        yield f"95 of 100 answers within {seconds(limits.maximum_p95_seconds)}"
    if limits.maximum_memory_gib is not None:
        yield f"at most {limits.maximum_memory_gib:g}{NB}GiB of memory"
    if (cost := limits.maximum_cost_per_thousand) is not None:
        yield f"at most {write_amount(FIGURES['cost_per_thousand'], cost, money)} per 1,000 answers"
    if limits.minimum_accuracy is not None:
        yield f"at least {percentage(limits.minimum_accuracy)} right"
    if limits.maximum_hallucination is not None:
        yield f"at most {percentage(limits.maximum_hallucination)} wrong assertions"
    if limits.offline:
        yield "nothing may leave the machine"
    if limits.must_cite:
        yield "every answer must cite its place in the documents"


def _arms(files: CaseFiles) -> Iterator[Block]:
    meanings = {profile.arm: profile.meaning for profile in files.matrix.strategies.values()}
    names = [measurement.strategy for measurement in files.measurements.measurements]
    yield Bullets(tuple(f"{one_line(name)}: {meanings.get(name, 'a strategy of your own')}" for name in names))
    yield Bullets(tuple(map(one_line, files.measurements.left_out)))


def _decision(files: CaseFiles) -> Iterator[Block]:
    yield Bullets((*map(one_line, files.decision.reasons), *limit_sentences(files.decision)))


def _outcome(files: CaseFiles) -> Iterator[Block]:
    found, first = files.measurements.measurements, leader(files.decision)
    money = _money(files.measurements)
    kinds = [FIGURES[name] for name in _COLUMNS if any(name in m.figures for m in found)]
    totals = {verdict.strategy: points(verdict.total) for verdict in files.decision.verdicts}
    rows = []
    for measurement in sorted(found, key=lambda one: (one.strategy != first, -_total(files.decision, one.strategy))):
        figures = measurement.figures
        cells = [figure(kind, figures[kind.name], money) if kind.name in figures else ABSENT for kind in kinds]
        rows.append((one_line(measurement.strategy), totals.get(measurement.strategy, ABSENT), *cells))
    yield CaseTable(("strategy", "points", *(kind.label for kind in kinds)), tuple(rows))
    yield Paragraph(f"In brackets: the 95{NB}% interval. Points are out of 100, by the weights above.")
    failed = [f"{one_line(one.strategy)} {one.failures:,} of {one.attempts:,}" for one in found if one.failures]
    yield Paragraph(f"Failed attempts, which no figure holds: {'; '.join(failed)}." if failed else "")


def _total(decision: Decision, strategy: str) -> float:
    return next((verdict.total for verdict in decision.verdicts if verdict.strategy == strategy), 0.0)


def _by_the_table(files: CaseFiles) -> Iterator[Block]:
    matrix = files.matrix
    day = date.fromisoformat(files.measurements.taken_at[:10])
    advice = draw_up_advice(matrix, {**files.facts, **files.given}, day)
    known = {**dict.fromkeys(files.facts, "from the workspace"), **dict.fromkeys(files.given, "given")}
    guessed = [factor.label for name, factor in matrix.factors.items() if name not in known]
    yield Paragraph("The published tables were asked with these answers:")
    yield Bullets(
        tuple(
            f"{matrix.factors[name].label}: "
            f"{one_line(describe_answer(matrix.factors[name], advice.answers[name]))} ({origin})"
            for name, origin in known.items()
        )
    )
    if guessed:
        yield Paragraph(f"The workspace does not say: {join_words(guessed)}. These were left in the middle.")
    yield Paragraph(one_line(advice_headline(matrix, advice)))
    if advice.verdict.leader:
        taken, settled = on_one_base(files.measurements, files.decision)  # the tables compare strategies on one model
        price = price_advice(matrix.strategies[advice.verdict.leader].arm, taken, settled)
        yield from _advice_price(price, is_recommended=settled.recommended is not None)


def _advice_price(price: AdvicePrice, *, is_recommended: bool) -> Iterator[Block]:
    yield Paragraph(price.summary)
    own = f"{'recommended' if is_recommended else 'most points'}: {price.first}"
    head = ("figure", f"by the table: {price.followed}", own, "price of the table")
    yield CaseTable(head, tuple((row.label, row.followed, row.first, row.price) for row in price.rows))


def _evidence(files: CaseFiles) -> Iterator[Block]:
    """Yield the claims with a verdict as a table; those without one are only named. `weighbridge evidence` has all."""
    rows = evidence_rows(files.evidence, files.matrix, _money(files.measurements))
    yield Paragraph(evidence_summary(files.evidence))
    yield CaseTable(
        ("verdict", "published claim", "published by", "measured here"),
        tuple(
            (OUTCOME_TITLES[row.outcome], row.claim, row.sources, row.measurement)
            for row in rows
            if row.outcome in ("refuted", "confirmed")
        ),
    )
    undecided = [row.claim for row in rows if row.outcome == "not decided"]
    reasons = [f"{reason} ({len(claims)})" for reason, claims in untested_by_reason(rows).items()]
    yield Bullets(
        (
            *([f"{OUTCOME_TITLES['not decided']}: {'; '.join(undecided)}"] if undecided else []),
            *([f"{OUTCOME_TITLES['untested']}, with the number of claims: {'; '.join(reasons)}"] if reasons else []),
        )
    )


def _money(found: Measurements) -> str:
    return next((measurement.cost.currency for measurement in found.measurements if measurement.cost), "USD")


def _effort(weighing: Weighing) -> Iterator[Block]:
    whole = sum(weighing.seconds.values())
    spent = f"The whole comparison took {seconds(whole)}: {steps(weighing)}." if whole else ""
    yield Bullets(tuple(line for line in (spent, f"Leaks: {leak_check(weighing)}.", *break_evens(weighing)) if line))


def _again(files: CaseFiles) -> Iterator[Block]:
    yield CodeLines("\n".join(map(one_line, files.commands)) + "\n", "text")
    if lines := changed_settings(files.settings):
        yield Paragraph("In weighbridge.yaml these settings are not the defaults; places and addresses are left out:")
        yield CodeLines("\n".join(lines) + "\n", "yaml")


def changed_settings(settings: Settings) -> Sequence[str]:
    """Return the lines of a weighbridge.yaml with the settings that are not the defaults, but for private ones."""
    return _yaml_lines(settings.model_dump(mode="json", exclude_defaults=True), "")


def _yaml_lines(values: Mapping[str, object], indent: str) -> list[str]:
    lines = []
    for key, value in values.items():
        if key in _PRIVATE or (isinstance(value, str) and ("://" in value or value.removeprefix("file:")[:1] == "/")):
            continue
        if isinstance(value, dict):
            if inner := _yaml_lines(value, f"{indent}  "):
                lines += [f"{indent}{key}:", *inner]
        else:  # JSON is YAML
            lines.append(f"{indent}{key}: {one_line(json.dumps(value, ensure_ascii=False))}")
    return lines
