"""Grades an answer by its content, in however many words, with the reason in words.

An answer is right if it gives the content of a reference and nothing that contradicts it. In this order:

1. An empty answer is wrong. A refusal is an abstention: right where the question cannot be answered. Anything else said
   to such a question is wrong.
2. A label is right where the answer gives it alone, or names it and no other label. JSON is right where all fields and
   values of a reference are there and no others, in a code fence or not.
3. A text that is a reference, word for word and value for value, is right; so is a sentence with all the typed values
   (numbers, dates, names, ...) of a reference that has nothing else. A short text with a typed value that contradicts
   every reference (another number, date, name, a "not") is wrong.
   A text that contradicts a point of a reference of several sentences, or misses most of its points, is wrong too.
4. All others are decided by `classifier.py`, which learnt from answers that people judged.
5. A right answer is wrong where `rivals.py` finds a second, different one beside it: whoever gives two gives none.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from weighbridge.fingerprint import fingerprint
from weighbridge.scoring.classifier import Classifier, load_classifier
from weighbridge.scoring.features import extract_features
from weighbridge.scoring.json_fields import same_fields
from weighbridge.scoring.key_points import score_points
from weighbridge.scoring.labels import find_label, same_label
from weighbridge.scoring.language.refusals import is_refusal
from weighbridge.scoring.language.words import is_stop_word, plain, tokens
from weighbridge.scoring.rivals import find_rival
from weighbridge.scoring.values import ValueMatch, compare_values
from weighbridge.types import Task

Mark = Literal["right", "wrong", "abstained", "unscored"]
RULES = 6
"""Raised with any change to the rules here or to the features: answers graded by other rules are graded again."""
_MOST_REFERENCES = 16
"""References that are compared in full: longer lists hold aliases, and each takes a millisecond."""
_SHORT = 12
"""In a text of up to so many words, one contradicted value makes it wrong: nothing else has room. On EVOUNA that
turned 8 of 287 verdicts of the classifier, 4 of them against the person's."""
_LONGEST_MEASURED = 60
"""In a text of up to so many words, another quantity or price makes it wrong: a unit ties it to the same thing."""
_MEASURED = frozenset({"quantity", "money"})
_EXACT = frozenset({"number", "quantity", "money", "date", "time"})
_LISTED = re.compile(r";|\n|、|&|\b(?:and|und|et|y)\b|[和及与]", re.IGNORECASE)
"""Signs of a list. A comma is none: it divides "Jakkur, Bangalore, India" too, and a part of that may do."""
_SENTENCE = 30
"""An answer of up to so many words is right with every typed value of a reference without other words: "17:05" in
"It leaves at 5:05 pm". Of such answers on EVOUNA, of any length, people call 98 % right. Longer ones may give several
values in turn, and are left to the classifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The mark of an answer, with its reason."""

    mark: Mark
    """`unscored`: the references cannot be compared with."""
    reason: str
    """A sentence for people, with the values compared."""
    probability: float | None = None
    """That a person calls it right; None where a rule decided."""
    values: tuple[ValueMatch, ...] = ()
    """The typed values of the reference that fits best, with those of the answer."""


@dataclass(frozen=True, slots=True)
class ExampleKind:
    """The facts about an example besides its references."""

    answerable: bool = True
    labels: tuple[str, ...] = ()
    """All labels of a label task, so that a sentence can be seen to name another one."""


def scorer_fingerprint() -> str:
    """Return the fingerprint of all that a grade depends on besides question, references and answer."""
    return fingerprint("scorer", RULES, load_classifier().fingerprint)


def grade(
    question: str,
    references: Sequence[str],
    answer: str,
    *,
    task: Task = "answer",
    example: ExampleKind = ExampleKind(),
    abstained: bool | None = None,
) -> Grade:
    """Grade an answer.

    Args:
        question: the text asked, as far as it is known; it tells the wanted unit or kind of value.
        references: accepted answers; empty where the question cannot be answered.
        answer: the text given, without thinking before it.
        task: the wanted kind of answer.
        example: other facts about the example.
        abstained: whether the answer declines; None to tell from its words.
    """
    return _grade(question, tuple(references), answer, (task, example, abstained))


@lru_cache(4096)
def _grade(
    question: str, references: tuple[str, ...], answer: str, details: tuple[Task, ExampleKind, bool | None]
) -> Grade:
    """Grade an answer once: five metrics ask for the same grade."""
    task, example, abstained = details
    if not answer.strip():
        return Grade(mark="wrong", reason="the answer is empty")
    if abstained is None:
        abstained = is_refusal(answer)
    if abstained and not (example.answerable and is_reference(answer, references, task)):
        if example.answerable:
            return Grade(mark="abstained", reason="the answer declines to answer")
        return Grade(mark="right", reason="the answer declines, and the question cannot be answered")
    if not example.answerable:
        return Grade(mark="wrong", reason="the answer asserts something, and the question cannot be answered")
    if not any(reference.strip() for reference in references):
        return Grade(mark="unscored", reason="there is no reference to compare with")
    return _grade_content(question, references, answer, task, example.labels)


def _grade_content(question: str, references: Sequence[str], answer: str, task: Task, labels: Sequence[str]) -> Grade:
    match task:
        case "label":
            return _grade_label(references, answer, labels)
        case "json":
            return _grade_json(references, answer)
        case "answer":
            return grade_text(question, references, answer, load_classifier())


def is_reference(answer: str, references: Sequence[str], task: Task) -> bool:
    """Tell whether an answer that sounds like a refusal is a reference: "not specified in the lease"."""
    if task == "label":
        return same_label(answer, references)
    return any(tokens(plain(answer)) == tokens(plain(reference)) for reference in references)


def _grade_label(references: Sequence[str], answer: str, labels: Sequence[str]) -> Grade:
    given = find_label(answer, (*references, *(label for label in labels if not same_label(label, references))))
    if not given:
        return Grade(mark="wrong", reason="the answer gives no label, or more than one")
    if same_label(given, references):
        return Grade(mark="right", reason=f'the answer gives the label "{given}"')
    return Grade(mark="wrong", reason=f'the answer gives the label "{given}", not "{references[0]}"')


def _grade_json(references: Sequence[str], answer: str) -> Grade:
    agrees = same_fields(answer, references)
    if agrees is None:
        return Grade(mark="unscored", reason="no reference is JSON")
    if agrees:
        return Grade(mark="right", reason="the answer has all fields and values of a reference")
    return Grade(mark="wrong", reason="the answer is no JSON, or a field differs, is missing or is extra")


def grade_text(question: str, references: Sequence[str], answer: str, classifier: Classifier) -> Grade:
    """Grade a text, not empty and no refusal, by rules where they tell, and by the classifier where they do not."""
    references = _nearest_references(references, answer)
    found = _grade_one_answer(question, references, answer, classifier)
    if found.mark == "right":
        words = tokens(plain(answer))
        for reference in references:
            if words == tokens(plain(reference)):
                return found
        for reference in references:
            if rival := find_rival(question, references, reference, answer):
                return replace(found, mark="wrong", reason=f'the answer gives "{reference}", and also "{rival}"')
    return found


def _nearest_references(references: Sequence[str], answer: str) -> Sequence[str]:
    """Return the references that may fit: all, or of many aliases those that share most words with the answer."""
    if len(references) <= _MOST_REFERENCES:
        return references
    given = set(tokens(plain(answer)))

    def share(reference: str) -> float:
        words = tokens(plain(reference))
        return sum(word in given for word in words) / max(1, len(words))

    return sorted(references, key=share, reverse=True)[:_MOST_REFERENCES]


def _grade_one_answer(question: str, references: Sequence[str], answer: str, classifier: Classifier) -> Grade:
    """Grade a text as if it gave one answer only."""
    matches = {reference: compare_values(question, reference, answer) for reference in references}
    words = tokens(plain(answer))
    decided = _grade_by_values(words, answer, matches) or _grade_by_points(question, matches, answer)
    if decided:
        return decided
    probability = classifier.probability(extract_features(question, references, answer))
    worth = {"same": 1, "missing": 0, "different": -1}
    best = max(matches, key=lambda reference: sum(worth[match.relation] for match in matches[reference]))
    mark: Mark = "right" if probability >= classifier.threshold else "wrong"
    return Grade(
        mark=mark,
        reason=_explain(mark, best, matches[best], probability),
        probability=probability,
        values=matches[best],
    )


def _grade_by_values(words: Sequence[str], answer: str, matches: Mapping[str, tuple[ValueMatch, ...]]) -> Grade | None:
    """Grade a text by the values that it gives for each reference; None where they do not tell."""
    signs = {*"+#&@%$€£/"}  # words alone do not tell "C" from "C++"
    same_words = [reference for reference in matches if words == tokens(plain(reference))]
    for reference in same_words:
        values = matches[reference]
        if _agree(values) and (values or not signs & ({*reference} ^ {*answer})):
            return Grade(mark="right", reason=f'the answer is "{reference}"', values=values)
    for reference, values in matches.items():
        if len(words) <= _SENTENCE and values and _agree(values) and not _other_words(reference, values):
            return Grade(mark="right", reason=values[0].reason, values=values)
    if same_words and not any(matches[reference] for reference in same_words):
        return Grade(mark="wrong", reason=f'the answer has the words of "{same_words[0]}" and other signs')
    refutations = [_refutation(reference, values) for reference, values in matches.items()]
    measured = all(match and match.relation == "different" and match.kind in _MEASURED for match in refutations)
    longest = _LONGEST_MEASURED if measured else _SHORT
    if len(words) <= longest and refutations[0] and all(refutations):
        return Grade(mark="wrong", reason=refutations[0].reason, values=next(iter(matches.values())))
    return None


def _grade_by_points(question: str, matches: Mapping[str, tuple[ValueMatch, ...]], answer: str) -> Grade | None:
    """Grade a text wrong that contradicts a point of every reference, or misses most; None where it does neither."""
    reason = ""
    for reference in matches:
        points = score_points(question, reference, answer)
        contradicted = [point for point in points if point.relation == "contradicted"]
        found = sum(point.relation == "found" for point in points)
        if contradicted:
            reason = reason or f'{contradicted[0].values[0].reason}: the answer contradicts "{contradicted[0].text}"'
        elif 2 * found < len(points):
            reason = reason or f"the answer gives {found} of the {len(points)} points of the reference"
        else:
            return None
    return Grade(mark="wrong", reason=reason, values=next(iter(matches.values())))


def _other_words(reference: str, values: Sequence[ValueMatch]) -> list[str]:
    """Return the words of a reference that are in none of its typed values, but for stop words."""
    typed = {word for match in values for word in tokens(plain(match.reference))}
    return [word for word in tokens(plain(reference)) if word not in typed and not is_stop_word(word)]


def _refutation(reference: str, values: Sequence[ValueMatch]) -> ValueMatch | None:
    """Return the value that keeps a short text from giving a reference.

    It is another value than the reference's, or none at all where the reference is nothing but numbers, dates and
    codes, or a number and one word: no other words stand for "gate 3", or for the A of "Hepatitis A". A list without
    some items is another list.
    """
    others = len(_other_words(reference, values))
    for match in values:
        absent = match.relation == "missing" and not match.partial
        incomplete = match.kind == "list" and match.answer and _LISTED.search(reference)
        numbered = match.kind in {"number", "quantity"} and others <= 1
        needed = match.kind == "code" or incomplete or numbered or (not others and match.kind in _EXACT)
        if match.relation == "different" or (absent and needed):
            return match
    return None


def _agree(values: Sequence[ValueMatch]) -> bool:
    return all(match.relation == "same" for match in values)


def _explain(mark: Mark, reference: str, values: Sequence[ValueMatch], probability: float) -> str:
    told = f"people would call it right with probability {probability:.2f}"
    wanted = "same" if mark == "right" else "different"
    telling = [match.reason for match in values if match.relation == wanted]
    if not telling and mark == "wrong":
        telling = [match.reason for match in values if match.relation == "missing"]
    if telling:
        return f"{telling[0]}; {told}"
    verb = "gives" if mark == "right" else "does not give"
    return f'the answer {verb} "{reference}" in its words; {told}'
