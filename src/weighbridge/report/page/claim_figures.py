"""The published claims of the page, by their verdicts: the refuted first, the untested by the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.decide.prior.evidence import ClaimOutcome, Evidence
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.report.case.evidence_report import EvidenceRow, evidence_rows, evidence_summary, untested_by_reason
from weighbridge.report.safe_text import count_noun

_MARKS: Mapping[ClaimOutcome, tuple[str, str]] = {
    "refuted": ("\N{MULTIPLICATION X}", "refuted"),
    "confirmed": ("\N{CHECK MARK}", "confirmed"),
    "not decided": ("\N{WHITE CIRCLE}", "open"),
}
"""The sign and the style of each verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimGroup:
    """The claims of one verdict."""

    mark: str
    style: str
    rows: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFigures:
    """Everything that the page says about published claims."""

    summary: str
    groups: tuple[ClaimGroup, ...]
    untested_title: str
    untested: Sequence[tuple[str, tuple[str, ...]]]


def claim_figures(evidence: Evidence, matrix: AdviceMatrix, currency: str) -> ClaimFigures:
    """Return the claims with their verdicts in words."""
    rows = evidence_rows(evidence, matrix, currency)
    groups = (
        ClaimGroup(mark=mark, style=style, rows=tuple(row for row in rows if row.outcome == outcome))
        for outcome, (mark, style) in _MARKS.items()
    )
    untested = sum(row.outcome == "untested" for row in rows)
    return ClaimFigures(
        summary=evidence_summary(evidence),
        groups=tuple(group for group in groups if group.rows),
        untested_title=f"{count_noun(untested, 'claim')} that this workload cannot test",
        untested=tuple(untested_by_reason(rows).items()),
    )
