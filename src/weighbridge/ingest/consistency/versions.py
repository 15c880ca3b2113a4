"""Finds versions of one document: the same title over much of the same text, or nearly the same text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from weighbridge.ingest.consistency.duplicates import band_shape, signature, words_of
from weighbridge.ingest.consistency.periods import Period
from weighbridge.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Signatures = Mapping[int, NDArray[np.uint32]]

_SAME_TITLE, _ANY_TITLE = 0.2, 0.7
_MOST_PARTNERS = 8
_WORD = re.compile(r"[^\W\d_]+|\d+")
_HEADING = re.compile(r"\s*#{1,6}[ \t]+(?P<title>[^\n]+)")
_MARKS = re.compile(r"copy|of|a|an|the|draft|final|old|new|version|rev|revised|revision|updated|latest|v")
_SAYS_WHICH = frozenset({
    "draft", "final", "old", "new", "version", "rev", "revised", "revision", "updated", "latest", "v",
})  # fmt: skip
"""Words of a name that tell one version from another; "copy" does not: a copy says the same."""


def version_pairs(documents: Sequence[Document], periods: Sequence[Period]) -> Mapping[tuple[int, int], float]:
    """Return pairs of places of documents that are versions of one, the smaller first, and how alike they are.

    At most eight a document. Documents of one title are compared with the eight after them, in the order given; others
    where nearly all their words are the same, and their titles do not each name something that the other's does not.
    Reports of different periods are no versions.
    """
    words = {at: words_of(document.text) for at, document in enumerate(documents)}
    signatures = {at: signature(own) for at, own in words.items() if own}
    titles = [_title(document.title) for document in documents]
    headings = [_title(_first_heading(document.text)) for document in documents]
    near: dict[tuple[int, int], float] = {}
    for left, right in {*_same_titles(titles, signatures), *_close(signatures)}:
        near[left, right] = float((signatures[left] == signatures[right]).mean())
    partners: dict[int, list[int]] = defaultdict(list)
    found = {}
    for (left, right), likeness in sorted(near.items(), key=lambda item: (-item[1], item[0])):
        enough = _SAME_TITLE if titles[left] and titles[left] == titles[right] else _ANY_TITLE
        agree = all(_agree(names[left], names[right]) for names in (titles, headings))
        if likeness < enough or not agree or max(len(partners[left]), len(partners[right])) >= _MOST_PARTNERS:
            continue
        marked = names_tell_versions(documents[left], documents[right])
        if not periods[left].differs(periods[right], ignore_days=marked):
            partners[left].append(right)
            partners[right].append(left)
            found[left, right] = likeness
    return found


def names_tell_versions(one: Document, other: Document) -> bool:
    """Tell whether the names of two documents differ in words like draft and final, old and new, v1 and v2."""
    return any(
        _version_words(mine) != _version_words(theirs)
        for mine, theirs in ((one.id, other.id), (one.title, other.title))
    )


def name_one_subject(one: Document, other: Document) -> bool:
    """Tell whether the files' names and the first headings of two documents may name one thing."""
    headings = (_title(_first_heading(document.text)) for document in (one, other))
    return _agree(_subject_words(one.id), _subject_words(other.id)) and _agree(*headings)


def _subject_words(name: str) -> frozenset[str]:
    """Return the words of a file's name that name its subject: no version, no number, no folder."""
    words = _WORD.findall(re.split(r"[\\/]", name)[-1].casefold())
    return frozenset(word for word in words if not word.isdigit() and not _MARKS.fullmatch(word))


def _version_words(name: str) -> Sequence[str]:
    """Return the words that tell versions apart, each with the number behind it."""
    words = _WORD.findall(re.split(r"[\\/]", name)[-1].casefold())
    found = []
    for at, word in enumerate(words):
        if word in _SAYS_WHICH:
            number = words[at + 1] if words[at + 1 : at + 2] and words[at + 1].isdigit() else ""
            found.append(word + number)
    return found


def _first_heading(text: str) -> str:
    """Return the heading that a text begins with: it names the company where the title only says "report"."""
    heading = _HEADING.match(text)
    return heading["title"] if heading else ""


def _agree(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two titles do not each name something that the other does not."""
    return one <= other or other <= one


def _title(title: str) -> frozenset[str]:
    words: list[str] = re.findall(r"[^\W_]+", title.casefold())
    return frozenset(word for word in words if not _MARKS.fullmatch(word) and not re.fullmatch(r"v\d+", word))


def _same_titles(titles: Sequence[frozenset[str]], signatures: "Signatures") -> Iterator[tuple[int, int]]:
    places: dict[frozenset[str], list[int]] = defaultdict(list)
    for at in signatures:
        if titles[at]:
            for other in places[titles[at]][-_MOST_PARTNERS:]:
                yield other, at
            places[titles[at]].append(at)


def _close(signatures: "Signatures") -> Iterator[tuple[int, int]]:
    """Yield each document with the eight before it that share most bands of their signatures.

    A bucket remembers its last eight, so that a thousand copies cost a thousand times as much as one.
    """
    bands, rows = band_shape(_ANY_TITLE)
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for at, values in signatures.items():
        shared = Counter[int]()
        for band in range(bands):
            bucket = buckets[band, values[band * rows : (band + 1) * rows].tobytes()]
            shared.update(bucket[-_MOST_PARTNERS:])
            bucket.append(at)
            del bucket[:-_MOST_PARTNERS]
        nearest = sorted(shared, key=lambda other: (-shared[other], -other))
        yield from ((other, at) for other in nearest[:_MOST_PARTNERS])
