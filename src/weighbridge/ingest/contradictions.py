"""Where two documents contradict each other, sentence by sentence, cell by cell, line by line."""

import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from weighbridge.ingest.outline import outline_of
from weighbridge.ingest.statements import Fact, Statement, Token, facts_of, masked, statements_of
from weighbridge.types import Document

_ALIKE, _ALIKE_BETWEEN_THE_SAME = 0.6, 0.4
_MOST_LEFT = 100
"""Sentences of a version that are compared with each of the other's, where no other says the same but for values."""
_MOST_PLACES = 20
"""A sentence that more documents have is a form that they fill in."""
_FEWEST_WORDS, _FEWEST_RARE = 5, 2
_LONGEST_VALUE = 6
_LEADS_BACK = frozenset({
    "it", "its", "he", "she", "they", "his", "her", "their", "this", "that", "these", "those", "there", "here",
    "we", "i", "you", "our", "your", "then",
})  # fmt: skip
_JOINS = frozenset({
    "to", "and", "or", "from", "until", "till", "by", "of", "the", "a", "an", "am", "pm", "at", "on", "per",
})  # fmt: skip
_LABELS = frozenset({
    "room", "section", "chapter", "table", "figure", "fig", "step", "article", "page", "phase", "part", "item",
    "line", "route", "level", "grade", "band", "class", "type", "model", "number", "no", "nr", "version", "unit",
    "building", "gate", "platform", "paragraph", "appendix", "question", "week", "day", "ref", "equation", "eq",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A statement in a document; `label` is what a fact is the value of, and `value` is that value."""

    document: int
    start: int
    end: int
    tokens: tuple[Token, ...] = field(default=(), compare=False)
    label: str = ""
    value: str = ""


def differences(documents: Sequence[Document], one: int, other: int) -> Iterator[tuple[Place, Place]]:
    """Yield what two versions of one document say differently."""
    outlines = [outline_of(documents[at].text) for at in (one, other)]
    facts = [facts_of(documents[at], outline) for at, outline in zip((one, other), outlines, strict=True)]
    for key in facts[0].keys() & facts[1].keys():
        left, right = facts[0][key], facts[1][key]
        if left.norms != right.norms:
            label = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join(key)
            yield _of_fact(one, left, label), _of_fact(other, right, label)
    said = [list(statements_of(documents[at], outline)) for at, outline in zip((one, other), outlines, strict=True)]
    for first, second in _aligned(*said):
        if _contradict(first.tokens, second.tokens):
            yield _of_statement(one, first), _of_statement(other, second)


def _of_fact(document: int, fact: Fact, label: str) -> Place:
    return Place(document, fact.start, fact.end, label=label, value=fact.value)


def _of_statement(document: int, statement: Statement) -> Place:
    return Place(document, statement.start, statement.end, statement.tokens)


def _aligned(left: Sequence[Statement], right: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield the sentences that only one version has with those that only the other has.

    Those that are the same but for values go together in their order, then the others by how alike they are.
    """
    ours, theirs = [one.norms for one in left], [one.norms for one in right]
    ours_said, theirs_said = set(ours), set(theirs)
    only_left = _by_skeleton(left, [at for at, norms in enumerate(ours) if norms not in theirs_said])
    only_right = _by_skeleton(right, [at for at, norms in enumerate(theirs) if norms not in ours_said])
    pairs: list[tuple[int, int]] = []
    for skeleton in only_left.keys() & only_right.keys():
        if len(only_left[skeleton]) == len(only_right[skeleton]):
            pairs += zip(only_left.pop(skeleton), only_right.pop(skeleton), strict=True)
    yield from ((left[at], right[across]) for at, across in sorted(pairs))
    scored = []
    bags = [(across, Counter(words)) for across, words in _first(only_right)]
    for at, words in _first(only_left):
        bag = Counter(words)
        for across, other in bags:
            likeness = 2 * (bag & other).total() / max(bag.total() + other.total(), 1)
            beside = _between_the_same(ours, at, theirs, across)
            if likeness >= (_ALIKE_BETWEEN_THE_SAME if beside else _ALIKE):
                scored.append((likeness + beside, -abs(at - across), at, across))
    yield from ((left[at], right[across]) for at, across in _best(scored))


def _by_skeleton(said: Sequence[Statement], places: Iterable[int]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at in places:
        found[masked(said[at].tokens)].append(at)
    return found


def _first(places: Mapping[tuple[str, ...], Sequence[int]]) -> Sequence[tuple[int, tuple[str, ...]]]:
    return sorted((at, skeleton) for skeleton, own in places.items() for at in own)[:_MOST_LEFT]


def _best(scored: Sequence[tuple[float, int, int, int]]) -> Iterator[tuple[int, int]]:
    """Yield pairs, best first, each side once."""
    lefts, rights = set[int](), set[int]()
    for *_, at, across in sorted(scored, reverse=True):
        if at not in lefts and across not in rights:
            lefts.add(at)
            rights.add(across)
            yield at, across


def _between_the_same(ours: Sequence[tuple[str, ...]], at: int, theirs: Sequence[tuple[str, ...]], across: int) -> bool:
    before = (ours[at - 1] if at else None) == (theirs[across - 1] if across else None)
    return before and ours[at + 1 : at + 2] == theirs[across + 1 : across + 2]


def _contradict(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """Tell whether each of two sentences has a value that the other lacks, or one of them a "not"."""
    ours, theirs = ([token.norm for token in one if token.kind != "word"] for one in (left, right))
    nots = [sum(token.kind == "not" for token in one) for one in (left, right)]
    more, less = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if not more and not less:
        return ours != theirs and masked(left) == masked(right)
    return nots[0] != nots[1] or bool(more and less)


def elsewhere(documents: Sequence[Document], versions: frozenset[tuple[int, int]]) -> Iterator[tuple[Place, Place]]:
    """Yield sentences of documents that are no versions of each other, the same but for one value."""
    seen = _skeletons(documents)
    for places in _with_rare_words(documents, seen).values():
        values = {tuple(token.norm for token in place.tokens) for place in places}
        ids = {place.document for place in places}
        is_form = len(places) > _MOST_PLACES or len(values) == len(places) > 2  # noqa: PLR2004 - a third of its own
        if is_form or len(values) == 1 or len(ids) < len(places):
            continue
        for at, left in enumerate(places):
            for right in places[at + 1 :]:
                if (left.document, right.document) not in versions and _one_value_differs(left.tokens, right.tokens):
                    yield left, right


@dataclass(frozen=True, slots=True)
class _Skeletons:
    """Of sentences that may be compared anywhere: a hash each, the document each is in; and the words' documents."""

    hashes: Sequence[int]
    documents: Sequence[int]
    spread: Mapping[str, int]


def _skeletons(documents: Sequence[Document]) -> _Skeletons:
    hashes, places, spread = array("Q"), array("q"), Counter[str]()
    for at, document in enumerate(documents):
        words = set[str]()
        for statement in statements_of(document, outline_of(document.text)):
            words.update(statement.norms)
            if skeleton := _skeleton(statement.tokens):
                hashes.append(_hash(skeleton))
                places.append(at)
        spread.update(words)
    return _Skeletons(hashes, places, spread)


def _with_rare_words(documents: Sequence[Document], seen: _Skeletons) -> Mapping[tuple[str, ...], list[Place]]:
    """Collect the sentences whose skeleton is in several documents and has words that few documents have."""
    times = Counter(seen.hashes)
    again = {at for one, at in zip(seen.hashes, seen.documents, strict=True) if times[one] > 1}
    found: dict[tuple[str, ...], list[Place]] = defaultdict(list)
    for at in sorted(again):
        for statement in statements_of(documents[at], outline_of(documents[at].text)):
            skeleton = _skeleton(statement.tokens)
            if skeleton and times[_hash(skeleton)] > 1:
                few = times[_hash(skeleton)] + 1
                if sum(seen.spread[word] <= few for word in set(skeleton)) >= _FEWEST_RARE:
                    found[skeleton].append(_of_statement(at, statement))
    return found


def _skeleton(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return a sentence without its figures and days; empty where it has none, or makes no sense on its own."""
    if tokens[0].norm in _LEADS_BACK:
        return ()
    words = ["#" if _is_value(tokens, at) else token.norm for at, token in enumerate(tokens) if token.kind != "not"]
    words = [word for at, word in enumerate(words) if word != "#" or words[at - 1 : at] != ["#"]]
    return tuple(words) if len(words) - words.count("#") >= _FEWEST_WORDS else ()


def _is_value(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].kind in {"figure", "day"} and not (at and tokens[at - 1].norm in _LABELS)


def _hash(skeleton: Sequence[str]) -> int:
    text = " ".join(skeleton).encode("utf-8", "replace")
    return zlib.crc32(text) << 32 | zlib.adler32(text)


def _one_value_differs(left: Sequence[Token], right: Sequence[Token]) -> bool:
    spans = differing([left, right])
    between = [token for tokens, (start, end) in zip((left, right), spans, strict=True) for token in tokens[start:end]]
    plain = [token for token in between if token.kind == "word" and token.norm not in _JOINS]
    return not plain and all(end - start <= _LONGEST_VALUE for start, end in spans)


def differing(said: Sequence[Sequence[Token]]) -> Sequence[tuple[int, int]]:
    """Return which tokens of each sentence stand between what all have at the start and what all have at the end.

    Where that would be none of one sentence's, one more token is taken of each, so that there is something to show.
    """
    norms = [tuple(token.norm for token in tokens) for tokens in said]
    before = _shared(norms)
    after = _shared([one[before:][::-1] for one in norms])
    spans = [(before, len(one) - after) for one in norms]
    if any(start == end for start, end in spans):
        return [(start, end + 1) if after else (max(start - 1, 0), end) for start, end in spans]
    return spans


def _shared(norms: Sequence[Sequence[str]]) -> int:
    """Return how many words all begin with."""
    return sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, zip(*norms, strict=False)))
