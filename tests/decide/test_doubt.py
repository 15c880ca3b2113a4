"""Doubt: chances of being the best, regret, perturbed weights, limits with chances, and the cheapest of the equals."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from weighbridge.decide.decide import decide
from weighbridge.decide.draws import draw_figures
from weighbridge.results import Comparison, Decision, Estimate, JointOutcomes, Measurement, OutcomeRow
from weighbridge.settings.needs import Limits, Needs, Priorities

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]
ACCURACY = Priorities(accuracy=1, hallucination=0, latency=0, cost=0)


def joint_of(*rows: tuple[str, int], names: tuple[str, ...] = ("a", "b")) -> JointOutcomes:
    """Outcomes by a letter a strategy: r(ight), w(rong), - for not asked; and the number of such questions."""
    right = {"r": 1.0, "w": 0.0, "-": None}
    wrong = {"r": 0.0, "w": 1.0, "-": None}
    return JointOutcomes(
        strategies=names,
        rows=tuple(
            OutcomeRow(
                accuracy=tuple(right[mark] for mark in marks),
                hallucination=tuple(wrong[mark] for mark in marks),
                questions=count,
            )
            for marks, count in rows
        ),
    )


def pair_of(measurement: Make, joint: JointOutcomes) -> list[Measurement]:
    """Two measurements with the accuracy of the joint outcomes."""
    asked = sum(row.questions for row in joint.rows)
    made = []
    for place, name in enumerate(joint.strategies):
        right = sum(row.questions for row in joint.rows if row.accuracy[place] == 1) / asked
        made.append(measurement(name, {"accuracy": right, "hallucination": 1 - right}))
    return made


def best_of(decision: Decision) -> dict[str, float]:
    assert decision.doubt
    return {arm.strategy: arm.best for arm in decision.doubt.arms}


def test_chances_of_being_the_best_add_up_and_regret_is_least_for_the_likeliest(measurement: Make):
    joint = joint_of(("rr", 50), ("rw", 14), ("wr", 8), ("ww", 28))
    decision = decide(pair_of(measurement, joint), (), Needs(priorities=ACCURACY), joint)
    chances = best_of(decision)
    assert sum(chances.values()) == pytest.approx(1)
    assert 0.85 < chances["a"] < 0.95, "14 against 8: Beta(14.5, 8.5) lies above a half with 0.9"
    first, second = decision.doubt.arms
    assert first.strategy == "a"
    assert 0 < first.regret < second.regret
    assert second.regret - first.regret == pytest.approx(0.06, abs=0.01), "the mean lead"


def test_three_wins_and_no_loss_are_not_certain(measurement: Make):
    joint = joint_of(("rr", 50), ("rw", 3), ("ww", 47))
    chance = best_of(decide(pair_of(measurement, joint), (), Needs(priorities=ACCURACY), joint))["a"]
    assert 0.9 < chance < 0.995


def test_common_questions_make_the_same_difference_surer(measurement: Make):
    alike = joint_of(("rr", 60), ("rw", 8), ("ww", 32))
    apart = joint_of(("rr", 40), ("rw", 28), ("wr", 20), ("ww", 12))
    needs = Needs(priorities=ACCURACY)
    chances = [best_of(decide(pair_of(measurement, joint), (), needs, joint))["a"] for joint in (alike, apart)]
    assert chances[0] > chances[1] + 0.05


def test_equal_strategies_are_the_best_equally_often(measurement: Make):
    joint = joint_of(("rr", 60), ("ww", 40))
    assert best_of(decide(pair_of(measurement, joint), (), Needs(priorities=ACCURACY), joint))["a"] == pytest.approx(
        0.5, abs=0.05
    )


def test_the_draws_depend_neither_on_the_order_nor_on_rows_split_in_two(measurement: Make):
    joint = joint_of(("rw", 14), ("wr", 8), ("rr", 50), ("ww", 28))
    turned = joint_of(("ww", 28), ("rr", 20), ("wr", 14), ("rw", 8), ("rr", 30), names=("b", "a"))
    weighed = pair_of(measurement, joint)
    needs = Needs()
    assert decide(weighed, (), needs, joint).doubt == decide(weighed[::-1], (), needs, turned).doubt


def test_a_question_that_was_not_put_to_one_says_nothing_of_it(measurement: Make):
    joint = joint_of(("rr", 50), ("ww", 30), ("-r", 20))
    weighed = [measurement("a", {"accuracy": 50 / 80}), measurement("b", {"accuracy": 0.7})]
    drawn = draw_figures(weighed, joint)["accuracy"]
    assert sum(drawn["a"]) / len(drawn["a"]) == pytest.approx(50 / 80, abs=0.01)
    assert sum(drawn["b"]) / len(drawn["b"]) == pytest.approx(0.7, abs=0.01)


def test_latency_and_cost_of_one_strategy_share_their_luck(measurement: Make):
    made = measurement("a", {"accuracy": 0.5})
    wide = {name: Estimate(value=2.0, low=1.0, high=4.0, scored=12) for name in ("latency_p50", "cost_per_thousand")}
    drawn = draw_figures([replace(made, figures={**made.figures, **wide})], None)
    assert drawn["latency"]["a"] == pytest.approx(drawn["cost"]["a"])
    ordered = sorted(drawn["latency"]["a"])
    assert ordered[25] == pytest.approx(1.0, rel=0.15)
    assert ordered[-26] == pytest.approx(4.0, rel=0.15)


def test_a_strategy_that_is_out_changes_neither_chances_nor_limits_of_the_others(measurement: Make):
    """Few questions, many strategies: the outcomes that were not seen must not pull a good share down."""
    marks = [("rr", 20), ("rw", 7), ("wr", 3)]
    joint = joint_of(*marks)
    names = ("a", "b", "out1", "out2", "out3", "out4")
    wide = joint_of(*((seen + "wwww", count) for seen, count in marks), names=names)
    needs = Needs(priorities=ACCURACY, limits=Limits(minimum_accuracy=0.7))
    alone, beside = (decide(pair_of(measurement, seen), (), needs, seen) for seen in (joint, wide))
    assert best_of(alone) == best_of(beside)
    assert [alone.verdicts[0].limits, alone.verdicts[1].limits] == [one.limits for one in beside.verdicts[:2]]


def test_strategies_that_tie_in_a_draw_share_it(measurement: Make):
    tied = [measurement(name, {"accuracy": 0.5, "latency_p50": 2.0}) for name in ("a", "b")]
    fast = Priorities(accuracy=0, hallucination=0, latency=1, cost=0)
    assert best_of(decide(tied, (), Needs(priorities=fast))) == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}


@pytest.fixture
def near() -> JointOutcomes:
    return joint_of(("rr", 700), ("rw", 6), ("wr", 4), ("ww", 290))


def priced(weighed: list[Measurement], *costs: float) -> list[Measurement]:
    return [
        replace(m, figures={**m.figures, "cost_per_thousand": Estimate(value=cost, low=cost, high=cost, scored=1)})
        for m, cost in zip(weighed, costs, strict=True)
    ]


def test_of_those_that_are_surely_close_the_cheapest_is_recommended(
    measurement: Make, comparisons: Compare, near: JointOutcomes
):
    weighed = priced(pair_of(measurement, near), 2.0, 1.0)
    found = comparisons(weighed, half=0.02)
    needs = Needs(priorities=ACCURACY)
    decision = decide(weighed, found, needs, near)
    assert (decision.outlook, decision.recommended) == ("the cheapest of the equals", "b")
    assert decision.contenders == ("b", "a")
    assert decision.verdicts[0].strategy == "a", "first by points"
    said = " ".join(decision.reasons).replace("\u00a0", " ")
    assert "a and b are equal for practical purposes" in said
    assert "less than 3.0 points of 100 apart (needs.indifference)" in said
    assert "b is the cheapest: $1.00 for a thousand answers, a $2.00" in said
    assert decision.examples_needed is None
    (lead,) = decision.leads
    assert (lead.certain, lead.equal) == (False, True)


@pytest.mark.parametrize("why", ["wide", "no margin", "no prices"])
def test_equals_need_a_narrow_interval_a_margin_and_prices(
    measurement: Make, comparisons: Compare, near: JointOutcomes, why: str
):
    weighed = pair_of(measurement, near)
    weighed = weighed if why == "no prices" else priced(weighed, 2.0, 1.0)
    needs = Needs(priorities=ACCURACY, indifference=0 if why == "no margin" else 3)
    decision = decide(weighed, comparisons(weighed, half=0.1 if why == "wide" else 0.02), needs, near)
    assert decision.outlook == "not decisive"


def test_a_certain_lead_is_no_equality_however_small(measurement: Make, comparisons: Compare, near: JointOutcomes):
    weighed = priced(pair_of(measurement, near), 2.0, 1.0)
    decision = decide(weighed, comparisons(weighed, half=0.001), Needs(priorities=ACCURACY), near)
    assert (decision.outlook, decision.recommended) == ("recommended", "a")


def test_a_limit_is_told_with_the_chance_that_it_is_truly_broken(measurement: Make):
    joint = joint_of(("rr", 50), ("rw", 14), ("wr", 8), ("ww", 28))
    needs = Needs(limits=Limits(minimum_accuracy=0.6), priorities=ACCURACY)
    decision = decide(pair_of(measurement, joint), (), needs, joint)
    kept, broken = decision.verdicts
    assert (kept.strategy, kept.limits[0].broken, broken.limits[0].broken) == ("a", False, True)
    assert kept.limits[0].chance == pytest.approx(0.2, abs=0.06), "64 of 100, Beta(64.5, 36.5) below 0.6"
    assert broken.limits[0].chance == pytest.approx(0.66, abs=0.06), "58 of 100"
    said = " ".join(decision.reasons).replace("\u00a0", " ")
    assert f"the chance that it truly does is {100 * broken.limits[0].chance:.0f} %" in said
    assert f"the chance that it truly breaks the limit is {100 * kept.limits[0].chance:.0f} %" in said


def test_an_amount_breaks_its_limit_by_the_chance_of_its_interval(measurement: Make):
    made = measurement("a", {"accuracy": 0.9})
    slow = Estimate(value=2.0, low=1.0, high=4.0, scored=100)
    weighed = [replace(made, figures={**made.figures, "latency_p95": slow})]
    for most, chance in ((4.0, 0.025), (2.0, 0.5), (1.0, 0.975)):
        (verdict,) = decide(weighed, (), Needs(limits=Limits(maximum_p95_seconds=most))).verdicts
        assert verdict.limits[0].chance == pytest.approx(chance, abs=0.001)


def test_a_bent_curve_takes_its_certainty_from_the_draws(measurement: Make, comparisons: Compare):
    joint = joint_of(("rr", 50), ("rw", 40), ("wr", 5), ("ww", 5))
    weighed = pair_of(measurement, joint)
    found = comparisons(weighed)
    bent = {"accuracy": ((0.0, 0.0), (0.6, 0.9), (1.0, 1.0))}
    (lead,) = decide(weighed, found, Needs(priorities=ACCURACY, curves=bent), joint).leads
    assert lead.value == pytest.approx((0.9 - 0.55) * 0.25 + (0.6 - 0.55) * (1.5 - 0.25))
    assert lead.low < lead.value < lead.high
    assert lead.certain
    level = {"accuracy": ((0.0, 0.0), (0.4, 1.0), (1.0, 1.0))}
    flat = decide(weighed, found, Needs(priorities=ACCURACY, curves=level), joint)
    assert not flat.leads[0].certain


def test_without_each_priority_and_with_other_weights(measurement: Make, comparisons: Compare):
    weighed = [
        measurement("a", {"accuracy": 0.9, "hallucination": 0.6}),
        measurement("b", {"accuracy": 0.7, "hallucination": 0.2}),
    ]
    needs = Needs(priorities=Priorities(accuracy=3, hallucination=1, latency=0, cost=0))
    doubt = decide(weighed, comparisons(weighed), needs).doubt
    assert doubt.without == {"accuracy": "b", "hallucination": "a"}
    assert 0.6 < doubt.weights_kept < 0.9, "a leads while hallucination has less than a third of the weight"
    flips = {(flip.setting, flip.first): flip.beyond for flip in doubt.flips}
    assert flips["needs.priorities.hallucination", "b"] == pytest.approx(1.5)
    assert flips["needs.limits.maximum_hallucination", "b"] == 0.6


def test_a_weight_as_good_as_nothing_is_no_weight(measurement: Make, comparisons: Compare):
    weighed = [
        measurement("a", {"accuracy": 0.9, "hallucination": 0.1}),
        measurement("b", {"accuracy": 0.7, "hallucination": 0.3}),
    ]
    least = Priorities(accuracy=1e6, hallucination=5e-324, latency=0, cost=0)
    assert decide(weighed, comparisons(weighed), Needs(priorities=least)).doubt.weights_kept == 1
