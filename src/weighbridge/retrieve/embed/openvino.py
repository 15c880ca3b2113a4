"""Runs an encoder with OpenVINO: documents in as many streams as threads, queries in one stream of all threads."""

import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weighbridge.retrieve.embed.batches import Kind, Pooling, Tokens, batches
from weighbridge.retrieve.embed.bert_graph import End, Scales, build_graph
from weighbridge.retrieve.embed.folder import Bert
from weighbridge.retrieve.embed.int8 import Tap

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH_TOKENS = 2048
_MULTIPLE = 16
"""Longer documents are padded to a multiple of so many tokens, because OpenVINO prepares every new width again.

On two threads of a Xeon with AMX, 1,115 chunks of filings (86,293 tokens) took 4.2 s of processor time the first time
and 4.2 s again; 5.7 s and 4.8 s in batches of 1,024 tokens of any width, 4.8 s and 4.5 s with a multiple of 8.
"""
_QUERY_MULTIPLE = 8
"""Tokens that queries are padded to a multiple of: a new width takes OpenVINO some 10 ms, once."""

Floats = Literal["f32", "bf16"]
FindScales = Callable[[Tap], Scales]


class OpenVinoEngine:
    """An `EncoderEngine`. Callers for documents take turns, and so do callers for queries. First use compiles a graph.

    Documents run in `floats`, queries in float32. `find` returns scales for the inputs that it taps; with it, the
    products of documents run in 8-bit integers.
    """

    def __init__(
        self, bert: Bert, floats: Floats, find: FindScales | None, *, pooling: Pooling = "mean", threads: int
    ) -> None:
        self._pooling: Pooling = pooling
        self._core = _core()
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._floats: Floats = floats if "BF16" in able else "f32"
        self._bert, self._find, self._threads = bert, find, threads
        self._locks: dict[Kind, threading.Lock] = {"query": threading.Lock(), "document": threading.Lock()}

    def vectors(self, tokens: Tokens, kind: Kind) -> "NDArray[np.float32]":
        rows = np.empty((len(tokens), len(self._bert.weights["embeddings.LayerNorm.bias"])), np.float32)

        def keep(request: Any, places: Sequence[int]) -> None:
            rows[places] = request.get_output_tensor(0).data

        with self._locks[kind]:
            if kind == "query":
                # Without a queue: queries have one stream, so nothing could overlap.
                for batch in batches(tokens, limit=_BATCH_TOKENS, multiple=_QUERY_MULTIPLE):
                    self._queries.infer([batch.ids, batch.mask], share_inputs=True)
                    keep(self._queries, batch.places)
            else:
                _feed(self._documents, tokens, keep)
        return rows

    def states(self, tokens: Tokens, kind: Kind) -> "list[NDArray[np.float32]]":
        found: list[Any] = [None] * len(tokens)

        def keep(request: Any, places: Sequence[int]) -> None:
            states = request.get_output_tensor(0).data
            for row, place in enumerate(places):
                found[place] = states[row, : len(tokens[place])].copy()

        with self._locks[kind]:
            _feed(self._document_states if kind == "document" else self._query_states, tokens, keep)
        return found

    @cached_property
    def _queries(self) -> Any:
        return self._compile(build_graph(self._bert, {}, self._pooling), "f32", streams=1).create_infer_request()

    @cached_property
    def _query_states(self) -> Any:
        return self._queue({}, "states", "f32")

    @cached_property
    def _documents(self) -> Any:
        return self._queue(self._scales, self._pooling, self._floats)

    @cached_property
    def _document_states(self) -> Any:
        return self._queue(self._scales, "states", self._floats)

    @cached_property
    def _scales(self) -> Scales:
        if self._find is None:
            return {}
        request = self._compile(build_graph(self._bert, {}, "inputs"), "f32", streams=1).create_infer_request()

        def tap(texts: "NDArray[np.int32]") -> "list[NDArray[np.float32]]":
            request.infer([texts, np.ones(texts.shape, np.float32)])
            return [tensor.data.copy() for tensor in request.output_tensors]

        return self._find(tap)

    def _queue(self, scales: Scales, end: End, floats: str) -> Any:
        compiled = self._compile(build_graph(self._bert, scales, end), floats, streams=self._threads)
        return _openvino().AsyncInferQueue(compiled, self._threads + 1)

    def _compile(self, graph: Any, floats: str, streams: int) -> Any:
        settings = {
            "INFERENCE_PRECISION_HINT": floats,
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": self._threads,
            "ENABLE_CPU_PINNING": False,
        }
        return self._core.compile_model(graph, "CPU", settings)


def _feed(queue: Any, tokens: Tokens, keep: Any) -> None:
    """Run all texts through a queue, and call `keep` with each finished request and the places of its texts.

    No request is left running, even after an error: one that calls back into a Python that is ending would abort it.
    """
    queue.set_callback(keep)
    try:
        for batch in batches(tokens, limit=_BATCH_TOKENS, multiple=_MULTIPLE, above=_MULTIPLE):
            queue.start_async([batch.ids, batch.mask], batch.places)
    finally:
        queue.wait_all()


@cache
def _core() -> Any:
    """Return the only core of this process. It is never freed.

    OpenVINO gives the thread that starts it a stack for signals, and frees that stack with its last core, in any
    thread: the next Ctrl-C would then end the first thread with a segmentation fault (seen with 2026.4.1).
    """
    return _openvino().Core()


def _openvino() -> Any:
    """Import OpenVINO without its telemetry: that would report the import to its makers' analytics service."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
