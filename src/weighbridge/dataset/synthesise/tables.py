"""Table cells, "label: value" lines, headings and sentences of a document become questions, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from weighbridge.dataset.synthesise.english import DATE, NUMBER, Vocabulary
from weighbridge.dataset.synthesise.sentences import MOST_WORDS, Draft, drafts_of
from weighbridge.ingest.consistency.statements import facts_of, statements_of
from weighbridge.ingest.outline import Heading, Outline, Table
from weighbridge.types import Document

_MARKUP = re.compile(r"[*_`|\[\]<>\\]")
_NOTHING = frozenset({"", "-", "\u2013", "\u2014", "none", "n/a", "na", "tbd", "yes", "no", "x", "?", "..."})
_NO_NOUNS = frozenset({
    "first", "last", "from", "to", "at", "by", "in", "on", "new", "old", "other", "before", "after", "until", "since",
    "next", "previous", "high", "low", "max", "min", "total",
})  # fmt: skip
_HAPPENED = re.compile(r"(?:built|founded|opened|closed|launched|born|made|established|introduced|released|died)")
_MOST_SUBJECT = 8
_COUNT = re.compile(r"[A-Za-z]+(?: [a-z]+)?s")
_LONGEST_LABEL = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """A draft and the stretch of its document that it was made of; `topic` is what that stretch is about."""

    draft: Draft
    start: int
    end: int
    topic: str


def placed_drafts(document: Document, outline: Outline, words: Vocabulary) -> Iterator[Placed]:
    """Yield the questions that a document answers, in no particular order."""
    yield from _of_facts(document, outline, words)
    yield from _of_headings(document, outline, words)
    for place, statement in enumerate(statements_of(document, outline)):
        sentence = document.text[statement.start : statement.end]
        if not _MARKUP.search(sentence):
            for draft in drafts_of(re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", sentence), words, opening=place == 0):
                yield Placed(draft, statement.start, statement.end, topic_of(document, outline, statement.start))


def topic_of(document: Document, outline: Outline, place: int) -> str:
    """Return what a place is about: the innermost heading above it, else the document's title; without brackets."""
    above = outline.above(place)
    return re.sub(r"\s*\([^)]*\)\s*$", "", above[-1] if above else document.title).strip(" #:").replace(":", ",")


def _of_facts(document: Document, outline: Outline, words: Vocabulary) -> Iterator[Placed]:
    for key, fact in facts_of(document, outline).items():
        block = outline.block(fact.end - 1)
        topic = topic_of(document, outline, fact.start)
        told = [_plain(part) for part in key]
        if not all(told) or not _is_answer(fact.value):
            continue
        draft = None
        if isinstance(block, Table):
            first = _plain(block.header.strip("|").split("|")[0])
            row = _row(told[-2], first)
            if told[-1].casefold() in _NO_NOUNS:
                draft = _given(row, told[-1], fact.value, topic) if topic else None
            else:
                draft = cell_draft(row, told[-1], fact.value, words)
        elif topic and fact.value[-1] not in ".:;" and len(told[-1].split()) <= _LONGEST_LABEL:
            draft = label_draft(told[-1], topic, fact.value, words)
        if draft:
            yield Placed(draft, fact.start, fact.end, topic)


def cell_draft(row: str, column: str, value: str, words: Vocabulary) -> Draft | None:
    """Return "What is the <column> of <row>?", or a better way to ask for dates and counts; None where it has none."""
    name, asked = words.lowered(row), column if column.isupper() else column[:1].lower() + column[1:]
    if value.casefold() in {row.casefold(), column.casefold()} or not re.search(r"[A-Za-z]{2}", column):
        return None
    short = f"{asked[:1].upper()}{asked[1:]} of {row}?"
    if _HAPPENED.fullmatch(asked) and re.fullmatch(DATE, value):
        said = f"when {name} was {asked}"
        year = (f"In what year was {name} {asked}?",) if re.fullmatch(r"\d{4}", value) else ()
        return _draft(f"When was {name} {asked}?", said, value, "table", row, year)
    if _COUNT.fullmatch(asked) and (count := re.match(rf"{NUMBER}(?: {re.escape(asked)})?$", value)):
        said = f"how many {asked} {name} has"
        return _draft(f"How many {asked} does {name} have?", said, count.group(), "table", row, (short,))
    be = "are" if asked.endswith("s") and not asked.endswith(("ss", "us", "is")) else "is"
    said = f"what the {asked} of {name} {be}"
    return _draft(f"What {be} the {asked} of {name}?", said, value, "table", row, (short,))


def _given(row: str, column: str, value: str, topic: str) -> Draft:
    """Return a question about a column whose name is no noun."""
    said = f'what is given as "{column}" for {row} under {topic}'
    question = f'{topic}: what is given as "{column}" for {row}?'
    return _draft(question, said, value, "table", row, (f"{topic}: {column} for {row}?",))


def label_draft(label: str, topic: str, value: str, words: Vocabulary) -> Draft | None:
    """Return "What is the <label> of <topic>?"; None where the topic is the label, or another question."""
    if "?" in topic or topic.casefold() == label.casefold() or _NOT_A_LABEL.match(label):
        return None
    asked = label if label.isupper() else label[:1].lower() + label[1:]
    about = words.lowered(topic)
    be = "are" if asked.endswith("s") and not asked.endswith(("ss", "us", "is")) else "is"
    said = f"what the {asked} of {about} {be}"
    return _draft(f"What {be} the {asked} of {about}?", said, value, "label", topic, (f"{topic}: {asked}?",))


_NOT_A_LABEL = re.compile(
    r"(?:not|note|example|tip|warning|important|step|see|e\.?g|i\.?e|q|a|however|remember)\b", re.IGNORECASE
)


def _of_headings(document: Document, outline: Outline, words: Vocabulary) -> Iterator[Placed]:
    """Yield headings over a text of a few words: questions as they stand, others as labels."""
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
        if heading.title.endswith("?"):
            indirect = f"the answer to this: {heading.title[:-1]}"
            draft: Draft | None = _draft(heading.title, indirect, body.rstrip("."), "heading", topic, ())
        else:
            draft = label_draft(_plain(heading.title), topic, body.rstrip("."), words) if topic else None
        if draft:
            yield Placed(draft, start, start + len(body), topic)


def _draft(question: str, said: str, value: str, rule: str, subject: str, others: tuple[str, ...]) -> Draft:
    answers = [value]
    if number := re.fullmatch(rf"({NUMBER}) [a-z]+", value):
        answers.append(number[1])
    return Draft(question=question, indirect=said, answers=tuple(answers), rule=rule, subject=subject, others=others)


def _row(name: str, column: str) -> str:
    """Return a row's name so that it says something: with the name of its column where it is a number or a letter."""
    short = len(name) <= 2 or re.fullmatch(r"[\d.,]+", name)  # noqa: PLR2004 - "A", "4b"
    return f"{column[:1].lower()}{column[1:]} {name}" if short and column else name


def _is_answer(value: str) -> bool:
    few = len(value.split()) <= MOST_WORDS
    return few and value.casefold() not in _NOTHING and not _MARKUP.search(value)


def _plain(text: str) -> str:
    plain = re.sub(r"[*_`]+", "", text).strip(" :#|")
    return "" if _MARKUP.search(plain) or len(plain.split()) > _MOST_SUBJECT else plain
