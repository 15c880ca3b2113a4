"""Everything that a report shows beside the weighing itself. Each part may be absent: then its section is left out."""

from dataclasses import dataclass

from weighbridge.decide.money.ownership import Ownership
from weighbridge.decide.prior.evidence import Evidence
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.settings.needs import Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file of the workspace that a report is made of, and its fingerprint."""

    place: str
    """Its path from the folder of the workspace."""
    holds: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedClaims:
    """The published claims, and the verdicts on them by this weighing."""

    matrix: AdviceMatrix
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The parts of a report that are computed from the weighing, the settings and the calendar."""

    needs: Needs | None = None
    """The needs that the decision was taken by; without them, no weight or volume can be moved in the page."""
    ownership: Ownership | None = None
    plan: RolloutPlan | None = None
    claims: PublishedClaims | None = None
    files: tuple[CheckedFile, ...] = ()


NO_DOSSIER = Dossier()
