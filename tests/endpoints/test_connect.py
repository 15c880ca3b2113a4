"""How requests are addressed, carry keys and headers, and are sent again; against real servers on this machine."""

import json
from collections.abc import Callable
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler
from threading import Thread
from time import sleep
from typing import Any

import pytest
from pydantic import ValidationError

from weighbridge.endpoints import connect
from weighbridge.endpoints.connect import open_connection
from weighbridge.endpoints.tokens import ESTIMATE, estimate_tokens
from weighbridge.errors import ModelError, UserError
from weighbridge.generate.openai import open_openai
from weighbridge.retrieve.search.rerank import open_rerank_endpoint
from weighbridge.settings.endpoints import EndpointSettings
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Message

Body = dict[str, Any]
Behaviour = Callable[[BaseHTTPRequestHandler, Body], None]
Start = Callable[[Behaviour], str]
ASKED = [Message("system", "Answer."), Message("user", "When does it open?")]


def stream(handler: BaseHTTPRequestHandler, body: Body, *, usage: bool = True) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    chunks: list[Body] = [{"choices": [{"index": 0, "delta": {"content": "At nine."}, "finish_reason": "stop"}]}]
    chunks += (
        [{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}] if usage else []
    )
    for chunk in chunks:
        whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", **chunk}
        handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())


def refuse(handler: BaseHTTPRequestHandler, status: int, message: str, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(json.dumps({"error": {"message": message}}).encode())


def endpoint(url: str, **settings: Any) -> ModelSettings:
    return ModelSettings(engine="openai", reference="openai:m", base_url=url, **settings)


def answer(settings: ModelSettings, *, environment: dict[str, str] | None = None, tell: Any = lambda _: None) -> str:
    with closing(open_openai(settings, environment=environment or {}, tell=tell)) as model:
        return model.generate(ASKED).text


@pytest.mark.parametrize(
    ("parameters", "sent", "left_out"),
    [
        ({}, {"max_tokens": 48, "temperature": 0.0, "seed": 7}, {"max_completion_tokens"}),
        ({"max_completion_tokens": 900}, {"max_completion_tokens": 900}, {"max_tokens"}),
        ({"reasoning_effort": "low", "provider": {"order": ["a"]}}, {"provider": {"order": ["a"]}}, set()),
        ({"temperature": "omit", "seed": "omit", "stream_options": "omit"}, {"max_tokens": 48},
         {"temperature", "seed", "stream_options"}),
    ],
)  # fmt: skip
def test_parameters_are_sent_beside_or_in_place_of_ours(
    parameters: Body, sent: Body, left_out: set[str], chat_endpoint: Start
) -> None:
    bodies: list[Body] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        bodies.append(body)
        stream(handler, body)

    assert answer(endpoint(chat_endpoint(behave), parameters=parameters)) == "At nine."
    assert all(bodies[0][name] == value for name, value in sent.items())
    assert not left_out & bodies[0].keys()
    assert bodies[0]["stream"] is True


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"temperature": 1}, r"set model\.temperature, or write omit"),
        ({"max_tokens": 9}, r"set model\.maximum_tokens, or write omit"),
        ({"model": "omit"}, r"set model\.reference"),
        ({"messages": []}, "the strategy writes"),
        ({"n": 2}, "one answer"),
        ({"stream": False}, "always streamed"),
        ({"tools": []}, "no tool"),
        ({"max_completion_tokens": 0}, "whole number above 0"),
    ],
)
def test_parameters_that_collide_are_refused(parameters: Body, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ModelSettings(parameters=parameters)


def test_headers_name_secrets_and_these_are_shown_nowhere(chat_endpoint: Start) -> None:
    heard: list[Any] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        heard.append(handler.headers)
        refuse(handler, 400, f"no such key: {handler.headers['api-key']}")

    settings = endpoint(chat_endpoint(behave), headers={"api-key": "${AZURE}", "X-Title": "Weigh"})
    with pytest.raises(ModelError, match=r"no such key: \*\*\*"):
        answer(settings, environment={"AZURE": "s3cret", "OPENAI_API_KEY": "another"})
    assert (heard[0]["api-key"], heard[0]["X-Title"], heard[0]["Authorization"]) == ("s3cret", "Weigh", None)
    with closing(open_openai(settings, environment={"AZURE": "s3cret"})) as model:
        assert "s3cret" not in f"{model!r} {model.connection!r} {settings!r}"
        plain = settings.model_copy(update={"headers": {}})
        assert model.fingerprint != open_openai(plain, environment={}).fingerprint
    with pytest.raises(UserError, match=r"variable AZURE is not set; model\.headers"):
        answer(settings)
    away = endpoint("https://models.example/v1", headers={"api-key": "${AZURE}"})
    open_connection(away, environment={"AZURE": "s3cret"}).close()  # the key of the header is all that it needs


@pytest.mark.parametrize(
    "headers", [{"api-key": "s3cret"}, {"X-Token": "a ${B} c"}, {"a b": "c"}, {"X-Title": "two\nlines"}]
)
def test_a_header_that_would_show_a_secret_or_break_the_request_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelSettings(headers=headers)
    assert "s3cret" not in caught.value.errors()[0]["msg"]


def test_azures_version_is_a_part_of_the_address(chat_endpoint: Start) -> None:
    paths: list[str] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        paths.append(handler.path)
        stream(handler, body)

    url = chat_endpoint(behave)
    assert answer(endpoint(f"{url}?api-version=2024-10-21")) == "At nine."
    assert paths == ["/v1/chat/completions?api-version=2024-10-21"]
    with pytest.raises(ValidationError, match="holds parameters"):
        endpoint(f"{url}?api-version=2024-10-21&key=s3cret")


def test_a_reply_without_usage_is_counted_by_us_and_that_is_told_once(chat_endpoint: Start) -> None:
    told: list[str] = []
    url = chat_endpoint(lambda handler, body: stream(handler, body, usage=False))
    for _ in range(2):
        with closing(open_openai(endpoint(url), environment={}, tell=told.append)) as model:
            usage = model.generate(ASKED).usage
    assert (usage.input_tokens, usage.output_tokens) == (ESTIMATE.prompt(ASKED), estimate_tokens("At nine."))
    assert usage.estimated
    assert told == [f"{url} reports no token usage: tokens, and what follows from them, are estimated from their words"]


def test_a_limited_endpoint_is_asked_again_when_it_says(chat_endpoint: Start) -> None:
    seen: list[int] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        seen.append(len(seen))
        if len(seen) <= 4:  # more often than a failing server is asked again
            refuse(handler, 429, "slow down", retry_after_ms="10")
        else:
            stream(handler, body)

    settings = endpoint(chat_endpoint(behave))
    said: list[str] = []
    threads = [Thread(target=lambda: said.append(answer(settings))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["At nine."] * 2


@pytest.mark.parametrize(
    ("message", "headers", "said"),
    [
        ("daily limit", {"retry_after": "86400"}, "daily limit; it asks to wait 86,400 seconds; lower measure.workers"),
        ("daily limit", {"retry_after": "601"}, "it asks to wait 601 seconds"),
    ],
)
def test_nobody_waits_for_a_day(message: str, headers: dict[str, str], said: str, chat_endpoint: Start) -> None:
    with pytest.raises(ModelError, match=said):
        answer(endpoint(chat_endpoint(lambda handler, _: refuse(handler, 429, message, **headers))))


@pytest.mark.parametrize(("status", "times"), [(500, 3), (400, 1), (401, 1), (409, 3)])
def test_only_a_failure_that_may_pass_is_tried_again(
    status: int, times: int, chat_endpoint: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weighbridge.endpoints.connect._FIRST_PAUSE", 0.001)
    seen: list[Body] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        seen.append(body)
        refuse(handler, status, "no")

    with pytest.raises(ModelError, match=f"HTTP {status}"):
        answer(endpoint(chat_endpoint(behave)))
    assert len(seen) == times


def test_a_refused_parameter_names_the_setting_that_helps(chat_endpoint: Start) -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with pytest.raises(ModelError, match=r"put max_completion_tokens under model\.parameters"):
        answer(endpoint(chat_endpoint(lambda handler, _: refuse(handler, 400, words))))
    words = "Unsupported value: 'temperature' does not support 0 with this model."
    with pytest.raises(ModelError, match=r"put `temperature: omit` under model\.parameters"):
        answer(endpoint(chat_endpoint(lambda handler, _: refuse(handler, 400, words))))


def rank(handler: BaseHTTPRequestHandler, body: Body) -> None:
    assert handler.path == "/v1/rerank"
    rows = [{"index": n, "relevance_score": len(text)} for n, text in enumerate(body["documents"])]
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(json.dumps({"results": rows[::-1][: body["top_n"]]}).encode())


def test_passages_are_ranked_at_an_endpoint_in_batches(chat_endpoint: Start) -> None:
    settings = EndpointSettings(base_url=chat_endpoint(rank), key_variable="NONE", batch=2)
    scorer = open_rerank_endpoint("m", settings)
    assert scorer.scores("Who?", ["a", "bbb", "cc"]).tolist() == [1.0, 3.0, 2.0]
    assert scorer.scores("Who?", []).tolist() == []


@pytest.mark.parametrize("reply", [{"results": []}, {"data": []}, {"results": [{"index": 9, "relevance_score": 1}]}])
def test_a_passage_without_a_score_is_a_failure(reply: Body, chat_endpoint: Start) -> None:
    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(json.dumps(reply).encode())

    scorer = open_rerank_endpoint("m", EndpointSettings(base_url=chat_endpoint(behave), key_variable="NONE"))
    with pytest.raises(ModelError, match=r"no score for 1 of 1 passages|none of a /rerank endpoint"):
        scorer.scores("Who?", ["a"])


def send_json(handler: BaseHTTPRequestHandler, status: int, said: Any) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(json.dumps(said).encode())


def test_text_embeddings_inference_ranks_too_within_its_limit_of_texts(chat_endpoint: Start) -> None:
    bodies: list[Body] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        bodies.append(body)
        if "texts" not in body:
            told = "Failed to deserialize the JSON body into the target type: missing field `texts` at line 1 column 9"
            send_json(handler, 422, told)
        elif len(body["texts"]) > 2:
            send_json(handler, 422, {"error": "batch size 3 > maximum allowed batch size 2"})
        else:
            rows = [{"index": n, "score": len(text)} for n, text in enumerate(body["texts"])]
            send_json(handler, 200, rows[::-1])

    settings = EndpointSettings(base_url=chat_endpoint(behave), key_variable="NONE", batch=3)
    scorer = open_rerank_endpoint("m", settings)
    assert scorer.scores("Who?", ["a", "bbb", "cc", "dddd\ud800"]).tolist() == [1.0, 3.0, 2.0, 5.0]
    assert sum("documents" in body for body in bodies) == 1


def test_a_reply_that_comes_in_drops_ends_with_the_time_limit(
    chat_endpoint: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_GRACE", 0.0)

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            for _ in range(40):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                sleep(0.1)

    settings = EndpointSettings(base_url=chat_endpoint(behave), key_variable="NONE", timeout_seconds=0.4)
    with pytest.raises(ModelError, match=r"no answer within 0\.4 seconds; raise retrieval.rerank_endpoint.timeout"):
        open_rerank_endpoint("m", settings).scores("Who?", ["a"])


def test_a_limit_that_was_met_in_ranking_is_forgotten_by_its_replies(chat_endpoint: Start) -> None:
    """The reply of /rerank was not counted, so every later request kept the distance of the first refusal."""
    seen: list[Body] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        seen.append(body)
        if len(seen) == 1:
            refuse(handler, 429, "slow down", Retry_After="0.05")
        else:
            rank(handler, body)

    scorer = open_rerank_endpoint("m", EndpointSettings(base_url=chat_endpoint(behave), key_variable="NONE"))
    for _ in range(10):
        scorer.scores("Who?", ["a"])
    assert scorer.connection.limiter._distance == 0.0  # noqa: SLF001 - nothing public tells it


@pytest.mark.parametrize("thought", [{"reasoning_content": "Hm."}, {"content": "<think>Hm.</think>"}])
def test_a_server_that_thinks_although_it_should_not_is_told_of_once(thought: Body, chat_endpoint: Start) -> None:
    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for delta, finish in ((thought, None), ({"content": "At nine."}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
            handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())

    url, told = chat_endpoint(behave), []
    for _ in range(2):
        assert "At nine." in answer(endpoint(url), tell=told.append)
    assert [line for line in told if "thinks before it answers, though model.thinking is off" in line] == told[:1]
    assert "chat_template_kwargs: {enable_thinking: false}" in told[0]
    on: list[str] = []
    answer(endpoint(chat_endpoint(behave), thinking="on"), tell=on.append)
    assert not any("thinks" in line for line in on)


def test_the_last_usage_of_a_reply_counts_alone(chat_endpoint: Start) -> None:
    """A server may report its tokens with every piece (vLLM's continuous_usage_stats)."""

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for written, finish in ((1, None), (2, None), (3, "stop")):
            choice = {"index": 0, "delta": {"content": "At "}, "finish_reason": finish}
            usage = {"prompt_tokens": 9, "completion_tokens": written, "total_tokens": 9 + written}
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
            handler.wfile.write(f"data: {json.dumps({**whole, 'choices': [choice], 'usage': usage})}\n\n".encode())

    with closing(open_openai(endpoint(chat_endpoint(behave)), environment={})) as model:
        usage = model.generate(ASKED).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (9, 3, False)


def test_vllm_is_told_whether_to_think_and_other_servers_are_not() -> None:
    fingerprints = set()
    for engine, thinking in (("vllm", "off"), ("vllm", "on"), ("openai", "off"), ("openai", "on")):
        settings = endpoint("http://127.0.0.1:9/v1", thinking=thinking).model_copy(update={"engine": engine})
        with closing(open_openai(settings, environment={})) as model:
            sent = model.request(ASKED).get("chat_template_kwargs")
            assert sent == (
                {"enable_thinking": thinking == "on", "thinking": thinking == "on"} if engine == "vllm" else None
            )
            fingerprints.add(model.fingerprint)
    assert len(fingerprints) == 3  # that of other servers stays as it was
    silent = endpoint("http://127.0.0.1:9/v1", parameters={"chat_template_kwargs": "omit"})
    with closing(open_openai(silent.model_copy(update={"engine": "vllm"}), environment={})) as model:
        assert "chat_template_kwargs" not in model.request(ASKED)
