"""What an endpoint would refuse is found here first, with its line."""

import json

import pytest

from weighbridge.errors import DataError
from weighbridge.train.hosted import validate as hosted_check
from weighbridge.train.hosted.validate import check_apart, check_file


def said(*turns: tuple[str, object]) -> str:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]})


def preferred(last: str = "user", good: object = "Six", bad: object = "Seven") -> str:
    return json.dumps(
        {
            "input": {"messages": [{"role": last, "content": "When?"}]},
            "preferred_output": [{"role": "assistant", "content": good}],
            "non_preferred_output": [{"role": "assistant", "content": bad}],
        }
    )


def good(number: int) -> str:
    return said(("system", "Answer."), ("user", f"Question {number}?"), ("assistant", "Yes"))


def file(*rows: str) -> str:
    return "\n".join(rows) + "\n"


GOOD = [good(number) for number in range(10)]


def test_a_good_file_passes():
    found = check_file(file(*GOOD), "train.jsonl")
    assert (found.examples, found.warnings) == (10, ())


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "is a JSON object"),
        ("{}", '"messages", or "input"'),
        ('{"messages": []}', "at least one message"),
        ('{"messages": "hello"}', "at least one message"),
        ('{"messages": ["hello"]}', "message of the user is wanted"),
        (said(("user", "When?")), "last message is the user's"),
        (said(("system", "Answer.")), "last message is the system's"),
        (said(("system", " "), ("user", "When?"), ("assistant", "Six")), "system's message is empty"),
        (said(("assistant", "Six"), ("user", "When?")), "message of the user is wanted here, not 'assistant'"),
        (said(("user", "When?"), ("user", "Now?"), ("assistant", "Six")), "message of the assistant is wanted here"),
        (said(("user", "When?"), ("system", "Hush"), ("assistant", "Six")), "not 'system'"),
        (said(("user", ""), ("assistant", "Six")), "user's message is empty"),
        (said(("user", "When?"), ("assistant", " \n")), "assistant's message is empty"),
        (said(("user", "When?"), ("assistant", None)), "assistant's message is empty"),
        (preferred(last="assistant"), "input: a message of the user is wanted"),
        (preferred(good=""), "preferred_output: the assistant's message is empty"),
        (preferred(bad=7), "non_preferred_output: the assistant's message is empty"),
        (preferred(bad="Six"), "both outputs are the same"),
        ('{"input": {"messages": [{"role": "user", "content": "Hi"}]}}', "preferred_output: one message"),
        ("", "not JSON"),
    ],
)
def test_each_fault_is_named_with_its_line(row, why):
    with pytest.raises(DataError, match=r"train\.jsonl:4: ") as caught:
        check_file(file(*GOOD[:3], row, *GOOD[3:]), "train.jsonl")
    assert why in str(caught.value)


def test_of_many_faults_the_first_are_named():
    with pytest.raises(DataError, match=r":1: .*:5: .*and 3 more$") as caught:
        check_file(file(*["{}"] * 8), "train.jsonl")
    assert ":6:" not in str(caught.value)


def test_too_few_and_too_much_are_refused(monkeypatch):
    with pytest.raises(DataError, match=r"9 examples; .* at least 10"):
        check_file(file(*GOOD[:9]), "train.jsonl")
    with pytest.raises(DataError, match="0 examples"):
        check_file("", "train.jsonl")
    monkeypatch.setattr(hosted_check, "LARGEST", 100)
    with pytest.raises(DataError, match="takes 100"):
        check_file(file(*GOOD), "train.jsonl")


def test_duplicates_and_contradictions_are_told_with_their_lines():
    other = said(("system", "Answer."), ("user", "Question 1?"), ("assistant", "No"))
    found = check_file(file(*GOOD, good(0), other, good(0)), "train.jsonl")
    assert found.examples == 13
    assert found.warnings == (
        "train.jsonl: lines 11, 13: the same example stood there before; keep one",
        "train.jsonl: line 12: the same prompt was answered otherwise before; keep one of them",
    )


def test_what_is_learnt_is_not_validated_on():
    check_apart(file(*GOOD[:5]), file(*GOOD[5:]), "validation.jsonl")
    check_apart(file(*GOOD), "", "validation.jsonl")
    other = said(("system", "Answer."), ("user", "Question 1?"), ("assistant", "No"))
    with pytest.raises(DataError, match=r"validation\.jsonl: line 2: the same prompt is trained on"):
        check_apart(file(*GOOD[:5]), file(GOOD[6], other), "validation.jsonl")
