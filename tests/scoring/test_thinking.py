"""What a model thinks is told apart from what it answers."""

from itertools import product
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.thinking import split_thinking

TAGS = [
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"), ("<thought>", "</thought>"), ("<thoughts>", "</thoughts>"),
    ("<seed:think>", "</seed:think>"), ("[THINK]", "[/THINK]"), ("<scratchpad>", "</scratchpad>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"), ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"), ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<THINK>", "</Think>"),
]  # fmt: skip
TEXTS = st.text(
    st.characters(exclude_characters="<>[]|\u25c1\u25b7`\"'\u201c\u201d", exclude_categories=["Cs"])
).filter(lambda text: not text.lstrip().startswith(("analysis", "assistant")))


def parts(text: str) -> tuple[str, str]:
    thought = split_thinking(text)
    return thought.thinking, thought.answer


@pytest.mark.parametrize(("begin", "end"), TAGS)
@given(thinking=TEXTS, answer=TEXTS)
def test_what_stands_between_tags_is_thinking(begin: str, end: str, thinking: str, answer: str) -> None:
    assert parts(f"{begin}{thinking}{end}{answer}") == (thinking.strip(), answer.strip())
    assert parts(f"{thinking}{end}{answer}") == (thinking.strip(), answer.strip())
    assert parts(f" {begin}{thinking}") == (thinking.strip(), "")


@given(TEXTS)
def test_a_text_without_thinking_is_the_answer_as_it_stands(text: str) -> None:
    assert parts(text) == ("", text)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=4))
def test_several_thoughts_are_all_kept_apart(turns: list[tuple[str, str]]) -> None:
    text = "".join(f"<think>{thinking}</think>{answer}" for thinking, answer in turns)
    wanted = ["\n".join(part.strip() for part in each if part.strip()) for each in zip(*turns, strict=True)]
    assert parts(text) == tuple(wanted)


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("<think>a<think>b</think>c</think>red", "abc", "red"),
        ("<think>a<reasoning>b</reasoning>c</think>red", "abc", "red"),
        ("<think>a<think>b</think>red", "ab", "red"),
        ("<think>a</think>b</think>red", "ab", "red"),
        ('<think>Is it "red"?"</think>"red"', 'Is it "red"?"', '"red"'),
        ("red\n<think>or blue", "or blue", "red"),
        ("<think>\n</think>\n\nred", "", "red"),
        ("<think>a</think><answer>red</answer>", "a", "red"),
        ("<reasoning>a</reasoning>\n<response>\nred\n</response>\n", "a", "red"),
        ("<think>a</think><answer>red", "a", "red"),
        ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>red<|end_of_solution|>", "a", "red"),
        ("<think>a</think>the <answer> tag", "a", "the <answer> tag"),
        ("", "", ""),
    ],
)
def test_tags_in_any_order(text: str, thinking: str, answer: str) -> None:
    assert parts(text) == (thinking, answer)


@pytest.mark.parametrize(
    "text",
    [
        "Put it into the <think> tag", "Close it with `</think>`.", "The `<think>` and `</think>` tags",
        '{"tag": "<think>"}',
        "<answer>red</answer>", "<thinker>red</thinker>", "analysis", "analysis of the red mast", "Analysis: red",
        "The <|channel|> token", "I think it is red", "[THINKING] red",
    ],
)  # fmt: skip
def test_a_tag_that_is_spoken_of_is_no_thinking(text: str) -> None:
    assert parts(text) == ("", text)


CHANNELS = [
    ("<|channel|>analysis<|message|>The mast.<|end|><|start|>assistant<|channel|>final<|message|>red<|return|>", "red"),
    ("<|channel|>analysis<|message|>The mast.<|end|><|start|>assistant<|channel|>final<|message|>red", "red"),
    ("<|start|>assistant<|channel|>analysis<|message|>The mast.<|end|><|channel|>final<|message|>red<|end|>", "red"),
    ("<|channel|>analysis The mast. <|channel|>final red", "red"),
    ("<|channel|>analysis<|message|>The mast.", ""),
    ("<|channel|>commentary<|message|>The mast.<|end|><|channel|>final <|constrain|>json<|message|>{}<|return|>", "{}"),
    ("analysisThe mast.assistantfinalred", "red"),
]


@pytest.mark.parametrize(("text", "answer"), CHANNELS)
def test_only_the_final_channel_is_the_answer(text: str, answer: str) -> None:
    assert parts(text) == ("The mast.", answer)


def test_an_answer_on_the_final_channel_alone_was_not_thought_about() -> None:
    assert parts("<|channel|>final<|message|>red<|return|>") == ("", "red")


@given(st.text(), st.sampled_from([tag for pair in TAGS for tag in pair]), st.text())
def test_the_place_of_the_answer_is_where_it_begins(before: str, tag: str, after: str) -> None:
    text = f"{before}{tag}{after}"
    thought = split_thinking(text)
    assert 0 <= thought.start <= len(text)
    answer = thought.answer.strip()
    assert text[thought.start :].startswith(answer.split("\n")[0]) if answer else thought.start == len(text)


@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "<think></think>", "<|channel|>", "a<think>", "<answer>", "analysis", "\n", "<"]
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    """A million characters take well under the ten seconds; a quadratic reader takes hours."""
    start = perf_counter()
    split_thinking(unit * (1_000_000 // len(unit)))
    assert perf_counter() - start < 10.0


def test_every_pair_of_tags_nests() -> None:
    for (begin, end), (other, its_end) in product(TAGS, repeat=2):
        assert parts(f"{begin}a{other}b{its_end}c{end}red") == ("abc", "red")
