"""The verdicts on published claims, against verdicts reached by hand, and what they keep for any measurements."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.decide.prior.answers import complete_answers
from weighbridge.decide.prior.evidence import (
    OUTCOMES,
    Claim,
    ClaimVerdict,
    Evidence,
    claimed_span,
    read_claims,
    weigh_claims,
    workload_facts,
)
from weighbridge.decide.prior.matrix import AdviceMatrix, PublishedOrder
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.results import (
    Cost,
    Decision,
    Estimate,
    JointOutcomes,
    Machine,
    Measurement,
    Measurements,
    OutcomeRow,
    Outlook,
    ResourceUse,
    SplitReport,
    Verdict,
)
from weighbridge.settings.needs import Limits, Needs
from weighbridge.settings.schema import Settings

ARMS = ("prompt", "few-shot", "rag", "fine-tuned", "raft")
MATRIX = load_matrix()


def between(value: float, half: float, scored: int = 100) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, scored=scored)


def once(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value, scored=1)


def measure(name: str, place: int, *, half: float = 0.04, **figures: Estimate) -> Measurement:
    usual = {
        "accuracy": between(0.2 * place, half),
        "hallucination": between(0.9 - 0.2 * place, half),
        "latency_p50": between(1.0 + place, 0.1),
        "input_tokens": between(100.0 * (place + 1), 9.0),
        "memory": once(1e9 + 1e8 * place),
        "setup": once(10.0 * (place + 1)),
        "cost_per_thousand": between(0.02 + 0.01 * place, 0.002),
    }
    return Measurement(
        strategy=name, figures={**usual, **figures}, outcomes={}, attempts=100, failures=0,
        cost=Cost(upfront=0.001 * (place + 1), per_thousand_answers=0.01 + 0.01 * place),
        usage=ResourceUse(indexing_seconds=5.0 if name in ("rag", "raft") else 0.0, training_seconds=400.0),
        cites=name in ("rag", "raft"),
    )  # fmt: skip


def measurements(*arms: Measurement, rows: tuple[OutcomeRow, ...] = ()) -> Measurements:
    names = tuple(arm.strategy for arm in arms)
    return Measurements(
        name="mine", taken_at="2026-11-20T09:41:00+00:00", task="answer",
        machine=Machine(processor="x", cores=2, memory_bytes=2**33, system="Linux", python="3.11.9"),
        settings={},
        split=SplitReport(
            train=100, dev=10, test=90, by="family", merged_near_duplicates=0, leaks=0, checked_pairs=1, thresholds=""
        ),
        questions=100, documents=9, chunks=30, measurements=arms, comparisons=(), seconds={},
        joint=JointOutcomes(strategies=names, rows=rows),
    )  # fmt: skip


def outcomes(*right: tuple[tuple[int, ...], int]) -> tuple[OutcomeRow, ...]:
    """How many questions the arms got right and wrong in this way; each wrong answer is a hallucination."""
    return tuple(
        OutcomeRow(
            accuracy=tuple(map(float, row)), hallucination=tuple(1.0 - value for value in row), questions=count
        )
        for row, count in right
    )  # fmt: skip


def find(evidence: Evidence, kind: str, figure: str, left: str, right: str = "", value: float = 0.0) -> ClaimVerdict:
    (found,) = (
        verdict
        for verdict in evidence.verdicts
        if (verdict.claim.kind, verdict.claim.figure, verdict.claim.left, verdict.claim.right)
        == (kind, figure, left, right)
        and (not value or verdict.claim.value == pytest.approx(value))
    )
    return found


RAG, TUNED = measure("rag", 3), measure("fine-tuned", 1)
ROWS = outcomes(((1, 1), 10), ((1, 0), 50), ((0, 1), 10), ((0, 0), 30))
"""rag is right on 60 of 100, fine-tuned on 20: 40 points apart."""


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return weigh_claims(measurements(RAG, TUNED, rows=ROWS), MATRIX)


@pytest.mark.parametrize(
    ("figure", "left", "right", "outcome", "reason"),
    [
        ("accuracy", "fine-tuned", "rag", "refuted", ""),
        ("accuracy", "rag", "fine-tuned", "confirmed", ""),
        ("hallucination", "fine-tuned", "rag", "refuted", ""),
        ("latency_p50", "fine-tuned", "rag", "confirmed", ""),
        ("latency_p50", "rag", "fine-tuned", "refuted", ""),
        ("input_tokens", "fine-tuned", "rag", "confirmed", ""),
        ("memory", "rag", "fine-tuned", "not decided", "measured once, and less than a fifth from the border"),
        ("setup", "rag", "fine-tuned", "refuted", "measured once, without an interval"),
        ("update", "rag", "fine-tuned", "confirmed", "measured once, without an interval"),
        ("running_cost", "fine-tuned", "rag", "confirmed", ""),
        ("cost_per_thousand", "rag", "fine-tuned", "refuted", ""),
        ("accuracy", "raft", "rag", "untested", "raft was not weighed"),
    ],
)
def test_an_order_has_the_verdict_reached_by_hand(
    evidence: Evidence, figure: str, left: str, right: str, outcome: str, reason: str
) -> None:
    verdict = find(evidence, "order", figure, left, right)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_a_verdict_has_both_figures_the_paired_difference_and_the_questions(evidence: Evidence) -> None:
    verdict = find(evidence, "order", "accuracy", "fine-tuned", "rag")
    assert (verdict.left, verdict.right) == (TUNED.figures["accuracy"], RAG.figures["accuracy"])
    assert verdict.contrast
    assert verdict.contrast.estimate.value == pytest.approx(-0.4)
    assert (verdict.contrast.is_paired, verdict.questions) == (True, 100)
    assert [source.short for source in verdict.claim.sources] == ["six factors", "five criteria", "claims with numbers"]


@pytest.mark.parametrize(
    ("figure", "left", "value", "outcome"),
    [
        ("accuracy", "rag", 0.85, "refuted"),  # 60 %, 56 to 64
        ("latency_p50", "fine-tuned", 1.5, "refuted"),  # 2.0 s, 1.9 to 2.1; up to 1.8 would do
        ("latency_p50", "rag", 1.2, "refuted"),
        ("hallucination", "rag", 0.05, "refuted"),
    ],
)
def test_a_number_is_a_level_of_its_own(evidence: Evidence, figure: str, left: str, value: float, outcome: str) -> None:
    assert find(evidence, "level", figure, left, value=value).outcome == outcome


def test_a_level_is_confirmed_within_the_margin_and_not_decided_across_its_end() -> None:
    near = measure("rag", 3, accuracy=between(0.86, 0.03))
    across = measure("fine-tuned", 1, accuracy=between(0.88, 0.03))
    found = weigh_claims(measurements(near, across, rows=ROWS), MATRIX)
    assert find(found, "level", "accuracy", "rag").outcome == "confirmed"
    assert find(found, "level", "accuracy", "fine-tuned").outcome == "not decided"


def test_a_size_is_tested_apart_from_its_order() -> None:
    """7 points ahead is published; 40 points ahead is on its side, and far too much."""
    rows = outcomes(((1, 1), 10), ((0, 1), 50), ((1, 0), 10), ((0, 0), 30))
    found = weigh_claims(measurements(RAG, TUNED, rows=rows), MATRIX)
    assert find(found, "order", "accuracy", "fine-tuned", "rag").outcome == "confirmed"
    size = find(found, "size", "accuracy", "fine-tuned", "rag")
    assert (size.outcome, size.reason) == ("refuted", "it is more")
    other_way = find(found, "size", "hallucination", "fine-tuned", "rag")
    assert (other_way.outcome, other_way.reason) == ("refuted", "it is more")
    turned = weigh_claims(measurements(RAG, TUNED, rows=ROWS), MATRIX)
    assert find(turned, "size", "accuracy", "fine-tuned", "rag").reason == "it is the other way round"
    equal = weigh_claims(measurements(RAG, TUNED, rows=outcomes(((1, 1), 4000), ((0, 0), 4000))), MATRIX)
    assert find(equal, "size", "accuracy", "fine-tuned", "rag").reason == "it is the other way round"
    little = outcomes(((1, 1), 9000), ((0, 1), 100), ((0, 0), 900))
    size = find(weigh_claims(measurements(RAG, TUNED, rows=little), MATRIX), "size", "accuracy", "fine-tuned", "rag")
    assert (size.outcome, size.reason) == ("refuted", "it is less")
    # Of 10,000 questions 7 points, known to within half of that.
    rows = outcomes(((1, 1), 9000), ((0, 1), 750), ((1, 0), 50), ((0, 0), 200))
    found = weigh_claims(measurements(RAG, TUNED, rows=rows), MATRIX)
    assert find(found, "size", "accuracy", "fine-tuned", "rag").outcome == "confirmed"


@pytest.mark.parametrize(
    ("claim", "span"),
    [
        (Claim(kind="order", sources=(), figure="accuracy", left="a", right="b"), (0, float("inf"))),
        (Claim(kind="order", sources=(), figure="hallucination", left="a", right="b"), (-float("inf"), 0)),
        (Claim(kind="order", sources=(), figure="latency_p50", left="a", right="b"), (0, 1)),
        (Claim(kind="level", sources=(), figure="accuracy", left="a", value=0.85), (0.8, 0.9)),
        (Claim(kind="level", sources=(), figure="latency_p50", left="a", value=1.2), (1.0, 1.44)),
        (Claim(kind="size", sources=(), figure="accuracy", left="a", right="b", value=0.07), (0.035, 0.105)),
        (Claim(kind="size", sources=(), figure="hallucination", left="a", right="b", value=0.03), (-0.045, -0.015)),
        (
            Claim(kind="size", sources=(), figure="latency_p50", left="a", right="b", value=0.25),
            (1.25**-1.5, 1.25**-0.5),
        ),
    ],
)
def test_a_claim_is_a_span(claim: Claim, span: tuple[float, float]) -> None:
    found = claimed_span(claim)
    assert (found.low, found.high) == pytest.approx(span)


def test_all_tests_are_corrected_together_and_mirrored_claims_share_one() -> None:
    """One claim alone is confirmed; nine more tests of the same weak p-value leave all of them undecided."""
    weak = outcomes(((1, 0), 14), ((0, 1), 4), ((1, 1), 40), ((0, 0), 42))  # McNemar: p = 0.031
    one = PublishedOrder(figure="accuracy", ahead="rag", behind="fine-tuned", row="x", source="numbers")
    mirrored = replace(one, ahead="fine-tuned", behind="rag")
    bare = replace(MATRIX, cells=(), claims=(), scenarios=(), orders=(one, mirrored))
    found = weigh_claims(measurements(RAG, TUNED, rows=weak), bare)
    assert found.tests == 1
    assert [verdict.outcome for verdict in found.verdicts] == ["confirmed", "refuted"]
    assert found.verdicts[0].p_value == pytest.approx(0.0309, abs=1e-4)
    more = replace(one, figure="hallucination", ahead="rag", behind="fine-tuned")
    both = weigh_claims(measurements(RAG, TUNED, rows=weak), replace(bare, orders=(one, mirrored, more)))
    assert both.tests == 2
    assert {verdict.outcome for verdict in both.verdicts} == {"not decided"}
    assert both.verdicts[0].p_adjusted == pytest.approx(2 * 0.0309, abs=1e-4)
    assert both.verdicts[0].reason == "alone it would be confirmed, among 2 tests it may be chance"


def decision(outlook: Outlook, *leading: str) -> Decision:
    return Decision(
        outlook=outlook,
        recommended=leading[0] if outlook in ("recommended", "the cheapest of the equals") else None,
        contenders=leading,
        verdicts=tuple(Verdict(strategy=arm, broken_limits=(), points={}, total=0.5) for arm in ARMS[:4]),
        reasons=(),
        would_change=(),
    )


@pytest.mark.parametrize(
    ("outlook", "leading", "change", "outcome", "reason"),
    [
        ("recommended", ("rag",), "daily", "confirmed", "by the decision"),
        ("recommended", ("rag",), "weekly", "confirmed", "by the decision"),
        ("recommended", ("prompt",), "daily", "refuted", "by the decision: prompt"),
        ("the cheapest of the equals", ("rag", "prompt"), "daily", "confirmed", "by the decision"),
        ("not decisive", ("prompt", "rag"), "daily", "not decided", "the decision lies between prompt and rag"),
        ("not decisive", ("prompt", "few-shot"), "daily", "refuted", "by the decision: few-shot and prompt"),
        ("none is good enough", ("rag",), "daily", "untested", "no strategy is recommended"),
        ("recommended", ("rag",), "never", "untested", "this workload is no such case: change"),
        ("recommended", ("rag",), None, "untested", "the workspace does not say: change"),
    ],
)
def test_a_scenario_is_judged_by_the_decision_where_the_workload_is_such(
    outlook: Outlook, leading: tuple[str, ...], change: str | None, outcome: str, reason: str
) -> None:
    facts = {} if change is None else {"change": change}
    found = weigh_claims(measurements(RAG, TUNED), MATRIX, decision=decision(outlook, *leading), facts=facts)
    (verdict,) = (one for one in found.verdicts if one.claim.sources[0].row == "frequently updated knowledge")
    assert verdict.outcome == outcome
    assert verdict.reason.startswith(reason)


def test_advice_that_was_not_weighed_is_not_tested() -> None:
    taken = decision("recommended", "rag")  # raft is not among its verdicts
    facts = {"complexity": "specialised", "change": "daily"}
    found = weigh_claims(measurements(RAG, TUNED), MATRIX, decision=taken, facts=facts)
    (verdict,) = (one for one in found.verdicts if one.claim.sources[0].row == "both needs at once")
    assert (verdict.outcome, verdict.reason) == ("untested", "raft was not weighed")


def test_a_strategy_of_which_every_attempt_failed_tests_no_claim() -> None:
    """Its rows count as wrong answers, and would make every claim in its favour refuted by a figure that is missing."""
    broken = replace(measure("raft", 1), figures={}, failures=100, errors=("the model server did not answer",))
    rows = outcomes(((1, 0), 60), ((0, 0), 40))
    taken = decision("recommended", "rag")
    taken = replace(taken, verdicts=(*taken.verdicts, replace(taken.verdicts[0], strategy="raft")))
    facts = {"complexity": "specialised", "change": "daily"}
    found = weigh_claims(measurements(RAG, broken, rows=rows), MATRIX, decision=taken, facts=facts)
    about = [
        one for one in found.verdicts if "raft" in (one.claim.left, one.claim.right) or one.claim.advice == ("raft",)
    ]
    assert {(one.claim.kind, one.outcome) for one in about} >= {("order", "untested"), ("scenario", "untested")}
    assert {one.outcome for one in about} == {"untested"}
    reason = "every attempt of raft failed, so nothing of it was measured (the model server did not answer)"
    assert find(found, "order", "accuracy", "raft", "rag").reason == reason
    (both,) = (one for one in found.verdicts if one.claim.sources[0].row == "both needs at once")
    assert both.reason == reason
    one_answer = replace(broken, failures=99)
    found = weigh_claims(measurements(RAG, one_answer, rows=rows), MATRIX)
    assert find(found, "order", "accuracy", "raft", "rag").outcome == "refuted"


def test_every_published_row_has_a_test_or_says_why_it_has_none() -> None:
    rows = {(source.source, source.row) for claim in read_claims(MATRIX) for source in claim.sources}
    published = {(cell.source, cell.row) for cell in MATRIX.cells}
    published |= {(pair.source, pair.name) for pair in MATRIX.claims}
    published |= {(scenario.source, scenario.name) for scenario in MATRIX.scenarios}
    assert published <= rows
    found = weigh_claims(measurements(RAG, TUNED), MATRIX)
    reasons = {verdict.reason for verdict in found.verdicts if verdict.claim.kind == "row"}
    assert reasons
    assert "no figure tests it" not in reasons


def test_nothing_measured_leaves_everything_untested() -> None:
    found = weigh_claims(measurements(), MATRIX)
    assert {verdict.outcome for verdict in found.verdicts} == {"untested"}
    assert all(verdict.reason for verdict in found.verdicts)
    assert found.tests == 0


arms_right = st.lists(
    st.tuples(st.tuples(*[st.integers(0, 1)] * 5), st.integers(1, 20)), min_size=1, max_size=8
)  # fmt: skip
places = st.permutations(range(5))


PLAIN = replace(MATRIX, claims=(), orders=tuple(replace(order, by=0.0) for order in MATRIX.orders))
"""The matrix without sizes and levels: the opposite of such a claim is a claim of another test."""


def mirror(matrix: AdviceMatrix) -> AdviceMatrix:
    """The same matrix, with every strategy behind that was ahead."""
    orders = tuple(replace(one, ahead=one.behind, behind=one.ahead) for one in matrix.orders)
    cells = tuple(
        replace(cell, effect={name: -effect for name, effect in cell.effect.items()}) for cell in matrix.cells
    )
    return replace(matrix, orders=orders, cells=cells)


@settings(max_examples=25, deadline=None)
@given(right=arms_right, order=places)
def test_the_opposite_claims_have_the_opposite_verdicts(
    right: list[tuple[tuple[int, ...], int]], order: list[int]
) -> None:
    found = measurements(*map(measure, ARMS, order), rows=outcomes(*right))
    there = weigh_claims(found, PLAIN)
    back = weigh_claims(found, mirror(PLAIN))
    swapped = {"confirmed": "refuted", "refuted": "confirmed"}
    assert there.tests == back.tests
    for one, other in zip(there.verdicts, back.verdicts, strict=True):
        assert other.claim.sources == one.claim.sources
        assert other.outcome == swapped.get(one.outcome, one.outcome)


@settings(max_examples=25, deadline=None)
@given(right=arms_right, order=places)
def test_verdicts_do_not_depend_on_the_order_of_the_strategies(
    right: list[tuple[tuple[int, ...], int]], order: list[int]
) -> None:
    arms = [measure(name, place) for place, name in enumerate(ARMS)]
    there = weigh_claims(measurements(*arms, rows=outcomes(*right)), MATRIX)
    turned = [(tuple(row[place] for place in order), count) for row, count in reversed(right)]
    back = weigh_claims(measurements(*[arms[place] for place in order], rows=outcomes(*turned)), MATRIX)
    assert [verdict.outcome for verdict in there.verdicts] == [verdict.outcome for verdict in back.verdicts]


@settings(max_examples=25, deadline=None)
@given(order=places, half=st.floats(0.001, 0.2), more=st.floats(0, 0.3))
def test_a_wider_interval_decides_nothing_that_was_undecided(order: list[int], half: float, more: float) -> None:
    def outcome(width: float) -> list[str]:
        arms = [
            measure(name, place, half=width, latency_p50=between(1.0 + place, width), form=between(0.9, width))
            for name, place in zip(ARMS, order, strict=True)
        ]
        return [verdict.outcome for verdict in weigh_claims(measurements(*arms), MATRIX).verdicts]

    for narrow, wide in zip(outcome(half), outcome(half + more), strict=True):
        assert narrow != "not decided" or wide == "not decided"
        assert wide in (narrow, "not decided")


def test_the_counts_add_up(evidence: Evidence) -> None:
    counts = Counter(verdict.outcome for verdict in evidence.verdicts)
    assert {outcome: len(evidence.of(outcome)) for outcome in OUTCOMES} == counts


def test_a_workspace_answers_what_it_knows() -> None:
    found = replace(measurements(RAG, TUNED), settings={"model": "SmolLM2-135M-Instruct.Q4_1.gguf"}, chunks=79)
    plain = Settings(examples=Path("x.jsonl"))
    assert workload_facts(found, plain, MATRIX) == {
        "labels": 200.0, "documents": 11.0, "scale": 10_000.0, "model-size": 0.135
    }  # fmt: skip
    strict = Limits(minimum_accuracy=0.9, maximum_p95_seconds=2.0, offline=True, must_cite=True)
    needs = plain.model_copy(update={"needs": Needs(limits=strict, answers_per_month=500)})
    known = workload_facts(replace(found, task="label", chunks=0, settings={"model": "qwen 7b"}), needs, MATRIX)
    assert known == {
        "labels": 200.0, "documents": 0.0, "scale": 500.0, "complexity": "demanding", "accuracy": 90.0, "latency": 2.0,
        "privacy": "isolated", "sources": "must", "model-size": 7.0,
    }  # fmt: skip
    assert complete_answers(MATRIX, known)
    assert "model-size" not in workload_facts(replace(found, settings={"model": "tiny.Q8_0.gguf"}), plain, MATRIX)
