"""Embeddings by endpoint: what is sent, what is refused, and what is counted."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from weighbridge.errors import ModelError
from weighbridge.retrieve.embed.endpoint import EndpointEmbedder, open_endpoint_embedder
from weighbridge.settings.endpoints import EmbedderEndpointSettings

from ...embedding_server import EmbeddingServer, serve_embeddings

TEXTS = [f"The ferry leaves at {number}; parking has a price." for number in range(10)]


WORDS = ("ferry", "parking", "price", "9")


def count_words(texts: Sequence[str]) -> list[list[float]]:
    return [[3.0, *(6.0 * text.count(word) for word in WORDS)] for text in texts]


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with serve_embeddings(count_words) as running:
        yield running


def open_at(server: EmbeddingServer, **settings: Any) -> EndpointEmbedder:
    given = EmbedderEndpointSettings(base_url=server.url, key_variable="NONE", **settings)
    return open_endpoint_embedder("toy", given)


def test_prefixes_are_put_before_questions_and_passages(server: EmbeddingServer) -> None:
    embedder = open_at(server, query_prefix="query: ", passage_prefix="passage: ", dimensions=5)
    embedder.embed(["ferry"], kind="query")
    embedder.embed(["ferry", ""], kind="document")
    assert [body["input"] for body in server.bodies[1:]] == [["query: ferry"], ["passage: ferry", "passage: "]]
    assert {(body["model"], body["dimensions"]) for body in server.bodies} == {("toy", 5)}


def test_batches_shrink_to_the_limit_of_the_server_and_stay_small(server: EmbeddingServer) -> None:
    server.most_texts = 3
    embedder = open_at(server, batch=10)
    rows = embedder.embed(TEXTS, kind="document")
    expected = np.array(count_words(TEXTS))
    np.testing.assert_allclose(rows, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert [len(body["input"]) for body in server.bodies[:3]] == [1, 10, 5]
    server.bodies.clear()
    embedder.embed(TEXTS, kind="document")
    assert max(len(body["input"]) for body in server.bodies) <= server.most_texts


def test_a_text_that_is_too_long_is_named_with_its_remedy(server: EmbeddingServer) -> None:
    server.most_words = 20
    with pytest.raises(ModelError, match=r"a text has 400 tokens .* holds 20; lower chunks.tokens"):
        open_at(server).embed([*TEXTS, "ferry " * 400], kind="document")


def test_tokens_are_counted_once_and_an_estimate_is_said(server: EmbeddingServer) -> None:
    embedder = open_at(server, batch=4)
    embedder.embed(TEXTS, kind="document")
    assert embedder.usage == "91 tokens in 4 requests, as the endpoint counts"  # 10 times 9 words, and the first
    server.usage = False
    embedder.embed(TEXTS[:1], kind="document")
    assert embedder.usage.startswith("102 tokens in 5 requests, estimated, since http://127.0.0.1")


def test_the_dimensions_are_found_and_another_number_of_them_is_another_embedder(server: EmbeddingServer) -> None:
    first = open_at(server)
    assert first.dimensions == 5
    server.embed = lambda texts: [[1.0, 2.0] for _ in texts]
    assert open_at(server).fingerprint != first.fingerprint
    with pytest.raises(ModelError, match="vectors of 2 dimensions came after some of 5; the model behind the name"):
        first.embed(["ferry"], kind="query")


def test_prefixes_belong_to_the_fingerprint(server: EmbeddingServer) -> None:
    plain, asked, told = (
        open_at(server, **given).fingerprint for given in ({}, {"query_prefix": "q"}, {"passage_prefix": "q"})
    )
    assert len({plain, asked, told}) == 3


@pytest.mark.parametrize("rows", [[[0.0, 0.0]], [[float("nan"), 1.0]], [[]], [], [["a", "b"]], [1.0], [None]], ids=str)
def test_what_is_no_vector_is_a_failure(rows: Any, server: EmbeddingServer) -> None:
    server.embed = lambda _: rows
    with pytest.raises(ModelError, match=r"first tiny request failed.*(no vector for each|zero or no numbers)"):
        open_at(server)


def test_after_a_failure_no_more_is_sent() -> None:
    with serve_embeddings(count_words) as server:
        embedder = open_at(server, batch=1)
        server.embed = lambda _: [[0.0] * 5]
        with pytest.raises(ModelError, match="zero"):
            embedder.embed(TEXTS * 10, kind="document")
        assert len(server.bodies) < 30
