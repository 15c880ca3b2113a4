"""Turns messages in the format of OpenAI's fine-tuning API into a question with its history, and its answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import DataRow, describe_json_kind
from weighbridge.types import Message, Question, Role

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_UNREADABLE = {"image_url": "an image", "input_audio": "a sound", "file": "a file"}


@dataclass(frozen=True, slots=True)
class Chat:
    """The question with the turns before it, and the assistant's last answer."""

    question: Question
    answer: str


def read_chat(row: DataRow, groups: frozenset[str]) -> Chat:
    """Read the `messages` of a row: the last is the assistant's answer, the user's last before it the question.

    All other messages are the question's history. System and developer messages become system turns, and every prompt
    shows them before the user's next turn. So do the calls of tools and their results, in words. Texts
    in parts are joined. Where several people of one role have names, their turns begin with them. The definitions of
    tools are not kept, as only the answer in words is learnt.

    Raises:
        DataError: the row cannot be learnt: a message is none of the format, holds an image, a sound or a file, or the
            last is not an answer in words, or has the weight 0.
    """
    messages = row.values.get("messages")
    if not isinstance(messages, list):
        raise DataError(f"{row.place}: 'messages' must be a list, not {describe_json_kind(messages)}")
    named = _find_roles_with_names(messages)
    calls: dict[str, str] = {}
    turns = _move_before_question([turn for message in messages for turn in _read_turns(row, message, named, calls)])
    _require_answer(row, messages)
    last = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=-1)
    if last < 0 or turns[-1].role != "assistant":
        raise DataError(f"{row.place}: 'messages' must end with a user's question and the assistant's answer")
    # What the assistant said between the question and the answer is told before it.
    between = (Message("system", turn.content) for turn in turns[last + 1 : -1])
    history = (*turns[:last], *between)
    return Chat(Question(turns[last].content, history, groups), turns[-1].content)


def _move_before_question(turns: Sequence[Message]) -> list[Message]:
    """Move each question behind the turns that belong to its answer, such as the calls of tools.

    User and assistant take turns in a prompt, so a turn between the two would come after the answer.
    """
    ordered: list[Message] = []
    starts = [place for place, turn in enumerate(turns) if turn.role == "user"]
    for start, end in pairwise([0, *starts, len(turns)]):
        exchange = turns[start:end]
        answered = max((place for place, turn in enumerate(exchange) if turn.role == "assistant"), default=0)
        between = exchange[1:answered]
        if exchange and exchange[0].role == "user" and any(turn.role == "system" for turn in between):
            ordered += [Message("system", turn.content) for turn in between]
            exchange = [exchange[0], *exchange[answered:]]
        ordered += exchange
    return ordered


def _require_answer(row: DataRow, messages: Sequence[Mapping[str, Any]]) -> None:
    last = messages[-1] if messages else {}
    if last.get("role") == "assistant" and last.get("weight") == 0:
        raise DataError(f"{row.place}: the last message has the weight 0, so there is nothing to learn")
    if last.get("role") == "assistant" and _describe_calls(last):
        raise DataError(f"{row.place}: ends with a call of a tool, and only answers in words are learnt")


def _find_roles_with_names(messages: Sequence[object]) -> frozenset[str]:
    """Return the roles that several people speak in, by their `name`."""
    names: dict[str, set[str]] = {}
    for message in messages:
        if isinstance(message, Mapping) and isinstance(message.get("name"), str):
            names.setdefault(str(message.get("role")), set()).add(message["name"])
    return frozenset(role for role, those in names.items() if len(those) > 1)


def _read_turns(row: DataRow, message: object, named: frozenset[str], calls: dict[str, str]) -> list[Message]:
    if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
        raise DataError(f"{row.place}: each message needs a 'role', one of {', '.join(_ROLES)}")
    role, text, made = message["role"], _read_text(row, message), _describe_calls(message)
    if not text and not made and role not in {"tool", "function"}:
        raise DataError(f"{row.place}: each message needs a 'content' that is a text and not empty")
    if role in {"tool", "function"}:
        call = calls.get(str(message.get("tool_call_id"))) or str(message.get("name") or "a tool")
        return [Message("system", f"{call} returned: {text or '(nothing)'}")]
    if text and role in named and message.get("name"):
        text = f"{message['name']}: {text}"
    spoken: Role = "system" if role in {"system", "developer"} else "user" if role == "user" else "assistant"
    turns = [Message(spoken, text)] if text else []
    for number, (key, call) in enumerate(made):
        calls[key or f"call {number}"] = call
        turns.append(Message("system", f"{call} was called"))
    return turns


def _describe_calls(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the id of each call of a tool, and the call in words; the older `function_call` has no id."""
    made = message.get("tool_calls")
    listed = [*made] if isinstance(made, list) else []
    if isinstance(message.get("function_call"), Mapping):
        listed.append({"function": message["function_call"]})
    found = []
    for call in listed:
        details = call.get("function") or call.get("custom") if isinstance(call, Mapping) else None
        details = details if isinstance(details, Mapping) else {}
        given = details.get("arguments", details.get("input", ""))
        arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        key = str(call.get("id") or "") if isinstance(call, Mapping) else ""
        found.append((key, f"{details.get('name') or 'a tool'}({arguments})"))
    return found


def _read_text(row: DataRow, message: Mapping[str, Any]) -> str:
    """Return the text of a message: its content, the parts of it joined, or the refusal in its place."""
    content = message.get("content")
    if content is None:
        refusal = message.get("refusal")
        if message.get("audio"):
            raise DataError(f"{row.place}: holds a sound, and only text is learnt")
        return refusal.strip() if isinstance(refusal, str) else ""
    if isinstance(content, str):
        return content if content.strip() else ""
    if not isinstance(content, list):
        raise DataError(f"{row.place}: each message needs a 'content' that is a text and not empty")
    return "\n".join(_read_part(row, part) for part in content).strip()


def _read_part(row: DataRow, part: object) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type")) if isinstance(part, Mapping) else ""
    text = part.get(kind) if isinstance(part, Mapping) and kind in {"text", "refusal"} else None
    if not isinstance(text, str):
        raise DataError(
            f"{row.place}: holds {_UNREADABLE.get(kind, f'a part of type {kind!r}')}, and only text is learnt"
        )
    return text
