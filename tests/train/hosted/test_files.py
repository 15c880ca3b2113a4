"""The files that are sent, and what they cost."""

import json

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.preferences import PreferencePair
from weighbridge.train.hosted.files import Counted, chat_lines, estimate, preference_lines, usual_epochs
from weighbridge.train.hosted.validate import check_file
from weighbridge.types import Message

PROMPT = (Message("system", "Answer."), Message("user", "When?\nNow?"))
WORDS = Counted(lambda text: len(text.split()), "words")


def test_a_conversation_is_a_line_of_messages():
    line = chat_lines([Conversation(example_id="a", prompt=PROMPT, target="At 6 o'clock \N{EM DASH} sharp")])
    assert line.count("\n") == 1
    assert json.loads(line)["messages"] == [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": "When?\nNow?"},
        {"role": "assistant", "content": "At 6 o'clock \N{EM DASH} sharp"},
    ]


def test_a_pair_is_a_line_of_preferences():
    line = preference_lines([PreferencePair(example_id="a", prompt=PROMPT, chosen="Six", rejected="Seven")])
    value = json.loads(line)
    assert [message["role"] for message in value["input"]["messages"]] == ["system", "user"]
    assert value["preferred_output"] == [{"role": "assistant", "content": "Six"}]
    assert value["non_preferred_output"] == [{"role": "assistant", "content": "Seven"}]
    assert check_file(line, "x", fewest=1).examples == 1


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=5))
def test_whatever_is_said_comes_back_a_line_each(said):
    made = [Conversation(example_id="a", prompt=(Message("user", asked),), target=told) for asked, told in said]
    rows = [json.loads(line)["messages"] for line in chat_lines(made).splitlines()]
    assert [(row[0]["content"], row[1]["content"]) for row in rows] == said


def test_tokens_are_counted_with_what_a_chat_adds_and_times_the_epochs():
    lines = chat_lines([Conversation(example_id="a", prompt=PROMPT, target="At six")]) * 2
    counted = estimate(lines, WORDS, epochs=5)
    assert (counted.per_pass, counted.longest, counted.total) == (2 * (5 + 12), 17, 170)
    assert not counted.epochs_are_guessed
    assert counted.how == "words"
    assert counted.price(None) is None
    assert counted.price(2.0) == 170 * 2 / 1e6


def test_both_outputs_of_a_preference_are_counted():
    line = preference_lines([PreferencePair(example_id="a", prompt=PROMPT[1:], chosen="At six", rejected="Never")])
    assert estimate(line, WORDS, epochs=1).per_pass == 2 + 2 + 1 + 12


def test_epochs_are_guessed_as_openai_sets_them():
    assert [usual_epochs(n) for n in (1, 10, 33, 34, 8333, 10_000, 50_000)] == [25, 10, 3, 3, 3, 2, 1]
    assert estimate("", WORDS, epochs=None).epochs_are_guessed
