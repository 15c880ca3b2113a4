"""Weighs published claims against the figures of a workspace, and draws up its case study, both from saved files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weighbridge.decide.prior.answers import check_answers, read_answer
from weighbridge.decide.prior.evidence import Evidence, weigh_claims, workload_facts
from weighbridge.decide.prior.matrix import AdviceMatrix, Answer
from weighbridge.decide.prior.one_base import on_one_base
from weighbridge.decide.what_if.retake import retake
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import load_decision, load_measurements
from weighbridge.report.case.case_page import case_markdown, case_page
from weighbridge.report.case.case_study import CaseFiles, CaseStudy
from weighbridge.results import Decision, Measurements
from weighbridge.settings.schema import Settings
from weighbridge.workflow.demo import MODELS, demo_settings, samples
from weighbridge.workspace import Workspace, write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedClaims:
    """The verdicts on the claims of a matrix, with everything saved that they rest on."""

    matrix: AdviceMatrix
    measurements: Measurements
    decision: Decision
    facts: Mapping[str, Answer]
    given: Mapping[str, Answer]
    evidence: Evidence


def weigh_evidence(
    settings: Settings, workspace: Workspace, matrix: AdviceMatrix, answers: Mapping[str, object]
) -> WeighedClaims:
    """Return a verdict on every claim, by the saved measurements and decision of a workspace.

    `answers` are those of the interview that the workspace cannot give itself; they go before its own.

    Raises:
        UserError: an answer is wrong.
        WorkspaceError: nothing has been weighed here.
        DataError: a saved file is damaged.
    """
    if problems := check_answers(matrix, answers):
        raise UserError("\n".join(f"{name}: {problem}" for name, problem in problems.items()))
    given = {name: read_answer(matrix.factors[name], value) for name, value in answers.items()}
    if not (workspace.measurements_file.exists() or workspace.weighing_file.exists()):
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed here yet; run: weighbridge compare")
    measurements = load_measurements(workspace)
    decision = load_decision(workspace) or retake(measurements, settings).decision
    taken, settled = on_one_base(measurements, decision)
    facts = workload_facts(taken, settings, matrix)
    evidence = weigh_claims(taken, matrix, decision=settled, facts={**facts, **given})
    return WeighedClaims(
        matrix=matrix, measurements=measurements, decision=decision, facts=facts, given=given, evidence=evidence
    )  # fmt: skip


def case_files(settings: Settings, workspace: Workspace, claims: WeighedClaims) -> CaseFiles:
    """Return everything that the case study of a workspace is made of."""
    return CaseFiles(
        measurements=claims.measurements,
        decision=claims.decision,
        settings=settings,
        matrix=claims.matrix,
        facts=claims.facts,
        given=claims.given,
        evidence=claims.evidence,
        commands=_commands(workspace),
    )


def write_case(case: CaseStudy, path: Path) -> None:
    """Write a case study as Markdown or as a web page, by the ending of the path; `UserError` for any other."""
    writers = {".md": case_markdown, ".html": case_page}
    if path.suffix not in writers:
        raise UserError(f"{path}: must end with .md for Markdown, or with .html for a web page")
    write_text(path, writers[path.suffix](case))


def _commands(workspace: Workspace) -> tuple[str, ...]:
    """Return the commands that do the comparison again; a sample that nobody changed is made by `demo`."""
    written = workspace.settings_file.read_text(encoding="utf-8")
    for sample in sorted(folder for folder in samples().iterdir() if (folder / "weighbridge.yaml").is_file()):
        for models in ([], *([model] for model in MODELS)):
            if demo_settings(sample, models or MODELS) == written:
                options = "".join(f" --model {model}" for model in models)
                folder = "-".join([f"weighbridge-demo/{sample.name}", *models])
                return f"weighbridge demo {sample.name}{options}", f"weighbridge case --workspace {folder}"
    return "weighbridge compare --workspace mine", "weighbridge case --workspace mine"
