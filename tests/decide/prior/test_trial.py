"""The comparison that tests the prior: its settings are good settings, its numbers of questions suffice."""

import math
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from weighbridge.decide.prior.advice import draw_up_advice
from weighbridge.decide.prior.trial import (
    ABOUT_HYBRID,
    ARM_ORDER,
    FEWEST,
    TEST_SHARE,
    USUAL_QUESTIONS,
    questions_to_see,
)
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import ARMS, MeasureSettings, SplitSettings

from .situations import MATRIX, any_answers

DAY = date(2026, 12, 1)


def test_its_constants_are_those_of_the_settings() -> None:
    assert ARM_ORDER == ARMS
    assert SplitSettings().test == TEST_SHARE
    assert MeasureSettings().questions == USUAL_QUESTIONS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(any_answers())
def test_the_settings_of_any_advice_are_read_by_weighbridge(tmp_path: Path, answers: dict[str, Any]) -> None:
    advice = draw_up_advice(MATRIX, answers, DAY)
    file = tmp_path / "weighbridge.yaml"
    file.write_text(f"examples: questions.jsonl\n{advice.trial.settings}", encoding="utf-8")
    read = load_settings(file)
    assert read.strategies == advice.trial.arms
    needs = read.needs
    assert needs.limits.must_cite == (answers["sources"] == "must")
    assert needs.limits.offline == (answers["privacy"] == "isolated")
    if answers["accuracy"] != MATRIX.factors["accuracy"].default:
        assert needs.limits.minimum_accuracy == pytest.approx(answers["accuracy"] / 100, abs=1e-6)
    else:
        assert needs.limits.minimum_accuracy is None
    if answers["latency"] != MATRIX.factors["latency"].default:
        assert needs.limits.maximum_p95_seconds == pytest.approx(answers["latency"], abs=1e-6)
    if answers["scale"] != MATRIX.factors["scale"].default:
        assert needs.answers_per_month == max(1, math.floor(answers["scale"] + 0.5))


@given(any_answers())
def test_the_leader_is_compared_with_all_that_may_beat_it(answers: dict[str, Any]) -> None:
    advice = draw_up_advice(MATRIX, answers, DAY)
    arms = {MATRIX.strategies[name].arm for name in (advice.verdict.leader, *advice.verdict.close)}
    assert arms <= set(advice.trial.arms)
    assert advice.trial.arms[0] == "prompt"
    impossible = {MATRIX.strategies[row.strategy].arm for row in advice.strategies if row.impossible}
    assert not impossible & set(advice.trial.arms)


def test_what_cannot_be_built_is_left_out_and_too_few_examples_are_said() -> None:
    trial = draw_up_advice(MATRIX, {"documents": 0, "labels": 3}, DAY).trial
    assert trial.arms == ("prompt",)
    assert trial.commands[0] == "weighbridge init mine --examples questions.jsonl"
    assert trial.tests == ()
    assert trial.remarks[0].startswith("Write at least 75 questions with answers first: 40% of them")
    assert f"fewer than {FEWEST}" in trial.remarks[0]


def test_a_test_is_as_large_as_the_claims_need_and_the_examples_allow() -> None:
    assert "questions: 400" in draw_up_advice(MATRIX, {"labels": 1_000}, DAY).trial.settings
    large = draw_up_advice(MATRIX, {"labels": 50_000}, DAY).trial
    assert f"questions: {questions_to_see(0.02, 0.05)}" in large.settings
    assert not any("published difference" in remark for remark in large.remarks)
    small = draw_up_advice(MATRIX, {"labels": 250}, DAY).trial
    assert "measure:" not in small.settings
    assert sum("published difference" in remark for remark in small.remarks) == 2


def test_an_answer_at_its_default_sets_nothing() -> None:
    assert "needs" not in draw_up_advice(MATRIX, {}, DAY).trial.settings
    defaults = {name: factor.default for name, factor in MATRIX.factors.items()}
    assert "needs" not in draw_up_advice(MATRIX, defaults, DAY).trial.settings


def test_a_hybrid_is_said_to_be_compared_as_one_model() -> None:
    for answers, is_said in (({"change": "daily", "complexity": "specialised"}, True), ({"change": "daily"}, False)):
        trial = draw_up_advice(MATRIX, answers, DAY).trial
        assert ("raft" in trial.arms) == is_said
        assert (ABOUT_HYBRID in trial.remarks) == is_said


def test_claims_are_tested_by_the_side_that_is_said_to_be_ahead() -> None:
    tests = {test.name: (test.ahead.arm, test.behind.arm) for test in draw_up_advice(MATRIX, {}, DAY).trial.tests}
    assert tests == {
        "accuracy": ("fine-tuned", "rag"),
        "latency": ("rag", "fine-tuned"),
        "hallucination": ("fine-tuned", "rag"),
    }


@pytest.mark.parametrize(("one", "other"), [(0.85, 0.92), (0.5, 0.6), (0.05, 0.02)])
def test_so_many_questions_show_the_difference_in_four_of_five_tests(one: float, other: float) -> None:
    random = Random(7)
    number, shown, runs = questions_to_see(one, other), 0, 600
    for _ in range(runs):
        only_one = only_other = 0
        for _ in range(number):
            first, second = random.random() < one, random.random() < other
            only_one += first and not second
            only_other += second and not first
        differing = only_one + only_other
        shown += abs(only_one - only_other) > 1.96 * math.sqrt(differing or 1)
    assert 0.75 < shown / runs < 0.87
