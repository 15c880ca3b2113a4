"""A real HTTP server on this machine, which behaves well and badly."""

import json
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from itertools import count
from threading import Event
from typing import Any

import pytest

from weighbridge.endpoints.connect import is_local
from weighbridge.errors import ModelError, PromptTooLongError, UserError
from weighbridge.generate.openai import open_openai
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Completion, Message

KEY = "sk-very-secret"
Body = dict[str, Any]
Behaviour = Callable[[BaseHTTPRequestHandler, Body], None]
Start = Callable[[Behaviour], str]
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "prompt_tokens_details": {"cached_tokens": 4}}


def say(text: str | None, finish: str | None = None) -> Body:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def delta(**fields: Any) -> Body:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "search", "arguments": "{}"}}
GOOD = [say("Six "), say("o'clock"), say(None, "stop"), {"choices": [], "usage": USAGE}]


def streaming(chunks: list[Body]) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _: Body) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for chunk in chunks:
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", **chunk}
            handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())

    return behave


def replying(status: int, content: str, kind: str = "application/json") -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _: Body) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("retry-after-ms", "1")
        handler.end_headers()
        handler.wfile.write(content.encode())

    return behave


def ask(url: str, *, timeout: float = 5.0) -> Completion:
    settings = ModelSettings(engine="openai", reference="openai:m", base_url=url, timeout_seconds=timeout)
    with closing(open_openai(settings, environment={"OPENAI_API_KEY": KEY})) as model:
        return model.generate([Message("user", "When?")])


def test_a_stream_becomes_a_completion(chat_endpoint: Start) -> None:
    completion = ask(chat_endpoint(streaming(GOOD)))
    assert completion.text == "Six o'clock"
    assert completion.finish == "stop"
    assert (completion.usage.input_tokens, completion.usage.output_tokens, completion.usage.cached_tokens) == (9, 2, 4)


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize("said", [[], [say("")], [say(None)]])
def test_an_empty_reply_is_an_empty_answer(said: list[Body], finish: str, chat_endpoint: Start) -> None:
    completion = ask(chat_endpoint(streaming([*said, say(None, finish), GOOD[-1]])))
    assert (completion.text, completion.finish, completion.refused) == ("", finish, False)
    assert completion.usage.output_tokens == 2


@pytest.mark.parametrize("names", [("reasoning_content",), ("reasoning",), ("reasoning_content", "reasoning")])
def test_thinking_beside_the_answer_is_kept_apart(names: tuple[str, ...], chat_endpoint: Start) -> None:
    heard: list[str] = []
    usage = {**USAGE, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    thoughts = [delta(**dict.fromkeys(names, text)) for text in ("The first bell", " is at six.")]
    url = chat_endpoint(streaming([*thoughts, *GOOD[:3], {"choices": [], "usage": usage}]))
    with closing(open_openai(ModelSettings(engine="openai", reference="m", base_url=url), environment={})) as model:
        completion = model.generate([Message("user", "When?")], emit=heard.append)
    assert (completion.text, completion.thinking) == ("Six o'clock", "The first bell is at six.")
    assert (completion.usage.output_tokens, completion.usage.thinking_tokens) == (9, 7)
    assert "".join(heard) == "Six o'clock"


def test_a_refusal_in_its_own_field_is_a_refusal(chat_endpoint: Start) -> None:
    pieces = [delta(refusal="That is "), delta(refusal="not for me."), say(None, "stop"), GOOD[-1]]
    heard: list[str] = []
    settings = ModelSettings(engine="openai", reference="m", base_url=chat_endpoint(streaming(pieces)))
    with closing(open_openai(settings, environment={})) as model:
        completion = model.generate([Message("user", "When?")], emit=heard.append)
    assert (completion.text, completion.refused) == ("That is not for me.", True)
    assert "".join(heard) == "That is not for me."
    assert not ask(chat_endpoint(streaming(GOOD))).refused


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/v1", True),
        ("http://LOCALHOST/v1", True),
        ("https://127.0.0.1:1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://0.0.0.0:8000/v1", False),
        ("http://[::]:8000/v1", False),
        ("http://localhost.example/v1", False),
        ("http://my-localhost/v1", False),
        ("http://127.0.0.1.example/v1", False),
        ("http://host.docker.internal/v1", False),
        ("http://gateway.local/v1", False),
        ("http://192.168.0.2/v1", False),
        ("http://10.0.0.2/v1", False),
        ("http://localhost@models.example/v1", False),
        ("https://models.example/localhost", False),
        ("", False),
    ],
)
def test_only_this_machines_own_names_are_local(url: str, local: bool) -> None:  # noqa: FBT001
    """What is taken for local gets the user's data when `offline` is set, and needs no key."""
    assert is_local(url) is local


OTHER_SETTINGS = {
    "base_url": "http://127.0.0.1:9/v1", "reference": "another", "temperature": 0.5, "seed": 8, "maximum_tokens": 49
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_whatever_changes_the_answers_changes_the_fingerprint(name: str) -> None:
    settings = ModelSettings(engine="openai", reference="m", base_url="http://127.0.0.1:8/v1")
    other = settings.model_copy(update={name: OTHER_SETTINGS[name]})
    with closing(open_openai(settings, environment={})) as one, closing(open_openai(other, environment={})) as two:
        assert getattr(settings, name) != getattr(other, name)
        assert one.fingerprint != two.fingerprint


def test_the_time_limit_is_the_one_that_was_set(chat_endpoint: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at this clock takes a second, so that no load of the machine matters."""
    pieces = [say(str(number)) for number in range(9)]
    url = chat_endpoint(streaming([*pieces, *GOOD[2:]]))
    seconds = count()
    monkeypatch.setattr("weighbridge.generate.openai.monotonic", lambda: float(next(seconds)))
    assert ask(url, timeout=30.0).text == "012345678"
    with pytest.raises(ModelError, match="within 5 seconds"):
        ask(url, timeout=5.0)
    settings = ModelSettings(engine="openai", reference="m", base_url=url, timeout_seconds=5.0)
    with closing(open_openai(settings, environment={})) as model:
        assert model.connection.client.timeout == 5.0


def test_the_settings_and_the_key_are_sent(chat_endpoint: Start) -> None:
    seen: list[Body] = []
    keys: list[str] = []

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        seen.append(body)
        keys.append(handler.headers["Authorization"])
        streaming(GOOD)(handler, body)

    ask(chat_endpoint(behave))
    assert keys == [f"Bearer {KEY}"]
    assert seen[0]["messages"] == [{"role": "user", "content": "When?"}]
    assert (seen[0]["model"], seen[0]["max_tokens"], seen[0]["temperature"], seen[0]["seed"]) == ("m", 48, 0.0, 7)


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (replying(500, '{"error": {"message": "out of memory"}}'), "HTTP 500: .*out of memory"),
        (replying(401, f'{{"error": {{"message": "Incorrect API key: {KEY}"}}}}'), r"HTTP 401: .*\*\*\*"),
        (replying(404, "<html>Not here</html>", "text/html"), "HTTP 404: a web page instead of an answer"),
        (replying(308, "", "text/html"), "HTTP 308: it redirects, and is not followed"),
        (replying(200, "<html>Please log in</html>", "text/html"), "no chat completion stream"),
        (replying(200, "data: <html>\n\n", "text/event-stream"), "check model.base_url"),
        (replying(200, 'data: "hello"\n\n', "text/event-stream"), "no chat completion stream|check model.base_url"),
        (replying(200, 'data: {"error": {"message": "busy"}}\n\n', "text/event-stream"), "busy"),
        (streaming([{"choices": []}]), "no chat completion stream"),
        (streaming(GOOD[:1]), "broke off"),
        (streaming([say("No", "content_filter"), GOOD[-1]]), "filter withheld the answer"),
        (streaming([say("Six", "tool_calls"), GOOD[-1]]), "'tool_calls' instead of an answer"),
        (streaming([say("Six"), delta(tool_calls=[CALL]), say(None, "stop"), GOOD[-1]]), "a call of a tool"),
        (streaming([say("Six"), delta(function_call=CALL["function"]), say(None, "stop"), GOOD[-1]]), "a call of a"),
    ],
)
def test_whatever_goes_wrong_is_a_model_error(behave: Behaviour, said: str, chat_endpoint: Start) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        ask(chat_endpoint(behave))
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192},
        {
            "message": "This model's maximum context length is 8192 tokens. However, your messages gave 9000 tokens.",
            "code": "context_length_exceeded",
        },
        {"message": "This model's maximum context length is 8,192 tokens, but 9,000 were requested.", "code": 400},
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_its_error(error: Body, chat_endpoint: Start) -> None:
    with pytest.raises(PromptTooLongError, match=r"9,000 tokens .* 8,192"):
        ask(chat_endpoint(replying(400, json.dumps({"error": error}))))


@pytest.mark.parametrize("before", [GOOD[:0], GOOD[:1]])
def test_silence_ends_with_the_time_limit(before: list[Body], chat_endpoint: Start) -> None:
    released = Event()

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        streaming(before)(handler, body)
        handler.wfile.flush()
        released.wait(10)

    try:
        with pytest.raises(ModelError, match=r"within 0\.1 seconds.*timeout_seconds"):
            ask(chat_endpoint(behave), timeout=0.1)
    finally:
        released.set()


def test_whoever_waits_for_a_silent_endpoint_can_end_the_answer(chat_endpoint: Start) -> None:
    released = Event()

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        streaming(GOOD[:1])(handler, body)
        handler.wfile.flush()
        released.wait(30)

    def emit(text: str) -> None:
        heard.append(text)
        if not text:
            raise InterruptedError

    heard: list[str] = []
    settings = ModelSettings(engine="openai", reference="m", base_url=chat_endpoint(behave))
    try:
        with closing(open_openai(settings, environment={})) as model, pytest.raises(InterruptedError):
            model.generate([Message("user", "When?")], emit=emit)
    finally:
        released.set()
    assert heard == ["Six ", ""]


@pytest.mark.parametrize(
    "behave", [replying(500, "{}"), replying(308, "", "text/html"), lambda _handler, _body: Event().wait(0.5)]
)
def test_who_named_the_endpoint_by_an_option_is_told_of_that(behave: Behaviour, chat_endpoint: Start) -> None:
    settings = ModelSettings(engine="openai", reference="m", base_url=chat_endpoint(behave), timeout_seconds=0.1)
    with closing(open_openai(settings, environment={}, option="--teacher")) as model:
        with pytest.raises(ModelError, match="check --teacher") as caught:
            model.generate([Message("user", "When?")])
        assert "model." not in str(caught.value)
    away = settings.model_copy(update={"base_url": "https://models.example/v1"})
    with pytest.raises(UserError, match=r"OPENAI_API_KEY is not set.*models\.example") as missing:
        open_openai(away, environment={}, option="--teacher")
    assert "weighbridge.yaml" not in str(missing.value)


def test_a_trickle_ends_with_the_time_limit(chat_endpoint: Start) -> None:
    released = Event()

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        streaming([])(handler, body)
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", **say("and ")}
        while not released.wait(0.02):
            handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    try:
        with pytest.raises(ModelError, match=r"within 0\.2 seconds"):
            ask(chat_endpoint(behave), timeout=0.2)
    finally:
        released.set()


def test_an_endpoint_that_is_not_there_is_a_model_error() -> None:
    with pytest.raises(ModelError, match=r"Connection error \(.*refused"):
        ask("http://127.0.0.1:9/v1")


def test_no_proxy_of_the_environment_hears_what_an_endpoint_on_this_machine_is_asked(
    scripted_endpoint: str, chat_endpoint: Callable[[Behaviour], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is elsewhere, and what is asked of it has left the machine."""
    heard: list[str] = []

    def overhear(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        heard.append(handler.path)
        handler.send_response(400)
        handler.end_headers()
        handler.wfile.write(b'{"error": {"message": "this is a proxy"}}')

    proxy = chat_endpoint(overhear).removesuffix("/v1")
    monkeypatch.delenv("NO_PROXY")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    for where in (scripted_endpoint, scripted_endpoint.replace("127.0.0.1", "localhost")):
        settings = ModelSettings(engine="openai", reference="m", base_url=where)
        with closing(open_openai(settings, environment={})) as model:
            assert model.generate([Message("user", "Who?")]).text
    assert heard == []
    elsewhere = ModelSettings(engine="openai", reference="m", base_url="http://models.example/v1")
    with (
        closing(open_openai(elsewhere, environment={"OPENAI_API_KEY": KEY})) as model,
        pytest.raises(ModelError, match="this is a proxy"),
    ):
        model.generate([Message("user", "Who?")])
    assert heard


def test_a_missing_key_is_the_users_to_fix() -> None:
    away = ModelSettings(engine="openai", reference="m", base_url="https://models.example/v1", key_variable="MY_KEY")
    with pytest.raises(UserError, match=r"MY_KEY is not set.*models\.example"):
        open_openai(away, environment={})


def test_the_environment_may_name_the_endpoint_and_another_endpoint_is_another_model() -> None:
    settings = ModelSettings(engine="openai", reference="m")
    prints = set()
    for url in ("", "http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1/"):
        with closing(open_openai(settings, environment={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url})) as model:
            assert str(model.connection.client.base_url).rstrip("/") == (url.rstrip("/") or "https://api.openai.com/v1")
            prints.add(model.fingerprint)
    assert len(prints) == 3


@pytest.mark.parametrize("url", ["https://me:hunter2@host/v1", "https://host/v1?key=hunter2", "hunter2"])
def test_an_address_in_the_environment_holds_no_secret(url: str) -> None:
    with pytest.raises(UserError, match=r"the environment variable OPENAI_BASE_URL (holds|must be)") as caught:
        open_openai(ModelSettings(engine="openai", reference="m"), environment={"OPENAI_BASE_URL": url})
    assert "hunter2" not in str(caught.value)


def test_the_key_is_not_in_the_representation() -> None:
    settings = ModelSettings(engine="openai", reference="m", base_url="https://models.example/v1")
    with closing(open_openai(settings, environment={"OPENAI_API_KEY": KEY})) as model:
        assert KEY not in repr(model)
