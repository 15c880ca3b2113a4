"""Embeds documents without running a model: as a weighted mean of one fixed vector for each token.

The token vectors are learnt from an embedder and the user's own texts, so they share its space: an index holds either
kind, and the embedder itself embeds questions. Ridge regression fits the token vectors to exact vectors of a sample of
the texts. It starts from the vectors of the tokens as texts of their own, by way of a linear map; tokens outside the
sample keep those. ADR 20 compares this with model2vec.

Measured with all-MiniLM-L6-v2 on 2 threads (AMD EPYC, other work on the machine): 4,400 to 6,000 Cranfield records a
second, nearly all of it the tokenizer's time, against 125 for the embedder in int8. nDCG@10 where a quarter of the
collection was the sample, against exact vectors: Cranfield (350 of 1,400) 0.432 for 0.509, CISI (365 of 1,460) 0.378
for 0.421, NPL (2,857 of 11,429) 0.398 for 0.434; with all of Cranfield or CISI in the sample there is no loss. Token
vectors of the vocabulary alone, much as model2vec has them, reached 0.35, 0.32 and 0.26. Learning took 7 to 14 s.

Limits: word order is lost; words outside the sample have only their own vectors. Learn again when texts change much.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.retrieve.embed.array_cache import Arrays, read_arrays, write_arrays
from weighbridge.retrieve.embed.batches import Tokens
from weighbridge.retrieve.embed.folder import file_sha256
from weighbridge.retrieve.embed.local import LocalEmbedder
from weighbridge.types import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 3000
"""Texts that are embedded exactly. The regression needs memory for the square of this number: 72 MB."""
_SEED = 7
_MAP_RIDGE, _TOKEN_RIDGE = 1.0, 0.2
_SLICE = 512
"""Texts between two reports of progress."""


def learn_static(
    embedder: LocalEmbedder, texts: Sequence[str], file: Path, *, sample: int = SAMPLE, notify: Notify = silent
) -> "StaticEmbedder":
    """Learn token vectors that imitate the embedder on the texts, write them to a file, and open it.

    Args:
        embedder: the model to imitate.
        texts: the texts to embed later, or similar ones; some thousands do well.
        file: written beside and renamed; replaced where it is there.
        sample: how many of the texts are embedded exactly; memory grows with its square.
        notify: told of the texts embedded.
    """
    chosen = np.sort(np.random.default_rng(_SEED).permutation(len(texts))[:sample])
    targets = _embed_sample(embedder, [texts[i] for i in chosen], notify)
    words = embedder.word_vectors()
    weights = _token_weights(embedder.tokens(texts), len(words))
    bags = _bags(embedder.tokens([texts[i] for i in chosen]), weights)
    vectors = _fit_token_vectors(bags, targets, words - words.mean(0))
    learnt: Arrays = {"vectors": vectors.astype(np.float16), "weights": weights}
    write_arrays(file, {**learnt, "embedder": np.array(embedder.fingerprint)})
    return open_static(file, embedder)


def open_static(file: Path, embedder: LocalEmbedder) -> "StaticEmbedder":
    """Open the file that `learn_static` wrote for this embedder.

    Raises:
        WorkspaceError: the file is missing, unreadable, or was learnt from another embedder.
    """
    stored = read_arrays(file)
    if not {"vectors", "weights", "embedder"} <= stored.keys():
        raise WorkspaceError(f"{file}: holds no token vectors; learn them again")
    if str(stored["embedder"]) != embedder.fingerprint:
        raise WorkspaceError(f"{file}: learnt from another embedder, or another precision of it; learn it again")
    return StaticEmbedder(embedder, stored["vectors"].astype(np.float32), stored["weights"], file_sha256(file))


class StaticEmbedder:
    """An `Embedder` of weighted means for documents, in the space of the embedder that embeds the queries."""

    def __init__(
        self, embedder: LocalEmbedder, vectors: "NDArray[np.float32]", weights: "NDArray[np.float32]", digest: str
    ) -> None:
        self.name = f"{embedder.name}, static"
        self.dimensions = embedder.dimensions
        self.fingerprint = fingerprint("static", embedder.fingerprint, digest)
        self._embedder, self._vectors, self._weights = embedder, vectors, weights

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> "NDArray[np.float32]":
        if kind == "query":
            return self._embedder.embed(texts, kind="query")
        means: NDArray[np.float32] = _bags(self._embedder.tokens(texts), self._weights) @ self._vectors
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means


def _embed_sample(embedder: LocalEmbedder, texts: Sequence[str], notify: Notify) -> "NDArray[np.float32]":
    rows = np.empty((len(texts), embedder.dimensions), np.float32)
    for start in range(0, len(texts), _SLICE):
        notify(Progress(task="imitating the embedder", done=start, total=len(texts), unit="texts"))
        rows[start : start + _SLICE] = embedder.embed(texts[start : start + _SLICE], kind="document")
    notify(Progress(task="imitating the embedder", done=len(texts), total=len(texts), unit="texts"))
    return rows


def _token_weights(tokens: Tokens, words: int) -> "NDArray[np.float32]":
    """Return the weight of each token: the inverse document frequency of BM25, above 0 even for the commonest."""
    frequencies = np.zeros(words)
    for text in tokens:
        frequencies[list(set(text))] += 1
    rarity = np.log1p((len(tokens) - frequencies + 0.5) / (frequencies + 0.5))
    return rarity.astype(np.float32)


def _bags(tokens: Tokens, weights: "NDArray[np.float32]") -> Any:
    """Return a sparse matrix (texts, vocabulary) of unit rows: how often each token occurs, times its weight."""
    from scipy import sparse

    ends = np.cumsum([0, *map(len, tokens)])
    numbers = np.fromiter((number for text in tokens for number in text), np.int32, int(ends[-1]))
    bags = sparse.csr_matrix((weights[numbers], numbers, ends), shape=(len(tokens), len(weights)))
    bags.sum_duplicates()
    return sparse.diags(1 / np.sqrt(bags.multiply(bags).sum(axis=1).A1).astype(np.float32)) @ bags


def _fit_token_vectors(
    bags: Any, targets: "NDArray[np.float32]", words: "NDArray[np.float32]"
) -> "NDArray[np.float32]":
    """Return token vectors T so that `bags @ T` is near the targets, by ridge regression from a map of `words`."""
    known = bags @ words
    square = known.T @ known + _MAP_RIDGE * np.eye(known.shape[1])
    start = words @ np.linalg.solve(square, known.T @ targets)
    kernel = (bags @ bags.T).toarray() + _TOKEN_RIDGE * np.eye(len(targets))
    found: NDArray[np.float32] = start + bags.T @ np.linalg.solve(kernel, targets - bags @ start)
    return found.astype(np.float32, copy=False)
