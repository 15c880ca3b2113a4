from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from weighbridge.dataset.layouts import LAYOUTS, read_csv_row, read_messages_row, read_prompt_row, read_question_row
from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import DataRow
from weighbridge.types import Example, Message, Question

ROOT = Path(__file__).parents[2]
HI = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def row(**values: Any) -> DataRow:
    return DataRow("f.jsonl:3", values)


def test_question() -> None:
    full = row(
        id="q", question="Why?", answers=["so ", "thus", "so"], doc_ids=["d", "d"], answerable=True, family="f",
        groups=["hr"], split="test",
    )  # fmt: skip
    assert read_question_row(full) == Example(
        id="q",
        question=Question("Why?", groups=frozenset({"hr"})),
        answers=("so", "thus"),
        evidence=("d",),
        family="f",
    )
    assert read_question_row(row(question="Why?", answers=[])) == Example(
        id="line-3", question=Question("Why?"), answers=(), answerable=False
    )


def test_json_answers_become_one_line() -> None:
    answers = read_question_row(row(question="?", answers=[{"b": 1, "a": "é"}, 5, True, 1.5])).answers
    assert answers == ('{"b":1,"a":"é"}', "5", "true", "1.5")
    assert read_prompt_row(row(prompt="?", completion={"a": [1, None]})).answers == ('{"a":[1,null]}',)


def test_prompt() -> None:
    assert read_prompt_row(row(id=3, prompt="p", completion=" c\n")) == Example(
        id="3", question=Question("p"), answers=("c",)
    )


def test_messages() -> None:
    turns = [
        {"role": "system", "content": "s"},
        *HI,
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
    assert read_messages_row(row(messages=turns)) == Example(
        id="line-3",
        question=Question("q", (Message("system", "s"), Message("user", "hi"), Message("assistant", "hello"))),
        answers=("a",),
    )


def test_cells() -> None:
    cells = row(question="Why?", answer="so", doc_ids="d; e;", answerable="Yes", family="f", groups="hr", id="1")
    assert read_csv_row(cells) == Example(
        id="1",
        question=Question("Why?", groups=frozenset({"hr"})),
        answers=("so",),
        evidence=("d", "e"),
        family="f",
    )
    assert not read_csv_row(row(prompt="Why?", completion="", answerable="")).answerable


@pytest.mark.parametrize(
    ("read", "values", "expected"),
    [
        (read_question_row, {"question": "?"}, "has no 'answers'"),
        (read_question_row, {"question": "?", "answer": "so"}, 'has \'answer\'; in JSONL write "answers": ["x"]'),
        (read_question_row, {"question": "?", "answer": "so", "answerable": True}, "has 'answer'; in JSONL write"),
        (read_question_row, {"question": " ", "answers": []}, "'question' is empty"),
        (read_question_row, {"question": ["?"], "answers": []}, "'question' must be a text, not a list"),
        (read_question_row, {"question": "?", "answers": [None]}, "'answers' holds null where an answer should be"),
        (
            read_question_row,
            {"question": "?", "answers": [], "answerable": True},
            "is marked answerable but has no answer",
        ),
        (read_question_row, {"question": "?", "answers": ["a"], "answerable": False}, "has an answer but is marked"),
        (
            read_question_row,
            {"question": "?", "answers": ["a"], "answerable": "no"},
            "'answerable' must be true or false",
        ),
        (read_question_row, {"question": "?", "answers": ["a"], "doc_ids": "d"}, "'doc_ids' must be a list of texts"),
        (
            read_question_row,
            {"question": "?", "answers": ["a"], "family": 1.5},
            "'family' must be a text, not a number",
        ),
        (read_prompt_row, {"prompt": "?"}, "has a 'prompt' but no 'completion'"),
        (read_messages_row, {"messages": "x"}, "'messages' must be a list, not a text"),
        (read_messages_row, {"messages": HI[:1]}, "'messages' must end with"),
        (read_messages_row, {"messages": HI[::-1]}, "'messages' must end with"),
        (read_messages_row, {"messages": [*HI, {"role": "narrator", "content": "x"}]}, "each message needs a 'role'"),
        (read_messages_row, {"messages": ["x"]}, "each message needs a 'role'"),
        (read_messages_row, {"messages": [{"role": "user", "content": None}]}, "each message needs a 'content'"),
        (read_csv_row, {"question": "?"}, "the header has the column 'question' but no column 'answer'"),
        (
            read_csv_row,
            {"prompt": "?", "completion": "a", "answerable": "perhaps"},
            "'answerable' must be true or false",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    read: Callable[[DataRow], Example], values: dict[str, Any], expected: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(row(**values))
    assert str(caught.value).startswith(f"f.jsonl:3: {expected}")


@pytest.mark.parametrize("page", ["CHANGELOG.md", "tests/golden/help/init.txt"])
def test_people_are_told_how_many_layouts_there_are(page: str) -> None:
    told = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert f"({('no', 'one', 'two', 'three', 'four', 'five')[len(LAYOUTS)]} layouts)" in told


def test_the_page_on_own_data_has_each_layout() -> None:
    page = (ROOT / "docs/how-to/own-data.md").read_text(encoding="utf-8")
    rows = [line for line in page.partition("| layout |")[2].partition("\n\n")[0].splitlines()[2:] if "CSV" not in line]
    assert len(rows) == len(LAYOUTS)
    assert all(any(f"`{layout.key}`" in line for line in rows) for layout in LAYOUTS)
