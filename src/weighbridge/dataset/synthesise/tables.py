"""Table cells, "label: value" lines and headings of a document become questions, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from weighbridge.dataset.synthesise.english import DATE, NUMBER, Vocabulary
from weighbridge.ingest.consistency.statements import find_facts
from weighbridge.ingest.outline import DocumentOutline, Heading, Table
from weighbridge.types import Document

MOST_WORDS = 12
"""Words of an answer: a longer one is a text rather than a value."""

_MARKUP = re.compile(r"[*_`|\[\]<>\\]")
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
_NOTHING = frozenset({"", "-", "\u2013", "\u2014", "none", "n/a", "na", "tbd", "yes", "no", "y", "n", "x", "?", "..."})
_NO_NOUNS = frozenset({
    "first", "last", "from", "to", "at", "by", "in", "on", "of", "for", "with", "new", "old", "other", "before",
    "after", "until", "since", "next", "previous", "high", "low", "max", "min", "total",
})  # fmt: skip
_NOUN = re.compile(r"[A-Z]?[a-z]+(?: [a-z]+)?(?<![^su]s)(?<!ed)")
"""A label that can be asked for as "the label of": one or two words, and neither a plural nor the form of a verb.

Others are quoted: the handbooks that ADR 0022 measures have columns like "Opens" and "Junior SRE (L1)", and nobody asks
"What are the opens of Monday?".
"""
_HAPPENED = re.compile(r"(?:built|founded|opened|closed|launched|born|made|established|introduced|released|died)")
_MOST_SUBJECT = 8
_COUNT = re.compile(r"[A-Za-z]+(?: [a-z]+)?s")
_LONGEST_LABEL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A question, how to ask it indirectly, other direct wordings, its answers (the best first), and its rule."""

    question: str
    indirect: str
    """As after "Could you tell me": "what the kind of Marrowby is"."""
    answers: tuple[str, ...]
    rule: str
    subject: str
    """The row or topic that it asks about, as it stands in the question."""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedDraft:
    """A draft and the stretch of its document that it was made of."""

    draft: Draft
    start: int
    end: int


def draft_questions(document: Document, outline: DocumentOutline, words: Vocabulary) -> Iterator[PlacedDraft]:
    """Yield the questions that a document answers, in no particular order."""
    yield from _draft_from_facts(document, outline, words)
    yield from _draft_from_headings(document, outline, words)


def find_topic(document: Document, outline: DocumentOutline, place: int) -> str:
    """Return the topic of a place: the innermost heading above it, else the document's title; without brackets."""
    above = outline.above(place)
    return re.sub(r"\s*\([^)]*\)\s*$", "", above[-1] if above else document.title).strip(" #:").replace(":", ",")


def _draft_from_facts(document: Document, outline: DocumentOutline, words: Vocabulary) -> Iterator[PlacedDraft]:
    for key, fact in find_facts(document, outline).items():
        block = outline.block(fact.end - 1)
        topic = find_topic(document, outline, fact.start)
        labels = [_strip_markup(part) for part in key]
        if not all(labels) or not _is_answer(fact.value):
            continue
        draft = None
        if isinstance(block, Table):
            first = _strip_markup(block.header.strip("|").split("|")[0])
            draft = draft_from_cell(_name_row(labels[-2], first), labels[-1], fact.value, topic, words)
        elif topic and fact.value[-1] not in ".:;" and len(labels[-1].split()) <= _LONGEST_LABEL:
            draft = draft_from_label(labels[-1], topic, fact.value, words)
        if draft:
            yield PlacedDraft(draft, fact.start, fact.end)


def draft_from_cell(row: str, column: str, value: str, topic: str, words: Vocabulary) -> Draft | None:
    """Return "What is the <column> of <row>?", or a better way to ask for dates and counts; None where it has none."""
    name, asked = words.lower_first(row), column if column.isupper() else column[:1].lower() + column[1:]
    if value.casefold() in {row.casefold(), column.casefold()} or not re.search(r"[A-Za-z]{2}", column):
        return None
    short = f"{asked[:1].upper()}{asked[1:]} of {row}?"
    if _HAPPENED.fullmatch(asked) and re.fullmatch(DATE, value):
        said = f"when {name} was {asked}"
        year = (f"In what year was {name} {asked}?",) if re.fullmatch(r"\d{4}", value) else ()
        return _make_draft(f"When was {name} {asked}?", said, value, "table", row, year)
    if _COUNT.fullmatch(asked) and (count := re.match(rf"{NUMBER}(?: {re.escape(asked)})?$", value)):
        said = f"how many {asked} {name} has"
        return _make_draft(f"How many {asked} does {name} have?", said, count.group(), "table", row, (short,))
    if not _is_noun(column):
        said = f'what is given as "{column}" for {row}' + (f" under {topic}" if topic else "")
        question = f'{topic}: what is given as "{column}" for {row}?' if topic else f"W{said[1:]}?"
        return _make_draft(question, said, value, "table", row, (f"{topic}: {column} for {row}?",) if topic else ())
    return _make_draft(
        f"What is the {asked} of {name}?", f"what the {asked} of {name} is", value, "table", row, (short,)
    )


def draft_from_label(label: str, topic: str, value: str, words: Vocabulary) -> Draft | None:
    """Return "What is the <label> of <topic>?"; None where the topic is the label, or another question."""
    if "?" in topic or topic.casefold() == label.casefold() or _NOT_A_LABEL.match(label):
        return None
    asked = label if label.isupper() else label[:1].lower() + label[1:]
    about = words.lower_first(topic)
    question, said = f"What is the {asked} of {about}?", f"what the {asked} of {about} is"
    if not _is_noun(label):
        question, said = f'What is given as "{label}" for {about}?', f'what is given as "{label}" for {about}'
    return _make_draft(question, said, value, "label", topic, (f"{topic}: {asked}?",))


_NOT_A_LABEL = re.compile(
    r"(?:not|note|example|tip|warning|important|step|see|e\.?g|i\.?e|q|a|however|remember)\b", re.IGNORECASE
)


def _is_noun(label: str) -> bool:
    return bool(_NOUN.fullmatch(label)) and _NO_NOUNS.isdisjoint(label.casefold().split())


def _draft_from_headings(document: Document, outline: DocumentOutline, words: Vocabulary) -> Iterator[PlacedDraft]:
    """Yield drafts from headings over a few words: headings that are questions as they stand, nouns as labels."""
    blocks = sorted(outline.blocks(), key=lambda block: block.start)
    for at, heading in enumerate(blocks):
        if not isinstance(heading, Heading):
            continue
        end = blocks[at + 1].start if at + 1 < len(blocks) else len(document.text)
        body = document.text[heading.end : end].strip()
        if not _is_answer(body.rstrip(".")) or "\n" in body or ":" in body:
            continue
        start = document.text.index(body, heading.end)
        above = outline.above(heading.start)
        topic = above[-1] if above else document.title
        draft: Draft | None = None
        if heading.title.endswith("?"):
            indirect = f"the answer to this: {heading.title[:-1]}"
            draft = _make_draft(heading.title, indirect, body.rstrip("."), "heading", topic, ())
        elif topic and body[-1] != "." and _is_noun(title := _strip_markup(heading.title)):
            draft = draft_from_label(title, topic, body, words)
        if draft:
            yield PlacedDraft(draft, start, start + len(body))


def _make_draft(question: str, said: str, value: str, rule: str, subject: str, others: tuple[str, ...]) -> Draft:
    answers = [value]
    if number := re.fullmatch(rf"({NUMBER}) [a-z]+", value):
        answers.append(number[1])
    return Draft(question=question, indirect=said, answers=tuple(answers), rule=rule, subject=subject, others=others)


def _name_row(name: str, column: str) -> str:
    """Return a row's name so that it says something: with the name of its column where it is a number or a letter."""
    short = len(name) <= 2 or re.fullmatch(r"[\d.,]+", name)  # noqa: PLR2004 - "A", "4b"
    return f"{column[:1].lower()}{column[1:]} {name}" if short and column else name


def _is_answer(value: str) -> bool:
    few = len(value.split()) <= MOST_WORDS
    return few and value.casefold() not in _NOTHING and not _MARKUP.search(value)


def _strip_markup(text: str) -> str:
    plain = _EMPHASIS.sub("", text).strip(" :#|")
    return "" if _MARKUP.search(plain.replace("_", "")) or '"' in plain or len(plain.split()) > _MOST_SUBJECT else plain
