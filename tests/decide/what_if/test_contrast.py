"""Two decisions in sentences: nothing differs from itself, and a difference is named once, on one side."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.decide.what_if.contrast import contrast, describe_outlook
from weighbridge.decide.what_if.retake import retake
from weighbridge.settings.needs import Limits, Needs, Prices, Priorities

from .saved import EXAMPLES, a_settings, saved

SETTINGS = st.builds(
    a_settings,
    st.builds(
        Needs,
        limits=st.builds(Limits, maximum_p95_seconds=st.none() | st.floats(0.3, 2), must_cite=st.booleans()),
        priorities=st.builds(Priorities, accuracy=st.floats(0.1, 9), latency=st.floats(0, 9)),
        answers_per_month=st.integers(1, 10**6),
    ),
    st.builds(Prices, machine_per_hour=st.floats(0.01, 9)),
)
EVERYTHING = "Every measured figure but the cost: nothing was measured again."


def taken(needs=None, prices=None, without=()):
    return retake(saved(), a_settings(needs, prices), without=without)


@given(chosen=SETTINGS)
@settings(max_examples=EXAMPLES)
def test_a_decision_does_not_differ_from_itself(chosen):
    same = retake(saved(), chosen)
    found = contrast(same, same)
    assert found.differences == ()
    assert found.same[0] == f"The decision: {describe_outlook(same.decision)}."
    assert found.same[-1] == EVERYTHING


@given(first=SETTINGS, second=SETTINGS)
@settings(max_examples=EXAMPLES)
def test_the_differences_are_the_same_from_both_sides(first, second):
    now, then = retake(saved(), first), retake(saved(), second)
    there, back = contrast(now, then), contrast(then, now)
    assert len(there.differences) == len(back.differences)
    assert set(there.same) == set(back.same)
    changed = (now.decision.outlook, now.decision.contenders) != (then.decision.outlook, then.decision.contenders)
    assert any(sentence.startswith("The decision: now ") for sentence in there.differences) == changed
    assert not any(sentence.startswith("The decision: now ") for sentence in there.same)


def test_a_new_limit_names_who_is_out():
    found = contrast(taken(), taken(Needs(limits=Limits(maximum_memory_gib=1))))
    assert (
        "raft keeps every limit now; then it is out: memory is 1.08\N{NO-BREAK SPACE}GiB; you allow "
        "1.00\N{NO-BREAK SPACE}GiB." in found.differences
    )
    back = contrast(taken(Needs(limits=Limits(maximum_memory_gib=1))), taken())
    assert any(sentence.startswith("raft is out now: memory is 1.08") for sentence in back.differences)


def test_a_limit_that_is_broken_otherwise_is_a_difference():
    found = contrast(
        taken(Needs(limits=Limits(maximum_memory_gib=1))), taken(Needs(limits=Limits(maximum_memory_gib=0.9)))
    )
    assert any(
        "raft is out now" in sentence and "then for another reason" in sentence for sentence in found.differences
    )
    assert any("rag" in sentence and "every limit" in sentence for sentence in found.same)


def test_a_volume_moves_the_cost_alone():
    found = contrast(taken(), taken(Needs(answers_per_month=100, months=1)))
    assert [sentence for sentence in found.differences if sentence.startswith("Cost of 1,000 answers: ")]
    assert EVERYTHING in found.same


def test_what_is_left_out_is_said_first():
    found = contrast(taken(), taken(without={"raft", "prompt"}))
    assert found.differences[0] == "prompt and raft are left out."
    assert contrast(taken(), taken(without={"raft"})).differences[0] == "raft is left out."
    back = contrast(taken(without={"raft"}), taken(without={"raft"}))
    assert back.differences == ()


@pytest.mark.parametrize(
    ("outlook", "recommended", "contenders", "words"),
    [
        ("recommended", "rag", ("rag",), "rag is recommended"),
        ("the cheapest of the equals", "rag", ("rag", "raft"), "rag is recommended, the cheapest of the equals"),
        ("not decisive", None, ("rag", "raft"), "there is no clear winner between rag and raft"),
        ("none is good enough", None, ("rag",), "none is good enough; rag comes first"),
        ("none meets your limits", None, (), "no strategy keeps every limit"),
    ],
)
def test_every_outlook_has_its_words(outlook, recommended, contenders, words):
    decision = replace(taken().decision, outlook=outlook, recommended=recommended, contenders=contenders)
    assert describe_outlook(decision) == words


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("not decisive", 300), ("not decisive", 900), "now 300\N{NO-BREAK SPACE}in all; then 900"),
        (("not decisive", 300), ("recommended", None), "now 300\N{NO-BREAK SPACE}in all; then not needed."),
        (("not decisive", None), ("not decisive", 900), "now no number within reach; then 900"),
    ],
)
def test_the_questions_needed_are_compared(before, after, said):
    now, then = (
        replace(taken(), decision=replace(taken().decision, outlook=outlook, examples_needed=needed))
        for outlook, needed in (before, after)
    )
    assert any(said in sentence for sentence in contrast(now, then).differences)


def test_the_chance_to_be_the_best_is_compared():
    one = taken(without={"raft"})
    other = taken(Needs(priorities=Priorities(accuracy=0, hallucination=0, latency=0, cost=1)), without={"raft"})
    assert one.decision.doubt is not None
    assert any(sentence.startswith("Chance to be the best: ") for sentence in contrast(one, one).same)
    told = [sentence for sentence in contrast(one, other).differences if sentence.startswith("Chance to be the best: ")]
    assert len(told) == 1
    assert "rag now " in told[0]
    nothing = replace(other, decision=replace(other.decision, doubt=None))
    assert not any("Chance" in sentence for sentence in contrast(one, nothing).differences)
