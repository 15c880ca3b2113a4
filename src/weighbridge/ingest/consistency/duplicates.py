"""Finds documents that say the same, reports them, and drops copies by choice, without taking a text from anybody.

Exact duplicates are equal but for case and white space. Near ones share most runs of three words (Broder, "On the
resemblance and containment of documents", 1997); MinHash signatures propose them and estimate how many, so that no
text is kept. Every copy is close to the one kept, not only to another copy.
"""

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from weighbridge.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PERMUTATIONS = 256
"""The standard error of a similarity of 0.9 is 0.02, and a signature takes 1 kB."""
_PROPOSED = 0.98
_RUN = 3
_BLOCK = 4096
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_SECONDARY = re.compile(
    r"\b(?:v\d+|(?:copy|copies|copie|copia|c\u00f3pia|kopie|kopia|kopi|\u043a\u043e\u043f\u0438\u044f|\u30b3\u30d4\u30fc|\ubcf5\uc0ac\ubcf8"
    r"|backups?|bak|sicherung|sicherungskopie|sauvegarde|respaldo|old|alt|ancien|viejo|vecchio|oud|previous|obsolete"
    r"|superseded|archives?|archived|archiv|archief|drafts?|entwurf|brouillon|borrador|bozza|te?mp|trash)\d*)\b"
    r"|\u526f\u672c|\u5907\u4efd|\u5099\u4efd|\(\d{1,2}\)|~$"
)
"""Words that people and file managers add to the name of a copy; browsers add "(2)". Chinese sets
no space before them, and a year in brackets is no such number."""
_JOINED = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
"""Where a word of a name ends that no other sign ends: chlorine_old, ChlorineOld."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A document that says what the one kept says.

    `similarity` is the share of word runs that the two have in common: 1 where the copy is exact, else estimated.
    `obstacle` tells why it may not be dropped; empty where it may.
    """

    id: str
    similarity: float
    exact: bool
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The document to keep, and its copies in the order of their ids."""

    kept: str
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class DroppedCopy:
    """A copy that was dropped, without its text, and the id of the document that says the same."""

    document: Document
    kept: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """The digests kept of a document instead of its text; `figures` is that of its words with a digit."""

    id: str
    groups: frozenset[str]
    text: bytes
    figures: bytes


def find_duplicates(documents: Iterable[Document], *, threshold: float = 0.9) -> tuple[Duplicates, ...]:
    """Find exact duplicates, and near ones that share at least `threshold` (up to 1) of their runs of three words.

    Of documents that say the same, a public one is kept, and of several the likeliest original by its id: the one with
    the fewest words like copy, backup, old, draft or v1, then in the fewest folders, then the shortest, then the first.
    A copy may be dropped where everybody who may read it may read the one kept, and no figure differs. Documents
    without words have no duplicates. The result does not depend on the order of the documents. Memory: 1 kB a distinct
    text.
    """
    seen: list[_Seen] = []
    signatures: dict[bytes, NDArray[np.uint32]] = {}
    for document in documents:
        words = words_of(document.text)
        if not words:
            continue
        text = _digest(" ".join(document.text.casefold().split()))
        figures = _digest(" ".join(word for word in words if not word.isalpha()))
        seen.append(_Seen(document.id, document.groups, text, figures))
        if threshold < 1 and text not in signatures:
            signatures[text] = signature(words)
    seen.sort(key=lambda one: (bool(one.groups), *_secondary(one.id)))
    same: dict[bytes, list[_Seen]] = defaultdict(list)
    for one in seen:
        same[one.text].append(one)
    near = _near(list(same), signatures, threshold) if threshold < 1 else {text: {} for text in same}
    found = (_duplicates(same, text, others) for text, others in near.items())
    return tuple(sorted((one for one in found if one.copies), key=lambda one: one.kept))


def drop_duplicates(documents: Iterable[Document], found: Sequence[Duplicates]) -> Iterator[Document]:
    """Yield the documents without the copies that may be dropped."""
    dropped = _kept_by_copy(found)
    return (document for document in documents if document.id not in dropped)


def list_dropped_copies(documents: Iterable[Document], found: Sequence[Duplicates]) -> tuple[DroppedCopy, ...]:
    """Return the copies that `drop_duplicates` leaves out, each with the document kept instead."""
    kept = _kept_by_copy(found)
    return tuple(DroppedCopy(replace(one, text="", parts=()), kept[one.id]) for one in documents if one.id in kept)


def duplicate_lines(found: Sequence[Duplicates]) -> Iterator[str]:
    """Yield each document with its copies as a line for the console."""
    for one in found:
        for copy in one.copies:
            how = "the same text as" if copy.exact else f"{min(copy.similarity, 0.99):.0%} of the words of"
            yield f"{copy.id}: {how} {one.kept}" + (f"; not to be dropped: {copy.obstacle}" if copy.obstacle else "")


def words_of(text: str) -> Sequence[str]:
    """Return the words of a text as its signature sees them; of scripts without white space, the characters."""
    return _WORD.findall(text.casefold())


def signature(words: Sequence[str]) -> "NDArray[np.uint32]":
    """Return the MinHash signature of the runs of three words of a text; one with fewer words is one run."""
    import numpy as np

    codes = np.fromiter((zlib.crc32(word.encode("utf-8", "replace")) for word in words), np.uint64, len(words))
    runs = max(len(words) - _RUN + 1, 1)
    mixed = np.zeros(runs, np.uint64)
    for shift in range(min(_RUN, len(words))):
        mixed = (mixed ^ codes[shift : shift + runs]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    sketch = _blank().copy()
    distinct = np.unique((mixed >> np.uint64(32)).astype(np.uint32))
    for start in range(0, len(distinct), _BLOCK):
        sketch.update_batch(distinct[start : start + _BLOCK].tolist())
    values: NDArray[np.uint32] = sketch.hashvalues.astype(np.uint32)
    return values


class LikenessBuckets:
    """Proposes, for a signature, those put in before that are probably as similar as a threshold; maybe others."""

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHashLSH

        self._buckets: Any = MinHashLSH(num_perm=_PERMUTATIONS, params=band_shape(threshold))

    def insert(self, key: int, values: "NDArray[np.uint32]") -> None:
        """Put a signature in, under a key that is not in."""
        self._buckets.insert(key, _sketch(values))

    def remove(self, key: int) -> None:
        """Take a signature out."""
        self._buckets.remove(key)

    def query(self, values: "NDArray[np.uint32]") -> Sequence[int]:
        """Return the keys of signatures that are probably as similar, in order."""
        return sorted(self._buckets.query(_sketch(values)))


def band_shape(threshold: float) -> tuple[int, int]:
    """Return the number of bands and of values in each: the longest that propose 98% of pairs at the threshold."""
    rows = 1
    while 1 - (1 - threshold ** (rows + 1)) ** (_PERMUTATIONS // (rows + 1)) >= _PROPOSED:
        rows += 1
    return _PERMUTATIONS // rows, rows


@cache
def _blank() -> Any:
    """Return a sketch of nothing; its copies share its permutations."""
    from datasketch import MinHash

    return MinHash(num_perm=_PERMUTATIONS, hashfunc=int)


def _sketch(values: "NDArray[np.uint32]") -> Any:
    sketch = _blank().copy()
    sketch.hashvalues = values
    return sketch


def _kept_by_copy(found: Sequence[Duplicates]) -> dict[str, str]:
    """Return, by the id of each copy that may be dropped, the id of the document that is kept."""
    return {copy.id: one.kept for one in found for copy in one.copies if not copy.obstacle}


def _secondary(name: str) -> tuple[int, int, int, str]:
    """Return how little an id looks like that of an original; the least is the likeliest."""
    path = name.replace("\\", "/")
    words = _JOINED.sub(" ", path).casefold()
    return len(_SECONDARY.findall(words)), path.count("/"), len(name), name


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _near(
    texts: Sequence[bytes], signatures: "dict[bytes, NDArray[np.uint32]]", threshold: float
) -> dict[bytes, dict[bytes, float]]:
    """Give each text that stands for others those others with their similarity; the first of close ones stands."""
    import numpy as np

    buckets = LikenessBuckets(threshold)
    table = np.array([signatures[text] for text in texts], np.uint32)
    for at, values in enumerate(table):
        buckets.insert(at, values)
    standing: dict[bytes, dict[bytes, float]] = {}
    taken: set[int] = set()
    for at, values in enumerate(table):
        if at in taken:
            continue
        near = np.array(buckets.query(values), np.int64)
        similar = (table[near] == values).mean(axis=1)
        standing[texts[at]] = {}
        for other, similarity in zip(near.tolist(), similar.tolist(), strict=True):
            if similarity >= threshold or other == at:
                taken.add(other)
                buckets.remove(other)
                standing[texts[at]][texts[other]] = similarity
    return standing


def _duplicates(same: dict[bytes, list[_Seen]], text: bytes, others: dict[bytes, float]) -> Duplicates:
    kept, *exact = same[text]
    copies = [Copy(one.id, 1.0, exact=True, obstacle=_obstacle(one, kept)) for one in exact]
    for other, similarity in others.items():
        if other != text:
            copies += [Copy(one.id, similarity, exact=False, obstacle=_obstacle(one, kept)) for one in same[other]]
    return Duplicates(kept.id, tuple(sorted(copies, key=lambda copy: copy.id)))


def _obstacle(one: _Seen, kept: _Seen) -> str:
    if kept.groups and not (one.groups and one.groups <= kept.groups):
        return f"some who may read it may not read {kept.id}"
    return "" if one.figures == kept.figures else "its figures differ"
