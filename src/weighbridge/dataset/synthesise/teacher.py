"""Asks a model for questions that a chunk answers, other wordings of them, and questions that it does not answer.

A small model often says something else. Unreadable replies are counted, and readable ones pass the same filters as the
questions of the rules: one with an answer that does not stand in the chunk, for example, is dropped.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from weighbridge.adapters import Span
from weighbridge.dataset.near_duplicates import normalise_question
from weighbridge.dataset.synthesise.cached_model import ask_each_prompt
from weighbridge.dataset.synthesise.english import content_words
from weighbridge.dataset.synthesise.nouns import OWN, Filter, SyntheticExample, make_synthetic
from weighbridge.protocols import Model, Notify, silent
from weighbridge.types import Chunk, Document, Example, Message, Passage

QUESTIONS = 3
"""Asked for at a time."""

_SHOWN = Message(
    "user",
    "Passage from “Harbour museum”:\nThe museum was opened in 1987 by Ilse Brandt. A ticket costs 6 euros.\n\n"
    "Write 2 questions that this passage answers.",
)
_SHOWN_REPLY = Message(
    "assistant",
    "Q: When was the harbour museum opened?\nA: 1987\n"
    "Q: How much does a ticket to the harbour museum cost?\nA: 6 euros",
)
_WRITE = Message(
    "system",
    "You write quiz questions about passages. Each question names what it is about, so that it can be understood "
    "without the passage. Each answer is copied word for word from the passage and has at most 12 words. "
    "Write nothing but lines that begin with Q: or A:.",
)
_REWORD = Message("system", "You reword questions. They keep their meaning. Write one a line and nothing else.")
_REWORD_SHOWN = (
    Message("user", "Reword in 2 ways: How much does a ticket to the harbour museum cost?"),
    Message("assistant", "What is the price of admission to the harbour museum?\nWhat do I pay at the harbour museum?"),
)
_MISS = Message(
    "system",
    "You write questions that a passage does not answer, although it is about the same thing. Each question names what "
    "it is about. Write one a line, each beginning with Q:, and no answers.",
)
_MISS_SHOWN = (
    Message("user", _SHOWN.content.replace("that this passage answers", "that this passage does not answer")),
    Message("assistant", "Q: Who designed the harbour museum?\nQ: On which days is the harbour museum closed?"),
)
_CHECK = Message(
    "system", "Answer from the passages alone, in a few words. If they do not answer the question, say NONE."
)
_LINE = re.compile(
    r"^[\s>*_#-]*(?:\d+[.)]\s*)?[*_]*(?P<kind>q|a|question|answer)[*_]*\s*\d*[*_]*\s*[:.)][*_\s]*(?P<text>\S.*?)[\s*_]*$",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"\{[^{}]*\}")
_DECLINED = re.compile(
    r"\W*(?:none|n/?a\b|unknown|unanswerable|not (?:stated|mentioned|given|answered)|i (?:do not|don't) know)",
    re.IGNORECASE,
)
_BY_MODEL = re.compile(r"model:|unanswerable: by a model")
_LISTED = re.compile(r"^[\s>*-]*(?:\d+[.)]\s*)?(?:q\d*:\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TeacherReplies:
    """The examples read from a model's replies, and the number of pieces that could not be read."""

    made: tuple[SyntheticExample, ...]
    unparsed: int


@dataclass(frozen=True, slots=True)
class Teacher:
    """Whom to ask, how many at a time, and where progress goes."""

    model: Model
    workers: int = 1
    notify: Notify = silent

    def about(self, prompts: Sequence[Sequence[Message]], task: str) -> tuple[str, ...]:
        """Return the replies, empty where the model failed."""
        said = ask_each_prompt(self.model, prompts, task=task, workers=self.workers, notify=self.notify)
        return tuple(text or "" for text in said)


def ask_for_questions(chunks: Sequence[Chunk], asking: Teacher) -> TeacherReplies:
    """Ask for questions that each chunk answers, with their answers."""
    prompts = [(_WRITE, _SHOWN, _SHOWN_REPLY, _make_request(chunk, "that this passage answers")) for chunk in chunks]
    made: list[SyntheticExample] = []
    unparsed = 0
    for chunk, reply in zip(chunks, asking.about(prompts, "asking for questions"), strict=True):
        pairs, lost = parse_pairs(reply)
        unparsed += lost
        for question, answer in pairs:
            made.append(_make(question, (_quote_from_chunk(answer, chunk),), _chunk_spans(chunk), "model: question"))
    return TeacherReplies(tuple(made), unparsed)


def ask_for_near_misses(chunks: Sequence[Chunk], asking: Teacher) -> TeacherReplies:
    """Ask for questions about each chunk that it does not answer."""
    prompts = [(_MISS, *_MISS_SHOWN, _make_request(chunk, "that this passage does not answer")) for chunk in chunks]
    made: list[SyntheticExample] = []
    unparsed = 0
    for chunk, reply in zip(chunks, asking.about(prompts, "asking for near misses"), strict=True):
        found = [match["text"] for line in reply.splitlines() if (match := _LINE.match(line)) and match["kind"] in "qQ"]
        unparsed += not found
        made += [_make(text, (), _chunk_spans(chunk), "unanswerable: by a model") for text in found[:QUESTIONS]]
    return TeacherReplies(tuple(made), unparsed)


def ask_for_wordings(firsts: Sequence[SyntheticExample], asking: Teacher) -> TeacherReplies:
    """Ask for other wordings of questions; they keep the answers, places and family of the question."""
    prompts = [(_REWORD, *_REWORD_SHOWN, Message("user", f"Reword in 2 ways: {one.question}")) for one in firsts]
    made: list[SyntheticExample] = []
    unparsed = 0
    for one, reply in zip(firsts, asking.about(prompts, "asking for other wordings"), strict=True):
        wordings = parse_wordings(reply, one.question)
        unparsed += not wordings
        made_by = f"model: {OWN}{one.id}" if OWN in one.made_by else f"model: paraphrase of {one.id}"
        made += [_make(text, one.answers, one.spans, made_by, one.family) for text in wordings]
    return TeacherReplies(tuple(made), unparsed)


def wrap_own_example(
    example: Example, documents: Sequence[Document], version: Callable[[Document], str]
) -> SyntheticExample:
    """Return a user's own example as one to be reworded; `documents` are those that prove it, used as a whole."""
    return SyntheticExample(
        id=example.id,
        question=example.question.text,
        answers=example.answers,
        spans=tuple(Span(document.id, 0, len(document.text), version(document)) for document in documents),
        made_by=OWN,
        family=example.family or example.id,
        answerable=example.answerable,
    )


def drop_answerable(search: Callable[[str], Sequence[Passage]], asking: Teacher) -> Filter:
    """Drop a model's near misses that a passage has all words of, or that the model itself can answer when shown."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        doubtful = [at for at, one in enumerate(made) if not one.answerable and _BY_MODEL.match(one.made_by)]
        worded: set[int] = set()
        left: list[int] = []
        prompts: list[tuple[Message, ...]] = []
        for at in doubtful:
            question = made[at].question
            chunks = [passage.chunk for passage in search(question)]
            wanted = content_words(question)
            if any(wanted <= content_words(f"{chunk.title} {chunk.text}") for chunk in chunks):
                worded.add(at)
                continue
            left.append(at)
            shown = "\n".join(chunk.text for chunk in chunks)
            prompts.append((_CHECK, Message("user", f"{shown}\n\nQuestion: {question}")))
        said = asking.about(prompts, "checking near misses") if prompts else ()
        return worded | {at for at, reply in zip(left, said, strict=True) if not _DECLINED.match(reply)}

    return Filter("the documents may answer it after all", places)


def drop_inconsistent(texts: Mapping[str, str], asking: Teacher) -> Filter:
    """Drop a model's questions and wordings that the model, shown their place again, answers otherwise.

    Round-trip consistency (Alberti et al., "Synthetic QA corpora generation with roundtrip consistency", 2019), where
    one answer must hold all words of the other.
    """

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        own: list[int] = []
        prompts: list[tuple[Message, ...]] = []
        for at, one in enumerate(made):
            source = _source_text(one, texts)
            if one.made_by.startswith("model:") and one.answerable and one.answers[0] in source:
                own.append(at)
                prompts.append((_CHECK, Message("user", f"{source}\n\nQuestion: {one.question}")))
        said = asking.about(prompts, "asking them back") if prompts else ()
        return {at for at, reply in zip(own, said, strict=True) if not _answers_agree(made[at].answers[0], reply)}

    return Filter("the model itself answers otherwise", places)


def _source_text(made: SyntheticExample, texts: Mapping[str, str]) -> str:
    return "\n".join(texts.get(span.document_id, "")[span.start : span.end] for span in made.spans)


def _answers_agree(answer: str, reply: str) -> bool:
    one, other = (frozenset(normalise_question(text).split()) for text in (answer, reply))
    return bool(one and other) and (one <= other or other <= one)


def parse_pairs(reply: str) -> tuple[list[tuple[str, str]], int]:
    """Return questions with answers, as lines of Q: and A: or as JSON objects, and how many pieces were neither."""
    pairs: list[tuple[str, str]] = []
    unparsed = 0
    for found in _OBJECT.findall(reply):
        try:
            told = {str(key).casefold(): value for key, value in json.loads(found).items()}
            pairs.append((str(told["question"]).strip(), _strip_quotes(str(told["answer"]))))
        except (ValueError, KeyError):
            unparsed += 1
    if pairs or unparsed:
        return pairs[:QUESTIONS], unparsed
    question = ""
    for line in filter(str.strip, reply.splitlines()):
        match = _LINE.match(line)
        is_question = match is not None and match["kind"].casefold().startswith("q")
        unparsed += match is None or is_question == bool(question)
        if match and not is_question and question:
            pairs.append((question, _strip_quotes(match["text"])))
        question = match["text"] if match and is_question else ""
    return pairs[:QUESTIONS], unparsed + bool(question) + (not reply.strip())


def parse_wordings(reply: str, question: str) -> list[str]:
    """Return the lines of a reply that can be wordings of a question: asked as it is, and not it again."""
    lines = [_LISTED.sub("", line).strip(' "*') for line in reply.splitlines()]
    asks = question.rstrip().endswith("?")
    good = [line for line in lines if line and line != question and (line.endswith("?") or not asks)]
    return list(dict.fromkeys(good))[:2]


def _make_request(chunk: Chunk, wanted: str) -> Message:
    place = " > ".join(dict.fromkeys(part for part in (chunk.title, *chunk.context) if part))
    of = f"Passage from “{place}”" if place else "Passage"
    return Message("user", f"{of}:\n{chunk.text}\n\nWrite {QUESTIONS} questions {wanted}.")


def _chunk_spans(chunk: Chunk) -> tuple[Span, ...]:
    return (Span(chunk.document_id, chunk.start, chunk.end, chunk.version),)


def _quote_from_chunk(answer: str, chunk: Chunk) -> str:
    """Return an answer as its chunk has it; as it was said where the chunk does not have it."""
    words = r"\s+".join(map(re.escape, answer.split()))
    found = re.search(rf"(?<!\w){words}(?!\w)", chunk.text, re.IGNORECASE) if words else None
    return found.group() if found else answer


def _strip_quotes(answer: str) -> str:
    return answer.strip().strip("\"'“”*").rstrip(".").strip()


def _make(
    question: str, answers: tuple[str, ...], spans: tuple[Span, ...], made_by: str, family: str = ""
) -> SyntheticExample:
    return make_synthetic(" ".join(question.split()).strip('"“”'), answers, spans, made_by, family=family)
