"""Validates a fine-tuning file by the endpoint's rules before anything is sent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.errors import DataError

FEWEST = 10
"""Examples that the API asks for in a training file."""
LARGEST = 512 * 1024 * 1024
"""Bytes that the API takes as one file."""
_SHOWN = 5
_OUTPUTS = ("preferred_output", "non_preferred_output")


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A valid file: the number of its examples, and warnings."""

    examples: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a file: its number from 1, its prompt and its whole content, both as canonical text."""

    number: int
    asked: str
    whole: str


def check_file(lines: str, name: str, *, fewest: int = FEWEST) -> FileCheck:
    """Check a file in the chat or the preference format; `name` stands in messages.

    Raises:
        DataError: a line is none of the format, or there are too few or too many; with line numbers.
    """
    if (size := len(lines.encode())) > LARGEST:
        raise DataError(f"{name}: {size:,} bytes; the endpoint takes {LARGEST:,}; lower training.maximum_examples")
    rows, errors = _read(lines, name)
    if errors:
        more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        raise DataError("; ".join(errors[:_SHOWN]) + more)
    if len(rows) < fewest:
        raise DataError(
            f"{name}: {len(rows)} examples; the fine-tuning API asks for at least {fewest}; add examples, "
            "raise training.maximum_examples, or lower splits.dev and splits.test"
        )
    return FileCheck(examples=len(rows), warnings=tuple(_odd(rows, name)))


def check_apart(training: str, validation: str, name: str) -> None:
    """Check that nothing is both learnt and validated on; `name` is the validation file's.

    Raises:
        DataError: prompts of the validation file are also trained on; with their lines.
    """
    learnt = {row.asked for row in _read(training, "")[0]}
    if both := [str(row.number) for row in _read(validation, name)[0] if row.asked in learnt]:
        raise DataError(
            f"{name}: {_lines(both)}: the same prompt is trained on, so the validation would tell nothing; "
            "keep duplicates out of the examples"
        )


def _read(lines: str, name: str) -> tuple[tuple[_Row, ...], list[str]]:
    rows, errors = [], []
    for number, line in enumerate(lines.rstrip("\n").split("\n") if lines.strip() else (), start=1):
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            errors.append(f"{name}:{number}: not JSON ({error.msg})")
            continue
        if wrong := _wrong(value):
            errors.append(f"{name}:{number}: {wrong}")
        else:
            asked = value["input"]["messages"] if "input" in value else value["messages"][:-1]
            rows.append(_Row(number, _text(asked), _text(value)))
    return tuple(rows), errors


def _wrong(value: Any) -> str:
    """Return the fault of one example; empty if it has none."""
    if not isinstance(value, Mapping):
        return "an example is a JSON object"
    if "messages" in value:
        return _wrong_turns(value["messages"], last="assistant")
    if not isinstance(value.get("input"), Mapping):
        return 'an example has "messages", or "input" with two outputs'
    if wrong := _wrong_turns(value["input"].get("messages"), last="user"):
        return f"input: {wrong}"
    for output in _OUTPUTS:
        messages = value.get(output)
        wrong = "one message of the assistant is wanted"
        if isinstance(messages, Sequence) and len(messages) == 1:
            wrong = _wrong_message(messages[0], "assistant")
        if wrong:
            return f"{output}: {wrong}"
    return "both outputs are the same" if value[_OUTPUTS[0]] == value[_OUTPUTS[1]] else ""


def _wrong_turns(messages: Any, *, last: str) -> str:
    """Check that after an optional system message user and assistant take turns, and who has the last word."""
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        return '"messages" is a list of at least one message'
    first = messages[0]
    spoken = messages[1:] if isinstance(first, Mapping) and first.get("role") == "system" else messages
    if len(spoken) < len(messages) and (wrong := _wrong_message(first, "system")):
        return wrong
    for place, message in enumerate(spoken):
        if wrong := _wrong_message(message, ("user", "assistant")[place % 2]):
            return wrong
    ends = spoken[-1]["role"] if spoken else "system"
    return "" if ends == last else f"the last message is the {ends}'s, and should be the {last}'s"


def _wrong_message(message: Any, role: str) -> str:
    if not isinstance(message, Mapping) or message.get("role") != role:
        found = message.get("role") if isinstance(message, Mapping) else type(message).__name__
        return f"a message of the {role} is wanted here, not {found!r}; roles are system, user, assistant, by turns"
    content = message.get("content")
    return "" if isinstance(content, str) and content.strip() else f"the {role}'s message is empty"


def _odd(rows: Sequence[_Row], name: str) -> Iterator[str]:
    asked: set[str] = set()
    seen: set[str] = set()
    again, otherwise = [], []
    for row in rows:
        if row.whole in seen:
            again.append(str(row.number))
        elif row.asked in asked:
            otherwise.append(str(row.number))
        asked.add(row.asked)
        seen.add(row.whole)
    if again:
        yield f"{name}: {_lines(again)}: the same example stood there before; keep one"
    if otherwise:
        yield f"{name}: {_lines(otherwise)}: the same prompt was answered otherwise before; keep one of them"


def _lines(numbers: Sequence[str]) -> str:
    told = ", ".join(numbers[:_SHOWN]) + (f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else "")
    return f"line{'s' if len(numbers) > 1 else ''} {told}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
