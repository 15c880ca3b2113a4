"""Makes examples by rules alone: from tables, labels and headings, with other wordings and unanswerable ones."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.english import Vocabulary, build_vocabulary
from weighbridge.dataset.synthesise.nouns import SyntheticExample, make_synthetic
from weighbridge.dataset.synthesise.tables import PlacedDraft, draft_questions
from weighbridge.dataset.synthesise.unanswerable import drop_answered, make_candidates
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.outline import find_outline
from weighbridge.protocols import Notify, silent
from weighbridge.types import Document, Progress

WORDINGS = 2
"""Further wordings of each question."""

_INDIRECT = ("Could you tell me {}?", "I would like to know {}.", "Do you know {}?", "Please tell me {}.")


@dataclass(frozen=True, slots=True)
class _DraftOfDocument:
    """A placed draft, its document and that document's version."""

    placed: PlacedDraft
    document_id: str
    version: str

    @property
    def spans(self) -> tuple[Span, ...]:
        return (Span(self.document_id, self.placed.start, self.placed.end, self.version),)


def make_by_rules(
    documents: Sequence[Document],
    every: Iterable[Document],
    *,
    version: Callable[[Document], str],
    seed: int,
    notify: Notify = silent,
) -> tuple[SyntheticExample, ...]:
    """Make examples of public documents: first the questions, then their other wordings, then near misses.

    `every` are all documents, restricted ones included: none of them may answer a near miss. Each answer stands in its
    span, but for runs of white space.
    """
    words = build_vocabulary(document.text for document in documents)
    drafted = tuple(_draft_questions(documents, words, version, notify))
    firsts: list[SyntheticExample] = []
    wordings: list[SyntheticExample] = []
    for one in drafted:
        draft = one.placed.draft
        firsts.append(make_synthetic(draft.question, draft.answers, one.spans, f"rule: {draft.rule}"))
        wordings += _make_wordings(one, firsts[-1])
    unanswerable: list[SyntheticExample] = []
    for candidate in drop_answered(make_candidates([one.placed for one in drafted], seed), every):
        one = drafted[candidate.origin]
        made_by = f"unanswerable: {one.placed.draft.rule}"
        unanswerable.append(make_synthetic(candidate.question, (), one.spans, made_by))
    Random(seed).shuffle(unanswerable)  # noqa: S311 - reproducible, and no secret
    return (*firsts, *wordings, *unanswerable)


def _draft_questions(
    documents: Sequence[Document], words: Vocabulary, version: Callable[[Document], str], notify: Notify
) -> Iterator[_DraftOfDocument]:
    for done, document in enumerate(documents, 1):
        known = version(document)
        for placed in draft_questions(document, find_outline(document.text), words):
            yield _DraftOfDocument(placed, document.id, known)
        notify(Progress(task="making by rules", done=done, total=len(documents), unit="documents"))


def _make_wordings(one: _DraftOfDocument, first: SyntheticExample) -> Iterator[SyntheticExample]:
    """Yield other wordings, in the family of the first; the question alone decides which."""
    draft = one.placed.draft
    start = int(fingerprint(draft.question)[:4], 16)
    indirect = [_INDIRECT[(start + turn) % len(_INDIRECT)].format(draft.indirect) for turn in range(WORDINGS)]
    chosen = (*draft.others, *(() if draft.rule == "heading" else indirect))[:WORDINGS]
    for text in dict.fromkeys(chosen):
        made_by = f"rule: paraphrase of {first.id}"
        yield make_synthetic(text, draft.answers, one.spans, made_by, family=first.family)
