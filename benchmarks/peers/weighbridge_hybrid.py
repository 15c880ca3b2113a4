"""Ourselves, with default settings but for the chunks: a document is one, as with the others."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from adapter import main

from weighbridge import __version__
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder, Retriever
from weighbridge.retrieve.index.build import IndexSource
from weighbridge.retrieve.index.sync import IndexHome, plan_sync, sync
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.schema import Settings
from weighbridge.types import Chunk, Document, Question
from weighbridge.wiring.search import build_retriever, open_computed_embedder


@dataclass(frozen=True, slots=True)
class Known:
    """An `Embedder` that looks documents up, and embeds queries as another does."""

    embedder: Embedder
    vectors: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.embedder.name

    @property
    def fingerprint(self) -> str:
        return self.embedder.fingerprint

    @property
    def dimensions(self) -> int:
        return self.embedder.dimensions

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> Any:
        import numpy as np

        if kind == "query":
            return self.embedder.embed(texts, kind=kind)
        return np.stack([self.vectors[text] for text in texts])


class Weighbridge:
    """An `Engine`: the store and the search that the settings name, in a folder of its own."""

    name = "Weighbridge"
    version = __version__

    def __init__(self, model: Path) -> None:
        self._settings = Settings(examples=Path())
        self._embedder = open_computed_embedder(self._settings, model)
        self._embedder.embed(["warm"], kind="document")
        self._scratch = TemporaryDirectory(prefix="weighbridge-")
        self._retriever: Retriever | None = None

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        """Index the texts; those without a character that can be searched are left out."""
        embedder: Embedder = self._embedder
        if vectors is not None:
            embedder = Known(embedder, dict(zip(texts, vectors, strict=True)))
        folder = Path(self._scratch.name)
        home = IndexHome(folder=folder, store=open_store(self._settings.retrieval.store, folder), embedder=embedder)
        material = IndexSource(
            documents=[Document(id=id_, text=text) for id_, text in zip(ids, texts, strict=True)],
            version=_version,
            cut=_whole,
            chunking="whole",
        )
        card = sync(home, material, plan_sync(home, material))
        self._retriever = build_retriever(home.open_index(card), self._settings, self._embedder, card)

    def search(self, query: str, limit: int) -> Mapping[str, float]:
        if self._retriever is None:
            raise RuntimeError("index first")
        found = self._retriever.search(Question(query), limit=limit)
        return {passage.chunk.document_id: passage.score for passage in found}

    def save(self, folder: Path) -> bool:
        shutil.copytree(self._scratch.name, folder / "index")
        return True


def _version(document: Document) -> str:
    return fingerprint(document.text)


def _whole(document: Document) -> Sequence[Chunk]:
    text = document.text
    return (
        Chunk(id=document.id, document_id=document.id, text=text, start=0, end=len(text), version=fingerprint(text)),
    )


if __name__ == "__main__":
    main(Weighbridge)
