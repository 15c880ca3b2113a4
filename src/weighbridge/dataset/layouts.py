"""Reads one row of each layout of examples: questions, prompts, conversations, CSV."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from weighbridge.dataset.chat import read_chat
from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import DataRow, describe_json_kind
from weighbridge.types import Example, Question

HEADERS = frozenset({"question", "prompt"})
"""CSV: the column that must be there; `question` goes with `answer`, `prompt` with `completion`."""

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_question_row(row: DataRow) -> Example:
    """Read `{"question", "answers"}`: a list of texts, numbers or JSON objects, or one of them."""
    if "answers" not in row.values and row.values.get("answer") not in (None, ""):
        raise DataError(f'{row.place}: has \'answer\'; in JSONL write "answers": ["x"]')
    if "answers" not in row.values and "answerable" not in row.values:
        raise DataError(f"{row.place}: has no 'answers'; where there is none to give, write \"answers\": []")
    given = row.values.get("answers")
    listed = given if isinstance(given, list) else [] if given is None else [given]
    return _make_example(row, Question(row.text("question"), groups=frozenset(row.names("groups"))), "answers", listed)


def read_prompt_row(row: DataRow) -> Example:
    """Read `{"prompt", "completion"}`, the completion being a text, a number or a JSON object."""
    question = Question(row.text("prompt"), groups=frozenset(row.names("groups")))
    if "completion" not in row.values:
        raise DataError(f"{row.place}: has a 'prompt' but no 'completion'")
    given = row.values["completion"]
    return _make_example(row, question, "completion", [] if given is None else [given])


def read_messages_row(row: DataRow) -> Example:
    """Read `{"messages"}` in the format of OpenAI's fine-tuning API; see `chat.read_chat`."""
    chat = read_chat(row, frozenset(row.names("groups")))
    return _make_example(row, chat.question, "messages", [chat.answer])


def read_csv_row(row: DataRow) -> Example:
    """Read a CSV record with the columns question and answer, or prompt and completion; all cells are texts.

    Optional: id, doc_ids and groups (separated by ;), answerable (true or false), family.
    """
    asked, answer = ("question", "answer") if "question" in row.values else ("prompt", "completion")
    if answer not in row.values:
        raise DataError(f"{row.place}: the header has the column {asked!r} but no column {answer!r}")
    listed = {key: [item.strip() for item in row.optional_text(key).split(";") if item.strip()] for key in _LISTS}
    said = row.optional_text("answerable").strip().lower()
    if said and said not in _TRUTHS:
        raise DataError(f"{row.place}: 'answerable' must be true or false, not {said!r}")
    typed = DataRow(row.place, {**row.values, **listed, "answerable": _TRUTHS[said] if said else None})
    question = Question(typed.text(asked), groups=frozenset(listed["groups"]))
    return _make_example(typed, question, answer, [typed.optional_text(answer)])


@dataclass(frozen=True, slots=True)
class ExampleLayout:
    """How the records of a JSONL file are recognised, and read."""

    key: str
    read: Callable[[DataRow], Example]


LAYOUTS = (
    ExampleLayout("messages", read_messages_row),
    ExampleLayout("question", read_question_row),
    ExampleLayout("prompt", read_prompt_row),
)
_LISTS = ("doc_ids", "groups")


def _make_example(row: DataRow, question: Question, key: str, given: list[Any]) -> Example:
    answers = tuple(answer for item in given if (answer := _answer(row, key, item)))
    answerable = row.values.get("answerable")
    if answerable is None:
        answerable = bool(answers)
    if not isinstance(answerable, bool):
        raise DataError(f"{row.place}: 'answerable' must be true or false, not {describe_json_kind(answerable)}")
    if answerable != bool(answers):
        raise DataError(
            f"{row.place}: is marked answerable but has no answer"
            if answerable
            else f"{row.place}: has an answer but is marked as not answerable; remove one of the two"
        )
    return Example(
        id=row.name("id") or f"line-{row.place.rpartition(':')[2]}",
        question=question,
        answers=tuple(dict.fromkeys(answers)),
        evidence=tuple(dict.fromkeys(row.names("doc_ids"))),
        answerable=answerable,
        family=row.name("family"),
    )


def _answer(row: DataRow, key: str, value: Any) -> str:
    """Return one answer as text: objects and lists as compact one-line JSON, in the order they were written."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        raise DataError(f"{row.place}: {key!r} holds null where an answer should be")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
