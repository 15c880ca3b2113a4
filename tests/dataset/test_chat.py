import json
from pathlib import Path
from typing import Any

import pytest

from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.dataset.examples import load_examples
from weighbridge.dataset.near_duplicates import comparable_text, distinct_questions
from weighbridge.errors import DataError
from weighbridge.types import Example, Message, Question

ASKED = {"role": "user", "content": "Weather in Holm?"}
CALL = {
    "role": "assistant", "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Holm"}'}}],
}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "c1", "content": '{"t":7}'}
SAID = {"role": "assistant", "content": "7 degrees"}


def _file(folder: Path, *conversations: list[dict[str, Any]]) -> Path:
    lines = [json.dumps({"messages": messages}) for messages in conversations]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "a.jsonl"


def _read(folder: Path, messages: list[dict[str, Any]]) -> Example:
    (example,) = load_examples(_file(folder, messages)).examples
    return example


@pytest.mark.parametrize("role", ["system", "developer"])
def test_what_a_system_is_told_reaches_the_prompt(tmp_path: Path, role: str) -> None:
    example = _read(tmp_path, [{"role": role, "content": "Customer 4: pays 120."}, ASKED, SAID])
    assert example.question.history == (Message("system", "Customer 4: pays 120."),)
    assert (example.question.text, example.answers) == ("Weather in Holm?", ("7 degrees",))
    for reads in (True, False):
        instructions = instructions_for("answer", reads=reads)
        prompt = build_prompt(instructions, example.question, demonstrations=[example]).messages
        assert [turn.role for turn in prompt] == ["system", "user", "assistant", "user"]
        assert prompt[0].content == instructions.system
        assert all(turn.content.startswith("Customer 4: pays 120.\n\n") for turn in prompt if turn.role == "user")


def test_user_and_assistant_take_turns_in_every_prompt(tmp_path: Path) -> None:
    turns = [ASKED, {"role": "user", "content": "Hello?"}, SAID, {"role": "system", "content": "Now in French."}]
    example = _read(tmp_path, [*turns, {"role": "user", "content": "And in Brae?"}, {**SAID, "content": "9"}])
    prompt = build_prompt(instructions_for("answer", reads=False), example.question).messages[1:]
    assert prompt == (
        Message("user", "Weather in Holm?\n\nHello?"),
        Message("assistant", "7 degrees"),
        Message("user", "Now in French.\n\nAnd in Brae?"),
    )


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (CALL, RESULT),
        ({"role": "assistant", "function_call": {"name": "weather", "arguments": '{"city":"Holm"}'}},
         {"role": "function", "name": "weather", "content": '{"t":7}'}),
        ({**CALL, "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": {"city": "Holm"}}}]},
         {**RESULT, "content": [{"type": "text", "text": '{"t":7}'}]}),
    ],
)  # fmt: skip
def test_calls_of_tools_are_told_in_words(tmp_path: Path, call: dict[str, Any], result: dict[str, Any]) -> None:
    example = _read(tmp_path, [ASKED, call, result, SAID])
    told = " ".join(turn.content for turn in example.question.history)
    assert example.question.text == "Weather in Holm?"
    assert "weather({" in told
    assert "Holm" in told
    assert told.endswith('returned: {"t":7}')
    later = _read(tmp_path, [ASKED, call, result, SAID, {"role": "user", "content": "And now?"}, SAID])
    assert [turn.role for turn in later.question.history] == ["system", "system", "user", "assistant"]
    prompt = build_prompt(instructions_for("answer", reads=False), later.question).messages[1:]
    assert [turn.role for turn in prompt] == ["user", "assistant", "user"]
    assert prompt[0].content.endswith('returned: {"t":7}\n\nWeather in Holm?')


def test_words_beside_a_call_are_kept(tmp_path: Path) -> None:
    example = _read(tmp_path, [ASKED, {**CALL, "content": "Let me look."}, RESULT, SAID])
    assert example.question.history[0] == Message("system", "Let me look.")


def test_parts_refusals_and_names(tmp_path: Path) -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "Code of"}, {"type": "text", "text": "gate 9?"}]}
    assert _read(tmp_path, [parts, SAID]).question.text == "Code of\ngate 9?"
    refused = {"role": "assistant", "content": None, "refusal": "I cannot say."}
    assert _read(tmp_path, [ASKED, refused]).answers == ("I cannot say.",)
    named = [{**ASKED, "name": "ann"}, SAID, {"role": "user", "name": "ben", "content": "And mine?"}, SAID]
    example = _read(tmp_path, named)
    assert (example.question.history[0].content, example.question.text) == ("ann: Weather in Holm?", "ben: And mine?")


BAD = [
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, SAID], "holds an image"),
    ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, SAID], "holds a sound"),
    ([{"role": "user", "content": [{"type": "file", "file": {}}]}, SAID], "holds a file"),
    ([{"role": "user", "content": [{"type": "new"}]}, SAID], "a part of type 'new'"),
    ([ASKED, {"role": "assistant", "audio": {"id": "a"}}], "holds a sound"),
    ([ASKED, CALL], "ends with a call of a tool"),
    ([ASKED, CALL, RESULT], "must end with a user's question and the assistant's answer"),
    ([ASKED, {**CALL, "content": "I look it up."}], "ends with a call of a tool"),
    ([{**ASKED, "content": [{"type": ["text"], "text": "x"}]}, SAID], "holds a part of type"),
    ([ASKED, {**SAID, "weight": 0}], "has the weight 0"),
    ([ASKED, {"role": "assistant", "content": " "}], "'content'"),
    ([{"role": "narrator", "content": "x"}, ASKED, SAID], "'role', one of system, developer"),
    ([SAID], "must end with"),
    ([], "must end with"),
]


@pytest.mark.parametrize(("messages", "reason"), BAD)
def test_what_cannot_be_learnt_costs_its_row_alone(tmp_path: Path, messages: list[dict[str, Any]], reason: str) -> None:
    path = _file(tmp_path, [ASKED, SAID], messages, [ASKED, SAID])
    read = load_examples(path)
    assert [example.id for example in read.examples] == ["line-1", "line-3"]
    assert len(read.left_out) == 1
    assert read.left_out[0].startswith(f"{path}:2: ")
    assert reason in read.left_out[0]
    assert read.lines() == (
        "Left out 1 of 3 examples, which cannot be learnt:", f"  {read.left_out[0]}",
    )  # fmt: skip


@pytest.mark.parametrize("call", ["x", None, {"function": "x"}, {"function": None}, {}])
def test_a_call_that_is_none_of_the_format_is_told_without_its_name(tmp_path: Path, call: object) -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    (example,) = load_examples(_file(tmp_path, [ASKED, called, SAID])).examples
    assert [turn.content for turn in example.question.history] == ["a tool() was called"]


def test_names_are_told_where_several_people_of_one_role_have_them(tmp_path: Path) -> None:
    ann, bob = ({**ASKED, "name": name, "content": f"I am {name}."} for name in ("Ann", "Bob"))
    answers = [SAID, {**SAID, "name": "Holm"}]
    for rows, told in (([ann, answers[1], ann, SAID], "I am Ann."), ([ann, answers[0], bob, SAID], "Ann: I am Ann.")):
        (example,) = load_examples(_file(tmp_path, rows)).examples
        assert example.question.history[0].content == told


def test_a_file_of_which_nothing_can_be_learnt(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.jsonl:1: ends with a call of a tool.*; none of the 7 examples"):
        load_examples(_file(tmp_path, *[[ASKED, CALL]] * 7))


def test_the_first_reasons_are_shown(tmp_path: Path) -> None:
    lines = load_examples(_file(tmp_path, [ASKED, SAID], *[[ASKED, CALL]] * 7)).lines()
    assert (len(lines), lines[-1]) == (7, "  and 2 more")


def test_one_question_to_two_customers_is_two_questions(tmp_path: Path) -> None:
    rows = [
        [{"role": "system", "content": f"Customer {n}: ends in {1990 + n}."}, ASKED, {**SAID, "content": str(1990 + n)}]
        for n in range(4)
    ]
    examples = load_examples(_file(tmp_path, *rows)).examples
    assert len(distinct_questions(examples).asked) == 4
    assert comparable_text(examples[2]) == "Customer 2: ends in 1992.\nWeather in Holm?"
    same = Example(id="x", question=Question("Weather in Holm?"), answers=("1",))
    assert comparable_text(same) == "Weather in Holm?"


def test_a_guess_at_the_encoding_of_examples_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("question,answer\nWo ist die Fähre?,am Kai\n".encode("cp1252"))
    read = load_examples(tmp_path / "a.csv")
    assert read.examples[0].question.text == "Wo ist die Fähre?"
    assert read.lines() == (
        f"{tmp_path / 'a.csv'}: its encoding is a guess by 1 character alone: windows-1252; save it as UTF-8",
    )


def test_definitions_of_tools_are_told(tmp_path: Path) -> None:
    row = {"messages": [ASKED, CALL, RESULT, SAID], "tools": [{"type": "function", "function": {"name": "weather"}}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert load_examples(tmp_path / "a.jsonl").lines() == (
        f"{tmp_path / 'a.jsonl'}: 1 conversation(s) define tools; calls are kept in words, tools not taught",
    )
