"""txtai as its guide sets up hybrid search: its BM25 beside dense vectors in FAISS, weighted half and half.

https://neuml.github.io/txtai/embeddings/configuration: `hybrid: true`. Documents are indexed as (id, text, None).
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter import main


class Txtai:
    """An `Engine`: txtai.Embeddings with `hybrid`, and `maxlength` of the embedder's own 256 tokens; all else default.

    With 512, the default, it is slower, and nDCG@10 on Cranfield is 0.559 where this gives 0.561.
    """

    name = "txtai hybrid"

    def __init__(self, model: Path) -> None:
        import txtai

        self.version = version("txtai")
        self._embeddings = txtai.Embeddings({"path": str(model), "hybrid": True, "maxlength": True})
        self._embeddings.batchtransform(["warm"])

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        known = {} if vectors is None else dict(zip(texts, vectors, strict=True))
        if known:
            self._look_up(known)
        self._embeddings.index((id_, text, None) for id_, text in zip(ids, texts, strict=True))
        known.clear()

    def _look_up(self, known: Mapping[str, Any]) -> None:
        """Take known texts' vectors from `known`; all others, the queries, go through txtai's own model as before."""
        import numpy as np
        import txtai

        model = self._embeddings.model.model

        def transform(texts: Sequence[str]) -> Any:
            if all(text in known for text in texts):
                return np.stack([known[text] for text in texts])
            return model.encode(list(texts))

        self._embeddings = txtai.Embeddings({"method": "external", "transform": transform, "hybrid": True})

    def search(self, query: str, limit: int) -> Mapping[str, float]:
        return dict(self._embeddings.search(query, limit))

    def save(self, folder: Path) -> bool:
        self._embeddings.config.pop("transform", None)
        self._embeddings.save(str(folder / "index"))
        return True


if __name__ == "__main__":
    main(Txtai)
