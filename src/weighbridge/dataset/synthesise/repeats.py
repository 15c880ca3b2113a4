"""Drops questions that were asked before: by another made one, by a training example, or, worse, by the test.

Closeness is that of the split (`near_duplicates.py`), and the comparison with dev and test is its leak check
(`leaks.py`), so that two questions that a split keeps apart cannot meet here either.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from weighbridge.dataset.leaks import find_leaks
from weighbridge.dataset.near_duplicates import (
    ComparableQuestion,
    common_lines,
    comparable_text,
    distinct_questions,
    find_near_duplicates,
    make_comparable,
    normalise_question,
    system_text,
    without_lines,
)
from weighbridge.dataset.split import Embed
from weighbridge.dataset.synthesise.nouns import Filter, SyntheticExample
from weighbridge.types import Example, Split

SAME_WORDING = 0.98
"""Closeness of two wordings of one question; above it, the second teaches nothing new."""
SAME_MEANING = 0.8
"""Least cosine between a question and a model's wording of it; below it, the wording is another question."""
SAME_FACT = 0.8
"""Closeness to a held-out question with the same answer and document; above it, the two are one question."""


def cache_vectors(embed: Embed) -> Embed:
    """Return the same function, with the vectors of all texts kept: the filters ask for the same ones in turn."""
    kept: dict[str, NDArray[np.float32]] = {}

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        if new:
            kept.update(zip(new, embed(new), strict=True))
        return np.ascontiguousarray([kept[text] for text in texts], dtype=np.float32)

    return vectors


def drop_near_each_other(embed: Embed, threshold: float) -> Filter:
    """Drop a question that is nearly one made before it; other wordings of one question may be closer.

    Questions with answers that have nothing in common are two, however alike they look: "When was ...?", "Where ...?".
    """

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        asked = [make_comparable(one.question, frozenset(one.answers)) for one in made]
        pairs = find_near_duplicates(asked, embed([one.text for one in asked]), threshold=threshold)
        dropped = set[int]()
        found = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.closeness.tolist(), strict=True)
        for left, right, closeness in sorted(found, key=lambda pair: (pair[1], pair[0])):
            kin = made[left].family == made[right].family
            if left not in dropped and (closeness >= SAME_WORDING if kin else _agree(asked[left], asked[right])):
                dropped.add(right)
        return dropped

    return Filter("nearly another made question", places)


def _agree(left: ComparableQuestion, right: ComparableQuestion) -> bool:
    if not left.answers or not right.answers:
        return True
    return any(one <= other or other <= one for one in left.answers for other in right.answers)


def drop_changed_meaning(firsts: Mapping[str, str], embed: Embed) -> Filter:
    """Drop a model's wordings that changed the meaning; `firsts` are the original questions by id."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        pairs = [
            (at, firsts[first])
            for at, one in enumerate(made)
            if one.made_by.startswith("model: paraphrase") and (first := one.made_by.rpartition(" ")[2]) in firsts
        ]
        if not pairs:
            return ()
        left, right = embed([made[at].question for at, _ in pairs]), embed([text for _, text in pairs])
        near = np.einsum("ij,ij->i", left, right) >= SAME_MEANING
        return {at for (at, _), kept in zip(pairs, near.tolist(), strict=True) if not kept}

    return Filter("means something else than what it rewords", places)


def drop_near_examples(examples: Sequence[Example], embed: Embed, threshold: float) -> Filter:
    """Drop a question that is nearly one of these examples; a wording of one may be closer than a new question."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        return {
            pair.made
            for pair in _find_close_pairs(made, examples, embed, threshold)
            if pair.closeness >= SAME_WORDING or made[pair.made].family not in pair.families
        }

    return Filter("nearly a training example there is", places)


def drop_near_held_out(held_out: Sequence[Example], embed: Embed, threshold: float) -> Filter:
    """Drop a question that is nearly one of dev or test, belongs to its family, or asks for its fact in like words."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        families = {example.family or example.id for example in held_out}
        close = {pair.made for pair in _find_close_pairs(made, held_out, embed, threshold)}
        kin = {at for at, one in enumerate(made) if one.family in families}
        return close | kin | _find_same_facts(made, held_out, embed)

    return Filter("nearly a dev or test question (leak)", places)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A made example that is close to others: its position, the families of those, and how close; 1 is the same."""

    made: int
    families: frozenset[str]
    closeness: float


def _find_close_pairs(
    made: Sequence[SyntheticExample], examples: Sequence[Example], embed: Embed, threshold: float
) -> Iterator[_Pair]:
    if not examples or not made:
        return
    questions = distinct_questions([*examples, *(one.example for one in made)])
    vectors = embed([question.text for question in questions.asked])
    tested: Split = "test"
    learnt: Split = "train"
    sides = [*[tested] * len(examples), *[learnt] * len(made)]
    check = find_leaks(questions, sides, vectors, np.full(len(vectors), threshold))
    for leak in check.leaks:
        own = [at for at in questions.places[leak.tested] if at < len(examples)]
        families = frozenset(examples[at].family or examples[at].id for at in own)
        closeness = 1.0 if leak.tested == leak.other else leak.closeness
        for at in questions.places[leak.other]:
            if at >= len(examples):
                yield _Pair(at - len(examples), families, closeness)


def _find_same_facts(made: Sequence[SyntheticExample], examples: Sequence[Example], embed: Embed) -> set[int]:
    facts: dict[tuple[str, str], set[int]] = defaultdict(set)
    for at, example in enumerate(examples):
        for name, answer in product(example.evidence, example.answers):
            facts[name, normalise_question(answer)].add(at)
    pairs = sorted(
        (at, other)
        for at, one in enumerate(made)
        for name, answer in product(one.evidence, one.answers)
        for other in facts.get((name, normalise_question(answer)), ())
    )
    if not pairs:
        return set()
    left = embed([made[at].question for at, _ in pairs])
    common = common_lines([*map(system_text, examples)])
    right = embed([without_lines(comparable_text(examples[other]), common) for _, other in pairs])
    close = np.einsum("ij,ij->i", left, right) >= SAME_FACT
    return {at for (at, _), near in zip(pairs, close.tolist(), strict=True) if near}
