"""Finds citations in a model's text, and writes them into the answers it is trained on.

A citation is a span of a retrieved passage that holds the answer verbatim. A number that points at no passage, or at
one without the answer's words, is not a citation. A passage that the model did not point at is cited only for an
answer of two words or of four letters and digits: "5" or "the" stands somewhere by chance. An answer that quotes is
cited by its quote alone, where that stands in a passage verbatim and holds the answer.
"""

import re
from collections.abc import Collection

from weighbridge.answer.prompt import Instructions, reference
from weighbridge.answer.quote import QuotedAnswer, Words, answer_words, sentence_holding, write_quote
from weighbridge.scoring.language.refusals import ABSTENTION, is_agreed_abstention
from weighbridge.types import Citation, Example, Passage, Prompt

_MARK = re.compile(r"\s*\[(\d{1,3})\]")


def without_marks(text: str) -> str:
    """Return an answer without the numbers of its passages."""
    return _MARK.sub("", text).strip()


def find_citations(raw: str, prompt: Prompt) -> tuple[Citation, ...]:
    """Return where the answer stands verbatim (but for case and white space) in the passages it was given.

    Passages the model pointed at come first; those it did not point at follow, in their order, unless the answer is
    too short to be attributed. None where the answer's words stand nowhere.
    """
    text = without_marks(raw)
    if is_agreed_abstention(text):
        return ()
    return _cite_standing_words(answer_words(text), {int(number) for number in _MARK.findall(raw)}, prompt)


def quoted_citations(said: QuotedAnswer, prompt: Prompt) -> tuple[Citation, ...]:
    """Return where the quote of an answer stands verbatim, the passage it points at first.

    None where the quote stands nowhere, or does not hold the answer's words. An answer that quotes nothing is cited as
    `find_citations` does.
    """
    if not said.quote:
        return find_citations(said.answer, prompt)
    text = without_marks(said.answer)
    if is_agreed_abstention(text) or answer_words(text).find(said.quote) is None:
        return ()
    return _cite_standing_words(answer_words(said.quote), {said.number}, prompt)


def _cite_standing_words(words: Words, marked: Collection[int], prompt: Prompt) -> tuple[Citation, ...]:
    found = []
    for number, passage in enumerate(prompt.passages, start=1):
        if (words.is_telling or number in marked) and (place := words.find(passage.chunk.text)):
            found.append((number not in marked, _citation(passage, place, marked=number in marked)))
    return tuple(citation for _, citation in sorted(found, key=lambda pair: pair[0]))


def cited_reference(instructions: Instructions, example: Example, prompt: Prompt, *, from_memory: bool = False) -> str:
    """Return the text that training teaches a strategy to say to this very prompt.

    A strategy that reads passages is taught to answer from them, so where its evidence is not among them it learns
    to abstain, or with `from_memory` to answer all the same; but a label is told by the message, so it is learnt
    whatever was retrieved. One that marks its passages learns to give the number of the passage that holds the answer,
    and one that quotes the sentence before it; an answer that stands in no sentence verbatim is learnt without a quote.
    """
    answer = reference(example)
    if not (instructions.reads and instructions.abstains and example.answerable and example.evidence):
        return answer
    evidence = set(example.evidence)
    proving = {n: p.chunk.text for n, p in enumerate(prompt.passages, 1) if not evidence.isdisjoint(p.documents)}
    if not proving:
        return answer if from_memory else ABSTENTION
    if not instructions.marks:
        return answer
    for number, text in proving.items() if instructions.quotes else ():
        if quote := sentence_holding(text, answer):
            return write_quote(quote, number, answer)
    verbatim = [number for number, text in proving.items() if answer.casefold() in text.casefold()]
    return f"{answer} [{[*verbatim, *proving][0]}]"


def _citation(passage: Passage, place: re.Match[str], *, marked: bool) -> Citation:
    chunk = passage.chunk
    return Citation(
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        quote=place.group(),
        start=chunk.start + place.start(),
        end=chunk.start + place.end(),
        marked=marked,
    )
