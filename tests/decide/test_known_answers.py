"""From records to a decision, where the right decision is known: measured, compared and decided as in a real run."""

from collections.abc import Mapping
from itertools import permutations
from typing import cast

import pytest

from weighbridge.decide.decide import decide
from weighbridge.decide.money.cost import with_cost
from weighbridge.evaluate.summarise import Footprint, compare_all, seconds_per_answer, summarise
from weighbridge.results import Comparison, Decision, Measurement, Outcome, Record, Score
from weighbridge.settings.needs import Limits, Needs, Prices
from weighbridge.types import Answer, Prompt, Timing, Usage

OUTCOMES = {"r": "right", "w": "wrong", "a": "abstained", "?": ""}
ANY_ACCURACY = Needs(limits=Limits(minimum_accuracy=0.0))


def record(strategy: str, number: int, mark: str) -> Record:
    """One attempt: r(ight), w(rong), a(bstained), f(ailed), or ? for an answer that could not be scored."""
    key, example = f"{strategy}:{number}", f"question-{number}"
    if mark == "f":
        return Record(key=key, strategy=strategy, example_id=example, answer=None, error="the endpoint is down")
    answer = Answer(
        text=mark,
        raw=mark,
        prompt=Prompt(()),
        abstained=mark == "a",
        citations=(),
        usage=Usage(input_tokens=100, output_tokens=10),
        timing=Timing(),
    )
    known = mark != "?"
    scores = (
        Score("accuracy", float(mark == "r") if known else None),
        Score("hallucination", float(mark == "w") if known else None),
        Score("citation", 1.0),
    )
    outcome = cast("Outcome | None", OUTCOMES[mark] or None)
    return Record(key=key, strategy=strategy, example_id=example, answer=answer, scores=scores, outcome=outcome)


def measured(
    marks: Mapping[str, str], footprints: Mapping[str, Footprint]
) -> tuple[list[Measurement], tuple[Comparison, ...]]:
    records = {name: [record(name, number, mark) for number, mark in enumerate(row)] for name, row in marks.items()}
    measurements = [
        summarise(rows, [], task="answer", strategy=name, seed=7, footprint=footprints.get(name))
        for name, rows in records.items()
    ]
    return measurements, compare_all(records, seed=7)


def decided(
    marks: Mapping[str, str],
    needs: Needs | None = None,
    *,
    footprints: Mapping[str, Footprint] | None = None,
    prices: Prices | None = None,
) -> Decision:
    """Decide by the marks of each strategy, a letter a question, in every order of the strategies."""
    wanted, beside = needs or Needs(), footprints or {}
    decisions = []
    for order in permutations(marks):
        measurements, comparisons = measured({name: marks[name] for name in order}, beside)
        if prices:
            measurements = [
                with_cost(m, seconds_per_answer(beside[m.strategy].timings, 7), prices, wanted) for m in measurements
            ]
        decisions.append(decide(measurements, comparisons, wanted))
    assert all(decision == decisions[0] for decision in decisions)
    return decisions[0]


def told(decision: Decision) -> str:
    return " ".join((*decision.reasons, *decision.would_change)).replace("\u00a0", " ")


def test_three_wins_of_three_hundred_are_no_reason():
    decision = decided({"A": "r" * 203 + "w" * 97, "B": "r" * 200 + "w" * 100})
    assert decision.outlook == "not decisive"
    assert "p = 0.25" in told(decision)
    assert decision.contenders == ("A", "B")


def test_failing_where_the_other_is_wrong_is_no_lead():
    decision = decided({"A": "r" * 70 + "w" * 25 + "f" * 5, "B": "r" * 70 + "w" * 30})
    assert decision.outlook == "not decisive"
    assert "its lead over B is 0.0" in told(decision)
    assert "p = 1.00" in told(decision)
    assert "A failed on 5 of 100 questions; these have no score and earn no points" in told(decision)
    assert "A and B have the same points: no number of questions would settle it." in told(decision)


def test_failing_where_the_other_is_right_is_a_loss():
    decision = decided({"A": "r" * 60 + "w" * 80 + "f" * 7, "B": "r" * 60 + "w" * 70 + "r" * 17})
    assert decision.recommended == "B"


def test_one_right_answer_of_sixty_decides_nothing():
    marks = {"A": "r" + "w" * 59, "B": "w" * 60}
    assert decided(marks).outlook == "none is good enough"
    lenient = decided(marks, ANY_ACCURACY)
    assert lenient.outlook == "not decisive"
    assert lenient.contenders == ("A", "B")


def test_nothing_right_is_out_where_that_is_no_chance():
    """The one that always abstains asserts nothing wrong, and by points alone it could win."""
    decision = decided({"A": "r" * 30 + "w" * 30, "B": "a" * 60})
    assert decision.recommended == "A"
    assert "B is out: it gets no question right, and A does beyond chance." in told(decision)


def test_nothing_right_never_wins_where_it_may_be_chance():
    decision = decided({"A": "rrrr" + "w" * 56, "B": "a" * 60}, ANY_ACCURACY)
    assert decision.recommended is None
    assert decision.outlook == "none is good enough"
    assert "by your priorities B comes first, and it gets no question right" in told(decision)


MARKS = {
    "few-shot": "r" * 30 + "w" * 70,
    "prompt": "w" * 60 + "r" * 20 + "w" * 20,
    "raft": "r" * 85 + "w" * 15,
    "rag": "r" * 55 + "a" * 20 + "w" * 25,
}


def test_the_best_of_four_is_recommended():
    decision = decided(MARKS)
    assert decision.recommended == "raft"
    assert [verdict.strategy for verdict in decision.verdicts] == ["raft", "rag", "few-shot", "prompt"]
    assert decision.verdicts[0].total == pytest.approx((5 * 0.85 + 3 * 0.85) / 8)
    assert decision.verdicts[1].total == pytest.approx((5 * 0.55 + 3 * 0.75) / 8)


def test_two_of_four_that_cannot_be_told_apart_are_named():
    close = MARKS | {"rag": "r" * 80 + "w" * 2 + "r" * 4 + "w" * 14}
    decision = decided(close)
    assert decision.outlook == "not decisive"
    assert decision.contenders == ("raft", "rag")
    assert decision.examples_needed is None or decision.examples_needed > 100


def test_a_number_of_questions_is_for_all_rivals_together():
    """With a second rival as near as the first, more questions are needed than for either alone."""
    first, near = "r" * 70 + "w" * 50, "r" * 55 + "w" * 15 + "r" * 8 + "w" * 42
    far = near[60:] + near[:60]
    alone = decided({"A": first, "B": near}, ANY_ACCURACY)
    other = decided({"A": first, "C": far}, ANY_ACCURACY)
    both = decided({"A": first, "B": near, "C": far}, ANY_ACCURACY)
    assert alone.outlook == other.outlook == both.outlook == "not decisive"
    assert both.examples_needed > max(alone.examples_needed, other.examples_needed)
    assert "between A, B and C with a chance of 80" in told(both)
    assert "If they are equally good, no number of questions will." in told(both)


def test_comparisons_run_over_common_questions_and_holm_over_all_pairs():
    _, comparisons = measured(MARKS | {"prompt": "w" * 60 + "r" * 20 + "w" * 15 + "f" * 3 + "?" * 2}, {})
    accuracy = [found for found in comparisons if found.figure == "accuracy"]
    assert len(accuracy) == 6
    assert {found.difference.scored for found in accuracy if "prompt" in {found.left, found.right}} == {95}
    assert {found.difference.scored for found in accuracy if "prompt" not in {found.left, found.right}} == {100}
    asked = {sum(pair.questions for pair in found.pairs) for found in accuracy if "prompt" in {found.left, found.right}}
    assert asked == {98}, "a failure counts for the decision, an answer without a score does not"
    ordered = sorted(accuracy, key=lambda found: found.p_value)
    expected, highest = [], 0.0
    for rank, found in enumerate(ordered):
        highest = max(highest, min(1.0, (6 - rank) * found.p_value))
        expected.append(highest)
    assert [found.p_adjusted for found in ordered] == pytest.approx(expected)


def test_a_strategy_that_sends_data_out_is_out_where_that_is_forbidden():
    footprints = {name: Footprint(offline=name != "raft") for name in MARKS}
    needs = Needs(limits=Limits(offline=True))
    decision = decided(MARKS, needs, footprints=footprints)
    assert decision.recommended == "rag"
    assert "raft is out: it sends questions to an endpoint" in told(decision)
    assert "Without needs.limits.offline, raft would be first." in told(decision)


def test_a_strategy_that_cannot_cite_is_out_where_that_is_asked_for():
    footprints = {name: Footprint(cites=name == "rag") for name in MARKS}
    decision = decided(MARKS, Needs(limits=Limits(must_cite=True)), footprints=footprints)
    assert decision.recommended == "rag"
    assert [len(verdict.broken_limits) for verdict in decision.verdicts] == [0, 1, 1, 1]


def timed(seconds: float, setup: float = 0.0) -> Footprint:
    return Footprint(timings=(Timing(first_token=seconds, total=seconds),) * 12, setup_seconds=setup)


def test_of_two_equally_good_ones_the_much_cheaper_is_recommended():
    """No question sets them apart, and no doubt of 200 questions is worth what the cost is."""
    same = "r" * 120 + "w" * 80
    footprints = {"cheap": timed(0.2), "dear": timed(0.9, setup=90_000.0)}
    needs = Needs(answers_per_month=1000, months=10)
    decision = decided({"cheap": same, "dear": same}, needs, footprints=footprints, prices=Prices(machine_per_hour=3.6))
    assert decision.recommended == "cheap"
    costs = {verdict.strategy: verdict.points["cost"] for verdict in decision.verdicts}
    assert costs["cheap"] == 1.0
    assert "cheap: cost per 1,000 $0.20, dear $9.90." in told(decision)


def test_a_saving_does_not_decide_where_answers_may_differ_by_more():
    marks = {"cheap": "r" * 30 + "w" * 22 + "r" * 8, "dear": "r" * 38 + "w" * 22}
    decision = decided(
        marks, ANY_ACCURACY, footprints={"cheap": timed(0.2), "dear": timed(0.3)}, prices=Prices(machine_per_hour=3.6)
    )
    assert decision.outlook == "not decisive"


def test_a_recommendation_is_never_told_with_a_p_value_above_the_level():
    decision = decided(MARKS)
    assert decision.outlook == "recommended"
    assert "p < 0.001" in told(decision)
    assert "p = " not in told(decision)


def test_where_all_are_mostly_wrong_none_is_good_enough_and_what_would_help_is_said():
    decision = decided({"prompt": "r" * 2 + "w" * 98, "raft": "r" * 30 + "w" * 70, "rag": "r" * 12 + "w" * 88})
    assert decision.outlook == "none is good enough"
    assert decision.recommended is None
    assert decision.contenders == ("raft",)
    assert "each of them is right on fewer than 50 % of the questions for certain" in told(decision)
    assert "raft 30 % (22\u201340); rag 12 % (7\u201320); prompt 2 % (1\u20137)" in told(decision)
    assert "A larger base model" in told(decision)


def test_the_floor_needs_evidence_and_gives_way_to_the_users():
    few = {"A": "r" * 20 + "w" * 28, "B": "w" * 48}
    assert decided(few).recommended == "A", "42 % of 48 may be half"
    many = {"A": "r" * 130 + "w" * 170, "B": "w" * 300}
    assert decided(many).outlook == "none is good enough"
    assert decided(many, Needs(limits=Limits(minimum_accuracy=0.4))).recommended == "A"
    strict = decided(many, Needs(limits=Limits(minimum_accuracy=0.6)))
    assert strict.outlook == "none meets your limits"
    assert "A larger base model" in told(strict)


def test_an_abstention_is_worth_more_than_a_wrong_answer():
    marks = {"A": "r" * 60 + "a" * 40, "B": "r" * 60 + "w" * 40}
    decision = decided(marks)
    assert decision.recommended == "A"
    assert "its lead over B is 15.0" in told(decision)
