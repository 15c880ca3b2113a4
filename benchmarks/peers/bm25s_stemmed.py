"""bm25s as its README sets it up: English stop words, PyStemmer, Lucene's BM25. No vectors."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter import main


class Bm25s:
    """An `Engine` of words alone; the embedder is not used."""

    name = "bm25s"

    def __init__(self, model: Path) -> None:
        import bm25s
        import Stemmer

        self.version = version("bm25s")
        self._stemmer = Stemmer.Stemmer("english")
        self._bm25 = bm25s.BM25()
        self._ids: Sequence[str] = ()

    def _tokens(self, texts: Sequence[str]) -> Any:
        import bm25s

        return bm25s.tokenize(list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False)

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        self._ids = ids
        self._bm25.index(self._tokens(texts), show_progress=False)

    def search(self, query: str, limit: int) -> Mapping[str, float]:
        places, scores = self._bm25.retrieve(self._tokens([query]), k=min(limit, len(self._ids)), show_progress=False)
        return {self._ids[i]: float(score) for i, score in zip(places[0], scores[0], strict=True) if score > 0}

    def save(self, folder: Path) -> bool:
        self._bm25.save(str(folder))
        return True


if __name__ == "__main__":
    main(Bm25s)
