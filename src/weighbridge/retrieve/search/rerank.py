"""Reorders the candidates of a search with a slower scorer that reads them closely."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from weighbridge.endpoints.connect import Connection, open_connection
from weighbridge.errors import ModelError, RefusedRequestError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Retriever, TokenEmbedder
from weighbridge.retrieve.embed.folder import replace_surrogates
from weighbridge.retrieve.embed.recipe import read_maximum_tokens
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.search.fusion import min_max_scale
from weighbridge.settings.endpoints import EndpointSettings
from weighbridge.types import Passage, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray


_TEI = "texts"
_TOO_MUCH = frozenset({400, 413, 422})
"""Refusals that another form of the request, or a smaller one, may escape."""


class Scorer(Protocol):
    """Scores how well passages answer a question; higher is better, on any scale."""

    @property
    def fingerprint(self) -> str: ...
    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float64]": ...


@dataclass(frozen=True, slots=True)
class LateInteraction:
    """A `Scorer` by token vectors: the mean, over the question's tokens, of the best dot product with the passage's.

    This is the MaxSim of ColBERT (Khattab and Zaharia, SIGIR 2020), with an embedder that was not trained for it.
    """

    embedder: TokenEmbedder

    @property
    def fingerprint(self) -> str:
        return fingerprint("late interaction", self.embedder.fingerprint)

    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
        asked = self.embedder.token_vectors([question], kind="query")[0]
        found = self.embedder.token_vectors(texts, kind="document")
        if not len(asked):
            return np.zeros(len(texts))
        return np.array([float((asked @ rows.T).max(axis=1).mean()) if len(rows) else 0.0 for rows in found])


class CrossEncoder:
    """A `Scorer` that reads question and passage together: a sequence classifier with one output."""

    def __init__(self, folder: Path, tokenizer: Any, model: Any) -> None:
        self._tokenizer, self._model, self._longest = tokenizer, model, read_maximum_tokens(folder)
        self.fingerprint = fingerprint("cross-encoder", file_fingerprint(folder))

    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
        import torch

        pairs = self._tokenizer(
            [replace_surrogates(question)] * len(texts),
            [replace_surrogates(text) for text in texts],
            padding=True,
            truncation="only_second",
            max_length=self._longest,
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits = self._model(**pairs).logits.squeeze(-1).double()
        found: NDArray[np.float64] = logits.numpy()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankEndpoint:
    """A `Scorer` at a server with Cohere's and Jina's `/rerank`, which vLLM and llama.cpp's server have too.

    Text Embeddings Inference names the fields in another way, and says so when it is asked in the first one.
    """

    name: str
    connection: Connection = field(repr=False)
    where: str
    batch: int
    """Texts in a request."""
    forms: set[str] = field(default_factory=set, repr=False)
    """The form of requests that the server turned out to want, if it is another than the usual one."""

    @property
    def fingerprint(self) -> str:
        return fingerprint("rerank endpoint", self.where, self.name)

    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
        """Return the scores; `ModelError` where the endpoint fails, or leaves out a text."""
        found = np.full(len(texts), np.nan)
        for start in range(0, len(texts), self.batch):
            batch = list(texts[start : start + self.batch])
            for row in self._ask(question, batch):
                found[start + row[0]] = row[1]
        if np.isnan(found).any():
            missing = int(np.isnan(found).sum())
            raise ModelError(f"{self.connection.at(self.name)}: no score for {missing} of {len(texts)} passages")
        return found

    def _ask(self, question: str, texts: Sequence[str]) -> list[tuple[int, float]]:
        try:
            reply = self._post(question, texts)
        except RefusedRequestError as error:
            if len(texts) == 1 or error.status not in _TOO_MUCH:
                raise
            middle = len(texts) // 2  # a limit on the texts of a request
            later = [(middle + place, score) for place, score in self._ask(question, texts[middle:])]
            return [*self._ask(question, texts[:middle]), *later]
        try:
            rows, score = (reply, "score") if isinstance(reply, list) else (reply["results"], "relevance_score")
            scores = [(int(row["index"]), float(row[score])) for row in rows]
        except (KeyError, TypeError, ValueError):
            told = "the reply is none of a /rerank endpoint"
            raise ModelError(f"{self.connection.at(self.name)}: {told}; {self.connection.advice}") from None
        return [row for row in scores if 0 <= row[0] < len(texts)]

    def _post(self, question: str, texts: Sequence[str]) -> Any:
        query, shown = replace_surrogates(question), [replace_surrogates(text) for text in texts]
        if _TEI not in self.forms:
            body = {"model": self.name, "query": query, "documents": shown, "top_n": len(shown)}
            try:
                return self.connection.post(self.name, "/rerank", body)
            except RefusedRequestError as error:
                if error.status not in _TOO_MUCH or "missing field `texts`" not in str(error):
                    raise
                self.forms.add(_TEI)
        return self.connection.post(self.name, "/rerank", {"query": query, "texts": shown, "truncate": True})


def open_rerank_endpoint(name: str, settings: EndpointSettings) -> RerankEndpoint:
    """Open a reranking model at an endpoint; `UserError` where its key is missing."""
    connection = open_connection(settings, section="retrieval.rerank_endpoint")
    return RerankEndpoint(name=name, connection=connection, where=connection.where, batch=settings.batch)


def open_cross_encoder(folder: Path) -> CrossEncoder:
    """Open a cross-encoder in transformers' layout.

    Raises:
        WorkspaceError: the folder holds none, or one that classifies into more than one class.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, dtype="float32"
        ).eval()
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{folder}: holds no readable cross-encoder ({error}); correct retrieval.rerank") from None
    if model.config.num_labels != 1:
        raise WorkspaceError(
            f"{folder}: classifies into {model.config.num_labels} classes; retrieval.rerank needs one output, a score"
        )
    return CrossEncoder(folder, tokenizer, model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """A `Retriever` that orders the best passages of another by the weighted sum of a scorer's and their own scores.

    Both kinds are scaled to 0..1 over the candidates.
    """

    retriever: Retriever
    scorer: Scorer
    candidates: int = 20
    weight: float = 0.3
    """Of the scorer; the search's own scores have the rest. 0.3 beat 0.5 on three of four collections (ADR 7)."""

    @property
    def fingerprint(self) -> str:
        parts = (self.retriever.fingerprint, self.scorer.fingerprint, self.candidates, self.weight)
        return fingerprint("reranked", *parts)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        found = self.retriever.search(question, limit=max(limit, self.candidates))
        if limit <= 0 or not found:
            return ()
        judged = self.scorer.scores(question.text, [searchable_text(passage.chunk) for passage in found])
        before = min_max_scale(np.array([passage.score for passage in found]))
        scores = self.weight * min_max_scale(judged) + (1 - self.weight) * before
        passages = [Passage(passage.chunk, float(score)) for passage, score in zip(found, scores, strict=True)]
        return sorted(passages, key=lambda passage: (-passage.score, passage.chunk.id))[:limit]
