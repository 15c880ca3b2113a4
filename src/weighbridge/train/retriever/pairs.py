"""Makes training pairs for embedder and reranker: a question or its stand-in, and the text to find.

Pairs come from the evidence of training examples, or, where nothing is labelled, by rule from the documents: a heading
and the text under it, a sentence and the chunk it was taken out of (the inverse cloze task: Lee, Chang and
Toutanova, ACL 2019), a chunk's first sentence and its rest. Only public text is learnt: a model speaks to everybody.

The rules do not know the phrasing of this workload's askers.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from weighbridge.ingest.outline import SENTENCE_ENDS
from weighbridge.protocols import Embedder, Index
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.types import PUBLIC, Chunk, Example

Origin = Literal["evidence", "heading", "inverse cloze", "first sentence"]

_SHORTEST_QUESTION = 3
_SHORTEST_TEXT = 6
_CLOZE_SENTENCES = 3
"""Sentences a chunk must have for one of its inner ones to be taken out."""
_HEADING = re.compile(r"\A(?:\s*#{1,6}[^\n]*(?:\n|\Z))+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalPair:
    """A question and a text that it should find."""

    question: str
    text: str
    """The text as the search sees it, under its title and headings, except if the question is a heading."""
    chunk_id: str
    origin: Origin
    documents: tuple[str, ...]
    """All documents that prove the answer, by id; of a pair by rule, the one it comes from."""
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalPairs:
    """Pairs, and how many examples or chunks came to nothing, by the reason."""

    pairs: tuple[RetrievalPair, ...]
    attrition: Mapping[str, int]


def holds(text: str, answers: Sequence[str]) -> bool:
    """Tell whether a text holds one of the answers verbatim, as whole words, but for case and white space."""
    return any(_whole_words(answer).search(text) for answer in answers if answer.split())


def labelled_pairs(
    examples: Sequence[Example], index: Index, embedder: Embedder, *, most: int, seed: int
) -> RetrievalPairs:
    """Return a pair for each document that a public, answerable training example names as its evidence.

    Of a document's chunks, the text is one that holds an answer verbatim; of several such, or where none does, the one
    nearest to the question by the embedder that built the index. More than `most` pairs are sampled down with the seed.

    Raises:
        ValueError: an example of another split than train is among them.
    """
    for example in examples:
        if example.split != "train":
            raise ValueError(f"example {example.id!r} is in split {example.split!r}; only 'train' may be learnt")
    reasons = Counter(reason for example in examples if (reason := unusable(example)))
    usable = [example for example in examples if not unusable(example)]
    vectors = embedder.embed([example.question.text for example in usable], kind="query") if usable else ()
    pairs: list[RetrievalPair] = []
    for example, vector in zip(usable, vectors, strict=True):
        for name in dict.fromkeys(example.evidence):
            chunks = index.chunks_of(name, groups=PUBLIC)
            if not chunks:
                reasons["evidence that not everybody may read, or is gone"] += 1
                continue
            telling = [chunk for chunk in chunks if holds(chunk.text, example.answers)] or list(chunks)
            near = index.vectors([chunk.id for chunk in telling], groups=PUBLIC) @ vector
            pairs.append(_evident(example, telling[int(near.argmax())]))
    return _sample_pairs(pairs, reasons, most, seed)


def unusable(example: Example) -> str:
    """Return the reason that an example gives no pair; empty if it gives one."""
    if example.question.groups:
        return "a question of restricted askers"
    if not example.answerable:
        return "an unanswerable question"
    return "" if example.evidence else "a question without doc_ids"


def made_pairs(chunks: Sequence[Chunk], *, most: int, seed: int) -> RetrievalPairs:
    """Return pairs made by rule from chunks that everybody may read; more than `most` are sampled down with the seed.

    A question that several chunks would be asked for, such as a heading above them all, is left out.
    """
    reasons: Counter[str] = Counter()
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    found: list[RetrievalPair] = []
    for chunk in chunks:
        if chunk.groups:
            reasons["a chunk that not everybody may read"] += 1
            continue
        made = [pair for pair in _by_rule(chunk, random) if _tells(pair)]
        reasons["a chunk too short for any rule"] += not made
        found.extend(made)
    times = Counter(_plain(pair.question) for pair in found)
    single = [pair for pair in found if times[_plain(pair.question)] == 1]
    reasons["a heading or sentence of several chunks"] = len(found) - len(single)
    return _sample_pairs(single, reasons, most, seed)


def _evident(example: Example, chunk: Chunk) -> RetrievalPair:
    return RetrievalPair(
        question=example.question.text,
        text=searchable_text(chunk),
        chunk_id=chunk.id,
        origin="evidence",
        documents=example.evidence,
        answers=example.answers,
    )


def _by_rule(chunk: Chunk, random: Random) -> Iterator[RetrievalPair]:
    heading = _HEADING.match(chunk.text)
    body = chunk.text[heading.end() :] if heading else chunk.text
    above = dict.fromkeys(title for title in (chunk.title, *chunk.context, _last_line(heading)) if title)
    sentences = list(_sentences(body))
    own = RetrievalPair(question="", text="", chunk_id=chunk.id, origin="heading", documents=(chunk.document_id,))
    if above:
        yield replace(own, question=": ".join(list(above)[-2:]), text=body.strip())
    if len(sentences) > 1:
        rest = searchable_text(replace(chunk, text=" ".join(sentences[1:])))
        yield replace(own, question=sentences[0], text=rest, origin="first sentence")
    if len(sentences) >= _CLOZE_SENTENCES:
        taken = random.randrange(1, len(sentences))
        rest = searchable_text(replace(chunk, text=" ".join([*sentences[:taken], *sentences[taken + 1 :]])))
        yield replace(own, question=sentences[taken], text=rest, origin="inverse cloze")


def _last_line(heading: re.Match[str] | None) -> str:
    return heading.group().strip().splitlines()[-1].lstrip("# ").rstrip() if heading else ""


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in (*(found.end() for found in SENTENCE_ENDS.finditer(text)), len(text)):
        if sentence := " ".join(text[start:end].split()):
            yield sentence
        start = end


def _tells(pair: RetrievalPair) -> bool:
    least = 1 if pair.origin == "heading" else _SHORTEST_QUESTION
    return len(pair.question.split()) >= least and len(pair.text.split()) >= _SHORTEST_TEXT


def _sample_pairs(pairs: Sequence[RetrievalPair], reasons: Counter[str], most: int, seed: int) -> RetrievalPairs:
    unique = list(dict.fromkeys(pairs))
    reasons["said twice"] = len(pairs) - len(unique)
    if len(unique) > most:
        chosen = sorted(Random(seed).sample(range(len(unique)), most))  # noqa: S311 - a sample, not a secret
        reasons["above the most that are learnt"] = len(unique) - most
        unique = [unique[place] for place in chosen]
    return RetrievalPairs(pairs=tuple(unique), attrition={reason: count for reason, count in reasons.items() if count})


def _whole_words(answer: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, answer.split())) + r"(?!\w)", re.IGNORECASE)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
