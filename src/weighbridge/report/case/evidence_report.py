"""The verdicts on published claims in words, for the case study and the report page, and as the terminal shows them.

Made for 80 columns and more; no meaning lies in a colour alone.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from weighbridge.decide.prior.contrasts import figure_words
from weighbridge.decide.prior.evidence import OUTCOMES, Claim, ClaimOutcome, ClaimVerdict, Evidence
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.formatting import NB, figure, join_words, probability, write_amount, write_difference
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.results import Estimate

OUTCOME_TITLES: Mapping[ClaimOutcome, str] = {
    "refuted": "Refuted here",
    "confirmed": "Confirmed here",
    "not decided": "Not decided",
    "untested": "Untested here",
}
_AHEAD = {
    "accuracy": "is more accurate than",
    "hallucination": "hallucinates less than",
    "latency_p50": "answers faster than",
    "memory": "needs less memory than",
    "setup": "is set up faster than",
    "input_tokens": "has shorter prompts than",
    "citation": "shows its source more often than",
    "cost_per_thousand": "costs less, hours of people left out, than",
    "setup_cost": "costs less to set up than",
    "running_cost": "costs less per answer than",
    "update": "takes in new knowledge faster than",
}
_PER = {
    "input_tokens": " tokens",
    "cost_per_thousand": " per 1,000 answers",
    "running_cost": " per 1,000 answers",
}
"""Words after figures whose form does not show their unit."""
_BULLET = "\N{BULLET} "
_LARGE = 10
"""A ratio from here on is written without decimals, and so is one below its inverse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One claim with its verdict, as plain text on one line each; empty where there is nothing to say."""

    outcome: ClaimOutcome
    claim: str
    sources: str
    """Where it was published, each source with its row."""
    figures: str
    """The figures of both strategies, with their intervals."""
    contrast: str
    """The difference or the ratio, with its interval."""
    basis: str
    """The number of questions, whether in pairs, and the p-value that counts."""
    reason: str

    @property
    def measurement(self) -> str:
        """Everything measured, in a line; the reason where nothing was."""
        parts = [part for part in (self.figures, self.contrast, self.basis) if part]
        told = f"{self.figures}: {', '.join(parts[1:])}" if self.figures and len(parts) > 1 else ", ".join(parts)
        return "; ".join(part for part in (told, self.reason) if part)


def evidence_summary(evidence: Evidence) -> str:
    """Return the counts of the verdicts, and how they were reached."""
    confirmed, refuted, undecided, untested = (
        len(evidence.of(outcome)) for outcome in ("confirmed", "refuted", "not decided", "untested")
    )
    return (
        f"Of {count_noun(len(evidence.verdicts), 'published claim')}, this workload confirms {confirmed}, refutes "
        f"{refuted}, leaves {undecided} open, and cannot test {untested}. A verdict needs more than chance: "
        f"{count_noun(evidence.tests, 'test')} were corrected together (Holm), at 5{NB}%; the p-values are after that."
    )


def evidence_rows(evidence: Evidence, matrix: AdviceMatrix, currency: str = "USD") -> tuple[EvidenceRow, ...]:
    """Return all verdicts in words: the refuted first, the untested last, else in the order of the matrix."""
    return tuple(
        _row(verdict, matrix, currency) for outcome in OUTCOMES for verdict in evidence.of(outcome)
    )  # fmt: skip


def untested_by_reason(rows: Sequence[EvidenceRow]) -> Mapping[str, tuple[str, ...]]:
    """Return the claims without a test by their reason, in the order of the rows."""
    claims: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.outcome == "untested":
            claims[row.reason] = (*claims.get(row.reason, ()), row.claim)
    return claims


def _row(verdict: ClaimVerdict, matrix: AdviceMatrix, currency: str) -> EvidenceRow:
    claim, contrast = verdict.claim, verdict.contrast
    is_tested = verdict.outcome != "untested"
    sources = [f"{source.short}, {source.row}" for source in claim.sources]
    basis = []
    if contrast and not contrast.is_single:
        basis.append(count_noun(verdict.questions, "question") + (" in pairs" if contrast.is_paired else ""))
    elif contrast is None and verdict.left and is_tested:
        basis.append(count_noun(verdict.questions, "question"))
    if verdict.p_adjusted is not None:
        basis.append(probability(verdict.p_adjusted))
    return EvidenceRow(
        outcome=verdict.outcome,
        claim=claim_sentence(claim, matrix, currency),
        sources=one_line("; ".join(sources)),
        figures=_figures(verdict, currency) if is_tested else "",
        contrast=_contrast(verdict) if is_tested else "",
        basis=", ".join(basis),
        reason=one_line(verdict.reason),
    )


def claim_sentence(claim: Claim, matrix: AdviceMatrix, currency: str = "USD") -> str:
    """Return a claim in words, without a full stop."""
    place = claim.sources[0]
    if claim.kind == "scenario":
        return one_line(f"{place.row}: {join_words(claim.advice, 'or')}")
    if claim.kind == "row":
        cells = {(cell.source, cell.row): (cell.rag, cell.fine_tuning) for cell in matrix.cells}
        cells |= {
            (pair.source, pair.name): (_write_number(pair.rag, pair.unit), _write_number(pair.fine_tuning, pair.unit))
            for pair in matrix.claims
        }
        rag, tuned = cells[place.source, place.row]
        return one_line(f"{place.row}: RAG {rag}, fine-tuning {tuned}")
    kind = figure_words(claim.figure)
    if claim.kind == "level":
        return one_line(f"{kind.label} of {claim.left}: {write_amount(kind, claim.value, currency)}")
    ahead = _AHEAD.get(claim.figure, f"is ahead on {kind.label} of")
    sentence = f"{claim.left} {ahead} {claim.right}"
    if claim.kind == "size":
        by = (
            f"{claim.value * 100:.0f}{NB}percentage{NB}points"
            if kind.unit == "share"
            else f"a factor of {1 + claim.value:.2f}"
        )
        sentence = f"{sentence}, by about {by}"
    return one_line(sentence)


def _write_number(value: float, unit: str) -> str:
    return f"{value * 100:.0f}{NB}%" if unit == "share" else f"{value:g}{NB}s"


def _figures(verdict: ClaimVerdict, currency: str) -> str:
    if not verdict.claim.figure:
        return ""
    kind = figure_words(verdict.claim.figure)
    sides = ((verdict.claim.left, verdict.left), (verdict.claim.right, verdict.right))
    told = [f"{one_line(arm)} {figure(kind, estimate, currency)}" for arm, estimate in sides if estimate]
    return ", ".join(told) + _PER.get(verdict.claim.figure, "")


def _contrast(verdict: ClaimVerdict) -> str:
    contrast = verdict.contrast
    if contrast is None:
        return ""
    if contrast.kind == "difference":
        return write_difference(figure_words(verdict.claim.figure), contrast.estimate)
    return write_ratio(contrast.estimate)


def write_ratio(estimate: Estimate) -> str:
    """Return a ratio with its interval: ``2.85 times as much (2.39 to 3.39)``, ``16 times less (14 to 18)``.

    An interval that reaches over 1 has the words at both ends: ``1.32 times less (1.75 times less to 1.27 times as
    much)``. One without an upper end has its low end only, and so has one without a lower its upper.
    """
    decimals = 0 if max(estimate.value, 1 / estimate.value) >= _LARGE else 2
    written = _write_times(estimate.value, decimals)
    if estimate.low == estimate.value == estimate.high:
        return written
    bounds = _write_bounds(estimate.low, math.inf if estimate.open_above else estimate.high, decimals)
    return f"{written}{NB}({bounds})" if bounds else written


def _write_bounds(low: float, high: float, decimals: int) -> str:
    """Return the interval of a ratio: bare numbers where both ends are on one side of 1; empty where nothing bounds."""
    if high == math.inf:
        if low <= 0:
            return ""
        return f"at least {low:,.{decimals}f}" if low >= 1 else f"at most {_write_times(low, decimals)}"
    if low <= 0:
        return f"{'at least' if high < 1 else 'up to'} {_write_times(high, decimals)}"
    if low < 1 <= high:
        return f"{_write_times(low, decimals)} to {_write_times(high, decimals)}"
    first, last = (1 / high, 1 / low) if high < 1 else (low, high)
    return f"{first:,.{decimals}f}{NB}to{NB}{last:,.{decimals}f}"


def _write_times(ratio: float, decimals: int) -> str:
    """Return a ratio in words. One below 1 is turned round: nobody sees at once what 0.061 times is."""
    if ratio < 1:
        return f"{1 / ratio:,.{decimals}f}{NB}times{NB}less"
    return f"{ratio:,.{decimals}f}{NB}times{NB}as{NB}much"


def render_evidence(evidence: Evidence, rows: Sequence[EvidenceRow]) -> RenderableType:
    """Return the verdicts as a rich renderable: the refuted claims first, the untested by their reasons last."""
    return Group(
        Sentence(f"Prior against evidence: {one_line(evidence.workload)}", "bold"),
        Sentence(evidence_summary(evidence)),
        *_sections(rows),
    )


def _sections(rows: Sequence[EvidenceRow]) -> Iterator[RenderableType]:
    for outcome in OUTCOMES:
        found = [row for row in rows if row.outcome == outcome]
        if not found:
            continue
        yield Text()
        yield Text(OUTCOME_TITLES[outcome], style="bold")
        if outcome == "untested":
            for reason, claims in untested_by_reason(rows).items():
                yield Sentence(f"{reason}:", first=_BULLET)
                yield Sentence("; ".join(claims), "dim", "  ")
            continue
        for row in found:
            yield Sentence(row.claim, first=_BULLET)
            yield Sentence(f"published: {row.sources}", "dim", "  ")
            yield Sentence(row.measurement, first="  ")
