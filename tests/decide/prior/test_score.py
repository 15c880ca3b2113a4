"""The scores: the published advice where the sources agree, and no answer against its own direction."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.prior.answers import complete_answers
from weighbridge.decide.prior.matrix import MIDDLE, STRATEGIES, AdviceMatrix, Direction, Scenario
from weighbridge.decide.prior.score import judge_prior, read_slopes, score_answers, score_strategies

from .situations import MATRIX, Case, answer_with_score, any_answers, written_cases

SLOPES = read_slopes(MATRIX)


def points(answers: dict[str, Any], matrix: AdviceMatrix = MATRIX) -> dict[str, float]:
    return {row.strategy: row.points for row in score_strategies(matrix, answers)}


@pytest.mark.parametrize("scenario", MATRIX.scenarios, ids=lambda scenario: scenario.name)
def test_every_published_scenario_gets_the_published_advice(scenario: Scenario) -> None:
    verdict = judge_prior(MATRIX, complete_answers(MATRIX, scenario.answers))
    assert verdict.leader in scenario.advice


@pytest.mark.parametrize("case", written_cases(), ids=lambda case: case.name)
def test_every_written_case_gets_its_advice_or_is_left_open(case: Case) -> None:
    verdict = judge_prior(MATRIX, complete_answers(MATRIX, case.answers))
    if case.advice:
        assert verdict.leader in case.advice
    else:
        assert not verdict.settled


def test_the_cases_are_thirty_and_call_for_every_strategy() -> None:
    cases = written_cases()
    assert len(cases) == 30
    assert {name for case in cases for name in case.advice} == set(STRATEGIES)


@given(any_answers(), st.sampled_from(sorted(MATRIX.factors)))
def test_no_answer_moves_a_score_against_its_own_direction(answers: dict[str, Any], name: str) -> None:
    factor = MATRIX.factors[name]
    before = points(answers)
    for score in range(factor.score(answers[name]) + 1, 6):
        after = points({**answers, name: answer_with_score(factor, score)})
        for strategy in STRATEGIES:
            moved = after[strategy] - before[strategy]
            slope = SLOPES[name][strategy]
            if slope == 0 and not (strategy == "hybrid" and factor.need):
                assert moved == pytest.approx(0, abs=1e-9)
            else:
                assert moved * (slope or 1) >= -1e-9, (strategy, slope, moved)


@given(any_answers(), st.integers(1, 4))
def test_more_frequent_change_never_lowers_rag_against_fine_tuning(answers: dict[str, Any], score: int) -> None:
    change = MATRIX.factors["change"]
    slower, faster = (points({**answers, "change": answer_with_score(change, one)}) for one in (score, score + 1))
    assert faster["rag"] - faster["fine-tuning"] > slower["rag"] - slower["fine-tuning"]


@given(any_answers(), st.integers(0, 20_000), st.integers(0, 20_000))
def test_more_labels_never_lower_fine_tuning_nor_make_it_impossible(
    answers: dict[str, Any], one: int, other: int
) -> None:
    rows = []
    for labels in sorted((one, other)):
        scored = score_strategies(MATRIX, {**answers, "labels": float(labels)})
        rows.append(next(row for row in scored if row.strategy == "fine-tuning"))
    assert rows[1].points >= rows[0].points
    assert not (rows[1].impossible and not rows[0].impossible)


@given(any_answers())
def test_points_are_the_sum_of_what_they_are_made_of(answers: dict[str, Any]) -> None:
    for row in score_strategies(MATRIX, answers):
        parts = sum(one.points for one in row.contributions) + row.base + row.bonus
        assert row.points == pytest.approx(parts)
        assert all(abs(one.points) <= MATRIX.factors[one.factor].weight for one in row.contributions)


def test_the_middle_moves_nothing() -> None:
    answers = complete_answers(MATRIX, {})
    assert set(score_answers(MATRIX, answers).values()) == {MIDDLE}
    assert points(answers) == {"prompt": 0, "few-shot": 0, "rag": 0, "fine-tuning": 0, "hybrid": -8}
    verdict = judge_prior(MATRIX, answers)
    assert (verdict.leader, verdict.settled) == ("prompt", False)
    assert verdict.close == ("few-shot", "rag", "fine-tuning")


def test_slopes_are_means_over_all_readings_and_claims_with_numbers_are_read() -> None:
    assert SLOPES["latency"]["fine-tuning"] == pytest.approx((1 + 1 + 1 - 1) / 4)
    assert SLOPES["latency"]["rag"] == pytest.approx(-0.5)
    assert SLOPES["scale"]["fine-tuning"] == pytest.approx(1 / 3)
    without = read_slopes(MATRIX, without="numbers")
    assert without["latency"]["fine-tuning"] == 1
    assert read_slopes(MATRIX, without="scenarios")["labels"]["few-shot"] == 0


def test_the_hybrid_earns_more_than_a_mean_where_both_needs_stand_together() -> None:
    only_knowledge = points(complete_answers(MATRIX, {"change": "daily"}))
    only_behaviour = points(complete_answers(MATRIX, {"complexity": "specialised"}))
    both = points(complete_answers(MATRIX, {"change": "daily", "complexity": "specialised"}))
    separate = only_knowledge["hybrid"] + only_behaviour["hybrid"] - points(complete_answers(MATRIX, {}))["hybrid"]
    assert both["hybrid"] == pytest.approx(separate + MATRIX.hybrid.bonus)
    assert both["hybrid"] > max(both["rag"], both["fine-tuning"])


def test_strategies_that_cannot_be_built_never_lead_and_say_why() -> None:
    answers = complete_answers(MATRIX, {"labels": 0, "documents": 0, "change": "daily"})
    rows = {row.strategy: row for row in score_strategies(MATRIX, answers)}
    assert {name for name, row in rows.items() if row.impossible} == {"few-shot", "rag", "fine-tuning", "hybrid"}
    assert "no document" in rows["rag"].impossible
    verdict = judge_prior(MATRIX, answers)
    assert (verdict.leader, verdict.settled, verdict.close) == ("prompt", True, ())
    four = score_strategies(MATRIX, complete_answers(MATRIX, {"labels": 4}))
    assert {row.strategy for row in four if row.impossible} == {"fine-tuning", "hybrid"}


@given(any_answers())
def test_whatever_flips_the_verdict_is_named_and_whatever_is_named_flips_it(answers: dict[str, Any]) -> None:
    verdict = judge_prior(MATRIX, answers)
    named = {(flip.factor, flip.score): flip.leader for flip in verdict.flips if flip.factor}
    scores = score_answers(MATRIX, answers)
    for name, factor in MATRIX.factors.items():
        for step in (scores[name] - 1, scores[name] + 1):
            limited = any(rule.factor == name for rule in MATRIX.requirements)  # a step may cross the least answer
            if 1 <= step <= 5 and not limited:
                other = judge_prior(MATRIX, {**answers, name: answer_with_score(factor, step)}).leader
                assert named.get((name, step), verdict.leader) == other
    assert verdict.settled == (not verdict.close)
    assert verdict.leader not in verdict.close


def test_a_lead_within_the_margin_or_by_one_source_alone_settles_nothing() -> None:
    few = complete_answers(MATRIX, {"labels": 40})
    assert points(few)["few-shot"] - points(few)["prompt"] == MATRIX.margin
    assert judge_prior(MATRIX, few).close == ("prompt",)
    sure = complete_answers(MATRIX, {"change": "daily"})
    assert judge_prior(MATRIX, sure).settled
    assert not judge_prior(replace(MATRIX, margin=20.0), sure).settled
    insurance = next(case for case in written_cases() if case.name == "insurance claims")
    verdict = judge_prior(MATRIX, complete_answers(MATRIX, insurance.answers))
    assert [(flip.source, flip.leader) for flip in verdict.flips if flip.source] == [("n3xtcoder", "hybrid")]
    assert verdict.close == ("hybrid",)


def test_of_equal_strategies_the_simplest_leads() -> None:
    level = Direction(strategy="rag", source="reasoning", why="", effect={})
    matrix = replace(MATRIX, cells=(), claims=(), directions=(level,))
    assert judge_prior(matrix, complete_answers(MATRIX, {"change": "daily"})).leader == "prompt"


def test_our_own_reasoning_is_not_left_out_when_sources_are() -> None:
    kinds = {
        MATRIX.sources[flip.source].kind
        for case in written_cases()
        for flip in judge_prior(MATRIX, complete_answers(MATRIX, case.answers)).flips
        if flip.source
    }
    assert kinds == {"advice", "measured"}
