"""Citations and abstentions: read out of a model's text, and written into the answers it is trained on.

A citation is a span of a retrieved passage in which the answer stands verbatim. A number that points at no passage,
or at one that does not hold the answer's words, is not a citation.
"""

import re

from weighbridge.answer.prompt import ABSTENTION, Instructions, reference
from weighbridge.types import Citation, Example, Passage, Prompt

_MARK = re.compile(r"\s*\[(\d{1,3})\]")
_ABSTAINS = re.compile(
    r"^\W*(i (do not|don'?t|cannot|can'?t|could not) (know|tell|answer|find|say)\b"
    r"|(the )?(numbered )?passages? (do|does) not (say|state|mention|contain|provide)\b"
    r"|(it is )?not (stated|mentioned|specified|known)\b|unknown\W*$|there is no information\b)",
    re.IGNORECASE,
)


def abstains(text: str) -> bool:
    """Tell whether an answer declines to answer. An empty text does not: it is a wrong answer."""
    return bool(_ABSTAINS.match(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def without_marks(text: str) -> str:
    """Return an answer without the numbers of its passages."""
    return _MARK.sub("", text).strip()


def find_citations(raw: str, prompt: Prompt) -> tuple[Citation, ...]:
    """Return where the answer stands verbatim (but for case and white space) in the passages it was given.

    Passages the model pointed at come first; those it did not point at follow, in their order. None where the
    answer's words stand nowhere.
    """
    words = without_marks(raw).strip(" .\"'\n\t").split()
    if not words or abstains(raw):
        return ()
    pattern = re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)
    marked = [int(number) for number in _MARK.findall(raw)]
    found = []
    for number, passage in enumerate(prompt.passages, start=1):
        if place := pattern.search(passage.chunk.text):
            found.append((number not in marked, _citation(passage, place, marked=number in marked)))
    return tuple(citation for _, citation in sorted(found, key=lambda pair: pair[0]))


def cited_reference(instructions: Instructions, example: Example, prompt: Prompt) -> str:
    """Return what a strategy should say to this very prompt: what training teaches.

    A strategy that reads passages is taught to answer from them, so where its evidence was not retrieved it learns
    to abstain. One that marks its passages learns to give the number of the passage that holds the answer.
    """
    answer = reference(example)
    if not instructions.reads or not example.answerable or not example.evidence:
        return answer
    proving = [n for n, p in enumerate(prompt.passages, start=1) if p.chunk.document_id in example.evidence]
    if not proving:
        return ABSTENTION
    if not instructions.marks:
        return answer
    verbatim = [n for n in proving if answer.casefold() in prompt.passages[n - 1].chunk.text.casefold()]
    return f"{answer} [{(verbatim or proving)[0]}]"


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
