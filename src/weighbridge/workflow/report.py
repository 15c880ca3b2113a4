"""Writes the reports of a weighing: `report.html`, and `brief.html` on two pages."""

import hashlib
from datetime import date

from weighbridge.decide.prior.evidence import weigh_claims, workload_facts
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.decide.prior.one_base import on_one_base
from weighbridge.decide.rollout.make_plan import PlanRequest, make_plan
from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import load_weighing, measurements_of
from weighbridge.report.page.brief_page import brief
from weighbridge.report.page.dossier import NO_DOSSIER, CheckedFile, Dossier, PublishedClaims
from weighbridge.report.page.restricted_messages import withhold_messages
from weighbridge.report.page.weighing_page import page
from weighbridge.results import Weighing
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import PUBLIC
from weighbridge.workflow.cost import CostQuestion, price_workspace
from weighbridge.workspace import Workspace, write_text

_FILES = {
    "weighbridge.yaml": "your settings: needs, prices, strategies",
    ".weighbridge/measurements.json": "every figure, with the outcomes of each question",
    ".weighbridge/decision.json": "the decision, with its verdicts and its doubt",
    ".weighbridge/weighing.json": "all of it, with questions and answers",
    ".weighbridge/workload.json": "the split of the examples",
}
"""The files that a report is made of."""


def render_again(workspace: Workspace, groups: frozenset[str]) -> Weighing:
    """Return the saved weighing, and write its pages for readers of these access groups.

    Raises:
        WorkspaceError: nothing has been weighed here.
    """
    if not workspace.weighing_file.exists():
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed here yet; run: weighbridge compare")
    weighing = load_weighing(workspace.weighing_file)
    write_reports(workspace, weighing, groups=groups)
    return weighing


def write_reports(workspace: Workspace, weighing: Weighing, *, groups: frozenset[str] = PUBLIC) -> None:
    """Write the pages of a weighing that is saved already. A part that cannot be computed is left out of them."""
    dossier = make_dossier(workspace, withhold_messages(weighing, groups))
    write_text(workspace.report, page(weighing, dossier, groups=groups))
    write_text(workspace.brief, brief(weighing, dossier, groups=groups))


def make_dossier(workspace: Workspace, weighing: Weighing) -> Dossier:
    """Return everything that the reports show beside a weighing.

    Prices and plan count from the day of the weighing, so that a page stays the same however often it is written.
    """
    try:
        settings = load_settings(workspace.settings_file)
    except UserError:  # the report of a weighing can be read without the settings it was taken by
        return NO_DOSSIER
    today = date.fromisoformat(weighing.taken_at[:10])
    try:
        own = price_workspace(workspace, CostQuestion(today=today))
    except UserError:  # nothing that was measured can be priced; `weighbridge cost` says why
        own = None
    return Dossier(
        needs=settings.needs,
        ownership=own,
        plan=_plan(weighing, settings, today),
        claims=_claims(weighing, settings),
        files=tuple(
            CheckedFile(place=place, holds=holds, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
            for place, holds in _FILES.items()
            if (path := workspace.root / place).exists()
        ),
    )


def _plan(weighing: Weighing, settings: Settings, today: date) -> RolloutPlan | None:
    try:
        return make_plan(measurements_of(weighing), weighing.decision, settings, PlanRequest(today=today))
    except UserError:  # its start lies before the weighing, for instance; `weighbridge plan` says so
        return None


def _claims(weighing: Weighing, settings: Settings) -> PublishedClaims:
    matrix, measurements = load_matrix(), measurements_of(weighing)
    taken, settled = on_one_base(measurements, weighing.decision)
    facts = workload_facts(taken, settings, matrix)
    evidence = weigh_claims(taken, matrix, decision=settled, facts=facts)
    return PublishedClaims(matrix=matrix, evidence=evidence)
