"""From an endpoint's stream to the outcome of an attempt: an odd reply is an answer or a failure, never both."""

import json
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from weighbridge.answer.build import Parts, build
from weighbridge.evaluate.run import EvaluationSpec, evaluate
from weighbridge.generate.openai import open_openai
from weighbridge.protocols import NONE, NOTHING
from weighbridge.results import Record
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Example, Question

Start = Callable[[Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]], str]
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def asked(start: Start, delta: dict[str, Any], finish: str, *, answerable: bool = True) -> Record:
    """The record of one question about a mast that is red, or that nobody can answer."""

    def behave(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
        choices = [
            {"index": 0, "delta": delta, "finish_reason": None},
            {"index": 0, "delta": {}, "finish_reason": finish},
        ]
        pieces = [{"choices": [choice]} for choice in choices] + [{"choices": [], "usage": USAGE}]
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for piece in pieces:
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", **piece}
            handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())

    question = Question("What colour is the mast?")
    example = Example(id="e", question=question, answers=("red",) if answerable else (), answerable=answerable)
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
    settings = ModelSettings(engine="openai", reference="m", base_url=start(behave))
    with closing(open_openai(settings, environment={})) as model:
        exam = EvaluationSpec(task="answer", examples=[example], metrics=(), reads=False, seed=0)
        (record,) = evaluate(build("prompt", parts, model), exam)
    return record


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize(
    "delta",
    [
        {}, {"content": ""}, {"content": None}, {"content": " \n"}, {"content": "<think>Red?"},
        {"content": "<think></think>"},
        {"reasoning_content": "It is red."}, {"reasoning": "I don't know.", "content": ""},
    ],
)  # fmt: skip
def test_an_answer_of_nothing_is_wrong_and_no_failure(delta: dict[str, Any], finish: str, chat_endpoint: Start) -> None:
    for answerable in (True, False):
        record = asked(chat_endpoint, delta, finish, answerable=answerable)
        assert record.answer is not None
        assert (record.answer.text, record.answer.abstained, record.outcome) == ("", False, "wrong")


@pytest.mark.parametrize(
    "delta",
    [
        {"refusal": "Not that."},
        {"content": "I'm sorry, but I don't have that information."},
        {"content": "<think>It is red.</think>Das weiß ich nicht."},
        {"content": "不知道。", "reasoning_content": "It is red."},
    ],
)
def test_a_refusal_is_an_abstention(delta: dict[str, Any], chat_endpoint: Start) -> None:
    assert asked(chat_endpoint, delta, "stop").outcome == "abstained"
    assert asked(chat_endpoint, delta, "stop", answerable=False).outcome == "right"


@pytest.mark.parametrize("delta", [{"content": "red"}, {"content": "I don't know.</think>red", "reasoning": "Blue?"}])
def test_thinking_does_not_make_an_answer_wrong(delta: dict[str, Any], chat_endpoint: Start) -> None:
    assert asked(chat_endpoint, delta, "stop").outcome == "right"
    assert asked(chat_endpoint, delta, "stop", answerable=False).outcome == "wrong"


@pytest.mark.parametrize(
    ("delta", "finish", "error"),
    [
        ({"content": "red"}, "content_filter", "filter"),
        ({}, "content_filter", "filter"),
        ({"content": "red"}, "tool_calls", "tool_calls"),
        ({"tool_calls": [{"index": 0, "function": {"name": "look", "arguments": "{}"}}]}, "stop", "tool"),
    ],
)
def test_a_reply_that_is_no_answer_is_a_failure(
    delta: dict[str, Any], finish: str, error: str, chat_endpoint: Start
) -> None:
    record = asked(chat_endpoint, delta, finish)
    assert record.answer is None
    assert record.outcome is None
    assert error in record.error
