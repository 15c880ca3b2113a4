"""Drops questions that are not worth learning from, one filter a reason. No filter needs a model or an embedder.

`drop_unfindable` searches for every question: if its passage is not among the first few, the question needs its context
or asks about something else.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, zip_longest
from random import Random

from weighbridge.adapters import Span
from weighbridge.dataset.near_duplicates import normalise_question
from weighbridge.dataset.synthesise.english import DATE, MONEY, NUMBER, content_words
from weighbridge.dataset.synthesise.nouns import OWN, Filter, SyntheticExample
from weighbridge.dataset.synthesise.tables import MOST_WORDS
from weighbridge.ingest.outline import SENTENCE_ENDS
from weighbridge.protocols import Notify, silent
from weighbridge.types import Passage, Progress

UNANSWERABLE = 0.15
"""The largest share of questions without an answer: too many teach to decline everything."""
FEWEST_ASKED, MOST_ASKED = 3, 32
"""Words of a question."""

Search = Callable[[str], Sequence[Passage]]
"""Returns the passages that a question finds, best first, as many as an arm is shown."""
Accepts = Callable[[str], bool]
"""Tells whether an answer has the form that this workload wants: one of its labels, JSON of its schema."""

_TEXT = r"(?:passage|text|document|excerpt|paragraph|article|author|context|section|snippet)"
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:this|these|those) (?!year|month|week|morning|evening|afternoon)\w+|"
    rf"\b(?:above|below|following|aforementioned)\b(?= ?\??$| (?:{_TEXT}|table|list|figure|information))|"
    rf"\b(?:the|provided) {_TEXT}\b|\b(?:in|of|at|to|on|by|during) that (?!is\b|are\b)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?<![\w'\u2019])(?:[Hh]e|[Ss]he|[Tt]hey|[Hh]im|[Tt]hem|[Hh]ers|[Tt]heirs|[Ii]t)(?![\w'\u2019])")
_EMPTY_IT = re.compile(r"\b(?:does|did|will|would|is|was|can) it (?:take|cost|possible|necessary|mean|rain)\b")
_POSSESSIVE = re.compile(r"\b(?:his|her|its|their)\b", re.IGNORECASE)


_ANY_NUMBER = re.compile(
    rf"\d|\b{NUMBER}|\b(?:once|twice|half|every|no|none|all|daily|weekly|monthly|yearly)\b", re.IGNORECASE
)
_PRICE = re.compile(rf"{MONEY}|free|nothing|%")
_ASKED_FOR = (
    (re.compile(r"how (?:many|much|long|often|far|old|tall|high|fast)\b", re.IGNORECASE), _ANY_NUMBER),
    (
        re.compile(r"(?:when|(?:at|on|by) what (?:time|date))\b", re.IGNORECASE),
        re.compile(rf"\d|{DATE}|day|noon|night|morning|year"),
    ),
    (re.compile(r"who(?:m|se)?\b", re.IGNORECASE), re.compile(r"[A-Z]|\b(?:the|an?|staff|every|all)\b")),
    (
        re.compile(r"what(?:'s| is| was) the (?:cost|price|fee|fare|charge)\b|what .*\b(?:pay|cost)\b", re.IGNORECASE),
        _PRICE,
    ),
    (re.compile(r"where\b", re.IGNORECASE), re.compile(r"[A-Za-z]{3}")),
    (
        re.compile(r"(?:how (?:do|does|did|can|is|are|should)|why)\b", re.IGNORECASE),
        re.compile(r"[a-z]+ [a-z]+ [a-z]+"),
    ),
)
"""The beginning of a question, and a pattern that its answer must then match."""


def make_form_filters(accepts: Accepts | None = None) -> tuple[Filter, ...]:
    """Return the filters that look at one example at a time, but for grounding; `accepts` where answers have a form."""
    one_by_one: list[tuple[str, Callable[[SyntheticExample], bool]]] = [
        ("question is too short or too long", _has_bad_length),
        ("question does not stand on its own", _needs_context),
        ("answer is too long", _has_long_answer),
        ("question gives its answer away", _gives_away),
    ]
    if accepts:

        def is_unfit(made: SyntheticExample) -> bool:
            return not (accepts(made.answers[0]) if made.answerable else _rewords_own(made))

        one_by_one.insert(0, ("answer is not what this task wants", is_unfit))
    return tuple(Filter(reason, _places_where(test)) for reason, test in one_by_one)


def drop_ungrounded(texts: Mapping[str, str]) -> Filter:
    """Drop a question with an answer that does not stand in its span; `texts` are the documents' texts by id.

    Wordings of a user's own example pass: their answers are the user's, and need not be quotes.
    """
    return Filter("answer does not stand in its span", _places_where(lambda made: not is_grounded(made, texts)))


def is_grounded(made: SyntheticExample, texts: Mapping[str, str]) -> bool:
    """Tell whether the first answer stands in a span, word for word but for white space and capitals."""
    if not made.answerable or _rewords_own(made):
        return True
    return _is_quoted(made.answers[0], made.spans, texts)


def _is_quoted(answer: str, spans: Sequence[Span], texts: Mapping[str, str]) -> bool:
    words = re.compile(rf"(?<!\w){re.escape(_normalise_spaces(answer))}(?!\w)")
    return any(
        words.search(_normalise_spaces(texts.get(span.document_id, "")[span.start : span.end])) for span in spans
    )


def drop_unfitting_answers(texts: Mapping[str, str]) -> Filter:
    """Drop a model's questions with an answer of another kind, or from sentences about something else."""
    return Filter("answer does not go with its question", _places_where(lambda made: not _goes_together(made, texts)))


def _goes_together(made: SyntheticExample, texts: Mapping[str, str]) -> bool:
    if not made.made_by.startswith("model:") or not made.answerable:
        return True
    answer = made.answers[0]
    if _rewords_own(made) and not _is_quoted(answer, made.spans, texts):
        return True
    if any(asked.match(made.question) and not told.search(answer) for asked, told in _ASKED_FOR):
        return False
    if made.made_by != "model: question":
        return True
    wanted = content_words(made.question)
    return any(2 * len(wanted & _words_around(texts, span, answer)) > len(wanted) for span in made.spans)


def _words_around(texts: Mapping[str, str], span: Span, answer: str) -> frozenset[str]:
    """Return the words of the sentences that hold an answer, and of the document's first line."""
    text = texts.get(span.document_id, "")
    ends = [found.end() for found in SENTENCE_ENDS.finditer(text, span.start, span.end)]
    bounds = zip([span.start, *ends], [*ends, span.end], strict=True)
    holding = [
        text[start:end] for start, end in bounds if _normalise_spaces(answer) in _normalise_spaces(text[start:end])
    ]
    return content_words(" ".join([text.lstrip("# \n").split("\n", 1)[0], *holding]))


def drop_repeated() -> Filter:
    """Drop all but the first of equal questions, case and punctuation aside."""
    return Filter("asked before, word for word", _find_repeated)


def drop_ambiguous() -> Filter:
    """Drop all examples of a question that has different answers in different places."""
    return Filter("has other answers elsewhere", _find_ambiguous)


def drop_unfindable(search: Search, notify: Notify = silent) -> Filter:
    """Drop questions that do not find their own passage; unanswerable ones have none."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        lost = set[int]()
        for place, one in enumerate(made):
            if one.answerable and one.spans and not _is_found(one, search(one.question)):
                lost.add(place)
            notify(Progress(task="searching for their passages", done=place + 1, total=len(made), unit="questions"))
        return lost

    return Filter("search does not find its passage", places)


def drop_orphans(own: Collection[str] = ()) -> Filter:
    """Drop wordings of a question that was dropped; `own` are families of the user's own examples."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        firsts = {one.id for one in made} | set(own)
        return {at for at, one in enumerate(made) if one.family not in firsts}

    return Filter("rewords a question that was dropped", places)


def _places_where(test: Callable[[SyntheticExample], bool]) -> Callable[[Sequence[SyntheticExample]], Collection[int]]:
    return lambda made: {place for place, one in enumerate(made) if test(one)}


def _has_bad_length(made: SyntheticExample) -> bool:
    return not FEWEST_ASKED <= len(made.question.split()) <= MOST_ASKED and not _rewords_own(made)


def _rewords_own(made: SyntheticExample) -> bool:
    """Tell whether an example rewords one of the user's; its answers and style are the user's business."""
    return OWN in made.made_by


def _needs_context(made: SyntheticExample) -> bool:
    text = _EMPTY_IT.sub(" ", made.question)
    if _rewords_own(made):
        return False
    possessive = _POSSESSIVE.search(text)
    early = possessive is not None and len(text[: possessive.start()].split()) < 4  # noqa: PLR2004 - nothing named yet
    return early or bool(_POINTS_ELSEWHERE.search(text) or _PRONOUN.search(text))


def _has_long_answer(made: SyntheticExample) -> bool:
    return made.answerable and not _rewords_own(made) and not 1 <= len(made.answers[0].split()) <= MOST_WORDS


def _gives_away(made: SyntheticExample) -> bool:
    if not made.answerable or _rewords_own(made):
        return False
    words = content_words(made.answers[0])
    return words <= content_words(made.question) if words else not re.search(r"\w", made.answers[0])


def _find_repeated(made: Sequence[SyntheticExample]) -> Collection[int]:
    seen: dict[tuple[str, frozenset[str]], int] = {}
    repeated: set[int] = set()
    for at, one in enumerate(made):
        key = (normalise_question(one.question), frozenset(map(normalise_question, one.answers)))
        if seen.setdefault(key, at) != at:
            repeated.add(at)
    return repeated


def _find_ambiguous(made: Sequence[SyntheticExample]) -> Collection[int]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(made):
        places[normalise_question(one.question)].append(at)
    return {at for same in places.values() if len(same) > 1 for at in same}


def _is_found(made: SyntheticExample, passages: Sequence[Passage]) -> bool:
    return any(
        span.document_id in passage.copies
        or (
            span.document_id == passage.chunk.document_id
            and span.start < passage.chunk.end
            and passage.chunk.start < span.end
        )
        for passage in passages
        for span in made.spans
    )


def _normalise_spaces(text: str) -> str:
    return " ".join(text.split()).casefold()


def limit_unanswerable(count: int, seed: int) -> Filter:
    """Keep only a small share without an answer, of `count` or of as many as there are: one where it would be less."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        absent = [at for at, one in enumerate(made) if not one.answerable]
        whole = min(count, (len(made) - len(absent)) / (1 - UNANSWERABLE))
        few = min(max(int(UNANSWERABLE * whole), 1), count - 1)
        return set(absent) - set(_order_by_document(made, absent, seed)[:few])

    return Filter("too many without an answer", places)


def limit_count(count: int, seed: int) -> Filter:
    """Keep `count` at most, taken in turn from every document; those without an answer are all kept.

    A second wording of a question is only taken when every question has its first.
    """

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        answered = [at for at, one in enumerate(made) if one.answerable]
        return set(answered) - set(
            _order_by_document(made, answered, seed)[: max(count - len(made) + len(answered), 0)]
        )

    return Filter("more than were asked for", places)


def _order_by_document(made: Sequence[SyntheticExample], places: Sequence[int], seed: int) -> list[int]:
    """Return positions: the first wordings one document after the other, then the second ones, and so on."""
    random = Random(seed)  # noqa: S311 - reproducible, and no secret
    shuffled = random.sample(list(places), len(places))
    rounds: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    asked: dict[str, int] = defaultdict(int)
    for at in sorted(shuffled, key=lambda at: made[at].id != made[at].family):
        document = made[at].spans[0].document_id if made[at].spans else made[at].family
        rounds[asked[made[at].family]][document].append(at)
        asked[made[at].family] += 1
    order: list[int] = []
    for _, documents in sorted(rounds.items()):
        order += [at for at in chain.from_iterable(zip_longest(*documents.values())) if at is not None]
    return order
