"""Turns texts into unit vectors at an endpoint with OpenAI's /embeddings: a provider, vLLM, TEI, Ollama, llama.cpp.

Only the endpoint knows its weights: the fingerprint covers its address, the model's name, the prefixes and the number
of dimensions, and a vendor may change the model behind a name.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.endpoints.connect import FIRST_FAILED, Connection, Tell, open_connection
from weighbridge.endpoints.tokens import estimate_tokens
from weighbridge.errors import ModelError, PromptTooLongError, RefusedRequestError
from weighbridge.fingerprint import fingerprint
from weighbridge.retrieve.embed.batches import Kind
from weighbridge.retrieve.embed.folder import replace_surrogates
from weighbridge.settings.endpoints import EmbedderEndpointSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 4
"""Requests on their way at the same time: a server batches them, and a rate limit slows all of them together."""
_TOO_MUCH = frozenset({400, 413, 422})
"""Refusals that a smaller request may escape: too many texts (TEI, OpenAI), or too many tokens in all (OpenAI)."""
_SHORTEST_NORM = 1e-12


class EndpointEmbedder:
    """An `Embedder` at an endpoint. Safe to call from several threads.

    A request that is refused for its size is sent again in halves, and later ones are no larger.
    """

    def __init__(self, name: str, settings: EmbedderEndpointSettings, connection: Connection) -> None:
        self.name = name
        self._settings, self._connection = settings, connection
        self._lock, self._largest = Lock(), settings.batch
        self._tokens = self._requests = 0
        self._estimated = False
        self.dimensions = 0
        self.dimensions = self._ask([self._show("ready", "query")]).shape[1]
        prefixes = (settings.query_prefix, settings.passage_prefix)
        self.fingerprint = fingerprint("embedding endpoint", connection.where, name, self.dimensions, *prefixes)

    @property
    def usage(self) -> str:
        """The tokens that were embedded so far, in words."""
        how = f"estimated, since {self._connection.where} reports none" if self._estimated else "as the endpoint counts"
        return f"{self._tokens:,} tokens in {self._requests:,} requests, {how}"

    def embed(self, texts: Sequence[str], *, kind: Kind) -> "NDArray[np.float32]":
        shown = [self._show(text, kind) for text in texts]
        size = self._largest
        batches = [shown[start : start + size] for start in range(0, len(shown), size)]
        if not batches:
            return np.empty((0, self.dimensions), np.float32)
        if len(batches) == 1:
            return self._ask(batches[0])
        pool = ThreadPoolExecutor(min(_AT_ONCE, len(batches)))
        try:
            return np.concatenate(list(pool.map(self._ask, batches)))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after a failure no more is sent

    def _show(self, text: str, kind: Kind) -> str:
        prefix = self._settings.query_prefix if kind == "query" else self._settings.passage_prefix
        return prefix + replace_surrogates(text) or " "  # OpenAI refuses an empty text

    def _ask(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        if len(texts) > self._largest:
            return self._ask_halves(texts)
        body: dict[str, Any] = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        if self._settings.dimensions:
            body["dimensions"] = self._settings.dimensions
        try:
            reply = self._connection.post(self.name, "/embeddings", body)
        except PromptTooLongError as error:
            if len(texts) == 1:
                advice = "lower chunks.tokens in weighbridge.yaml, or take an embedder that reads more"
                problem = str(error).partition(";")[0].replace("the prompt", "a text")
                raise ModelError(f"{self._connection.at(self.name)}: {problem}; {advice}") from None
        except RefusedRequestError as error:
            if len(texts) == 1 or error.status not in _TOO_MUCH:
                raise
        else:
            return self._read(reply, texts)
        with self._lock:
            self._largest = min(self._largest, len(texts) // 2)
        return self._ask_halves(texts)

    def _ask_halves(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        middle = len(texts) // 2
        return np.concatenate([self._ask(texts[:middle]), self._ask(texts[middle:])])

    def _read(self, reply: Any, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Return the unit vectors of a reply, in the order of the texts; `ModelError` where it is none."""
        where = self._connection.at(self.name)
        try:
            rows = {int(row["index"]): row["embedding"] for row in reply["data"]}
            vectors = np.array([rows[place] for place in range(len(texts))], np.float64)
        except (KeyError, TypeError, ValueError):
            told = f"the reply has no vector for each of {len(texts)} texts"
            raise ModelError(f"{where}: {told}; {self._connection.advice}") from None
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if vectors.ndim != 2 or not np.isfinite(lengths).all() or lengths.min() < _SHORTEST_NORM:  # noqa: PLR2004
            raise ModelError(f"{where}: a vector is empty, zero or no numbers; {self._connection.advice}")
        if self.dimensions and vectors.shape[1] != self.dimensions:
            told = f"vectors of {vectors.shape[1]} dimensions came after some of {self.dimensions}"
            raise ModelError(f"{where}: {told}; the model behind the name has changed: run weighbridge index again")
        usage = reply.get("usage") or {}
        counted = usage.get("prompt_tokens") or usage.get("total_tokens")
        with self._lock:
            self._requests += 1
            self._estimated = self._estimated or not counted
            self._tokens += counted or sum(map(estimate_tokens, texts))
        units: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return units


def open_endpoint_embedder(
    name: str, settings: EmbedderEndpointSettings, *, tell: Tell = lambda _: None
) -> EndpointEmbedder:
    """Open an embedding model at an endpoint. One tiny text is embedded, to learn the number of dimensions.

    Raises:
        UserError: its key is missing.
        ModelError: it gives no answer; with its address and what to do.
    """
    connection = open_connection(settings, section="retrieval.embedder_endpoint", tell=tell)
    try:
        return EndpointEmbedder(name, settings, connection)
    except ModelError as error:
        raise ModelError(f"{FIRST_FAILED} {error}") from None
