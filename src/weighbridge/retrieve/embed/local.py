"""Turns texts into unit vectors: runs a local sentence-transformers folder on the processor.

OpenVINO runs a BERT encoder (`bert_graph.py`); torch runs any other, and a BERT where OpenVINO is absent.
Documents are embedded in 8-bit whole numbers, bfloat16 or float32: the fastest on this machine, by a measurement that
is made once (`weighbridge.machine`). Queries are always embedded in float32: vectors of all three share one space.

Measured by `benchmarks/indexing.py` on 2 threads of an AMD EPYC with AVX-512 VNNI and bf16, other work on the machine,
300 Cranfield records of 187 tokens, all taking turns: float32 49, bfloat16 89 and int8 125 records a second, where the
fastest of sentence-transformers, Haystack, txtai and LlamaIndex had 17: 2.9, 5.3 and 7.5 times (by processor time: 82,
149, 190 and 28). nDCG@10 of exact search over all records with float32 queries, on Cranfield, CISI and NPL: float32
0.5090, 0.4207, 0.4335; bfloat16 0.5082, 0.4225, 0.4322; int8 0.5076, 0.4206, 0.4353. Cosine to float32, on average and
at the least: bfloat16 0.99997 and 0.9999; int8 0.9987 and 0.977 (0.96 for one word said 400 times). A short query took
2.2 to 3 ms (p50). The first documents in int8 wait 2 seconds for `find_scales`; the cache folder keeps its answer.
The same call gives the same vectors again. Embedded alone or among others, a text's vectors differ in any
coordinate by at most 1.5e-7 in float32, 1.1e-3 in bfloat16 (cosine 0.99998), 3.2e-3 in int8 (0.9998; 100 records).
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.machine import choose_threads, embedding_floats, embedding_precision, training_precision
from weighbridge.models import cache_folder
from weighbridge.retrieve.embed.array_cache import load_or_compute
from weighbridge.retrieve.embed.batches import EncoderEngine, Kind, Tokens
from weighbridge.retrieve.embed.folder import (
    WEIGHTS,
    file_sha256,
    is_bert,
    read_bert,
    read_settings,
    read_tokenizer,
    replace_surrogates,
)
from weighbridge.retrieve.embed.recipe import read_recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

Precision = Literal["float32", "bfloat16", "int8"]
Offsets = Callable[[str], Sequence[tuple[int, int]]]
"""Returns where each token of a text begins and ends, in characters; no special tokens, nothing cut off."""

_WINDOW = 2048
"""Texts that are tokenised and sorted by length together: enough of each length for batches with little padding."""
_INT8_RECIPE = 1
"""Enters the fingerprint: count up whenever `find_scales` finds other scales."""


def open_tokenizer(folder: Path) -> Offsets:
    """Open the tokenizer of an embedder's folder without loading the embedder, nor torch."""
    tokenizer = read_tokenizer(folder)
    tokenizer.no_truncation()

    def offsets(text: str) -> Sequence[tuple[int, int]]:
        found: Sequence[tuple[int, int]] = tokenizer.encode(replace_surrogates(text), add_special_tokens=False).offsets
        return found

    return offsets


def open_embedder(
    folder: Path, *, name: str = "", precision: Precision | None = None, threads: int | None = None
) -> "LocalEmbedder":
    """Open an embedder: any encoder, pooled and prefixed as its own files say. Weights load on first use.

    Args:
        folder: holds config.json, tokenizer.json, model.safetensors, and maybe sentence_bert_config.json.
        name: its name in reports; the folder's name by default.
        precision: how documents are embedded; by default the fastest on this machine. None loses more than 0.005
            nDCG@10. Queries are always embedded in float32.
        threads: processor threads to use; for torch, in the whole process. By default one for each core.

    Raises:
        WorkspaceError: a file is missing or unreadable, or the model cannot be run in that precision.
    """
    if precision == "int8" and not runs_in_int8(folder):
        raise WorkspaceError(f"{folder}: only BERT encoders with OpenVINO run in int8; choose bfloat16 or float32")
    if precision is None:
        precision = embedding_precision() if runs_in_int8(folder) else training_precision()
    return LocalEmbedder(folder, name or folder.name, precision, threads or choose_threads())


def runs_in_int8(folder: Path) -> bool:
    """Tell whether OpenVINO is installed and the folder holds a BERT that `bert_graph.py` can build for it."""
    return find_spec("openvino") is not None and is_bert(folder)


class LocalEmbedder:
    """An `Embedder` of pooled, normalised token vectors. Safe to call from several threads.

    Longer texts are cut at `max_seq_length` tokens of sentence_bert_config.json (256 for all-MiniLM-L6-v2).
    Documents come faster by the thousand: texts of one call are sorted by length, so that little is padded.
    """

    def __init__(self, folder: Path, name: str, precision: Precision, threads: int) -> None:
        self.name = name
        self.dimensions = int(read_settings(folder / "config.json")["hidden_size"])
        self._recipe = read_recipe(folder)
        self._longest = self._recipe.maximum_tokens
        self._folder, self._precision, self._threads = folder, precision, threads
        self._tokenizer = read_tokenizer(folder)
        self._tokenizer.enable_truncation(self._longest)
        self._opened: EncoderEngine | None = None
        self._lock = threading.Lock()
        recipe = (precision, _INT8_RECIPE) if precision == "int8" else (precision,)
        # Equal weights give other vectors with another vocabulary or configuration, so all three files count.
        files = [file_sha256(folder / name) for name in (WEIGHTS, "config.json", "tokenizer.json")]
        self.fingerprint = fingerprint(files, *recipe, "mean", self._longest, *self._recipe.changes)

    def embed(self, texts: Sequence[str], *, kind: Kind) -> "NDArray[np.float32]":
        if len(texts) <= _WINDOW:
            return self._engine().vectors(self.tokens(texts, kind), kind)
        return np.concatenate([self._engine().vectors(tokens, kind) for tokens in self._tokenise_ahead(texts, kind)])

    def token_vectors(self, texts: Sequence[str], *, kind: Kind) -> "list[NDArray[np.float32]]":
        """Return for each text the unit vectors of its tokens, of shape (tokens, dimensions); special ones left out."""
        prefix = self._recipe.prefix(kind)
        encodings = self._tokenizer.encode_batch([prefix + replace_surrogates(text) for text in texts])
        states = self._engine().states([encoding.ids for encoding in encodings], kind)
        ordinary = [  # the prefix steers the encoder, and is no part of the text
            (np.array(encoding.special_tokens_mask) == 0)
            & np.array([end > len(prefix) for _, end in encoding.offsets], bool)
            for encoding in encodings
        ]
        return [rows[kept] for rows, kept in zip(states, ordinary, strict=True)]

    def tokens(self, texts: Sequence[str], kind: Kind = "document") -> Tokens:
        """Return the token numbers of texts as they are embedded: with the prefix, cut, and with the special ones."""
        prefix = self._recipe.prefix(kind)
        shown = [prefix + replace_surrogates(text) for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(shown)]

    def word_vectors(self) -> "NDArray[np.float32]":
        """Return the vector of each token of the vocabulary as a text of its own, a row each; found once, then kept."""
        first, last = self._tokenizer.encode("").ids
        alone = [(first, word, last) for word in range(self._tokenizer.get_vocab_size())]
        return load_or_compute(self._cache_file("words"), lambda: {"words": self._engine().vectors(alone, "document")})[
            "words"
        ]

    def _cache_file(self, what: str) -> Path:
        return cache_folder() / "embedders" / f"{self.fingerprint}.{what}.npz"

    def _tokenise_ahead(self, texts: Sequence[str], kind: Kind) -> Iterator[Tokens]:
        """Yield the tokens of one window of texts while the next is being tokenised."""
        windows = [texts[start : start + _WINDOW] for start in range(0, len(texts), _WINDOW)]
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.tokens, windows[0], kind)
            for window in windows[1:]:
                tokens, coming = coming.result(), ahead.submit(self.tokens, window, kind)
                yield tokens
            yield coming.result()

    def _engine(self) -> EncoderEngine:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> EncoderEngine:
        if not runs_in_int8(self._folder):
            from weighbridge.retrieve.embed.torch import TorchEngine

            halved = self._precision == "bfloat16"
            return TorchEngine(self._folder, halved=halved, threads=self._threads, pooling=self._recipe.pooling)
        from weighbridge.retrieve.embed.int8 import Tap, find_scales, sample_texts
        from weighbridge.retrieve.embed.openvino import OpenVinoEngine

        bert = read_bert(self._folder)

        def scales(tap: Tap) -> "Mapping[str, NDArray[np.float32]]":
            sample = sample_texts(self._tokenizer, self._longest)
            return load_or_compute(self._cache_file("scales"), lambda: find_scales(bert, sample, tap))

        floats = embedding_floats() if self._precision == "int8" else self._precision
        find = scales if self._precision == "int8" else None
        exact = floats == "float32"
        return OpenVinoEngine(
            bert, "f32" if exact else "bf16", find, pooling=self._recipe.pooling, threads=self._threads
        )
