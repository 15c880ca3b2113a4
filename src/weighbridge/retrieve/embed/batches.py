"""Puts token numbers into padded batches, and defines the engines that encode them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["query", "document"]
Pooling = Literal["mean", "cls"]
"""How the vectors of a text's tokens become one: their mean, or the first one, of the token [CLS] or <s>."""
Tokens = Sequence[Sequence[int]]
"""The token numbers of texts, special ones included, and cut to the embedder's maximum."""


class EncoderEngine(Protocol):
    """Runs an encoder. Safe to call from several threads."""

    def vectors(self, tokens: Tokens, kind: Kind) -> "NDArray[np.float32]":
        """Return the unit vector of each text, pooled from those of its tokens."""
        ...

    def states(self, tokens: Tokens, kind: Kind) -> "list[NDArray[np.float32]]":
        """Return the unit vector of each token of each text, the special tokens' too."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of similar length: their places among all, their token numbers padded with 0, 1.0 for each real token."""

    places: Sequence[int]
    ids: "NDArray[np.int32]"
    mask: "NDArray[np.float32]"


def batches(tokens: Tokens, *, limit: int, multiple: int = 1, above: int = 0) -> Iterator[Batch]:
    """Yield all texts, longest first, at most `limit` tokens with padding at a time (or one text).

    Texts of more than `above` tokens are padded to a multiple of `multiple`, so that there are few widths.
    """
    places: list[int] = []
    width = 0
    for place in sorted(range(len(tokens)), key=lambda i: -len(tokens[i])):
        if places and (len(places) + 1) * width > limit:
            yield _pad(tokens, places, width)
            places = []
        if not places:
            width = len(tokens[place])
            width = -(-width // multiple) * multiple if width > above else width
        places.append(place)
    if places:
        yield _pad(tokens, places, width)


def _pad(tokens: Tokens, places: Sequence[int], width: int) -> Batch:
    ids, mask = np.zeros((len(places), width), np.int32), np.zeros((len(places), width), np.float32)
    for row, place in enumerate(places):
        found = tokens[place]
        ids[row, : len(found)] = found
        mask[row, : len(found)] = 1
    return Batch(places, ids, mask)
