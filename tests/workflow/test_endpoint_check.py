"""An endpoint is looked at before much is asked of it."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from weighbridge.answer.build import Installed
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import ModelError
from weighbridge.generate.scripted import Scripted
from weighbridge.settings.needs import Prices
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Example, Question
from weighbridge.workflow.doctor import examine
from weighbridge.workflow.endpoint_check import EndpointPrices, choose_prices, describe_price, require_endpoint
from weighbridge.workspace import Workspace

from ..embedding_server import serve_embeddings

DEAD = "http://127.0.0.1:9/v1"
STRATEGY = Composed(name="prompt", model=Scripted(), instructions=Instructions(system="Answer in a word."))
EXAMPLES = [Example(id=str(n), question=Question("When does the museum open?"), answers=("nine",)) for n in range(40)]


def workspace(folder: Path, url: str) -> Path:
    (folder / "examples.jsonl").write_text('{"question": "When?", "answer": "At nine."}\n')
    model = {"engine": "openai", "reference": "m", "base_url": url}
    settings = {"examples": "examples.jsonl", "strategies": ["prompt"], "model": model}
    (folder / "weighbridge.yaml").write_text(json.dumps(settings))
    return folder


def test_a_dead_endpoint_says_what_was_tried_and_what_to_do() -> None:
    model = ModelSettings(engine="openai", reference="m", base_url=DEAD)
    with pytest.raises(ModelError, match=r"first tiny request failed.*m at http://127\.0\.0\.1:9/v1.*refused.*; check"):
        require_endpoint(model)


def test_the_request_is_tiny(chat_endpoint: Callable[..., str], scripted_endpoint: str) -> None:
    bodies: list[Any] = []

    def behave(handler: BaseHTTPRequestHandler, body: Any) -> None:
        bodies.append(body)
        handler.send_response(401)
        handler.end_headers()

    with pytest.raises(ModelError, match="HTTP 401"):
        require_endpoint(ModelSettings(engine="openai", reference="m", base_url=chat_endpoint(behave)))
    assert (bodies[0]["max_tokens"], len(bodies)) == (8, 1)
    assert require_endpoint(ModelSettings(engine="openai", base_url=scripted_endpoint)) == scripted_endpoint


def test_the_doctor_finds_a_dead_endpoint(tmp_path: Path, scripted_endpoint: str) -> None:
    found = next(check for check in examine(workspace(tmp_path, DEAD)) if "endpoint" in check.what)
    assert found.state == "missing"
    assert DEAD in found.detail
    assert found.remedy.startswith("check model.base_url")
    alive = next(check for check in examine(workspace(tmp_path, scripted_endpoint)) if "endpoint" in check.what)
    assert (alive.state, alive.detail) == ("good", f"{scripted_endpoint} answers")


def test_the_doctor_asks_the_embedder_and_the_reranker(tmp_path: Path) -> None:
    folder = workspace(tmp_path, DEAD)
    with serve_embeddings(lambda texts: [[1.0, 2.0]] * len(texts)) as server:
        settings = json.loads((folder / "weighbridge.yaml").read_text())
        there = {"base_url": server.url, "key_variable": "NONE"}
        settings["retrieval"] = {"embedder": "openai:e", "embedder_endpoint": there}
        settings["retrieval"] |= {"rerank": "openai:r", "rerank_endpoint": there}
        (folder / "weighbridge.yaml").write_text(json.dumps(settings))
        found = {check.what: check for check in examine(folder) if "endpoint" in check.what}
    assert found["e at its endpoint"].detail == "embeds, in 2 numbers"
    assert found["r at its endpoint"].state == "missing"
    assert "HTTP 404" in found["r at its endpoint"].detail
    assert found["r at its endpoint"].remedy.startswith("check retrieval.rerank_endpoint.base_url and retrieval.rerank")


def test_the_price_is_told_before_anything_is_asked() -> None:
    model = ModelSettings(maximum_tokens=50)
    prices = EndpointPrices(read=10.0, written=100.0, currency="USD", source="a list")
    told = describe_price(STRATEGY, EXAMPLES, model, prices)
    assert "prompt: 40\N{NO-BREAK SPACE}questions, about " in told
    assert "at most 2,000 out: about 0.2" in told  # 2,000 tokens out are 0.2, and the prompts a little more
    assert told.endswith(" USD at most, by a list")
    thinking = model.model_copy(update={"parameters": {"max_completion_tokens": 500}})
    assert "at most 20,000 out" in describe_price(STRATEGY, EXAMPLES, thinking, prices)
    own = Installed("mine", STRATEGY, "mine 1.0")
    assert "mine: 40\N{NO-BREAK SPACE}questions; its distribution makes the prompts" in describe_price(
        own, EXAMPLES, model, prices
    )


@pytest.mark.parametrize(
    ("model", "prices", "amounts", "source"),
    [
        ("gpt-4o", {"input_per_million": 1, "output_per_million": 2}, (1, 2), "prices in weighbridge.yaml"),
        ("gpt-4o", {"input_per_million": 1}, (2.5, 10), "gpt-4o in the installed prices.toml, of 2026-11-10"),
        ("mine", {}, (None, None), "prices.input_per_million is not set, and the installed prices.toml has no mine"),
        ("gpt-4o", {"currency": "XYZ"}, (None, None), "'XYZ' is no currency of the installed prices.toml"),
    ],
)
def test_prices_come_from_the_settings_or_else_from_the_price_book(
    model: str, prices: Any, amounts: tuple[float | None, float | None], source: str, tmp_path: Path
) -> None:
    there = ModelSettings(engine="openai", reference=f"openai:{model}", base_url="https://api.example/v1")
    settings = Settings(model=there, prices=Prices.model_construct(**{**Prices().model_dump(), **prices}))
    found = choose_prices(settings, Workspace(tmp_path))
    assert (found.read, found.written) == amounts
    assert source in found.source
    here = settings.model_copy(update={"model": there.model_copy(update={"base_url": DEAD})})
    if amounts != (1, 2):  # a server of one's own has no price by the token
        assert choose_prices(here, Workspace(tmp_path)).read is None
