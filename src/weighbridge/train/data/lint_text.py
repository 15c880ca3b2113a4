"""Checks of training data that need the texts alone and no tokenizer."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from weighbridge.answer.quote import read_quote
from weighbridge.dataset.near_duplicates import (
    ComparableQuestion,
    ask_different_things,
    common_lines,
    distinct_questions,
    make_comparable,
    normalise_question,
    rare_words,
    without_lines,
)
from weighbridge.lints import Finding
from weighbridge.scoring.language.refusals import is_refusal
from weighbridge.train.data.conversations import Conversation
from weighbridge.types import Example

_NAMED = 3
_MOSTLY = 0.5
_FEW = 10
"""With fewer examples, the distribution of labels is not reported."""
_OVERLAP = 0.9
"""Two questions are nearly equal from this Jaccard overlap of their words on."""
_MOST = 50
"""Near questions looked at for each: those made from one template are near to thousands, and ask of other things."""
_ROUNDING = 1e-9


def some(ids: Sequence[str]) -> str:
    """Return the first few ids, and how many more there are."""
    named = ", ".join(ids[:_NAMED])
    return named if len(ids) <= _NAMED else f"{named} and {len(ids) - _NAMED:,} more"


def texts(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    """Yield the faults of the questions and answers, leaks aside."""
    if not conversations:
        yield Finding("error", "there are no training examples; add examples, or lower splits.dev and splits.test")
    if ids := [one.example_id for one in conversations if not one.target.strip()]:
        yield Finding("error", f"{some(ids)}: the answer to learn is empty; write it, or mark it as unanswerable")
    yield from _odd_answers(conversations)
    yield from _find_repetitions(conversations)
    yield from _abstentions(conversations)
    yield from _labels(Counter(one.target for one in conversations if one.labels))


def _odd_answers(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    said = [(one, one.target) for one in conversations if one.target.strip()]
    if ids := [one.example_id for one, text in said if not any(map(str.isalnum, text))]:
        yield Finding("warning", f"{some(ids)}: the answer has no letter and no digit; check it")
    if ids := [one.example_id for one, text in said if text != text.strip()]:
        message = f"{some(ids)}: the answer begins or ends with white space"
        yield Finding("warning", f"{message}, which makes other tokens of its words; take it off")
    if ids := [one.example_id for one, _ in said if _echoes(one)]:
        yield Finding("warning", f"{some(ids)}: the answer repeats the question; write what is to be answered")


def _echoes(one: Conversation) -> bool:
    asked = one.question or next((turn.content for turn in reversed(one.prompt) if turn.role == "user"), "")
    return normalise_question(read_quote(one.target).answer) == normalise_question(asked)


def _find_repetitions(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    """Find prompts that are learnt with several answers, and such as are learnt again with the same."""
    said: dict[object, Counter[str]] = defaultdict(Counter)
    first: dict[object, str] = {}
    for one in conversations:
        said[one.prompt][one.target] += 1
        first.setdefault(one.prompt, one.example_id)
    if ids := [first[prompt] for prompt, targets in said.items() if len(targets) > 1]:
        yield Finding("warning", f"{some(ids)}: the same prompt is to be answered in several ways; keep one of them")
    if again := sum(count - 1 for targets in said.values() for count in targets.values()):
        ids = [first[prompt] for prompt, targets in said.items() if max(targets.values()) > 1]
        message = f"{again:,} of {len(conversations):,} conversations are learnt before with the same answer"
        yield Finding("warning", f"{message} ({some(ids)}), and so weigh more than the others; keep one of each")


def _abstentions(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    declining = sum(is_refusal(read_quote(one.target).answer) for one in conversations)
    if conversations and declining == len(conversations):
        yield Finding("error", "every answer to learn is an abstention; check the evidence ids and the retrieval")
    elif conversations and declining > _MOSTLY * len(conversations):
        share = f"{declining:,} of {len(conversations):,} answers to learn are abstentions"
        yield Finding("warning", f"{share}, so the model may learn to abstain always; check evidence and retrieval")


def _labels(counts: Mapping[str, int]) -> Iterator[Finding]:
    total = sum(counts.values())
    if total < _FEW:
        return
    label, most = max(counts.items(), key=lambda pair: pair[1])
    if most > _MOSTLY * total:
        message = f"{most:,} of {total:,} examples have the label {label!r}, so the model may learn to say it always"
        yield Finding("warning", f"{message}; add examples of the other labels, or leave some of these out")
    if single := [label for label, count in counts.items() if count == 1]:
        have = "have" if len(single) > 1 else "has"
        message = f"{len(single):,} of the {len(counts):,} labels {have} a single example ({some(single)})"
        yield Finding("warning", f"{message}; add examples, or raise training.maximum_examples")


def leaks(conversations: Sequence[Conversation], test: Sequence[Example]) -> Iterator[Finding]:
    """Yield an error where a question to learn is one of the test split: equal, or in nearly the same words.

    Questions in nearly the same words count unless they ask about different things, as the split has it
    (`ingest.likeness.differ`).
    """
    common = common_lines([one.question.rpartition("\n")[0] for one in conversations])
    tested = distinct_questions(test, common)
    named = {asked.plain: test[places[0]].id for asked, places in zip(tested.asked, tested.places, strict=True)}
    learnt = [make_comparable(without_lines(one.question, common), frozenset(one.answers)) for one in conversations]
    rare = rare_words([*tested.asked, *learnt]) if test else frozenset()
    near = _Near(tested.asked)
    pairs = []
    for one, asked in zip(conversations, learnt, strict=True):
        twin = named.get(asked.plain) if asked.words else None
        close = (
            named[other.plain]
            for other in islice(near.to(asked), _MOST)
            if not ask_different_things(asked, other, rare)
        )
        if found := twin or next(close, None):
            pairs.append(f"{one.example_id} (as {found})")
    if pairs:
        message = f"{some(pairs)}: test questions are among those to learn, so the test would measure memory"
        yield Finding("error", f"{message}; leave them out, or give both the same family")


class _Near:
    """Questions by their rarest words: two sets of words that overlap so much share one of the first few of each.

    The prefix and positional filters of Xiao, Wang, Lin and Yu, "Efficient similarity joins for near duplicate
    detection", WWW 2008.
    """

    def __init__(self, questions: Sequence[ComparableQuestion]) -> None:
        self._counts = Counter(word for question in questions for word in question.words)
        self._holding: dict[str, dict[tuple[int, int], list[ComparableQuestion]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for question in questions:
            size = len(question.words)
            for place, word in enumerate(self._first(question)):
                self._holding[word][place, size].append(question)

    def to(self, question: ComparableQuestion) -> Iterator[ComparableQuestion]:
        """Yield the questions with a word overlap of at least `_OVERLAP` with this one."""
        seen, size = set(), len(question.words)
        for place, word in enumerate(self._first(question)):
            for (other_place, other_size), others in self._holding.get(word, {}).items():
                both = size + other_size
                if _overlaps(min(size - place, other_size - other_place), both):
                    for other in others:
                        if other.plain not in seen and _overlaps(len(question.words & other.words), both):
                            seen.add(other.plain)
                            yield other

    def _first(self, question: ComparableQuestion) -> Sequence[str]:
        words = sorted(question.words, key=lambda word: (self._counts[word], word))
        return words[: int((1 - _OVERLAP) * len(words) + _ROUNDING) + 1]


def _overlaps(shared: int, both: int) -> bool:
    """Tell whether two sets that hold `both` words, counted twice where shared, overlap enough."""
    return shared >= _OVERLAP * (both - shared) - _ROUNDING
