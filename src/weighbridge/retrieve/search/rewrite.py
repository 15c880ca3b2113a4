"""Searches for a question in other words besides its own."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Model, Retriever
from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.search.fusion import fuse
from weighbridge.scoring.thinking import split_thinking
from weighbridge.types import Message, Passage, Question

_SPLIT = (
    "Split the question into the separate facts one has to look up to answer it. Write one short question a line, at "
    "most three, and nothing else. If one fact is enough, repeat the question."
)
_IMAGINE = (
    "Write one or two sentences, as they could stand in a handbook, that answer the question. Invent what you must."
)
_MARK = re.compile(r"^[\s\d.)*\-\u2022]+")
_LONGEST = 400
"""Characters of a model's text that are searched for: an embedder reads little more."""


class Rewriter(Protocol):
    """Returns further texts to search for besides the question; none where the question is enough."""

    @property
    def fingerprint(self) -> str: ...
    def others(self, question: Question) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A `Rewriter` by pseudo-relevance: adds words that the best passages have in common to the question."""

    retriever: Retriever
    passages: int = 3
    words: int = 10

    @property
    def fingerprint(self) -> str:
        return fingerprint("expansion", self.retriever.fingerprint, self.passages, self.words)

    def others(self, question: Question) -> Sequence[str]:
        found = self.retriever.search(question, limit=self.passages)
        asked = set(terms(question.text))
        spread: Counter[str] = Counter()
        for passage in found:
            spread.update(set(terms(passage.chunk.text)) - asked)
        shared = [word for word, times in sorted(spread.items(), key=lambda item: (-item[1], item[0])) if times > 1]
        return [" ".join((question.text, *shared[: self.words]))] if shared else []


@dataclass(frozen=True, slots=True, kw_only=True)
class SubQuestions:
    """A `Rewriter` that asks a model for the facts to look up."""

    model: Model
    most: int = 3

    @property
    def fingerprint(self) -> str:
        return fingerprint("sub-questions", self.model.fingerprint, self.most, _SPLIT)

    def others(self, question: Question) -> Sequence[str]:
        written = _ask_model(self.model, _SPLIT, question).splitlines()
        lines = dict.fromkeys(" ".join(_MARK.sub("", line).split())[:_LONGEST] for line in written)
        return [line for line in lines if line and line.casefold() != question.text.casefold()][: self.most]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothetical:
    """A `Rewriter` that searches for an imagined answer (HyDE: Gao and others, ACL 2023)."""

    model: Model

    @property
    def fingerprint(self) -> str:
        return fingerprint("hypothetical", self.model.fingerprint, _IMAGINE)

    def others(self, question: Question) -> Sequence[str]:
        written = " ".join(_ask_model(self.model, _IMAGINE, question).split())[:_LONGEST]
        return [f"{question.text} {written}"] if written else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A `Retriever` that fuses the rankings of a question and its rewritings by reciprocal rank."""

    retriever: Retriever
    rewriter: Rewriter
    candidates: int = 30

    @property
    def fingerprint(self) -> str:
        return fingerprint("rewritten", self.retriever.fingerprint, self.rewriter.fingerprint, self.candidates)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        if limit <= 0 or not question.text.strip():
            return ()
        wanted = max(limit, self.candidates)
        asked = [question, *(replace(question, text=text) for text in self.rewriter.others(question))]
        if len(asked) == 1:
            return self.retriever.search(question, limit=limit)
        return fuse([self.retriever.search(each, limit=wanted) for each in asked])[:limit]


def _ask_model(model: Model, instructions: str, question: Question) -> str:
    completion = model.generate([Message("system", instructions), Message("user", question.text)])
    return split_thinking(completion.text).answer
