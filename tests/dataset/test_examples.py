import json
from pathlib import Path

import pytest

from weighbridge.dataset.examples import MOST_ERRORS, infer_task, read_examples
from weighbridge.errors import DataError
from weighbridge.types import Example, Question


def example(number: int, answer: str, *, evidence: tuple[str, ...] = (), family: str = "") -> Example:
    question = Question(f"question {number}")
    return Example(id=f"e{number}", question=question, answers=(answer,), evidence=evidence, family=family)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '\n{"question": "q", "answers": ["a"]}\n'),
        ("a.json", '{"prompt": "q", "completion": "a"}'),
        ("a.txt", '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'),
        ("a.csv", "Question,Answer\nq,a\n"),
        ("a.tsv", "prompt\tcompletion\nq\ta\n"),
    ],
)
def test_the_layout_is_recognised(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (read,) = read_examples(tmp_path / name)
    assert (read.question.text, read.answers) == ("q", ("a",))


def test_a_csv_in_the_encoding_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("question;answer\nO\xf9?;l\xe0\n".encode("latin-1"))
    assert read_examples(tmp_path / "a.csv")[0].answers == ("là",)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.jsonl", "", r"a\.jsonl: holds no examples"),
        ("a.csv", "question,answer\n", r"a\.csv: holds no examples"),
        ("a.jsonl", "[1]", r"a\.jsonl:1: is a JSON array; write one object a line"),
        ("a.jsonl", "hello", r"a\.jsonl:1: is not valid JSON"),
        ("a.jsonl", "5", r"a\.jsonl:1: must be a JSON object"),
        ("a.jsonl", '{"text": "x"}', r"a\.jsonl:1: an example needs 'question' and 'answers', .*; this one has 'text'"),
        (
            "a.jsonl",
            '{"prompt": "q", "completion": "a"}\n{"question": "q"}',
            r"a\.jsonl:2: has 'question' where the lines before it have 'prompt'; use one layout in a file",
        ),
        (
            "a.jsonl",
            '{"id": "x", "prompt": "q", "completion": "a"}\n{"id": "x", "prompt": "r", "completion": "a"}',
            r"a\.jsonl:2: the id 'x' was used before, at .*a\.jsonl:1",
        ),
        ("a.csv", "id,question,answer\n1,q,a\n1,r,a\n", r"a\.csv:3: the id '1' was used before, at .*a\.csv:2"),
        (
            "a.csv",
            "text,answer\nq,a\n",
            r"a\.csv:1: a CSV file must begin with a header that names one of: prompt, question",
        ),
        ("a.csv", "\0\1", r"a\.csv: not text"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=expected):
        read_examples(tmp_path / name)


def test_all_errors_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    asked = {"question": "q", "answers": ["a"]}
    chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    rows = [asked, chat, {"question": "q"}, {"question": "q", "answers": [None]}, chat, chat, {"question": ""}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken")
    with pytest.raises(DataError) as raised:
        read_examples(path)
    assert str(raised.value).replace(str(path), "a").split("\n  ") == [
        "the examples have several errors:",
        "a:2: has 'messages' where the lines before it have 'question'; use one layout in a file (and 2 more like it)",
        "a:3: has no 'answers'; where there is none to give, write \"answers\": [] (and 1 more like it)",
        "a:4: 'answers' holds null where an answer should be",
        "a:8: is not valid JSON (Expecting property name enclosed in double quotes at column 2)",
    ]


def test_of_many_errors_the_first_ten_are_told(tmp_path: Path) -> None:
    rows = [{"id": "x", "question": "q", "answers": "a"}] * 14
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError) as raised:
        read_examples(tmp_path / "a.jsonl")
    lines = str(raised.value).split("\n  ")
    assert len(lines) == MOST_ERRORS + 2
    assert lines[-1] == "and 3 errors more"


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file; correct 'examples'"):
        read_examples(tmp_path / "gone.jsonl")
    with pytest.raises(DataError, match="is a folder; 'examples' must name"):
        read_examples(tmp_path)


def test_few_recurring_answers_are_labels() -> None:
    guess = infer_task([example(n, ("yes", "No", "maybe")[n % 3], evidence=(f"d{n}",)) for n in range(30)])
    assert (guess.task, guess.why) == ("label", "30 examples share 3 short answers")


def test_paraphrases_of_one_need_do_not_make_a_label() -> None:
    assert infer_task([example(n, f"answer {n // 6}", family=f"f{n // 6}") for n in range(60)]).task == "answer"


@pytest.mark.parametrize(
    "answers",
    [
        [f"answer {n}" for n in range(40)],
        ["yes"] * 40,
        ["yes", "no"],
        ["an answer that is much too long to be the label of anything at all, " * 2, "no"] * 20,
        [f"label {n // 5}" for n in range(505)],
        ["common"] * 10 + [f"rare {n}" for n in range(5)],
    ],
)
def test_other_answers_are_answers(answers: list[str]) -> None:
    assert infer_task([example(n, answer) for n, answer in enumerate(answers)]).task == "answer"


def test_objects_are_json() -> None:
    guess = infer_task([example(n, json.dumps({"dose": n % 2})) for n in range(20)])
    assert (guess.task, guess.why) == ("json", "all 20 answers are JSON objects")
    assert infer_task([example(1, "[1]"), example(2, '{"a": 1}')]).task == "answer"


def test_without_answers_the_task_is_to_answer() -> None:
    unanswerable = Example(id="u", question=Question("?"), answers=(), answerable=False)
    assert infer_task([unanswerable]).task == "answer"
