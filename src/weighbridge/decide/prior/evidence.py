"""The prior against evidence: each published claim, confirmed, refuted, not decided or untested on one workload.

A claim is a span of values: "faster" is every ratio of times below 1, "85 %" is 80 to 90 %, "by 7 percentage points" is
3.5 to 10.5. It is confirmed where the figure lies within the span beyond chance, and refuted where it lies outside
beyond chance. All tests of a workload are corrected together (Holm 1979), so that the chance of even one wrong verdict
stays at 5 %. Claims that say the same, or the opposite, share a test.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from weighbridge.decide.leads import LEVEL
from weighbridge.decide.prior.contrasts import (
    FEWEST_QUESTIONS,
    ClaimedSpan,
    FigureContrast,
    Untestable,
    claimed_figure,
    contrast_pair,
    figure_words,
    locate_in_span,
)
from weighbridge.decide.prior.matrix import (
    MIDDLE,
    AdviceMatrix,
    Answer,
    NumberPair,
    PublishedOrder,
    Scenario,
    published_claims,
    published_orders,
)
from weighbridge.formatting import join_words
from weighbridge.intervals import holm
from weighbridge.results import Decision, Estimate, Measurement, Measurements
from weighbridge.settings.schema import Settings

ClaimOutcome = Literal["confirmed", "refuted", "not decided", "untested"]
OUTCOMES: tuple[ClaimOutcome, ...] = ("refuted", "confirmed", "not decided", "untested")
"""In the order of the reports: news first."""
LEVEL_MARGIN = 0.05
"""How near a share must be to a published one: they come as whole numbers without an interval or a sample, and 100
questions cannot place a share more nearly than this."""
ONCE_MARGIN = 1.2
"""How far apart two values must be that were measured once, as a ratio. Chosen: their spread is not known, and a fifth
is more than a machine that does nothing else varies. It is the margin of published times, too."""
TOKENS_PER_PAGE = 500
"""Of a printed page: some 380 words of English. Chunks are counted as full, so that pages are a little too many."""
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?([bm])(?![a-z])", re.IGNORECASE)
"""The parameters in the name of a model: "135M", "7b"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSource:
    """Where a claim was published."""

    source: str
    """A key of the matrix."""
    short: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something published that a measurement may test."""

    kind: Literal["order", "size", "level", "scenario", "row"]
    """`order`: left is ahead of right on a figure; `size`: by so much; `level`: a figure of left; `scenario`: which
    strategies suit a situation; `row`: a cell that no figure tests."""
    sources: tuple[ClaimSource, ...]
    figure: str = ""
    left: str = ""
    right: str = ""
    value: float = 0.0
    """Of a level; of a size the difference of shares, or the ratio less 1."""
    advice: tuple[str, ...] = ()
    """Of a scenario: the strategies as a measurement names them."""

    @property
    def test(self) -> tuple[object, ...]:
        """What its test depends on: the same for claims that say the same, or the opposite."""
        sides = tuple(sorted((self.left, self.right))) if self.kind == "order" else (self.left, self.right)
        return self.kind, self.figure, sides, self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerdict:
    """The verdict on a claim, with all it rests on. Left and right are the claim's."""

    claim: Claim
    outcome: ClaimOutcome
    reason: str = ""
    """Why it is not decided or untested, or what the verdict leaves open; a clause without a full stop."""
    left: Estimate | None = None
    right: Estimate | None = None
    contrast: FigureContrast | None = None
    """None for a level and a scenario."""
    questions: int = 0
    p_value: float | None = None
    """Two-sided; None where nothing was sampled, or nothing tested."""
    p_adjusted: float | None = None
    """The same after Holm's correction over all tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The verdicts on all claims, in the order of the matrix."""

    workload: str
    questions: int
    tests: int
    """The tests that were corrected together."""
    verdicts: tuple[ClaimVerdict, ...]

    def of(self, outcome: ClaimOutcome) -> tuple[ClaimVerdict, ...]:
        """Return the verdicts of one outcome."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome == outcome)


def workload_facts(measurements: Measurements, settings: Settings, matrix: AdviceMatrix) -> Mapping[str, Answer]:
    """Return the known answers by question. A question that the workspace does not answer is absent.

    Labels are all examples, also those that are measured. A fixed set of labels or a JSON schema is a form of its own,
    so it counts as a demanding task. Limits count where they are set.
    """
    split, limits = measurements.split, settings.needs.limits
    known: dict[str, Answer] = {
        "labels": float(split.train + split.dev + split.test),
        "documents": float(math.ceil(measurements.chunks * settings.chunks.tokens / TOKENS_PER_PAGE)),
        "scale": float(settings.needs.answers_per_month),
    }
    if measurements.task != "answer":
        known["complexity"] = "demanding"
    if limits.minimum_accuracy is not None:
        known["accuracy"] = limits.minimum_accuracy * 100
    if limits.maximum_p95_seconds is not None:
        known["latency"] = limits.maximum_p95_seconds
    if limits.offline:
        known["privacy"] = "isolated"
    if limits.must_cite:
        known["sources"] = "must"
    if size := _SIZE.search(measurements.settings.get("model", "")):
        known["model-size"] = float(size[1]) / (1000 if size[2] in "mM" else 1)
    return {name: answer for name, answer in known.items() if name in matrix.factors}


def weigh_claims(
    measurements: Measurements,
    matrix: AdviceMatrix,
    *,
    decision: Decision | None = None,
    facts: Mapping[str, Answer] | None = None,
) -> Evidence:
    """Return a verdict on every claim of the matrix.

    `facts` are the answers of the interview that are known of this workload, by factor. A scenario is tested by the
    decision, where the facts say that the workload is such a one.
    """
    by_name = {measurement.strategy: measurement for measurement in measurements.measurements}
    # The comparison counts a failed attempt as a wrong answer. Where all failed, that says nothing of the strategy.
    failed = {name: _why_failed(one) for name, one in by_name.items() if 0 < one.attempts <= one.failures}
    verdicts = []
    for claim in read_claims(matrix):
        if claim.kind == "row":
            verdicts.append(ClaimVerdict(claim=claim, outcome="untested", reason=_why_untested(claim, matrix)))
        elif claim.kind == "scenario":
            scenario = next(one for one in matrix.scenarios if one.name == claim.sources[0].row)
            judged = _judge_scenario(claim, scenario, matrix, decision, facts or {})
            if judged.outcome != "untested" and failed.keys() >= set(claim.advice):
                judged = ClaimVerdict(claim=claim, outcome="untested", reason=failed[claim.advice[0]])
            verdicts.append(judged)
        elif absent := [arm for arm in (claim.left, claim.right) if arm and arm not in by_name]:
            reason = f"{join_words(absent)} {'was' if len(absent) == 1 else 'were'} not weighed"
            verdicts.append(ClaimVerdict(claim=claim, outcome="untested", reason=reason))
        elif reasons := [failed[arm] for arm in (claim.left, claim.right) if arm in failed]:
            verdicts.append(ClaimVerdict(claim=claim, outcome="untested", reason="; ".join(reasons)))
        elif claim.kind == "level":
            verdicts.append(_judge_level(claim, by_name[claim.left]))
        else:
            left, right = by_name[claim.left], by_name[claim.right]
            found = contrast_pair(claim.figure, left, right, measurements.joint, measurements.comparisons)
            verdicts.append(_judge_contrast(claim, found, left, right))
    corrected, tests = _correct(verdicts)
    return Evidence(
        workload=measurements.name, questions=measurements.questions, tests=tests, verdicts=tuple(corrected)
    )


def _why_failed(measurement: Measurement) -> str:
    cause = f" ({measurement.errors[0]})" if measurement.errors else ""
    return f"every attempt of {measurement.strategy} failed, so nothing of it was measured{cause}"


def read_claims(matrix: AdviceMatrix) -> tuple[Claim, ...]:
    """Return all claims of a matrix. One that several sources make stands once, with its sources."""
    claims: dict[tuple[object, ...], Claim] = {}
    for claim in _each_claim(matrix):
        place = claim.sources if claim.kind in ("row", "scenario") else ()
        key = (claim.kind, claim.figure, claim.left, claim.right, claim.value, place)
        known = claims.get(key)
        claims[key] = replace(known, sources=(*known.sources, *claim.sources)) if known else claim
    return tuple(claims.values())


def _each_claim(matrix: AdviceMatrix) -> Iterator[Claim]:
    orders = published_orders(matrix)
    for order in orders:
        yield from _order_claims(order, matrix)
    for pair in matrix.claims:
        yield from _number_claims(pair, matrix)
    tested = {(order.source, order.row) for order in orders}
    for cell in matrix.cells:
        if (cell.source, cell.row) not in tested:
            yield Claim(kind="row", sources=(_source(matrix, cell.source, cell.row),))
    for scenario in matrix.scenarios:
        arms = tuple(matrix.strategies[name].arm for name in scenario.advice)
        yield Claim(kind="scenario", sources=(_source(matrix, scenario.source, scenario.name),), advice=arms)


def _order_claims(order: PublishedOrder, matrix: AdviceMatrix) -> Iterator[Claim]:
    source = (_source(matrix, order.source, order.row),)
    yield Claim(kind="order", sources=source, figure=order.figure, left=order.ahead, right=order.behind)
    if order.by:
        yield Claim(
            kind="size", sources=source, figure=order.figure, left=order.ahead, right=order.behind, value=order.by
        )


def _number_claims(pair: NumberPair, matrix: AdviceMatrix) -> Iterator[Claim]:
    source = (_source(matrix, pair.source, pair.name),)
    if not pair.figure:
        yield Claim(kind="row", sources=source)
        return
    levels = [one for one in published_claims(matrix) if (one.source, one.name) == (pair.source, pair.name)]
    for one in levels:
        yield Claim(kind="level", sources=source, figure=one.figure, left=one.arm, value=one.value)
    if pair.rag == pair.fine_tuning:
        return
    ahead, behind = sorted(levels, key=lambda one: one.value, reverse=pair.better == "higher")
    if pair.unit == "share":
        by = abs(ahead.value - behind.value)
    else:
        by = max(ahead.value, behind.value) / min(ahead.value, behind.value) - 1
    order = PublishedOrder(
        figure=pair.figure, ahead=ahead.arm, behind=behind.arm, row=pair.name, source=pair.source, by=round(by, 9)
    )
    yield from _order_claims(order, matrix)


def _source(matrix: AdviceMatrix, source: str, row: str) -> ClaimSource:
    return ClaimSource(source=source, short=matrix.sources[source].short, row=row)


def _why_untested(claim: Claim, matrix: AdviceMatrix) -> str:
    place = (claim.sources[0].source, claim.sources[0].row)
    named = {(cell.source, cell.row): cell.untested for cell in matrix.cells}
    named |= {(pair.source, pair.name): pair.untested for pair in matrix.claims}
    return named.get(place) or "no figure tests it"


def claimed_span(claim: Claim) -> ClaimedSpan:
    """Return the values that a claim holds for: of the figure for a level, else of the contrast of left and right."""
    kind = figure_words(claim.figure)
    is_share = kind.unit == "share"
    if claim.kind == "level":
        if is_share:
            return ClaimedSpan(claim.value - LEVEL_MARGIN, claim.value + LEVEL_MARGIN)
        return ClaimedSpan(claim.value / ONCE_MARGIN, claim.value * ONCE_MARGIN)
    if claim.kind == "order":
        neutral = 0.0 if is_share else 1.0
        return (
            ClaimedSpan(neutral, math.inf)
            if kind.higher_is_better
            else ClaimedSpan(-math.inf if is_share else 0.0, neutral)
        )
    # Half to one and a half times the size that was published: on the right side, and nearer to it than to none at all.
    if is_share:
        ends = [part * (claim.value if kind.higher_is_better else -claim.value) for part in (0.5, 1.5)]
    else:
        ends = [(1 + claim.value) ** (part if kind.higher_is_better else -part) for part in (0.5, 1.5)]
    return ClaimedSpan(min(ends), max(ends))


def _judge_level(claim: Claim, measurement: Measurement) -> ClaimVerdict:
    """Return the verdict on a level, as if it were tested alone."""
    kind = figure_words(claim.figure)
    estimate = claimed_figure(measurement, claim.figure)
    if estimate is None:
        reason = f"{kind.label} of {claim.left} was not measured"
        return ClaimVerdict(claim=claim, outcome="untested", reason=reason)
    if kind.unit == "share" and estimate.scored < FEWEST_QUESTIONS:
        reason = f"{estimate.scored} questions are too few; {FEWEST_QUESTIONS} are needed"
        return ClaimVerdict(claim=claim, outcome="untested", reason=reason, left=estimate, questions=estimate.scored)
    found = locate_in_span(estimate, claimed_span(claim), in_logs=kind.unit != "share")
    return ClaimVerdict(
        claim=claim,
        outcome="confirmed" if found.is_inside else "refuted",
        left=estimate,
        questions=estimate.scored,
        p_value=found.p_value,
    )


def _judge_contrast(
    claim: Claim, contrast: FigureContrast | Untestable, left: Measurement, right: Measurement
) -> ClaimVerdict:
    """Return the verdict on an order or a size, as if it were tested alone."""
    one, other = claimed_figure(left, claim.figure), claimed_figure(right, claim.figure)
    if isinstance(contrast, Untestable):
        return ClaimVerdict(claim=claim, outcome="untested", reason=contrast.reason, left=one, right=other)
    estimate, span = contrast.estimate, claimed_span(claim)
    found = locate_in_span(estimate, span, in_logs=contrast.kind == "ratio")
    verdict = ClaimVerdict(
        claim=claim,
        outcome="confirmed" if found.is_inside else "refuted",
        left=one,
        right=other,
        contrast=contrast,
        questions=estimate.scored,
        p_value=max(found.p_value, contrast.sign_flip if claim.kind == "order" else 0.0),
    )
    if not contrast.is_single:
        wrong = _wrong_size(claim, estimate.value) if claim.kind == "size" and not found.is_inside else ""
        return replace(verdict, reason=wrong)
    # Without an interval there is no p-value: the two must lie further from each end than a busy machine may move them.
    near = any(1 / ONCE_MARGIN < estimate.value / end < ONCE_MARGIN for end in (span.low, span.high) if end)
    reason = "measured once, and less than a fifth from the border" if near else "measured once, without an interval"
    return replace(verdict, p_value=None, outcome="not decided" if near else verdict.outcome, reason=reason)


def _wrong_size(claim: Claim, value: float) -> str:
    """Return how a contrast misses the size that was published: on the other side, too small, or too large."""
    span, kind = claimed_span(claim), figure_words(claim.figure)
    neutral = 0.0 if kind.unit == "share" else 1.0
    if (value - neutral) * (span.low - neutral) <= 0:
        return "it is the other way round"
    return (
        "it is more" if abs(value - neutral) > max(abs(span.low - neutral), abs(span.high - neutral)) else "it is less"
    )


def _judge_scenario(
    claim: Claim, scenario: Scenario, matrix: AdviceMatrix, decision: Decision | None, facts: Mapping[str, Answer]
) -> ClaimVerdict:
    """Return the verdict on a scenario by the decision, where the workload is known to be of that kind."""
    advice = set(claim.advice)
    reason = next(_differences(scenario, matrix, facts), "")
    if not reason and not (decision and (decision.recommended or decision.outlook == "not decisive")):
        reason = "no strategy is recommended, so there is nothing to compare the advice with"
    if not reason and decision and not advice & {verdict.strategy for verdict in decision.verdicts}:
        reason = f"{join_words(claim.advice)} was not weighed"
    if reason or decision is None:
        return ClaimVerdict(claim=claim, outcome="untested", reason=reason)
    leading = {decision.recommended} if decision.recommended else set(decision.contenders)
    if leading <= advice:
        return ClaimVerdict(claim=claim, outcome="confirmed", reason="by the decision")
    if leading & advice:
        reason = f"the decision lies between {join_words(sorted(leading))}"
        return ClaimVerdict(claim=claim, outcome="not decided", reason=reason)
    return ClaimVerdict(claim=claim, outcome="refuted", reason=f"by the decision: {join_words(sorted(leading))}")


def _differences(scenario: Scenario, matrix: AdviceMatrix, facts: Mapping[str, Answer]) -> Iterator[str]:
    """Yield why a workload is not known to be of the kind that a scenario describes."""
    for name, answer in scenario.answers.items():
        factor = matrix.factors[name]
        if name not in facts:
            yield f"the workspace does not say: {factor.label}"
            continue
        wanted, score = factor.score(answer), factor.score(facts[name])
        is_on_its_side = (score - MIDDLE) * (wanted - MIDDLE) > 0 or score == wanted
        if not is_on_its_side:
            yield f"this workload is no such case: {factor.label}"


def _correct(verdicts: Sequence[ClaimVerdict]) -> tuple[Iterable[ClaimVerdict], int]:
    """Return the verdicts that stand after all tests were corrected together, and the number of these."""
    p_values = {verdict.claim.test: verdict.p_value for verdict in verdicts if verdict.p_value is not None}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    corrected = []
    for verdict in verdicts:
        if verdict.p_value is None:
            corrected.append(verdict)
            continue
        p_adjusted = adjusted[verdict.claim.test]
        outcome, reason = verdict.outcome, verdict.reason
        if verdict.p_value > LEVEL:
            outcome, reason = "not decided", "the interval reaches across"
        elif p_adjusted > LEVEL:
            reason = f"alone it would be {outcome}, among {len(adjusted)} tests it may be chance"
            outcome = "not decided"
        corrected.append(replace(verdict, outcome=outcome, p_adjusted=p_adjusted, reason=reason))
    return corrected, len(adjusted)
