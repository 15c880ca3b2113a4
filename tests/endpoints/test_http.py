"""What the HTTP client of an endpoint does with redirects and with replies that do not end."""

from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import pytest
from openai import APIStatusError, OpenAI, OpenAIError

from weighbridge.endpoints.http import error_with_cause, http_client, iterate_interruptibly, refusal_text

Start = Callable[[Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]], str]


def ask(url: str, *, limit: int = 1000) -> object:
    with closing(OpenAI(api_key="k", base_url=url, max_retries=0, http_client=http_client(limit=limit))) as client:
        return client.post("/chat/completions", cast_to=object, body={})


def replying(status: int, pieces: list[bytes], **headers: str) -> Callable[[BaseHTTPRequestHandler, object], None]:
    def behave(handler: BaseHTTPRequestHandler, _: object) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(piece)

    return behave


def test_a_reply_within_the_limit_is_read(chat_endpoint: Start) -> None:
    assert ask(chat_endpoint(replying(200, [b"[1]"], Content_Type="application/json"))) == [1]


@pytest.mark.parametrize("status", [200, 500])
def test_a_reply_has_an_end(status: int, chat_endpoint: Start) -> None:
    with pytest.raises(OpenAIError, match=r"more than .* MiB"):
        ask(chat_endpoint(replying(status, [b"x" * 600] * 2, Content_Type="application/json")))


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (307, {"Location": "https://u:p@b.example:8/v1/x?k=s"}, b"", "redirects to https://b.example/v1/x, and is not"),
        (302, {"Location": "/login"}, b"", "it redirects, and is not followed"),
        (300, {}, b"", "it redirects, and"),
        (502, {"Content-Type": "text/html"}, b"<html>", "a web page instead of an answer"),
        (400, {"Content-Type": "application/json"}, b'{"error": {"message": "no"}}', "no"),
        (400, {"Content-Type": "application/json"}, b'{"error": "no"}', "no"),
        (400, {"Content-Type": "application/json"}, b'{"detail": "no"}', "no"),
        (400, {"Content-Type": "application/json"}, b'{"other": 1}', "Error code: 400"),
        (400, {}, b"", "Error code: 400"),
    ],
)
def test_a_refusal_is_in_the_endpoints_words(
    status: int, headers: dict[str, str], body: bytes, said: str, chat_endpoint: Start
) -> None:
    with pytest.raises(APIStatusError) as caught:
        ask(chat_endpoint(replying(status, [body], **{name.replace("-", "_"): each for name, each in headers.items()})))
    assert said in refusal_text(caught.value)
    assert "p@" not in refusal_text(caught.value)


def test_an_error_names_what_it_came_from() -> None:
    error = ValueError("Connection error.")
    assert error_with_cause(error) == "Connection error"
    error.__cause__ = OSError("refused")
    assert error_with_cause(error) == "Connection error (refused)"


def test_what_is_read_beside_comes_in_order_and_so_does_its_failure() -> None:
    def pieces() -> Iterator[str]:
        yield "a"
        yield "b"
        raise ValueError("broken")

    heard: list[str] = []
    with pytest.raises(ValueError, match="broken"):
        heard += iterate_interruptibly(pieces, lambda: None)
    assert heard == ["a", "b"]
    assert list(iterate_interruptibly(lambda: ("a", "b"), lambda: None)) == ["a", "b"]


def test_whoever_waits_for_a_silent_endpoint_can_end_it() -> None:
    released = Event()

    def silent() -> Iterator[str]:
        yield "a"
        released.wait(30)

    def waiting() -> None:
        raise InterruptedError

    heard: list[str] = []
    try:
        with pytest.raises(InterruptedError):
            heard += iterate_interruptibly(silent, waiting)
        assert not released.is_set()
    finally:
        released.set()
