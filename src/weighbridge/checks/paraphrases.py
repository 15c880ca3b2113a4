"""Does the tuned strategy answer the question, or only the words it was taught? Dev questions asked in other words.

The other words come from rules that no reader would mind: a polite beginning, lower case, two letters swapped in one
word, a question mark left out. Examples of one family are rewordings that people made, and are compared too.
The verdict is on the tuned strategy's loss, since its users will notice that; the base model's loss by the same
rewordings tells whether tuning is to blame.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.adapters import Guard
from weighbridge.checks.before_after import Records, answer_line
from weighbridge.checks.shares import SEED, SHOWN, change, questions, share
from weighbridge.evaluate.statistics import DIFFERENCE, SHARE, Bounds, mean_interval
from weighbridge.results import Estimate, Record
from weighbridge.scoring.overlap import exact_match
from weighbridge.types import Example, Question, Task

MARGIN = 0.05
"""A loss of score up to this is borne, however sure it is."""
RARELY = 0.05
"""A score up to this leaves nothing to lose."""
_EACH = 2
"""Rewordings of one question."""
_TWO_DIFFERENCES = Bounds(-2.0, 2.0)
"""Of a difference between two differences of scores."""
_LONG_WORD = re.compile(r"\b[a-z]{6,}\b")
Rule = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworded:
    """A question in other words: the example it rewords, the rule, and the new example."""

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


def worth_rewording(examples: Sequence[Example], records: Records, *, metric: str) -> bool:
    """Tell whether a model that answered the questions so has anything to lose when they are asked in other words."""
    scores = [score for example in examples if (score := _score(records.get(example.id), metric)) is not None]
    return bool(scores) and sum(scores) / len(scores) > RARELY


def paraphrases(
    examples: Sequence[Example], reworded: Sequence[Reworded], tuned: Records, base: Records, *, metric: str
) -> Guard:
    """Compare the score of each question with that of its rewordings, and the tuned strategy's loss with the base's.

    Both hold the answers to the examples and to their rewordings; of a base that has nothing to lose, those to the
    examples are enough. Fails where the rewordings score lower on the tuned strategy by more than `MARGIN`, with
    confidence. A strategy that scores hardly anything has nothing to lose, so nothing is required then.
    """
    rows = _scores(examples, reworded, tuned, metric)
    alike = list(_alike(examples, reworded, tuned))
    if not rows or not alike:
        summary = "Robustness to other words was not measured: there is no dev question that could be asked twice"
        return Guard(name="paraphrases", passed=None, summary=summary, figures={})
    before = _scores(examples, reworded, base, metric)
    figures = {
        **_loss_estimates(list(rows.values()), len(examples) - len(rows)),
        "same answer": mean_interval(alike, SEED, bounds=SHARE),
        **_families(examples, tuned),
        **_against(rows, before, len(examples)),
    }
    passed = figures["difference"].high >= -MARGIN if figures["plain"].value > RARELY else None
    known = [_score(base.get(example.id), metric) for example in examples]
    return Guard(
        name="paraphrases",
        passed=passed,
        summary=_sentence(figures, [score for score in known if score is not None], passed=passed),
        figures=figures,
        shown=tuple(_costliest_rewordings(reworded, tuned, metric)),
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
) -> dict[str, tuple[float, float]]:
    """Return, by question, its score and the mean of its rewordings', where both are known."""
    rows = {}
    for example in examples:
        plain = _score(records.get(example.id), metric)
        found = [_score(record, metric) for record in _of(example, reworded, records)]
        others = [value for value in found if value is not None]
        if plain is not None and others:
            rows[example.id] = (plain, sum(others) / len(others))
    return rows


def _loss_estimates(rows: Sequence[tuple[float, float]], missing: int, *, called: str = "") -> dict[str, Estimate]:
    return {
        f"{called}plain": mean_interval([a for a, _ in rows], SEED, bounds=SHARE, unscored=missing),
        f"{called}reworded": mean_interval([b for _, b in rows], SEED, bounds=SHARE, unscored=missing),
        f"{called}difference": mean_interval([b - a for a, b in rows], SEED, bounds=DIFFERENCE, unscored=missing),
    }


def _against(
    tuned: Mapping[str, tuple[float, float]], base: Mapping[str, tuple[float, float]], asked: int
) -> dict[str, Estimate]:
    """Return the base model's loss, and the tuned one's beyond it, over the questions known of both."""
    both = [name for name in tuned if name in base]
    if not both:
        return {}
    missing = asked - len(both)
    more = [(tuned[name][1] - tuned[name][0]) - (base[name][1] - base[name][0]) for name in both]
    return {
        **_loss_estimates([base[name] for name in both], missing, called="base "),
        "difference less the base's": mean_interval(more, SEED, bounds=_TWO_DIFFERENCES, unscored=missing),
    }


def _score(record: Record | None, metric: str) -> float | None:
    return next((score.value for score in record.scores if score.metric == metric), None) if record else None


def _alike(examples: Sequence[Example], reworded: Sequence[Reworded], records: Records) -> Iterator[float]:
    """Yield 1 for each rewording that is answered as its question is, else 0; where one was not answered, nothing."""
    for example in examples:
        plain = records.get(example.id)
        for other in _of(example, reworded, records):
            if plain and plain.answer and other.answer:
                yield float(_same(plain, other))


def _same(one: Record, other: Record) -> bool:
    if one.answer is None or other.answer is None:
        return False
    both_decline = one.answer.abstained and other.answer.abstained
    return both_decline or exact_match(one.answer.text, [other.answer.text])


def _families(examples: Sequence[Example], records: Records) -> dict[str, Estimate]:
    """Return the share of examples of one family, with the same accepted answers, that are answered alike."""
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


def _costliest_rewordings(reworded: Sequence[Reworded], records: Records, metric: str) -> Iterator[str]:
    """Yield the rewordings that cost most of the score."""
    lost = []
    for one in reworded:
        before, after = records.get(one.of.id), records.get(one.example.id)
        values = (_score(before, metric), _score(after, metric))
        if values[0] is not None and values[1] is not None and values[1] < values[0]:
            told = f"{one.example.question.text} plain: {answer_line(before)}; with {one.rule}: {answer_line(after)}"
            lost.append((values[0] - values[1], told))
    yield from (told for _, told in sorted(lost, key=lambda pair: -pair[0])[:SHOWN])


def _sentence(figures: Mapping[str, Estimate], base: Sequence[float], *, passed: bool | None) -> str:
    difference = figures["difference"]
    text = (
        f"On {questions(difference.scored)} the tuned model scores {share(figures['plain'])} as they stand and "
        f"{share(figures['reworded'])} in other words, {change(difference)}; {share(figures['same answer'])} of the "
        "answers stay the same"
    )
    if passed is None:
        return f"{text}; it gets hardly anything right, so there is nothing to lose"
    advice = "; add the same questions in other words to the training examples" if passed is False else ""
    return f"{text}; {_blame(figures, base)}{advice}"


def _blame(figures: Mapping[str, Estimate], base: Sequence[float]) -> str:
    """Say whether the base model loses as much."""
    if "base difference" not in figures:
        if not base:
            return "the base model was not asked, so whether tuning is to blame cannot be told"
        scored = share(mean_interval(base, SEED, bounds=SHARE))
        return f"the base model scores {scored} as they stand, so it has nothing to lose by rewording"
    more = figures["difference less the base's"]
    text = (
        f"the base model scores {share(figures['base plain'])} and {share(figures['base reworded'])}, "
        f"{change(figures['base difference'])}"
    )
    if more.high < 0:
        return f"{text}, so tuning made it depend on the wording"
    if more.low > 0:
        return f"{text}, so tuning made it depend less on the wording"
    return f"{text}; the difference may be chance"
