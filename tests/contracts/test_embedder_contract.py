"""What every `Embedder` owes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from weighbridge.protocols import Embedder
from weighbridge.retrieve.embed.endpoint import open_endpoint_embedder
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.embed.static import learn_static
from weighbridge.settings.endpoints import EmbedderEndpointSettings

from ..embedding_server import serve_embeddings

pytestmark = pytest.mark.models

TEXTS = ["The harbour opens at six.", "", "Boats are blue. " * 60, "😀 \ud800", "harbour", "The harbour opens at six."]


@pytest.fixture(scope="module", params=["float32", "bfloat16", "int8", "static", "endpoint"])
def embedder(
    request: pytest.FixtureRequest, minilm: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedder]:
    if request.param == "endpoint":
        behind = open_embedder(minilm, precision="float32")
        with serve_embeddings(lambda texts: (2 * behind.embed(texts, kind="document")).tolist()) as server:
            settings = EmbedderEndpointSettings(base_url=server.url, key_variable="NONE", batch=4)
            yield open_endpoint_embedder("all-MiniLM-L6-v2", settings)
        return
    if request.param == "static":
        exact = open_embedder(minilm, name="all-MiniLM-L6-v2")
        yield learn_static(exact, TEXTS, tmp_path_factory.mktemp("static") / "vectors.npz")
    else:
        yield open_embedder(minilm, name="all-MiniLM-L6-v2", precision=request.param)


def test_rows_are_unit_vectors_in_order(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS, kind="document")
    assert (rows.shape, rows.dtype) == ((len(TEXTS), embedder.dimensions), np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows[0], rows[-1], atol=1e-3)
    assert rows[0] @ rows[4] > rows[0] @ rows[2]


def test_no_texts_are_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([], kind="query").shape == (0, embedder.dimensions)


def test_a_text_does_not_depend_on_its_company(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS, kind="document")
    alone = np.concatenate([embedder.embed([text], kind="document") for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=5e-3)
    assert (together * alone).sum(1).min() > 0.9995


def test_threads_may_embed_at_once(embedder: Embedder) -> None:
    expected = embedder.embed(TEXTS[:1], kind="query")
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: embedder.embed(TEXTS[:1], kind="query"), range(8)):
            np.testing.assert_array_equal(rows, expected)


def test_it_says_what_it_is(embedder: Embedder) -> None:
    assert embedder.name.startswith("all-MiniLM-L6-v2")
    assert len(embedder.fingerprint) == 16
