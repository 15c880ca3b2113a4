"""Which documents are versions of one: the same title over much of the same text, or nearly the same text."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from weighbridge.ingest.duplicates import LikenessBuckets, signature, words_of
from weighbridge.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signatures = Mapping[int, NDArray[np.uint32]]

_SAME_TITLE, _ANY_TITLE = 0.2, 0.7
_MOST_PARTNERS = 8
_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile(r"copy|of|a|an|the|draft|final|old|new|version|rev|revised|revision|updated|latest|v\d+")


def version_pairs(documents: Sequence[Document]) -> Sequence[tuple[int, int]]:
    """Return pairs of places of documents that are versions of one, the smaller first, at most eight a document.

    Documents of one title are compared with the eight after them, in the order given; others where nearly all their
    words are the same, and their titles do not each name something that the other's does not.
    """
    words = {at: words_of(document.text) for at, document in enumerate(documents)}
    signatures = {at: signature(own) for at, own in words.items() if own}
    titles = [_title(document.title) for document in documents]
    near = {pair: _likeness(signatures, pair) for pair in {*_same_titles(titles, signatures), *_close(signatures)}}
    partners: dict[int, list[int]] = defaultdict(list)
    for (left, right), likeness in sorted(near.items(), key=lambda item: (-item[1], item[0])):
        enough = _SAME_TITLE if titles[left] and titles[left] == titles[right] else _ANY_TITLE
        agree = titles[left] <= titles[right] or titles[right] <= titles[left]
        if likeness >= enough and agree and max(len(partners[left]), len(partners[right])) < _MOST_PARTNERS:
            partners[left].append(right)
            partners[right].append(left)
    return sorted((left, right) for left, others in partners.items() for right in others if left < right)


def _title(title: str) -> frozenset[str]:
    words: list[str] = _WORD.findall(title.casefold())
    return frozenset(word for word in words if not _MARKS.fullmatch(word))


def _likeness(signatures: "Signatures", pair: tuple[int, int]) -> float:
    return float((signatures[pair[0]] == signatures[pair[1]]).mean())


def _same_titles(titles: Sequence[frozenset[str]], signatures: "Signatures") -> Iterator[tuple[int, int]]:
    places: dict[frozenset[str], list[int]] = defaultdict(list)
    for at in signatures:
        if titles[at]:
            for other in places[titles[at]][-_MOST_PARTNERS:]:
                yield other, at
            places[titles[at]].append(at)


def _close(signatures: "Signatures") -> Iterator[tuple[int, int]]:
    buckets = LikenessBuckets(_ANY_TITLE)
    for at, values in signatures.items():
        near = buckets.query(values)
        yield from ((other, at) for other in near[-_MOST_PARTNERS:])
        buckets.insert(at, values)
