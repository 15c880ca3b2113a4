"""Caches searches, so that several strategies that ask the same questions search once."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from weighbridge.protocols import Retriever
from weighbridge.types import Passage, Question


class CachedRetriever:
    """A `Retriever` that searches once for each question, groups and limit, and keeps the latest `size` results.

    The index must not change while it is used. Safe to call from several threads.
    """

    def __init__(self, retriever: Retriever, *, size: int = 4096) -> None:
        self._retriever = retriever
        self._size = size
        self._kept: OrderedDict[tuple[Question, int], Sequence[Passage]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        return self._retriever.fingerprint

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        key = (question, limit)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        passages = tuple(self._retriever.search(question, limit=limit))
        with self._lock:
            self._kept[key] = passages
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return passages
