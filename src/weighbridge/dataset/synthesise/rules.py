"""Examples by rules alone: what documents state in tables, labels and headings, other wordings, near misses."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.english import Vocabulary, vocabulary_of
from weighbridge.dataset.synthesise.nouns import Made, made_of
from weighbridge.dataset.synthesise.tables import Placed, placed_drafts
from weighbridge.dataset.synthesise.unanswerable import Candidate, candidates_of, unanswered
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.outline import outline_of
from weighbridge.protocols import Notify, silent
from weighbridge.types import Document, Progress

WORDINGS = 2
"""Further wordings of each question."""

_INDIRECT = ("Could you tell me {}?", "I would like to know {}.", "Do you know {}?", "Please tell me {}.")


@dataclass(frozen=True, slots=True)
class _Drafted:
    """A placed draft, its document and that document's version."""

    placed: Placed
    document_id: str
    version: str

    @property
    def spans(self) -> tuple[Span, ...]:
        return (Span(self.document_id, self.placed.start, self.placed.end, self.version),)


def made_by_rules(
    documents: Sequence[Document],
    every: Iterable[Document],
    *,
    version: Callable[[Document], str],
    seed: int,
    notify: Notify = silent,
) -> tuple[Made, ...]:
    """Make examples of public documents: first the questions, then their other wordings, then near misses.

    `every` are all documents, restricted ones included: none of them may answer a near miss. Each answer stands in its
    span, but for runs of white space.
    """
    words = vocabulary_of(document.text for document in documents)
    drafted = tuple(_drafted(documents, words, version, notify))
    firsts = [_first(one) for one in drafted]
    wordings = [_wordings(one, first) for one, first in zip(drafted, firsts, strict=True)]
    candidates = candidates_of([one.placed for one in drafted], seed)
    absent = [_absent(drafted[one.origin], one) for one in unanswered(candidates, every)]
    Random(seed).shuffle(absent)  # noqa: S311 - reproducible, and no secret
    return (*firsts, *(one for own in wordings for one in own), *absent)


def _drafted(
    documents: Sequence[Document], words: Vocabulary, version: Callable[[Document], str], notify: Notify
) -> Iterator[_Drafted]:
    for done, document in enumerate(documents, 1):
        known = version(document)
        for placed in placed_drafts(document, outline_of(document.text), words):
            yield _Drafted(placed, document.id, known)
        notify(Progress(task="making by rules", done=done, total=len(documents), unit="documents"))


def _first(one: _Drafted) -> Made:
    draft = one.placed.draft
    return made_of(draft.question, draft.answers, one.spans, f"rule: {draft.rule}")


def _wordings(one: _Drafted, first: Made) -> Iterator[Made]:
    """Yield other wordings, in the family of the first; which ones depends on the question alone."""
    draft = one.placed.draft
    start = int(fingerprint(draft.question)[:4], 16)
    indirect = [_INDIRECT[(start + turn) % len(_INDIRECT)].format(draft.indirect) for turn in range(WORDINGS)]
    chosen = (*draft.others, *(() if draft.rule == "heading" else indirect))[:WORDINGS]
    for text in dict.fromkeys(chosen):
        made_by = f"rule: paraphrase of {first.id}"
        yield made_of(text, draft.answers, one.spans, made_by, family=first.family)


def _absent(one: _Drafted, candidate: Candidate) -> Made:
    return made_of(candidate.question, (), one.spans, f"unanswerable: {one.placed.draft.rule}")
