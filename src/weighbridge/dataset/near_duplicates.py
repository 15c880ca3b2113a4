"""Near-duplicate questions: how close two questions are, and when they are still different ones.

Closeness is on the scale of the embedding's cosine, so that one threshold serves both ways of finding a pair:
the cosine itself, or half-way between 1 and the Jaccard overlap of five-character shingles (MinHash LSH proposes,
the exact overlap decides; Broder, "On the resemblance and containment of documents", 1997). Equal texts but for
case, punctuation and white space are one question.

A close pair is not a near-duplicate where it asks about different things: "dose of aspirin?" and "dose of
ibuprofen?" have a cosine above 0.9. It is taken to do so when their answers differ, and either their numbers differ,
or each names something (a capitalised or a rare word) that the other does not. Where two such questions have the same
answer, or one answer holds all words of the other, the pair counts: keeping too much on one side costs a little
balance, keeping too little leaks.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.types import Example

MOST_PAIRS = 300_000
"""Above so many close pairs the threshold is raised: questions of one template are all close to each other."""

LEAST_OVERLAP = 0.5
"""The least overlap of shingles between alike questions, however low the threshold."""

# Rows of one matrix product: 1,024 by 100,000 cosines in float32 take 400 MB.
_BLOCK = 1024
_SHINGLE = 5
_PERMUTATIONS = 64
_WEIGHTS = (0.1, 0.9)
"""Of pairs proposed for nothing and of pairs missed: the exact overlap costs little, and `leaks.py` finds the rest."""
_SKETCH_ERROR = 0.15
"""Three standard errors of an overlap that is estimated from that many permutations."""
# A word of more than one question in twenty (and of more than three) names nothing in particular.
_RARE_SHARE = 0.05
_RARE_COUNT = 3
_WORD = re.compile(r"[^\W_]+(?:[.,:/'\N{RIGHT SINGLE QUOTATION MARK}-][^\W_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+)\W*$")
_FUNCTION_WORDS = frozenset({
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "but", "by", "can", "could", "did", "do", "does", "doing", "else", "ever", "for", "from", "get", "give",
    "go", "had", "has", "have", "he", "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its",
    "just", "let", "like", "may", "me", "mean", "might", "more", "most", "much", "must", "my", "need", "no", "not",
    "of", "off", "on", "one", "only", "or", "our", "out", "over", "please", "pls", "same", "say", "she", "should",
    "so", "some", "such", "take", "tell", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "thing", "this", "those", "to", "too", "under", "up", "us", "use", "very", "want", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "without", "would", "you",
    "your",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparableQuestion:
    """One distinct question as it is compared: its normal form, its words, its numbers and its names."""

    text: str
    plain: str
    words: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    answers: frozenset[frozenset[str]]
    """The words of each accepted answer; two agree where one holds all words of the other."""


@dataclass(frozen=True, slots=True)
class DistinctQuestions:
    """The distinct questions of a set of examples, and for each the positions of the examples that ask it."""

    asked: tuple[ComparableQuestion, ...]
    places: tuple[Sequence[int], ...]


@dataclass(frozen=True, slots=True)
class NearDuplicatePairs:
    """Near-duplicate pairs as positions `left[i] < right[i]`, with their closeness; all at least `threshold`."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    closeness: NDArray[np.float64]
    threshold: float


def normalise_question(text: str) -> str:
    """Return a text without case, punctuation and extra white space, so that equal questions have equal texts."""
    return " ".join(_WORD.findall(text.casefold())) or text.strip()


def comparable_text(example: Example) -> str:
    """Return the question behind the earlier turns of its user and systems: alone it may mean little.

    One question to two systems, of two customers say, is two questions. Answers of the assistant are left out. System
    turns stand on lines of their own, for `without_lines`.
    """
    before = (
        turn.content + ("\n" if turn.role == "system" else " ")
        for turn in example.question.history
        if turn.role != "assistant"
    )
    return "".join([*before, example.question.text])


def common_lines(told: Sequence[str]) -> frozenset[str]:
    """Return the lines that many of some texts have. Beside instructions that all have, all questions look alike."""
    counts = Counter(line for text in told for line in {line.strip() for line in text.split("\n")})
    most = max(_RARE_COUNT, int(_RARE_SHARE * len(told)))
    return frozenset(line for line, count in counts.items() if line and count > most)


def without_lines(text: str, common: frozenset[str]) -> str:
    """Return a text without some lines before its last."""
    *above, last = text.split("\n")
    return "\n".join([*(line for line in above if line.strip() not in common), last])


def system_text(example: Example) -> str:
    """Return the system turns before a question."""
    return "\n".join(turn.content for turn in example.question.history if turn.role == "system")


def make_comparable(text: str, answers: frozenset[str]) -> ComparableQuestion:
    """Return a question with its numbers and names: words that have a capital although no sentence begins there."""
    found = list(_WORD.finditer(text))
    capitals = [match for match in found if match.group()[0].isupper()]
    shouted = len(capitals) * 2 > len(found)
    names = (match.group() for match in capitals if not shouted and not _SENTENCE_START.search(text[: match.start()]))
    words = [match.group().casefold() for match in found]
    return ComparableQuestion(
        text=text,
        plain=normalise_question(text),
        words=frozenset(words),
        numbers=frozenset(word.replace(",", "") for word in words if any(map(str.isdigit, word))),
        names=frozenset(name.casefold() for name in names) - _FUNCTION_WORDS,
        answers=frozenset(frozenset(normalise_question(answer).split()) for answer in answers),
    )


def distinct_questions(examples: Sequence[Example], common: frozenset[str] = frozenset()) -> DistinctQuestions:
    """Return the questions that differ by more than their spelling, each with the answers of all that ask it.

    Left out are the lines that systems say to many of the askers, and those that are `common` besides.
    """
    common |= common_lines([*map(system_text, examples)])
    texts = [without_lines(comparable_text(example), common) for example in examples]
    places = tuple(positions([normalise_question(text) for text in texts]).values())
    asked = (
        make_comparable(texts[same[0]], frozenset(answer for place in same for answer in examples[place].answers))
        for same in places
    )
    return DistinctQuestions(tuple(asked), places)


def find_near_duplicates(
    asked: Sequence[ComparableQuestion], vectors: NDArray[np.float32], *, threshold: float
) -> NearDuplicatePairs:
    """Return every near-duplicate pair of distinct questions; `vectors` has one unit row a question.

    The threshold that comes back is the one that was used: it is raised, half of the way to 1 at a time, while more
    than `MOST_PAIRS` pairs are close.
    """
    overlap = _pairs_by_shingles(asked, threshold)
    while True:
        found = _pairs_by_cosine(vectors, threshold)
        if found is not None:
            break
        threshold = (1 + threshold) / 2
    close = {pair: closeness for pair, closeness in overlap.items() if closeness >= threshold}
    columns = (found.left.tolist(), found.right.tolist(), found.closeness.tolist())
    for left, right, cosine in zip(*columns, strict=True):
        close[left, right] = max(cosine, close.get((left, right), 0.0))
    rare = rare_words(asked)
    kept = sorted(pair for pair in close if not ask_different_things(asked[pair[0]], asked[pair[1]], rare))
    return NearDuplicatePairs(
        np.array([left for left, _ in kept], dtype=np.int64),
        np.array([right for _, right in kept], dtype=np.int64),
        np.array([close[pair] for pair in kept], dtype=np.float64),
        threshold,
    )


def _pairs_by_cosine(vectors: NDArray[np.float32], threshold: float) -> NearDuplicatePairs | None:
    """Return the pairs of rows by cosine, block by block (memory: a block of rows); None where they are too many."""
    lefts, rights, cosines, total = [], [], [], 0
    for start in range(0, len(vectors), _BLOCK):
        products = vectors[start : start + _BLOCK] @ vectors[start:].T
        rows, columns = np.nonzero(products >= min(threshold, 1 - 1e-5))
        above = columns > rows
        rows, columns = rows[above], columns[above]
        total += len(rows)
        if total > MOST_PAIRS and threshold < 1 - 1e-3:
            return None
        lefts.append(rows + start)
        rights.append(columns + start)
        cosines.append(np.minimum(products[rows, columns], 1).astype(np.float64))
    none = np.array([], dtype=np.int64)
    return NearDuplicatePairs(
        np.concatenate([none, *lefts]), np.concatenate([none, *rights]), np.concatenate([none, *cosines]), threshold
    )


def _pairs_by_shingles(asked: Sequence[ComparableQuestion], threshold: float) -> dict[tuple[int, int], float]:
    from datasketch import MinHash, MinHashLSH

    wanted = max(2 * threshold - 1, LEAST_OVERLAP)
    pieces = [shingles(question.plain) for question in asked]
    table = shingle_table(asked)
    sizes = np.diff(table.indptr)
    buckets = MinHashLSH(threshold=min(wanted, 0.95), num_perm=_PERMUTATIONS, weights=_WEIGHTS)
    sketches = MinHash.bulk(([piece.encode() for piece in own] for own in pieces), num_perm=_PERMUTATIONS)
    values = np.array([sketch.hashvalues for sketch in sketches])
    close: dict[tuple[int, int], float] = {}
    for right, sketch in enumerate(sketches):
        proposed = np.array(sorted(buckets.query(sketch)), dtype=np.int64)
        estimated = (values[proposed] == values[right]).mean(axis=1)
        likely = proposed[estimated >= wanted - _SKETCH_ERROR]
        if len(likely):
            shared = table[likely] @ table[[right]].toarray()[0]
            overlap = shared / (sizes[likely] + sizes[right] - shared)
            reached = overlap >= wanted
            for left, jaccard in zip(likely[reached].tolist(), overlap[reached].tolist(), strict=True):
                close[left, right] = (1 + jaccard) / 2
        buckets.insert(right, sketch)
    return close


def shingles(text: str) -> frozenset[str]:
    """Return the runs of five characters of a plain text, with a blank before and after it."""
    padded = f" {text} "
    return frozenset(padded[i : i + _SHINGLE] for i in range(max(len(padded) - _SHINGLE + 1, 1)))


def shingle_table(asked: Sequence[ComparableQuestion]) -> Any:
    """Return a sparse matrix with a one where a question (row) holds a shingle (column), scipy's `csr_array`."""
    from scipy.sparse import csr_array

    columns: dict[str, int] = {}
    rows = [[columns.setdefault(piece, len(columns)) for piece in shingles(question.plain)] for question in asked]
    ends = np.cumsum([0, *map(len, rows)])
    places = np.fromiter((column for row in rows for column in row), dtype=np.int64, count=int(ends[-1]))
    return csr_array((np.ones(len(places), dtype=np.float32), places, ends), shape=(len(rows), len(columns)))


def rare_words(asked: Sequence[ComparableQuestion]) -> frozenset[str]:
    """Return the words that few of the questions hold: they count as names."""
    counts = Counter(word for question in asked for word in question.words)
    most = max(_RARE_COUNT, int(_RARE_SHARE * len(asked)))
    return frozenset(word for word, count in counts.items() if count <= most) - _FUNCTION_WORDS


def ask_different_things(left: ComparableQuestion, right: ComparableQuestion, rare: frozenset[str]) -> bool:
    """Tell whether two close questions ask about different things; `rare` are the `rare_words` of all questions."""
    if any(one <= other or other <= one for one in left.answers for other in right.answers):
        return False
    return left.numbers != right.numbers or (_names_beyond(left, right, rare) and _names_beyond(right, left, rare))


def _names_beyond(left: ComparableQuestion, right: ComparableQuestion, rare: frozenset[str]) -> bool:
    own = (left.names | (left.words & rare)) - right.words - left.numbers
    others = right.words - left.words
    return any(not any(_are_one_word(word, other) for other in others) for word in own)


def _are_one_word(word: str, other: str) -> bool:
    """Tell whether two words are forms of one, or one a misspelling of the other: one letter, of six or more."""
    short, long = sorted((word, other), key=len)
    if len(short) >= 3 and long.startswith(short) and long[len(short) :] in _ENDINGS:  # noqa: PLR2004 - no shorter stems
        return True
    if len(short) < 6 or len(long) - len(short) > 1:  # noqa: PLR2004 - see above
        return False
    first = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[first + (len(short) == len(long)) :] == long[first + 1 :]


_ENDINGS = frozenset({"s", "es", "'s", "\N{RIGHT SINGLE QUOTATION MARK}s", "d", "ed", "ing", "ly", "n", "al"})


def positions(keys: Sequence[str]) -> dict[str, list[int]]:
    """Return where each key stands, in order of first appearance."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)
    return dict(places)
