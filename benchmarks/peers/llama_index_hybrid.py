"""LlamaIndex as its example sets up hybrid search: BM25Retriever and a VectorStoreIndex, fused by reciprocal rank.

https://docs.llamaindex.ai/en/stable/examples/retrievers/reciprocal_rerank_fusion, with `num_queries=1`: no rewriting.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter import main


class LlamaIndex:
    """An `Engine`: QueryFusionRetriever over BM25Retriever (stemmed, English stop words) and vectors in memory."""

    name = "LlamaIndex hybrid"

    def __init__(self, model: Path) -> None:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self.version = version("llama-index-core")
        self._embedder = HuggingFaceEmbedding(model_name=str(model), normalize=True, embed_batch_size=32)
        self._embedder.get_text_embedding("warm")
        self._index: Any = None
        self._words: Any = None
        self._fused: Any = None

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        import Stemmer
        from llama_index.core import VectorStoreIndex
        from llama_index.core.schema import TextNode
        from llama_index.retrievers.bm25 import BM25Retriever

        rows = [None] * len(ids) if vectors is None else vectors.tolist()
        nodes = [TextNode(id_=i, text=text, embedding=row) for i, text, row in zip(ids, texts, rows, strict=True)]
        self._index = VectorStoreIndex(nodes, embed_model=self._embedder)
        self._words = BM25Retriever.from_defaults(
            nodes=nodes, similarity_top_k=100, stemmer=Stemmer.Stemmer("english"), language="english"
        )
        self._fused = self._retriever(100)

    def _retriever(self, limit: int) -> Any:
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever

        self._words.similarity_top_k = limit
        return QueryFusionRetriever(
            [self._index.as_retriever(similarity_top_k=limit), self._words],
            llm=MockLLM(),
            similarity_top_k=limit,
            num_queries=1,
            mode="reciprocal_rerank",
            use_async=False,
        )

    def search(self, query: str, limit: int) -> Mapping[str, float]:
        if self._fused.similarity_top_k != limit:
            self._fused = self._retriever(limit)
        return {hit.node.node_id: hit.score for hit in self._fused.retrieve(query)}

    def save(self, folder: Path) -> bool:
        self._index.storage_context.persist(str(folder / "vectors"))
        self._words.persist(str(folder / "words"))
        return True


if __name__ == "__main__":
    main(LlamaIndex)
