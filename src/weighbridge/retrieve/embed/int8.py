"""Chooses the matrix products of an encoder that run in 8-bit integers, and finds their scales.

The scales come from a made-up sample: tokens of the vocabulary drawn by Zipf's law, the same for every user, so that
vectors do not depend on the first documents embedded. A channel's scale is its largest value in the sample, moved
mostly into the weights (Xiao et al. 2023, SmoothQuant). A product stays in floats if its result on the sample is off by
more than `TOLERATED`: in all-MiniLM-L6-v2 the narrowing products of layers 0 to 3.

Limit: the sample assumes that the vocabulary is ordered by frequency.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.retrieve.embed.bert_graph import INPUTS, Scales, bert_weights, quantise
from weighbridge.retrieve.embed.folder import Bert

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERATED = 2e-3
"""Squared error by squared length, of a product's results for one token, on average over the sample."""
_ALPHA = 0.8
"""SmoothQuant's migration strength: how much of a channel's range moves into the weights."""
_SEED, _LENGTHS, _TEXTS, _ROWS = 7, 8, 6, 512
_SPECIAL = frozenset({"<s>", "<pad>", "</s>", "<unk>", "<mask>"})
"""Tokens of RoBERTa and XLM-R that stand for no text, at the start of the vocabulary."""
_FLOOR = np.float32(1e-3)
"""Keeps a scale above 0 where a channel is silent in the whole sample."""

Tap = Callable[["NDArray[np.int32]"], "Sequence[NDArray[np.float32]]"]
"""Returns the inputs of all products for some texts of one length, each of shape (texts, tokens, channels)."""


def sample_texts(tokenizer: Any, longest: int) -> "list[NDArray[np.int32]]":
    """Return the sample texts in groups of equal length, from 8 tokens to `longest`."""
    first, last = tokenizer.encode("").ids
    words = sorted(
        number for token, number in tokenizer.get_vocab().items() if not token.startswith("[") and token not in _SPECIAL
    )
    random = np.random.default_rng(_SEED)
    odds = 1 / np.arange(1, len(words) + 1)
    groups = []
    for length in np.linspace(8, longest, _LENGTHS, dtype=int):
        group = random.choice(words, size=(_TEXTS, length), p=odds / odds.sum()).astype(np.int32)
        group[:, 0], group[:, -1] = first, last
        groups.append(group)
    return groups


def find_scales(bert: Bert, sample: "Sequence[NDArray[np.int32]]", tap: Tap) -> Scales:
    """Return the scales of all products that may run in 8-bit integers."""
    taps = [tap(texts) for texts in sample]
    found: dict[str, NDArray[np.float32]] = {}
    for place, name in enumerate(f"{layer}.{kind}" for layer in range(bert.layers) for kind in INPUTS):
        inputs = np.concatenate([tapped[place].reshape(-1, tapped[place].shape[-1]) for tapped in taps])
        weights = bert_weights(bert, name)
        scales = _smoothquant_scales(inputs, weights)
        if _quantisation_error(inputs[:: -(-len(inputs) // _ROWS)], weights, scales) < TOLERATED:
            found[name] = scales
    return found


def _smoothquant_scales(inputs: "NDArray[np.float32]", weights: "NDArray[np.float32]") -> "NDArray[np.float32]":
    largest = np.maximum(np.abs(inputs).max(0), _FLOOR)
    scales = largest**_ALPHA / np.maximum(np.abs(weights).max(0), _FLOOR) ** (1 - _ALPHA)
    spread: NDArray[np.float32] = scales * (largest / scales).max()
    return spread


def _quantisation_error(
    inputs: "NDArray[np.float32]", weights: "NDArray[np.float32]", scales: "NDArray[np.float32]"
) -> float:
    exact = inputs @ weights.T
    numbers, steps = quantise(weights * scales)
    whole = np.clip(np.rint(inputs / scales * 128), -128, 127) / 128
    off = whole.astype(np.float32) @ (numbers * steps).T - exact
    return float((np.square(off).sum(1) / np.square(exact).sum(1)).mean())
