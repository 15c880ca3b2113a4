"""The sample weighing as a case, without its questions and answers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from weighbridge.decide.prior.evidence import Evidence, weigh_claims
from weighbridge.decide.prior.matrix import Answer
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.evaluate.weighing import measurements_of
from weighbridge.report.case.case_study import CaseFiles
from weighbridge.results import Decision, Measurements, Weighing
from weighbridge.settings.needs import Limits, Needs
from weighbridge.settings.schema import Settings

from ..sample import weighing

MATRIX = load_matrix()
SETTINGS = Settings(
    name="Tarrow Sound handbook",
    examples=Path("/secret/place/examples.jsonl"),
    documents=Path("/secret/place/documents"),
    strategies=("prompt", "few-shot", "rag", "fine-tuned", "raft"),
    needs=Needs(limits=Limits(maximum_memory_gib=1.0, must_cite=True), answers_per_month=20_000),
)
FACTS: Mapping[str, Answer] = {"labels": 210.0, "documents": 16.0, "scale": 20_000.0, "sources": "must"}
GIVEN: Mapping[str, Answer] = {"change": "monthly", "complexity": "lookup"}
COMMANDS = ("weighbridge demo handbook", "weighbridge case --workspace weighbridge-demo/handbook")


def evidence_of(found: Measurements, decision: Decision, given: Mapping[str, Answer] = GIVEN) -> Evidence:
    return weigh_claims(found, MATRIX, decision=decision, facts={**FACTS, **given})


def files(outlook: str = "recommended", *, given: Mapping[str, Answer] = GIVEN) -> CaseFiles:
    return files_of(weighing(outlook), given=given)


def files_of(value: Weighing, *, given: Mapping[str, Answer] = GIVEN) -> CaseFiles:
    found = measurements_of(value)
    return CaseFiles(
        measurements=found, decision=value.decision, settings=SETTINGS, matrix=MATRIX, facts=FACTS, given=given,
        evidence=evidence_of(found, value.decision, given), commands=COMMANDS,
        origin="An invented ferry company; its facts were made up for this.",
    )  # fmt: skip


def renamed(value: Weighing, old: str, new: str) -> Weighing:
    """The same weighing with another name for a strategy."""
    decision = value.decision
    verdicts = tuple(replace(one, strategy=new) if one.strategy == old else one for one in decision.verdicts)
    return replace(
        value,
        measurements=tuple(
            replace(one, strategy=new) if one.strategy == old else one for one in value.measurements
        ),
        comparisons=tuple(
            replace(one, left=new if one.left == old else one.left, right=new if one.right == old else one.right)
            for one in value.comparisons
        ),
        records=tuple(replace(one, strategy=new) if one.strategy == old else one for one in value.records),
        decision=replace(decision, verdicts=verdicts),
    )  # fmt: skip
