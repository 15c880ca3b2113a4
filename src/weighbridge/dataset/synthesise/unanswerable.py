"""Makes questions that no document answers, although they look as if one did.

They are near misses: something the documents name, asked for something they say of other things only. A candidate is
dropped as soon as any document, restricted ones included, has all words of its subject and half of the words of its
question. This is a test of words: it does not see a document that says the same in other words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.dataset.synthesise.english import content_words
from weighbridge.dataset.synthesise.tables import PlacedDraft
from weighbridge.types import Document

_TRIES = 6
"""Other things that each question is asked of."""
_REPLACED = frozenset({"table", "label"})
"""Rules that name a row or a topic, so that another row or topic may take its place."""
_FRONT = re.compile(r"[A-Z][^\Waeiou]*[aeiou]+[^\Waeiou]{1,2}(?=\w)")
_BACK = re.compile(r"(?<=\w\w)[^\Waeiou][aeiou][^\Waeiou]*e?$")
"""The front and the back of an invented name: "Marrowby" and "Stormcock" give "Marrcock"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that may have no answer, with the words of its subject and of the rest."""

    question: str
    indirect: str
    origin: int
    """The position of the draft it was varied from."""
    named: frozenset[str]
    wanted: frozenset[str]
    invented: str = ""
    """A name that was made up: no document may have it, whatever else it has."""


def make_candidates(drafts: Sequence[PlacedDraft], seed: int) -> tuple[Candidate, ...]:
    """Return questions with their subject swapped for that of another of the same kind, or for a made-up name."""
    random = Random(seed)  # noqa: S311 - reproducible, and no secret
    subjects: dict[str, list[str]] = defaultdict(list)
    for placed in drafts:
        draft = placed.draft
        if draft.rule in _REPLACED and draft.subject not in subjects[draft.rule]:
            subjects[draft.rule].append(draft.subject)
    found: dict[str, Candidate] = {}
    for at, placed in enumerate(drafts):
        others = subjects.get(placed.draft.rule, [])
        for other in random.sample(others, min(_TRIES, len(others))):
            if one := _swap_subject(placed, at, other):
                found.setdefault(one.question, one)
        if placed.draft.rule == "table" and (one := _invent_subject(placed, at, others, random)):
            found.setdefault(one.question, one)
    return tuple(found.values())


def drop_answered(candidates: Sequence[Candidate], documents: Iterable[Document]) -> Iterator[Candidate]:
    """Yield the candidates that no document answers. The documents are read once, and none is kept."""
    by_name: dict[str, set[int]] = defaultdict(set)
    for at, one in enumerate(candidates):
        by_name[max(one.named, key=lambda word: (len(word), word))].add(at)
    standing = set(range(len(candidates)))
    for document in documents:
        words = content_words(f"{document.title}\n{document.text}")
        for word in words & by_name.keys():
            refuted = {at for at in by_name[word] if _may_answer(document, words, candidates[at])}
            by_name[word] -= refuted
            standing -= refuted
    yield from (candidates[at] for at in sorted(standing))


def _may_answer(document: Document, words: frozenset[str], one: Candidate) -> bool:
    if one.invented:
        return one.invented.casefold() in f"{document.title}\n{document.text}".casefold()
    return one.named <= words and 2 * len(one.wanted & words) >= len(one.wanted)


def _swap_subject(placed: PlacedDraft, at: int, other: str) -> Candidate | None:
    subject, question, indirect = placed.draft.subject, placed.draft.question, placed.draft.indirect
    if subject == other or subject not in question:
        return None
    wanted, named = content_words(question.replace(subject, " ")), content_words(other)
    if not wanted or not named or named & wanted or content_words(subject) & named:
        return None
    return Candidate(question.replace(subject, other), indirect.replace(subject, other), at, named, wanted)


def _invent_subject(placed: PlacedDraft, at: int, others: Sequence[str], random: Random) -> Candidate | None:
    """Return a question about a name made of the beginning of one and the end of another."""
    own = placed.draft.subject
    names = [other for other in others if other != own]
    if not names or not own.isascii() or any(map(str.isdigit, own)):
        return None
    other = random.choice(names)
    if " " in own and " " in other:
        name = f"{own.split()[0]} {other.split()[-1]}"
    else:
        front, back = _FRONT.match(own.split()[-1]), _BACK.search(other.split()[-1])
        if front is None or back is None:
            return None
        name = front.group() + back.group()
    if name.casefold() in {own.casefold(), other.casefold()}:
        return None
    question, indirect = (text.replace(own, name) for text in (placed.draft.question, placed.draft.indirect))
    return Candidate(question, indirect, at, content_words(name), content_words(question), invented=name)
