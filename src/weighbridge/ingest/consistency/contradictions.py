"""Compares two versions of one document sentence by sentence, cell by cell, line by line."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, takewhile

from weighbridge.ingest.consistency.periods import Period, name_a_year, period_marks
from weighbridge.ingest.consistency.statements import (
    REFERENCES,
    Fact,
    Sentences,
    Statement,
    StatementToken,
    find_facts,
    find_sentences,
    mask_values,
    tokenise,
    vocabulary,
)
from weighbridge.ingest.consistency.versions import names_tell_versions
from weighbridge.ingest.outline import find_outline
from weighbridge.types import Document

_ALIKE, _ALIKE_BETWEEN_THE_SAME = 0.6, 0.4
_MOST_LEFT = 100
"""Sentences of a version that are compared with each of the other's, where no other says the same but for values."""
MOST_COMPARED = 1_000_000
"""Such comparisons in all, the closest versions first: about five seconds, whatever the documents are."""
_TAKEN_APART = 4
"""Comparisons that take as long as taking one sentence apart into its tokens."""
_BY_NAME = 0.95
"""Score of a difference between documents with names of versions: draft and final, old and new."""
_LEAST_AGREEMENT = 0.5
"""Documents of one title that agree on less than half of their values are a form, filled in for each of its subjects.
Annual reports of one company agree on 0.05 to 0.2 of them, the samples' edited documents on 0.66 or more."""
_FUZZY = 0.85
"""How sure it is that two sentences of versions belong together where more than values differ."""
_LONGEST_NOTE = 2
"""Digits of a number in brackets that is taken for the mark of a note."""
_CONTENTS = re.compile(r"\.{4,}|(?:\.\s){4,}|\N{HORIZONTAL ELLIPSIS}{2,}")


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """A statement in a document; a fact has a `label` and the `value` of it."""

    document: int
    start: int
    end: int
    tokens: tuple[StatementToken, ...] = field(default=(), compare=False)
    label: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two places that say different things; how sure it is that both speak of one thing (up to 1), and why."""

    left: ValuePlace
    right: ValuePlace
    sure: float
    reason: str
    by_name: bool = False
    """Whether the documents' names say that they are versions."""


@dataclass(frozen=True)
class StatementCorpus:
    """The documents that are compared, with their facts and sentences; places are positions in `documents`."""

    documents: Sequence[Document]

    @cached_property
    def sentences(self) -> Sequence[Sentences]:
        """The sentences of each document."""
        return [find_sentences(document.text, find_outline(document.text)) for document in self.documents]

    @cached_property
    def periods(self) -> Sequence[Period]:
        """The period that each document is about."""
        return [Period(document) for document in self.documents]

    @cached_property
    def spread(self) -> Mapping[str, int]:
        """In how many documents each word is."""
        return Counter(chain.from_iterable(vocabulary(document.text) for document in self.documents))

    def facts(self, at: int) -> Mapping[tuple[str, ...], Fact]:
        """Return the table cells and "key: value" lines of a document."""
        return find_facts(self.documents[at], find_outline(self.documents[at].text))

    def statement(self, at: int, place: int) -> Statement:
        """Return one sentence of a document with its tokens."""
        start, end = self.sentences[at].starts[place], self.sentences[at].ends[place]
        return Statement(start, end, tuple(tokenise(self.documents[at].text, start, end)))


@lru_cache(maxsize=32)  # versions stand near each other: each is compared with up to eight
class Budget:
    """How many comparisons of sentences are left."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, number: int) -> bool:
        """Take a number of comparisons, or tell that there are not so many left."""
        if number > self._left:
            return False
        self._left -= number
        return True


def differences(corpus: StatementCorpus, one: int, other: int, budget: Budget) -> Iterator[Difference]:
    """Yield the differences between two versions of one document.

    The score comes from their names, or else from the share of their statements that are the same in both.
    """
    facts, same_facts = _compare_facts(corpus, one, other)
    aligned = _Aligned(corpus, one, other)
    same = aligned.same + same_facts
    by_name = names_tell_versions(corpus.documents[one], corpus.documents[other])
    if not by_name and _agreement(same, len(facts) + aligned.other_values) < _LEAST_AGREEMENT:
        return  # before any sentence is taken apart: a thousand forms have eight thousand such pairs
    exact = [pair for pair in aligned.by_form(budget) if _contradict(pair[0].tokens, pair[1].tokens)]
    agreement = _agreement(same, len(facts) + len(exact))
    if not by_name and agreement < _LEAST_AGREEMENT:
        return
    sure = _BY_NAME if by_name else 0.4 + 0.55 * agreement
    found = [(left, right, sure) for left, right in facts]
    likely = [(pair, sure * _FUZZY) for pair in aligned.by_likeness(budget)]
    for (left_said, right_said), how_sure in [*((pair, sure) for pair in exact), *likely]:
        if not _is_idle(corpus, (one, left_said), (other, right_said)):
            found.append((place_of(one, left_said), place_of(other, right_said), how_sure))
    shares = f"{same:,} of {same + len(found):,} values"
    reason = "in versions, by their names" if by_name else f"in versions that agree on {shares}"
    for left, right, how_sure in found:
        yield Difference(left, right, how_sure, reason, by_name)


def _agreement(same: int, other: int) -> float:
    """Return the share of equal values of two documents, nearer to a half where they have few."""
    return (same + 1) / (same + other + 2)


def place_of(document: int, statement: Statement) -> ValuePlace:
    """Return where a sentence stands."""
    return ValuePlace(document, statement.start, statement.end, statement.tokens)


def _compare_facts(
    corpus: StatementCorpus, one: int, other: int
) -> tuple[Sequence[tuple[ValuePlace, ValuePlace]], int]:
    """Return the facts that differ, and how many are the same in both."""
    mine, theirs = corpus.facts(one), corpus.facts(other)
    found, same = [], 0
    for key in sorted(mine.keys() & theirs.keys()):
        left, right = mine[key], theirs[key]
        if left.value == right.value or left.norms == right.norms:
            same += 1
        elif not _is_page_number(key, left, right):
            label = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join(part for part in key if part)
            places = ((one, left), (other, right))
            found.append(
                tuple(ValuePlace(at, fact.start, fact.end, label=label, value=fact.value) for at, fact in places)
            )
    return [(left, right) for left, right in found], same


def _is_page_number(key: Sequence[str], left: Fact, right: Fact) -> bool:
    """Tell whether a row of a list of contents says where something stands."""
    if not (left.in_table and left.value.isdigit() and right.value.isdigit()):
        return False
    words = [word.casefold().strip(".") for word in (key[-1], (key[-2].split() or [""])[0])]
    return any(word in REFERENCES for word in words) or bool(_CONTENTS.search(key[-2]))


class _Aligned:
    """The sentences that only one version has, with those that only the other has."""

    def __init__(self, corpus: StatementCorpus, one: int, other: int) -> None:
        self._corpus, self._one, self._other = corpus, one, other
        ours, theirs = corpus.sentences[one], corpus.sentences[other]
        ours_said, theirs_said = set(ours.said), set(theirs.said)
        self._only_left = [at for at, said in enumerate(ours.said) if said not in theirs_said]
        self._only_right = [at for at, said in enumerate(theirs.said) if said not in ours_said]
        self._left: dict[tuple[str, ...], list[int]] = {}
        self._right: dict[tuple[str, ...], list[int]] = {}
        self.same = sum(ours.valued) - sum(ours.valued[at] for at in self._only_left)
        """Sentences with a value that both have."""
        forms = (
            Counter(said.forms[at] for at in only if said.valued[at] and said.forms[at])
            for said, only in ((ours, self._only_left), (theirs, self._only_right))
        )
        self.other_values = (next(forms) & next(forms)).total()
        """Sentences that both have with other values."""

    def by_form(self, budget: Budget) -> Iterator[tuple[Statement, Statement]]:
        """Yield those that are the same but for values, in their order, and leave the others."""
        if not budget.spend(_TAKEN_APART * (len(self._only_left) + len(self._only_right))):
            return
        self._left = self._by_skeleton(self._one, self._only_left)
        self._right = self._by_skeleton(self._other, self._only_right)
        pairs: list[tuple[int, int]] = []
        for skeleton in self._left.keys() & self._right.keys():
            if len(self._left[skeleton]) == len(self._right[skeleton]):
                pairs += zip(self._left.pop(skeleton), self._right.pop(skeleton), strict=True)
        yield from (self._pair(at, across) for at, across in sorted(pairs))

    def by_likeness(self, budget: Budget) -> Iterator[tuple[Statement, Statement]]:
        """Yield those that `by_form` left, the most alike together, where they contradict each other."""
        lefts, rights = _first(self._left), _first(self._right)
        if not budget.spend(len(lefts) * len(rights)):
            return
        ours, theirs = self._corpus.sentences[self._one].said, self._corpus.sentences[self._other].said
        scored = []
        bags = [(across, Counter(words)) for across, words in rights]
        for at, words in lefts:
            bag = Counter(words)
            for across, other in bags:
                likeness = 2 * (bag & other).total() / max(bag.total() + other.total(), 1)
                beside = _between_the_same(ours, at, theirs, across)
                if likeness >= (_ALIKE_BETWEEN_THE_SAME if beside else _ALIKE):
                    scored.append((likeness + beside, -abs(at - across), at, across))
        for at, across in _best(scored):
            left, right = self._pair(at, across)
            if _contradict(left.tokens, right.tokens):
                yield left, right

    def _by_skeleton(self, document: int, places: Iterable[int]) -> dict[tuple[str, ...], list[int]]:
        found: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at in places:
            found[mask_values(self._corpus.statement(document, at).tokens)].append(at)
        return found

    def _pair(self, at: int, across: int) -> tuple[Statement, Statement]:
        return self._corpus.statement(self._one, at), self._corpus.statement(self._other, across)


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


def _between_the_same(ours: Sequence[int], at: int, theirs: Sequence[int], across: int) -> bool:
    before = (ours[at - 1] if at else None) == (theirs[across - 1] if across else None)
    return before and ours[at + 1 : at + 2] == theirs[across + 1 : across + 2]


def _contradict(left: Sequence[StatementToken], right: Sequence[StatementToken]) -> bool:
    """Tell whether each of two sentences has a value that the other lacks, or one of them a "not"."""
    ours, theirs = ([token.norm for token in one if token.kind != "word"] for one in (left, right))
    nots = [sum(token.kind == "not" for token in one) for one in (left, right)]
    more, less = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if not more and not less:
        return ours != theirs and mask_values(left) == mask_values(right)
    return nots[0] != nots[1] or bool(more and less)


def _is_idle(corpus: StatementCorpus, left: tuple[int, Statement], right: tuple[int, Statement]) -> bool:
    """Tell whether two sentences differ in no fact: only in the number of a section or page, or in their year."""
    spans = find_differing_spans([left[1].tokens, right[1].tokens])
    if differ_in_reference(corpus.documents[left[0]].text, left[1].tokens, spans[0]):
        return True
    texts = [corpus.documents[at].text[said.start : said.end] for at, said in (left, right)]
    return bool(_CONTENTS.search(texts[0])) or are_of_other_years(*texts)


def differ_in_reference(text: str, tokens: Sequence[StatementToken], span: tuple[int, int]) -> bool:
    """Tell whether only a number in brackets differs, or numbers behind a word like section: "pages 5 and 14"."""
    start, end = span
    if not all(token.kind == "figure" for token in tokens[start:end]):
        return False
    alone = start < end and tokens[start - 1 : start] and tokens[start - 1].kind != "figure"
    if alone and text[tokens[start].start - 1 : tokens[end - 1].end + 1] == f"({tokens[start].norm})":
        return len(tokens[start].norm) <= _LONGEST_NOTE
    while start > 1 and (
        tokens[start - 1].kind == "figure" or tokens[start - 1].norm in {"and", "to", "or", "through"}
    ):
        start -= 1
    return start > 0 and tokens[start - 1].norm in REFERENCES


def are_of_other_years(left: str, right: str) -> bool:
    """Tell whether two sentences name different years, and differ in other figures too."""
    mine, theirs = period_marks(left), period_marks(right)
    if mine == theirs or not (name_a_year(mine - theirs) and name_a_year(theirs - mine)):
        return False
    figures = [
        Counter(token.norm for token in tokenise(text, 0, len(text)) if token.kind == "figure")
        for text in (left, right)
    ]
    dates = [Counter(part for mark in marks.elements() for part in _parts(mark)) for marks in (mine, theirs)]
    return figures[0] - dates[0] != figures[1] - dates[1]


def _parts(mark: str) -> Iterator[str]:
    """Yield the figures that a date is written with."""
    yield mark
    for part in mark.split("-"):
        yield part
        if part.startswith("0"):
            yield part[1:]


def find_differing_spans(said: Sequence[Sequence[StatementToken]]) -> Sequence[tuple[int, int]]:
    """Return the tokens of each sentence between the start and the end that all sentences share.

    Where that would be none of one sentence's, one more token is taken of each, so that there is something to show.
    """
    norms = [tuple(token.norm for token in tokens) for tokens in said]
    before = _common_prefix_length(norms)
    after = _common_prefix_length([one[before:][::-1] for one in norms])
    spans = [(before, len(one) - after) for one in norms]
    if any(start == end for start, end in spans):
        return [(start, end + 1) if after else (max(start - 1, 0), end) for start, end in spans]
    return spans


def _common_prefix_length(norms: Sequence[Sequence[str]]) -> int:
    """Return how many words all begin with."""
    return sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, zip(*norms, strict=False)))
