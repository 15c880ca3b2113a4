"""A list is the same in any order; what is missing, added or replaced is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.lists import split_items
from weighbridge.scoring.values import compare_values

COLOURS = ["red", "blue", "green", "yellow", "black", "white", "brown", "orange", "purple", "grey"]
ITEMS = st.lists(st.sampled_from(COLOURS), min_size=3, max_size=6, unique=True)
WAYS = {
    "and": lambda items: ", ".join(items[:-1]) + " and " + items[-1],
    "Oxford comma": lambda items: ", ".join(items[:-1]) + ", and " + items[-1],
    "commas": ", ".join,
    "semicolons": "; ".join,
    "lines": "\n".join,
    "bullets": lambda items: "\n".join(f"- {item}" for item in items),
    "numbers": lambda items: "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1)),
    "und": lambda items: ", ".join(items[:-1]) + " und " + items[-1],
}


def match(reference, answer):
    (found,) = [found for found in compare_values("Which?", reference, answer) if found.kind == "list"]
    return found


@given(items=ITEMS, data=st.data())
def test_order_and_way_of_writing_do_not_count(items, data):
    first, second = (data.draw(st.sampled_from(sorted(WAYS))) for _ in range(2))
    assert match(WAYS[first](items), WAYS[second](data.draw(st.permutations(items)))).relation == "same"
    sentence = f"The colours are {WAYS['and'](items)}."
    assert match(WAYS[first](items), sentence).relation == "same"


@given(items=ITEMS, data=st.data())
def test_a_missing_item_is_told(items, data):
    lost = data.draw(st.sampled_from(items))
    found = match(WAYS["and"](items), WAYS["and"]([item for item in items if item != lost]))
    assert found.relation == "missing"
    assert found.reason == f"missing: {lost}"


@given(items=ITEMS, data=st.data())
def test_a_replaced_item_is_another_answer_and_an_added_one_is_told(items, data):
    other = data.draw(st.sampled_from([colour for colour in COLOURS if colour not in items]))
    replaced = match(WAYS["and"](items), WAYS["and"]([other, *items[1:]]))
    assert replaced.relation == "different"
    assert replaced.reason == f"missing: {items[0]}; instead: {other}"
    added = match(WAYS["and"](items), WAYS["and"]([*items, other]))
    assert added.relation == "same"
    assert added.reason.endswith(f"and also {other}")


def test_items_with_values_are_compared_by_value():
    assert match("5 mg, 10 mg and 20 mg", "20 mg, 0.01 g and five mg").relation == "same"
    assert match("5 mg, 10 mg and 20 mg", "20 mg, 0.1 g and 5 mg").relation == "different"


@pytest.mark.parametrize(
    "text",
    [
        "Oslo, Norway",
        "no, it is closed",
        "one hundred and one",
        "a single word",
        "14 and 15 August 1945",
        "5,000, give or take what the office says in the end of the year",
        "",
    ],
)
def test_what_is_no_list(text):
    assert not [found for found in compare_values("Which?", text, text) if found.kind == "list"]


def test_a_footnote_after_an_item_is_no_part_of_it():
    assert match("Holm, Varde and Ribe", "Holm, Varde and Ribe1").relation == "same"
    assert match("room 1, room 2 and room 3", "room 1, room 2 and room 31").relation != "same"


def test_items_keep_their_thousands():
    assert split_items("1,000 and 2,000") == ("1,000", "2,000")
