"""Runs an encoder with torch: any architecture that transformers knows, in float32 or bfloat16.

Encoders other than BERT and RoBERTa need it, such as ModernBERT. It is slower than `openvino.py`.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.retrieve.embed.batches import Batch, Kind, Pooling, Tokens, batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH_TOKENS = 4096
"""Tokens of one batch, padding included: 16 of the longest texts of MiniLM, 256 tokens each."""


class TorchEngine:
    """An `EncoderEngine`. Callers take turns.

    If `halved`, autocast runs documents in bfloat16: 1.5 times as fast as float32, and it needs no second copy of the
    weights (ADR 3). Queries always run in float32.
    """

    def __init__(self, folder: Path, *, halved: bool, threads: int, pooling: Pooling = "mean") -> None:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        torch.set_num_threads(threads)
        logging.disable_progress_bar()
        self._model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
        self._halved, self._pooling, self._lock = halved, pooling, threading.Lock()

    def vectors(self, tokens: Tokens, kind: Kind) -> "NDArray[np.float32]":
        rows = np.empty((len(tokens), int(self._model.config.hidden_size)), np.float32)
        for batch in batches(tokens, limit=_BATCH_TOKENS):
            states = self._forward(batch, kind)
            pooled = states[:, 0] if self._pooling == "cls" else np.matmul(batch.mask[:, None, :], states)[:, 0]
            rows[batch.places] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return rows

    def states(self, tokens: Tokens, kind: Kind) -> "list[NDArray[np.float32]]":
        found: list[Any] = [None] * len(tokens)
        for batch in batches(tokens, limit=_BATCH_TOKENS):
            states = self._forward(batch, kind)
            states /= np.linalg.norm(states, axis=2, keepdims=True)
            for row, place in enumerate(batch.places):
                found[place] = states[row, : len(tokens[place])]
        return found

    def _forward(self, batch: Batch, kind: Kind) -> "NDArray[np.float32]":
        import torch

        ids, mask = torch.from_numpy(batch.ids).long(), torch.from_numpy(batch.mask).long()
        halved = self._halved and kind == "document"
        with self._lock, torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved):
            found = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
            states: NDArray[np.float32] = found.float().numpy()
        return states
