"""Compares sentences that are the same but for one value, of documents that are no versions of each other.

Such a sentence may speak of another thing in each document: another company, place or period. It counts where it names
something rare, where its documents are short and have hardly such a sentence besides, or where they are of one kind and
name; and where these are of different periods, only where it names the date that it is about, or states a standing rule
("... vest over four years").
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, pairwise

from weighbridge.ingest.consistency.contradictions import (
    Difference,
    StatementCorpus,
    are_of_other_years,
    differ_in_reference,
    find_differing_spans,
    place_of,
)
from weighbridge.ingest.consistency.periods import name_a_year, period_marks
from weighbridge.ingest.consistency.statements import LABELS, LEADS_BACK, StatementToken
from weighbridge.ingest.consistency.versions import name_one_subject

_MOST_PLACES = 20
"""A sentence that more documents have in more than `_FEW_VALUES` forms is a form that they fill in."""
_FEW_VALUES = 3
_MOST_VALUES, _EACH = 6, 3
"""Values of a sentence that are compared, and documents of each: a bound on time."""
_FEWEST_RARE, _FEW = 2, 0.1
"""The fewest rare words of a sentence, and the largest share of documents that have a rare word."""
_SHORT = 100
"""Sentences of a short document: some four pages. Quarterly reports have 250 to 6,000; the sentences that two of
them share are mostly the language of such reports, so that a sentence counts for little there."""
_HARDLY_ANY, _IN_HARDLY_ANY = 4, 3
"""Sentences with values that two short documents have in common, and documents that have one of them, before they are
forms: two texts that tell of one place may well contradict each other in its price and in its hours."""
_LONGEST_VALUE = 6
_SAME_KIND, _FEWEST_SAME = 0.05, 2
"""Documents of one kind share this part of the sentences of the shorter one, and at least so many."""
_RARE, _SHORT_ONES, _KIND, _DATED, _STANDING = 0.75, 0.65, 0.8, 0.75, 0.62
"""How sure differences are: of a sentence that names something rare, of one in short documents, of documents of one
kind and period, of one date named in reports of two periods, and of a rule in them, which may have changed since."""
_MANY, _ODD = 5, 0.65
"""So many documents against one make it probable that the one is wrong."""
_LEAST_AGREEMENT = 0.6
_JOINS = frozenset({
    "to", "and", "or", "from", "until", "till", "by", "of", "the", "a", "an", "am", "pm", "at", "on", "per",
})  # fmt: skip
_SCALES = frozenset({"100", "1000", "1000000"})
"""Hundred, thousand and million behind a figure belong to it."""
_LASTS = frozenset({
    "year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "minute", "minutes",
    "business", "working", "calendar", "times", "annual", "installments", "instalments",
})  # fmt: skip
_OF_A_PERIOD = frozenset({
    "quarter", "quarters", "fiscal", "ended", "currently", "approximately", "respectively", "average", "remaining",
    "was", "were", "had", "recently", "today", "outstanding", "previous", "last",
})  # fmt: skip
"""Words of sentences that report a state rather than a rule."""


class _Agreement:
    """How often two documents say the same, and something else, in sentences of one form."""

    def __init__(self) -> None:
        self._same, self._other = Counter[tuple[int, int, bool]](), Counter[tuple[int, int, bool]]()
        self._with_values = Counter[tuple[int, int]]()

    def count(self, values: "_Values", *, dated: bool, valued: bool) -> None:
        """Count a form, unless so many documents have it that it tells nothing about two of them."""
        if sum(map(len, values.values())) > _MOST_PLACES:
            return
        said = sorted((document, value) for value, places in values.items() for document, _ in places)
        for (one, mine), (other, theirs) in combinations(said, 2):
            (self._same if mine == theirs else self._other)[one, other, dated] += 1
            self._with_values[one, other] += valued

    def share(self, one: int, other: int, *, dated: bool) -> float:
        """Return the share of common forms that two documents fill in the same way, the one in question apart."""
        key = (min(one, other), max(one, other), dated)
        return (self._same[key] + 1) / (self._same[key] + max(self._other[key] - 1, 0) + 1)

    def same(self, one: int, other: int) -> int:
        """Return in how many sentences two documents say the same."""
        pair = (min(one, other), max(one, other))
        return self._same[(*pair, True)] + self._same[(*pair, False)]

    def with_values(self, one: int, other: int) -> int:
        """Return in how many sentences with figures or days two documents say the same, but maybe for these."""
        return self._with_values[min(one, other), max(one, other)]


_Values = Mapping[int, Sequence[tuple[int, int]]]
"""Sentences of one form by their exact words, at most one a document: each as its document and place there."""


def find_shared_sentences(corpus: StatementCorpus, versions: AbstractSet[tuple[int, int]]) -> Iterator[Difference]:
    """Yield differences between documents that are no `versions` of each other, and places that say the same."""
    agreement = _Agreement()
    for values in list(_forms(corpus, agreement)):
        documents = sum(map(len, values.values()))
        for mine, theirs in combinations(list(values.values())[:_MOST_VALUES], 2):
            compared = (
                _compare(corpus, one, other, agreement, documents)
                for one in mine[:_EACH]
                for other in theirs[:_EACH]
                if (min(one[0], other[0]), max(one[0], other[0])) not in versions
            )
            found = [difference for difference in compared if difference] or _odd_one_out(corpus, mine, theirs)
            if found:
                best = max(found, key=lambda difference: difference.sure)
                yield best
                for place, places in ((best.left, mine), (best.right, theirs)):
                    for at, sentence in places:
                        if at != place.document:
                            same = place_of(at, corpus.statement(at, sentence))
                            yield Difference(place, same, best.sure, best.reason)


def _forms(corpus: StatementCorpus, agreement: _Agreement) -> Iterator[_Values]:
    """Yield the forms that several documents fill in differently; count which documents agree.

    Sentences that name different dates are compared apart from those that name one.
    """
    times = Counter(form for one in corpus.sentences for form in set(one.forms))
    times[0] = 0
    forms: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for document, sentences in enumerate(corpus.sentences):
        for at, form in enumerate(sentences.forms):
            if times[form] > 1:
                forms[form].append((document, at))
    for places in forms.values():
        by_date = _separate_dates(corpus, places)
        for date, own in by_date.items():
            values = _values(corpus, own)
            document, at = own[0]
            agreement.count(values, dated=bool(date), valued=bool(corpus.sentences[document].valued[at]))
            if _is_worth_comparing(values):
                yield values
        if len(by_date) > 1 and _is_worth_comparing(values := _values(corpus, places)):
            yield values


def _separate_dates(
    corpus: StatementCorpus, places: Sequence[tuple[int, int]]
) -> Mapping[Sequence[str], Sequence[tuple[int, int]]]:
    """Split sentences by the dates with a year that they name; those without are one part."""
    parts: dict[Sequence[str], list[tuple[int, int]]] = defaultdict(list)
    for document, at in places:
        sentences = corpus.sentences[document]
        marks: Mapping[str, int] = {}
        if sentences.valued[at]:
            marks = period_marks(corpus.documents[document].text, sentences.starts[at], sentences.ends[at])
        parts[tuple(sorted(marks)) if name_a_year(marks) else ()].append((document, at))
    return parts


def _values(corpus: StatementCorpus, places: Sequence[tuple[int, int]]) -> _Values:
    """Group sentences by their exact words, without documents that have two of them: these speak of two things."""
    said: dict[int, dict[int, int]] = defaultdict(dict)
    for document, at in places:
        said[document].setdefault(corpus.sentences[document].said[at], at)
    values: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for document, own in said.items():
        if len(own) == 1:
            ((value, at),) = own.items()
            values[value].append((document, at))
    return values


def _is_worth_comparing(values: _Values) -> bool:
    """Tell whether several values stand for one thing, and are not entries of a form."""
    places = sum(map(len, values.values()))
    if places > _MOST_PLACES:
        return 1 < len(values) <= _FEW_VALUES
    return len(values) > 1 and not len(values) == places > 2  # noqa: PLR2004 - a third of its own


def _compare(
    corpus: StatementCorpus, one: tuple[int, int], other: tuple[int, int], agreement: _Agreement, documents: int
) -> Difference | None:
    left, right = (place_of(at, corpus.statement(at, sentence)) for at, sentence in (one, other))
    texts = [corpus.documents[place.document].text[place.start : place.end] for place in (left, right)]
    if not _one_value_differs(left.tokens, right.tokens) or are_of_other_years(*texts):
        return None
    whole = corpus.documents[one[0]].text
    if differ_in_reference(whole, left.tokens, find_differing_spans([left.tokens, right.tokens])[0]):
        return None
    marks, other_marks = map(period_marks, texts)
    share = agreement.share(one[0], other[0], dated=name_a_year(marks))
    of_one_kind = _are_of_one_kind(corpus, one[0], other[0], agreement)
    sure, reason = 0.0, ""
    if corpus.periods[one[0]].differs(corpus.periods[other[0]]):
        if share < _LEAST_AGREEMENT or marks != other_marks or not _one_figure_differs(left.tokens, right.tokens):
            return None
        if name_a_year(marks) and (of_one_kind or _is_rare(corpus, left.tokens, documents)):
            sure, reason = _DATED * share, "of one date, in documents of two periods"
        elif not marks and of_one_kind and _is_standing(left.tokens, right.tokens):
            sure, reason = _STANDING, "a rule, in documents of two periods"
    elif of_one_kind and share >= _LEAST_AGREEMENT:
        sure, reason = _KIND * share, "in documents of one kind"
    elif _is_rare(corpus, left.tokens, documents):
        sure, reason = _RARE, "in one sentence that names something rare"
    elif _are_short_and_no_forms(corpus, one[0], other[0], agreement, documents) and _has_rare_words(
        corpus, left.tokens, documents
    ):
        sure, reason = _SHORT_ONES, "in one sentence of short documents"
    return Difference(left, right, sure, reason) if sure else None


def _odd_one_out(
    corpus: StatementCorpus, mine: Sequence[tuple[int, int]], theirs: Sequence[tuple[int, int]]
) -> Sequence[Difference]:
    """Return the difference where one document gives a rule otherwise than many, whatever they are about."""
    if min(len(mine), len(theirs)) > 1 or max(len(mine), len(theirs)) < _MANY:
        return ()
    left, right = (place_of(at, corpus.statement(at, sentence)) for at, sentence in (mine[0], theirs[0]))
    if not _one_figure_differs(left.tokens, right.tokens) or not _is_standing(left.tokens, right.tokens):
        return ()
    reason = f"one document against {max(len(mine), len(theirs)):,}"
    return (Difference(left, right, _ODD, reason),)


def _are_of_one_kind(corpus: StatementCorpus, one: int, other: int, agreement: _Agreement) -> bool:
    """Tell whether the names of two documents do not differ but in dates, and they have many sentences in common."""
    shorter = min(len(corpus.sentences[at].said) for at in (one, other))
    if agreement.same(one, other) < max(_SAME_KIND * shorter, _FEWEST_SAME):
        return False
    return name_one_subject(corpus.documents[one], corpus.documents[other])


def _is_rare(corpus: StatementCorpus, tokens: Sequence[StatementToken], documents: int) -> bool:
    """Tell whether a sentence has rare words; where every word is rare, for there are few documents, also a name."""
    is_named = any(token.kind == "name" and token.norm not in LABELS for token in _rare(corpus, tokens, documents))
    return _has_rare_words(corpus, tokens, documents) and (is_named or documents + 1 <= _FEW * len(corpus.documents))


def _has_rare_words(corpus: StatementCorpus, tokens: Sequence[StatementToken], documents: int) -> bool:
    """Tell whether a sentence says something without its document, in words that hardly any other has."""
    rare = {token.norm for token in _rare(corpus, tokens, documents)}
    return tokens[0].norm not in LEADS_BACK and len(rare) >= _FEWEST_RARE


def _rare(corpus: StatementCorpus, tokens: Sequence[StatementToken], documents: int) -> Sequence[StatementToken]:
    """Return the words of a sentence that hardly more documents have than have the sentence."""
    return [
        token
        for token in tokens
        if token.kind not in {"figure", "day", "not"} and corpus.spread[token.norm] <= documents + 1
    ]


def _are_short_and_no_forms(
    corpus: StatementCorpus, one: int, other: int, agreement: _Agreement, documents: int
) -> bool:
    """Tell whether two documents are short, have few sentences with values in common, and this one with few others."""
    longest = max(len(corpus.sentences[at].said) for at in (one, other))
    return longest <= _SHORT and documents <= _IN_HARDLY_ANY and agreement.with_values(one, other) <= _HARDLY_ANY


def _one_value_differs(left: Sequence[StatementToken], right: Sequence[StatementToken]) -> bool:
    spans = find_differing_spans([left, right])
    between = [token for tokens, (start, end) in zip((left, right), spans, strict=True) for token in tokens[start:end]]
    plain = [token for token in between if token.kind == "word" and token.norm not in _JOINS]
    return not plain and all(end - start <= _LONGEST_VALUE for start, end in spans)


def _one_figure_differs(left: Sequence[StatementToken], right: Sequence[StatementToken]) -> bool:
    """Tell whether two sentences differ in one figure among words: not at their beginning, nor in a row of figures."""
    spans = find_differing_spans([left, right])
    return all(
        start
        and end - start == 1
        and tokens[start].kind == "figure"
        and all(
            token.kind != "figure" or token.norm in _SCALES for token in (tokens[start - 1], *tokens[end : end + 1])
        )
        for tokens, (start, end) in zip((left, right), spans, strict=True)
    )


def _is_standing(left: Sequence[StatementToken], right: Sequence[StatementToken]) -> bool:
    """Tell whether two sentences give a rule for how long or how often something lasts."""
    ((at, _), _) = find_differing_spans([left, right])
    beside = {token.norm for token in left[at + 1 : at + 3]}
    norms = [token.norm for token in left]
    is_forecast = ("expected", "to") in pairwise(norms)
    return bool(beside & _LASTS) and not is_forecast and _OF_A_PERIOD.isdisjoint(norms)
