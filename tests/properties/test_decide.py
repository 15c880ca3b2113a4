"""What decisions keep for any measurements."""

import re
from dataclasses import replace
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.decide.decide import decide
from weighbridge.decide.money.cost import cost_per_thousand
from weighbridge.results import Comparison, Cost, Decision, Estimate, JointOutcomes, Measurement, OutcomeRow
from weighbridge.settings.needs import Limits, Needs, Priorities

NAMES = ["prompt", "few-shot", "rag", "raft"]
shares = st.integers(0, 100).map(lambda n: n / 100)
amounts = st.integers(1, 100).map(lambda n: n / 10)
weights = st.integers(0, 8).map(float)


def estimate(value: float, half: float = 0.0) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, scored=50)


@st.composite
def measurements(draw: st.DrawFn, name: str) -> Measurement:
    running, answers = draw(amounts), 120_000
    cost = Cost(upfront=100 * draw(amounts), per_thousand_answers=running)
    values = {
        "accuracy": draw(shares),
        "hallucination": draw(shares),
        "latency_p50": draw(amounts),
        "latency_p95": draw(amounts),
        "memory": draw(amounts) * 2**30,
        "citation": draw(shares),
        "cost_per_thousand": running + cost.upfront * 1000 / answers,
    }
    missing = draw(st.sets(st.sampled_from(["latency_p50", "memory", "hallucination", "citation"]), max_size=1))
    return Measurement(
        strategy=name,
        figures={figure: estimate(value, 0.05) for figure, value in values.items() if figure not in missing},
        outcomes={},
        attempts=50,
        failures=draw(st.sampled_from([0, 0, 0, 2, 3])),
        cost=cost,
        offline=draw(st.booleans()),
        cites=draw(st.booleans()),
    )


several = st.sets(st.sampled_from(NAMES), min_size=1).flatmap(
    lambda names: st.tuples(*(measurements(name) for name in sorted(names)))
)
limits = st.builds(
    Limits,
    maximum_p95_seconds=st.none() | amounts,
    maximum_memory_gib=st.none() | amounts,
    maximum_cost_per_thousand=st.none() | amounts,
    minimum_accuracy=st.none() | shares,
    maximum_hallucination=st.none() | shares,
    offline=st.booleans(),
    must_cite=st.booleans(),
)
some_weight = weights.map(lambda weight: weight + 1)
priorities = st.builds(Priorities, accuracy=some_weight, hallucination=weights, latency=weights, cost=weights)
needs = st.builds(Needs, limits=limits, priorities=priorities)
doubts = st.sampled_from([0.0, 0.02, 0.2])


def compared(weighed: tuple[Measurement, ...], half: float) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(
            figure=figure,
            left=a.strategy,
            right=b.strategy,
            difference=estimate(a.figures[figure].value - b.figures[figure].value, half),
            p_value=0.01,
            p_adjusted=0.03,
            examples_needed=None,
        )
        for figure in ("accuracy", "hallucination")
        for a, b in combinations(weighed, 2)
        if figure in a.figures and figure in b.figures
    )


def keeps(measurement: Measurement, wanted: Limits) -> bool:
    """Whether a strategy keeps the limits, told again from the settings' own words."""
    figures, most = measurement.figures, float("inf")
    value = {name: found.value for name, found in figures.items()}
    return (
        value.get("latency_p95", most) <= (wanted.maximum_p95_seconds or most)
        and (wanted.maximum_memory_gib is None or value.get("memory", most) <= wanted.maximum_memory_gib * 2**30)
        and value.get("cost_per_thousand", most) <= (wanted.maximum_cost_per_thousand or most)
        and value["accuracy"] >= (wanted.minimum_accuracy or 0)
        and (wanted.maximum_hallucination is None or value.get("hallucination", most) <= wanted.maximum_hallucination)
        and (measurement.offline or not wanted.offline)
        and (not wanted.must_cite or (measurement.cites and value.get("citation", 0) >= 0.9))
        and measurement.failures <= 2
    )


@given(several, needs, doubts)
def test_a_strategy_that_breaks_a_limit_never_wins(weighed: tuple[Measurement, ...], wanted: Needs, half: float):
    decision = decide(weighed, compared(weighed, half), wanted)
    right = {m.strategy: m.figures["accuracy"].value for m in weighed if keeps(m, wanted.limits)}
    keeping = {name for name, share in right.items() if share > 0 or not any(right.values())}
    assert set(decision.contenders) <= keeping
    assert (decision.outlook == "none meets your limits") == (not keeping)
    assert {v.strategy for v in decision.verdicts if not v.broken_limits} == keeping
    assert {v.strategy for v in decision.verdicts} == {m.strategy for m in weighed}
    assert all(0 <= v.total <= 1 + 1e-9 for v in decision.verdicts)


@given(several, needs, doubts)
def test_an_outlook_fits_its_contenders(weighed: tuple[Measurement, ...], wanted: Needs, half: float):
    decision = decide(weighed, compared(weighed, half), wanted)
    if decision.outlook == "recommended":
        assert decision.contenders == (decision.recommended,)
        assert decision.recommended == decision.verdicts[0].strategy
    elif decision.outlook == "the cheapest of the equals":
        assert decision.contenders[0] == decision.recommended
        assert len(decision.contenders) > 1
    else:
        assert decision.recommended is None
        assert (len(decision.contenders) == 1) == (decision.outlook == "none is good enough")
    if decision.examples_needed is not None:
        assert decision.examples_needed > 50
    assert decision.reasons


def gist(decision: Decision) -> tuple[object, ...]:
    return decision.outlook, decision.recommended, decision.contenders, [v.strategy for v in decision.verdicts]


@given(several, needs, doubts, st.sampled_from([0.25, 2.0, 3.0, 1000.0]))
def test_the_same_ratio_of_weights_decides_the_same(
    weighed: tuple[Measurement, ...], wanted: Needs, half: float, factor: float
):
    scaled = {name: factor * weight for name, weight in wanted.priorities.model_dump().items()}
    found = compared(weighed, half)
    same = wanted.model_copy(update={"priorities": Priorities(**scaled)})
    assert gist(decide(weighed, found, wanted)) == gist(decide(weighed, found, same))


@given(several, needs, doubts, st.randoms())
def test_the_order_of_the_input_does_not_matter(
    weighed: tuple[Measurement, ...], wanted: Needs, half: float, random: object
):
    shuffled, found = list(weighed), list(compared(weighed, half))
    random.shuffle(shuffled)
    random.shuffle(found)
    assert decide(weighed, compared(weighed, half), wanted) == decide(shuffled, found, wanted)


@settings(max_examples=50)
@given(several, needs, doubts)
def test_a_dominated_strategy_is_never_recommended(weighed: tuple[Measurement, ...], wanted: Needs, half: float):
    first = decide(weighed, compared(weighed, half), wanted).verdicts[0].strategy
    best = next(m for m in weighed if m.strategy == first)
    raised = estimate(min(1.0, best.figures["accuracy"].value + 0.01))
    better = replace(best, strategy="better", figures={**best.figures, "accuracy": raised})
    everyone = (*weighed, better)
    assert decide(everyone, compared(everyone, half), wanted).recommended != first


@settings(max_examples=30)
@given(several, priorities)
def test_where_all_are_surely_mostly_wrong_none_is_good_enough(weighed: tuple[Measurement, ...], wanted: Priorities):
    """The floor needs evidence, and gives way to an accuracy that the user names."""
    found = compared(weighed, 0.02)
    decision = decide(weighed, found, Needs(priorities=wanted))
    eligible = [v.strategy for v in decision.verdicts if not v.broken_limits]
    best = max((m.figures["accuracy"].high for m in weighed if m.strategy in eligible), default=1.0)
    if best < 0.5:
        assert decision.outlook == "none is good enough"
    lenient = decide(weighed, found, Needs(limits=Limits(minimum_accuracy=0.0), priorities=wanted))
    first = lenient.verdicts[0]
    right = {m.strategy: m.figures["accuracy"].value for m in weighed}
    assert (lenient.outlook == "none is good enough") == (not first.broken_limits and right[first.strategy] == 0)


@given(several, needs)
def test_a_smaller_doubt_never_takes_a_recommendation_away(weighed: tuple[Measurement, ...], wanted: Needs):
    unsure, surer = (decide(weighed, compared(weighed, half), wanted) for half in (0.1, 0.01))
    assert unsure.recommended in {None, surer.recommended}
    assert set(surer.contenders) <= set(unsure.contenders)


def at_volume(weighed: tuple[Measurement, ...], answers: int) -> tuple[Measurement, ...]:
    return tuple(
        replace(m, figures={**m.figures, "cost_per_thousand": estimate(cost_per_thousand(m.cost, answers))})
        for m in weighed
        if m.cost
    )


@given(several, priorities)
def test_at_the_volume_it_names_another_is_first_and_not_before(weighed: tuple[Measurement, ...], wanted: Priorities):
    here = decide(weighed, (), Needs(priorities=wanted))
    for line in here.would_change:
        if found := re.fullmatch(r"At ([\d,]+) answers a month or (fewer|more) .* (\S+) would be first\.", line):
            volume, nearer = int(found[1].replace(",", "")), 1 if found[2] == "fewer" else -1
            for answers, first in ((volume, found[3]), (volume + nearer, here.verdicts[0].strategy)):
                needs = Needs(priorities=wanted, answers_per_month=answers)
                assert decide(at_volume(weighed, 12 * answers), (), needs).verdicts[0].strategy == first


@st.composite
def joints(draw: st.DrawFn) -> tuple[tuple[Measurement, ...], JointOutcomes]:
    """Return three strategies with the outcomes of 60 questions, all as fast and as cheap."""
    patterns = [tuple(map(float, bits)) for bits in product((0, 1), repeat=3)]
    counts = draw(st.lists(st.integers(0, 20), min_size=8, max_size=8).filter(any))
    return measured_from({pattern: count for pattern, count in zip(patterns, counts, strict=True) if count})


def measured_from(
    counts: dict[tuple[float, ...], int],
) -> tuple[tuple[Measurement, ...], JointOutcomes]:
    asked = sum(counts.values())
    rows = tuple(
        OutcomeRow(accuracy=pattern, hallucination=tuple(1 - right for right in pattern), questions=count)
        for pattern, count in counts.items()
    )
    weighed = []
    for place, name in enumerate("abc"):
        right = sum(pattern[place] * count for pattern, count in counts.items()) / asked
        values = {"accuracy": right, "hallucination": 1 - right, "latency_p50": 2.0, "cost_per_thousand": 1.0}
        weighed.append(
            Measurement(
                strategy=name,
                figures={figure: estimate(value) for figure, value in values.items()},
                outcomes={},
                attempts=asked,
                failures=0,
            )
        )
    return tuple(weighed), JointOutcomes(strategies=("a", "b", "c"), rows=rows)


ANY = Needs(limits=Limits(minimum_accuracy=0.0))


def best_chance(decision: Decision, strategy: str) -> float:
    assert decision.doubt
    return next(arm.best for arm in decision.doubt.arms if arm.strategy == strategy)


@settings(max_examples=30, deadline=None)
@given(joints(), st.integers(1, 9))
def test_scaling_all_weights_changes_no_chance(world: tuple[tuple[Measurement, ...], JointOutcomes], times: int):
    weighed, joint = world
    scaled = Priorities(accuracy=5.0 * times, hallucination=3.0 * times, latency=times, cost=times)
    one, many = (decide(weighed, (), needs, joint) for needs in (ANY, ANY.model_copy(update={"priorities": scaled})))
    assert [(arm.strategy, round(arm.best, 2)) for arm in one.doubt.arms] == [
        (arm.strategy, round(arm.best, 2)) for arm in many.doubt.arms
    ]


@settings(max_examples=30, deadline=None)
@given(joints())
def test_one_more_right_answer_never_lowers_the_rank_or_the_chance(
    world: tuple[tuple[Measurement, ...], JointOutcomes],
):
    """Two runs of draws differ by luck: the chance may fall by as much as luck explains."""
    weighed, joint = world
    counts = {row.accuracy: row.questions for row in joint.rows}
    wrong = next((pattern for pattern in counts if pattern[0] == 0), None)
    if wrong is None:
        return
    better = dict(counts)
    better[wrong] -= 1
    mended = (1.0, *wrong[1:])
    better[mended] = better.get(mended, 0) + 1
    then, changed = measured_from({pattern: count for pattern, count in better.items() if count})
    before, after = decide(weighed, (), ANY, joint), decide(then, (), ANY, changed)

    def place(decision: Decision) -> int:
        return [verdict.strategy for verdict in decision.verdicts].index("a")

    assert place(after) <= place(before)
    assert best_chance(after, "a") >= best_chance(before, "a") - 0.08


@settings(max_examples=30, deadline=None)
@given(joints(), st.floats(1.1, 5.0))
def test_a_faster_answer_never_lowers_the_chance(world: tuple[tuple[Measurement, ...], JointOutcomes], times: float):
    weighed, joint = world
    first, *others = weighed
    fast = replace(first, figures={**first.figures, "latency_p50": estimate(2.0 / times)})
    before, after = decide(weighed, (), ANY, joint), decide((fast, *others), (), ANY, joint)
    assert best_chance(after, "a") >= best_chance(before, "a"), "the same draws of all else"


@given(several, st.tuples(*[st.integers(1, 8).map(float)] * 3))
def test_a_dominated_strategy_is_never_recommended_by_accuracy_latency_and_cost(
    weighed: tuple[Measurement, ...], given_weights: tuple[float, float, float]
):
    """With a fourth priority it may be: it can assert less that is wrong. So may one whose rival breaks a limit."""
    whole = tuple(replace(m, failures=0) for m in weighed if "latency_p50" in m.figures)
    if not whole:
        return
    accuracy, latency, cost = given_weights
    wanted = Priorities(accuracy=accuracy, hallucination=0, latency=latency, cost=cost)
    decision = decide(whole, compared(whole, 0.01), Needs(limits=Limits(minimum_accuracy=0.0), priorities=wanted))
    kept = {verdict.strategy for verdict in decision.verdicts if not verdict.broken_limits}
    for place in decision.front:
        if any(each.by in kept for each in place.dominated_by):
            assert decision.recommended != place.strategy
