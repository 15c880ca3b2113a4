"""Writes the data of the page's list of questions: one JSON text, each passage in it once, within a budget of bytes.

Keys are short because they repeat thousands of times; `templates/report.js` reads them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.passage_tables import header_at, split_row
from weighbridge.report.safe_text import clip, count_noun, visible
from weighbridge.results import Record, Weighing
from weighbridge.types import Chunk, Citation, Example

_LEVELS = ((20_000, 8_000), (1_500, 1_500), (1_000, 800), (600, 500), (300, 300), (150, 200), (0, 120))
"""The longest passage and the longest answer, in characters, tried in turn until the budget is kept."""
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Written as escapes, so that nothing in the JSON can end the element it stands in."""


@dataclass(frozen=True, slots=True)
class Island:
    """JSON that is safe inside a script element, with sentences about the omissions."""

    text: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """The longest passage and answer in characters, and the number of questions, that fit."""

    passage: int
    answer: int
    questions: int

    def short(self, text: str) -> str:
        """Return a foreign text, safe to show, no longer than an answer may be."""
        return visible(clip(text, self.answer))


@dataclass(frozen=True, slots=True)
class _View:
    """The passages that a reader may see, with their numbers."""

    groups: frozenset[str]
    cut: _Cut
    passages: Mapping[str, int]
    """The number of each passage, by its chunk's id."""
    lists: Mapping[tuple[str, ...], int]
    """The number of each list of passages that a prompt held, by their chunks' ids."""


def build_island(weighing: Weighing, *, groups: frozenset[str], budget: int) -> Island:
    """Return the questions with every strategy's answer, for a reader of these access groups.

    Of a question asked with access the reader lacks, only its text and how it was answered (right, wrong) are given;
    the same where a prompt held a passage the reader may not see. `budget` is in bytes of UTF-8.
    """
    texts = ((cut, write_island(_content(weighing, groups, cut))) for cut in _cuts(len(weighing.examples)))
    cut, text = next((cut, text) for cut, text in texts if not cut.questions or len(text.encode()) <= budget)
    return Island(text, tuple(_left_out(weighing, groups, cut)))


def _cuts(questions: int) -> Iterator[_Cut]:
    """Yield ever smaller cuts: first shorter texts, then fewer questions, down to none."""
    for passage, answer in _LEVELS:
        yield _Cut(passage, answer, questions)
    while questions:
        questions //= 2
        yield _Cut(*_LEVELS[-1], questions)


def _content(weighing: Weighing, groups: frozenset[str], cut: _Cut) -> Mapping[str, Any]:
    examples = weighing.examples[: cut.questions]
    strategies = [measurement.strategy for measurement in weighing.measurements]
    closed = {example.id for example in examples if not example.question.groups <= groups}
    records = {(record.example_id, record.strategy): record for record in weighing.records}
    asked = [[records.get((example.id, name)) for name in strategies] for example in examples]
    open_chunks = [
        _chunks(record)
        for row in asked
        for record in row
        if record and record.example_id not in closed and not is_restricted(record, groups)
    ]
    shown = {chunk.id: chunk for chunks in open_chunks for chunk in chunks}
    lists = dict.fromkeys(tuple(chunk.id for chunk in chunks) for chunks in open_chunks if chunks)
    numbers = {name: number for number, name in enumerate(shown)}
    view = _View(groups, cut, numbers, {names: number for number, names in enumerate(lists)})
    citations = [citation for record in weighing.records if record.answer for citation in record.answer.citations]
    cited = {citation.chunk_id: citation.start for citation in reversed(citations)}  # so that the first one stays
    return {
        "strategies": strategies,
        "passages": [_passage(chunk, cited.get(chunk.id, chunk.start), cut.passage) for chunk in shown.values()],
        "lists": [[numbers[name] for name in names] for names in lists],
        "questions": [_question(example, row, view) for example, row in zip(examples, asked, strict=True)],
    }


def _passage(chunk: Chunk, cited: int, limit: int) -> Mapping[str, Any]:
    """Return a passage cut to the window that holds its first citation; `f` is where that begins in the document.

    A window that begins inside a table begins with a row, and `t` has the names of its columns.
    """
    spare = max(len(chunk.text) - limit, 0)
    begin = min(max(cited - chunk.start - limit // 4, 0), spare)
    line = chunk.text.rfind("\n", 0, begin) + 1
    header = header_at(chunk, line)
    begin = line if header else begin
    told: dict[str, Any] = {
        "d": visible(chunk.document_id),
        "n": visible(clip(chunk.title, 120)),
        "f": chunk.start + begin,
        "x": visible(chunk.text[begin : begin + limit]),
    }
    if header:
        told["t"] = [visible(clip(name, 60)) for name in split_row(header)]
    if begin > 0:
        told["h"] = 1
    if begin + limit < len(chunk.text):
        told["e"] = 1
    return told


def _question(example: Example, records: Sequence[Record | None], view: _View) -> Mapping[str, Any]:
    closed = not example.question.groups <= view.groups
    told: dict[str, Any] = {
        "i": visible(clip(example.id, 80)),
        "q": view.cut.short(example.question.text),
        "r": [_record(record, view, closed=closed) if record else None for record in records],
    }
    if example.question.history:
        told["y"] = [[turn.role, view.cut.short(turn.content)] for turn in example.question.history]
    if closed:
        return told | {"h": 1}
    answers = [view.cut.short(answer) for answer in example.answers[:10]]
    evidence = [visible(name) for name in example.evidence[:20]]
    return told | {"a": answers, "e": evidence, "u": int(not example.answerable)}


def _record(record: Record, view: _View, *, closed: bool) -> Mapping[str, Any]:
    answer = record.answer
    if answer is None:
        return {"o": "error", "x": "" if closed else view.cut.short(record.error)}
    told: dict[str, Any] = {
        "o": record.outcome or "unscored",
        "t": [answer.usage.input_tokens, answer.usage.output_tokens],
        "s": round(answer.timing.total, 3),
    }
    if record.retrieval != "none":
        told["v"] = record.retrieval
    if closed or is_restricted(record, view.groups):
        return told | {"h": 1}
    if chunks := _chunks(record):
        told["l"] = view.lists[tuple(chunk.id for chunk in chunks)]
    if spans := [span for citation in answer.citations if (span := _span(citation, view))]:
        told["c"] = spans
    if why := next((score.reason for score in record.scores if score.metric == "accuracy"), ""):
        told["w"] = view.cut.short(why)
    return told | {"x": view.cut.short(answer.text)}


def _span(citation: Citation, view: _View) -> Sequence[int]:
    """Return the number of the cited passage and the span of its document; empty if that passage is not shown."""
    place = view.passages.get(citation.chunk_id)
    return () if place is None else (place, citation.start, citation.end)


def _chunks(record: Record) -> Sequence[Chunk]:
    return [passage.chunk for passage in record.answer.prompt.passages] if record.answer else []


def is_restricted(record: Record, groups: frozenset[str]) -> bool:
    """Tell whether a prompt held a passage that a reader of these groups may not see."""
    return any(chunk.groups and not chunk.groups & groups for chunk in _chunks(record))


def write_island(content: Mapping[str, Any]) -> str:
    """Return JSON that is safe inside a script element."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)


def _left_out(weighing: Weighing, groups: frozenset[str], cut: _Cut) -> Iterator[str]:
    if cut.questions < len(weighing.examples):
        asked = count_noun(len(weighing.examples), "question")
        yield f"To keep this page small, only the first {cut.questions:,} of {asked} are listed."
    if cut.passage < _LEVELS[0][0]:
        kept = f"cut to {count_noun(cut.passage, 'character')}" if cut.passage else "left out"
        yield f"To keep this page small, passages are {kept}, and answers longer than {cut.answer:,} are cut."
    if hidden := sum(not example.question.groups <= groups for example in weighing.examples[: cut.questions]):
        yield (
            f"{count_noun(hidden, 'question was', 'questions were')} asked with access to restricted documents: this "
            "page withholds the accepted answers, the given ones and the passages."
        )
