"""Does the tuned strategy answer the question, or only the words it was taught? Dev questions asked in other words.

The other words come from rules that no reader would mind: a polite beginning, lower case, two letters swapped in one
word, a question mark left out. Examples of one family are rewordings that people made, and are compared too.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.adapters import Guard
from weighbridge.guard.asking import Records, said
from weighbridge.guard.figures import SEED, SHOWN, change, questions, share
from weighbridge.measure.metrics.text import exact_match
from weighbridge.measure.statistics import DIFFERENCE, SHARE, mean_interval
from weighbridge.results import Estimate, Record
from weighbridge.types import Example, Question, Task

MARGIN = 0.05
"""A loss of score up to this is borne, however sure it is."""
_EACH = 2
"""Rewordings of one question."""
_LONG_WORD = re.compile(r"\b[a-z]{6,}\b")
Rule = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworded:
    """A question in other words: what it is another wording of, by which rule, and as an example of its own."""

    of: Example
    rule: str
    example: Example


def _typo(text: str) -> str:
    """Swap two letters in the middle of the longest lower-case word: names and numbers stay as they are."""
    word = max(_LONG_WORD.finditer(text), key=lambda found: len(found.group()), default=None)
    if word is None:
        return text
    place = word.start() + len(word.group()) // 2
    return f"{text[:place]}{text[place + 1]}{text[place]}{text[place + 2 :]}"


_ANY: Mapping[str, Rule] = {
    "lower case": str.lower,
    "a typo": _typo,
    "no question mark": lambda text: text.rstrip("? "),
    "a greeting": lambda text: f"Hello. {text}",
}
_ASKED: Mapping[str, Rule] = {
    "polite": lambda text: f"Could you tell me: {text}",
    "as a wish": lambda text: f"I would like to know: {text}",
}
_RULES: Mapping[Task, Mapping[str, Rule]] = {
    "answer": {**_ASKED, **_ANY},
    "label": _ANY,
    "json": {name: rule for name, rule in _ANY.items() if name in {"a greeting", "no question mark"}},
}
"""A message that is to be classified is no question, and of a text that is turned into JSON every letter may count."""


def reword(examples: Sequence[Example], task: Task) -> tuple[Reworded, ...]:
    """Return each question in up to two other wordings, the rules in turn; one that changes nothing is passed over."""
    made = []
    for number, example in enumerate(examples):
        names = list(_RULES[task])
        turned = names[number % len(names) :] + names[: number % len(names)]
        made.extend(list(_variants(example, {name: _RULES[task][name] for name in turned}))[:_EACH])
    return tuple(made)


def paraphrases(examples: Sequence[Example], reworded: Sequence[Reworded], records: Records, *, metric: str) -> Guard:
    """Compare the score of each question with that of its rewordings, both as the tuned strategy answers them.

    `records` hold the answers to the examples and to their rewordings. Fails where the rewordings score lower by more
    than `MARGIN`, with confidence.
    """
    pairs = [(p, r) for example in examples if (p := records.get(example.id)) for r in _of(example, reworded, records)]
    rows = _scores(examples, reworded, records, metric)
    answered = [(plain, other) for plain, other in pairs if plain.answer and other.answer]
    if not rows or not answered:
        summary = "Robustness to other words was not measured: there is no dev question that could be asked twice"
        return Guard(name="paraphrases", passed=None, summary=summary, figures={})
    missing = len(examples) - len(rows)
    figures = {
        "plain": mean_interval([a for a, _ in rows], SEED, bounds=SHARE, unscored=missing),
        "reworded": mean_interval([b for _, b in rows], SEED, bounds=SHARE, unscored=missing),
        "difference": mean_interval([b - a for a, b in rows], SEED, bounds=DIFFERENCE, unscored=missing),
        "same answer": mean_interval([float(_same(a, b)) for a, b in answered], SEED, bounds=SHARE),
        **_families(examples, records),
    }
    passed = figures["difference"].high >= -MARGIN
    shown = tuple(_shown(reworded, records, metric))
    return Guard(
        name="paraphrases", passed=passed, summary=_sentence(figures, failed=not passed), figures=figures, shown=shown
    )


def _variants(example: Example, rules: Mapping[str, Rule]) -> Iterator[Reworded]:
    for name, rule in rules.items():
        text = rule(example.question.text)
        if text.strip() and text != example.question.text:
            asked = Question(text, example.question.history, example.question.groups)
            yield Reworded(of=example, rule=name, example=replace(example, id=f"{example.id}:{name}", question=asked))


def _of(example: Example, reworded: Sequence[Reworded], records: Records) -> Iterator[Record]:
    for one in reworded:
        if one.of.id == example.id and (record := records.get(one.example.id)):
            yield record


def _scores(
    examples: Sequence[Example], reworded: Sequence[Reworded], records: Records, metric: str
) -> list[tuple[float, float]]:
    """Return the score of each question and the mean of its rewordings', where both are known."""
    rows = []
    for example in examples:
        plain = _score(records.get(example.id), metric)
        found = [_score(record, metric) for record in _of(example, reworded, records)]
        others = [value for value in found if value is not None]
        if plain is not None and others:
            rows.append((plain, sum(others) / len(others)))
    return rows


def _score(record: Record | None, metric: str) -> float | None:
    return next((score.value for score in record.scores if score.metric == metric), None) if record else None


def _same(one: Record, other: Record) -> bool:
    if one.answer is None or other.answer is None:
        return False
    both_decline = one.answer.abstained and other.answer.abstained
    return both_decline or exact_match(one.answer.text, [other.answer.text])


def _families(examples: Sequence[Example], records: Records) -> dict[str, Estimate]:
    """Return how often examples of one family, of which the same is accepted, are answered alike."""
    first: dict[tuple[str, tuple[str, ...]], Record] = {}
    alike = []
    for example in examples:
        record = records.get(example.id)
        if not example.family or record is None or record.answer is None:
            continue
        known = first.setdefault((example.family, example.answers), record)
        if known is not record:
            alike.append(float(_same(known, record)))
    return {"same within a family": mean_interval(alike, SEED, bounds=SHARE)} if alike else {}


def _shown(reworded: Sequence[Reworded], records: Records, metric: str) -> Iterator[str]:
    """Yield the rewordings that cost most of the score."""
    lost = []
    for one in reworded:
        before, after = records.get(one.of.id), records.get(one.example.id)
        values = (_score(before, metric), _score(after, metric))
        if values[0] is not None and values[1] is not None and values[1] < values[0]:
            told = f"{one.example.question.text} plain: {said(before)}; with {one.rule}: {said(after)}"
            lost.append((values[0] - values[1], told))
    yield from (told for _, told in sorted(lost, key=lambda pair: -pair[0])[:SHOWN])


def _sentence(figures: Mapping[str, Estimate], *, failed: bool) -> str:
    difference = figures["difference"]
    text = (
        f"On {questions(difference.scored)} the tuned model scores {share(figures['plain'])} as they stand and "
        f"{share(figures['reworded'])} in other words, {change(difference)}; {share(figures['same answer'])} of the "
        "answers stay the same"
    )
    return f"{text}; add the same questions in other words to the training examples" if failed else text
