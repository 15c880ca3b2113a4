"""Haystack as its tutorial sets up hybrid search: BM25 and embeddings in memory, joined by reciprocal rank fusion.

https://haystack.deepset.ai/tutorials/33_hybrid_retrieval, without its reranker, which no engine has here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapter import main


class Haystack:
    """An `Engine`: InMemoryBM25Retriever and InMemoryEmbeddingRetriever into DocumentJoiner."""

    name = "Haystack hybrid"

    def __init__(self, model: Path) -> None:
        import haystack
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )

        self.version = haystack.__version__
        self._store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        self._embedder = SentenceTransformersDocumentEmbedder(
            model=str(model), normalize_embeddings=True, progress_bar=False
        )
        self._pipeline = _pipeline(
            self._store,
            SentenceTransformersTextEmbedder(model=str(model), normalize_embeddings=True, progress_bar=False),
        )
        self._pipeline.warm_up()
        self._embedder.warm_up()
        self._embedder.run([haystack.Document(content="warm")])

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        from haystack import Document

        if vectors is None:
            plain = [Document(id=id_, content=text) for id_, text in zip(ids, texts, strict=True)]
            documents = self._embedder.run(plain)["documents"]
        else:
            rows = zip(ids, texts, vectors.tolist(), strict=True)
            documents = [Document(id=id_, content=text, embedding=row) for id_, text, row in rows]
        self._store.write_documents(documents)

    def search(self, query: str, limit: int) -> Mapping[str, float]:
        found = self._pipeline.run(
            {
                "text_embedder": {"text": query},
                "bm25_retriever": {"query": query, "top_k": limit},
                "embedding_retriever": {"top_k": limit},
                "document_joiner": {"top_k": limit},
            }
        )
        return {document.id: document.score for document in found["document_joiner"]["documents"]}

    def save(self, folder: Path) -> bool:
        self._store.save_to_disk(str(folder / "store.json"))
        return True


def _pipeline(store: Any, text_embedder: Any) -> Any:
    from haystack import Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever

    pipeline = Pipeline()
    pipeline.add_component("text_embedder", text_embedder)
    pipeline.add_component("embedding_retriever", InMemoryEmbeddingRetriever(store))
    pipeline.add_component("bm25_retriever", InMemoryBM25Retriever(store))
    pipeline.add_component("document_joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.connect("text_embedder.embedding", "embedding_retriever.query_embedding")
    pipeline.connect("bm25_retriever", "document_joiner")
    pipeline.connect("embedding_retriever", "document_joiner")
    return pipeline


if __name__ == "__main__":
    main(Haystack)
