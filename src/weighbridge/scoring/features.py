"""Features of an answer and its references: the numbers that `classifier.py` decides by.

Each is a share, a count or a flag, computed from the words, the typed values and their places. The length
of an answer is among them, since the same overlap means less in a long text; no feature knows who answered.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from weighbridge.scoring.language.refusals import is_refusal, without_refusal
from weighbridge.scoring.language.words import is_stop_word, mend_spacing, plain, similarity, tokens
from weighbridge.scoring.values import compare_values

LIKE = 0.9
"""Words of at least this similarity count as one: forms of one word, not words that merely look alike."""
_YEAR = re.compile(r"(?:1\d{3}|20\d{2})")
_YEAR_WITH_FOOTNOTE = re.compile(r"((?:1\d{3}|20\d{2}))\d{1,2}")
_FOOTNOTED = re.compile(r"[A-Za-z]\d{1,3}(?=[.,;\s]|$)|\d{5,6}(?=[.,])")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"])|\n+")
_NEGATED = re.compile(r"\b(?:not|never|no|neither|nor|none|however|but|although|instead)\b|n't\b")
_CAPITALISED = re.compile(r"[A-Z][\w']+")
_SPAN = re.compile(
    r"(?:[A-Z][\w'.-]*|\d[\w.,:-]*)(?:\s+(?:(?:of|the|and|de|van|von|der|la|in)\s+)?(?:[A-Z][\w'.-]*|\d[\w.,:-]*))*"
)
_ASKS = (
    re.compile(r"\b(?:who|whose|whom)\b"),
    re.compile(r"\bwhen\b|\bwhat (?:year|date|day)\b"),
    re.compile(r"\bwhere\b"),
    re.compile(r"\bhow (?:many|much|long|old|far|big|tall|high)\b"),
    re.compile(r"\b(?:what|which)\b"),
    re.compile(r"\b(?:why|how)\b"),
)
_MONTH_NAMES = (
    "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct|"
    "november nov|december dec"
)
_MONTHS = {name: place for place, names in enumerate(_MONTH_NAMES.split("|"), start=1) for name in names.split()}
_FITTING = 0.85
"""A reference of at least this recall counts as given in the share of given references: a name may lack an initial."""
_WITHOUT_CHANCE = 3
"""A longer reference, found in an answer without its spaces, is not there by chance."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer and its question, read once for all references."""

    question: frozenset[str]
    words: Sequence[str]
    distinct: frozenset[str]
    content: Sequence[str]
    """Words that are no stop words, in their order."""
    new: Sequence[str]
    """Distinct content words that the question does not have."""
    joined: str
    spaced: str
    first_sentence: frozenset[str]
    sentences: int
    numbers: frozenset[str]
    spans: Sequence[Sequence[str]]
    """Names and numbers that the question does not have, in their order: the possible subject of the answer."""


def extract_features(question: str, references: Sequence[str], answer: str) -> dict[str, float]:
    """Return the features of an answer, by name, in a fixed order. Needs at least one reference.

    About a millisecond for an answer of a sentence. The features of the reference that fits best come first, then the
    best over all references, then those that do not depend on a reference.
    """
    read = _read_answer(question, answer)
    each = [_compare(question, reference, answer, read) for reference in references]
    best = max(each, key=_fit)
    features = dict(best)
    for name in _BEST_OF_ALL:
        features[f"best_{name}"] = max(one[name] for one in each)
    features["fitting_share"] = sum(one["soft_recall"] >= _FITTING for one in each) / len(each)
    features["least_recall"] = min(one["soft_recall"] for one in each)
    features["contradicted_by_all"] = float(all(one["values_different"] > 0 for one in each))
    features["references"] = float(len(references))
    return features | _of_the_answer(question, answer, read)


_BEST_OF_ALL = (
    "contains",
    "soft_recall",
    "new_recall",
    "window",
    "trigrams",
    "number_recall",
    "first_sentence_recall",
    "precision",
    "year_recall",
    "values_same",
    "first_span",
)


def _fit(features: Mapping[str, float]) -> float:
    numbers = max(features["number_recall"], 0.0)
    values = features["values_same"] - features["values_different"]
    return features["contains"] + features["soft_recall"] + features["window"] + 0.5 * numbers + 0.25 * values


def _read_answer(question: str, answer: str) -> _Answer:
    text = mend_spacing(plain(answer))
    words = tokens(text)
    numbers = {word for word in words if word[0].isdecimal()}
    if _FOOTNOTED.search(answer):
        numbers |= {year[1] for word in numbers if (year := _YEAR_WITH_FOOTNOTE.fullmatch(word))}
    asked = frozenset(tokens(plain(question)))
    distinct = frozenset(words) | numbers
    content = [word for word in words if not is_stop_word(word)]
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    spans = []
    for span in _SPAN.finditer(text):
        new = [word for word in tokens(span[0]) if not is_stop_word(word) and not _is_like(word, asked)]
        if new:
            spans.append(new)
    return _Answer(
        question=asked,
        words=words,
        distinct=distinct,
        content=content,
        new=[word for word in dict.fromkeys(content) if word not in asked],
        joined="".join(words),
        spaced=f" {' '.join(words)} ",
        first_sentence=frozenset(tokens(sentences[0])) if sentences else frozenset(),
        sentences=len(sentences),
        numbers=frozenset(numbers),
        spans=spans,
    )


def _compare(question: str, reference: str, answer: str, read: _Answer) -> dict[str, float]:
    """Return the features of one reference."""
    words = tokens(plain(reference)) or [reference.strip().lower() or "?"]
    content = [word for word in words if not is_stop_word(word)] or words
    found = [_best(word, read.distinct) for word in content]
    # A word of the question proves little: an answer repeats it whatever it says.
    weights = [0.4 if _is_like(word, read.question) else 1.0 for word in content]
    total = sum(weights)
    new = [score for word, score, weight in zip(content, found, weights, strict=True) if weight == 1.0]
    joined = "".join(words)
    trigrams = [joined[i : i + 3] for i in range(max(1, len(joined) - 2))]
    window, place = _window(content, read.content)
    return {
        "reference_words": float(len(words)),
        "contains": float(f" {' '.join(words)} " in read.spaced),
        "exact_recall": sum(w for w, word in zip(weights, content, strict=True) if word in read.distinct) / total,
        "soft_recall": sum(w * score for w, score in zip(weights, found, strict=True)) / total,
        "like_recall": sum(w for w, score in zip(weights, found, strict=True) if score >= LIKE) / total,
        "least_word": min(found),
        "new_words": float(len(new)),
        "new_recall": sum(new) / len(new) if new else -1.0,
        "new_best": max(new, default=-1.0),
        "first_word": found[0],
        "last_word": found[-1],
        "window": window,
        "place": place,
        "trigrams": sum(trigram in read.joined for trigram in trigrams) / len(trigrams),
        "joined": float(len(joined) > _WITHOUT_CHANCE and joined in read.joined),
        "precision": sum(_is_like(word, content) for word in read.new) / max(1, len(read.new)),
        "first_sentence_recall": sum(w * _best(x, read.first_sentence) for w, x in zip(weights, content, strict=True))
        / total,
        "first_span": _span_match(read.spans[:1], content),
        "any_span": _span_match(read.spans, content),
        "capitals": len(_CAPITALISED.findall(plain(reference))) / len(words),
        "negated_reference": float(_NEGATED.search(reference.lower()) is not None),
        **_number_features(words, read),
        **_value_features(question, reference, answer),
    }


def _best(word: str, among: Collection[str]) -> float:
    return 1.0 if word in among else max((similarity(word, other) for other in among), default=0.0)


def _is_like(word: str, among: Collection[str]) -> bool:
    return _best(word, among) >= LIKE


def _span_match(spans: Sequence[Sequence[str]], content: Sequence[str]) -> float:
    """Return the best overlap (F1 of like words) of a span with the reference; -1 where the answer has no span."""
    best = -1.0
    for span in spans[:12]:
        shared = sum(_is_like(word, content) for word in span)
        best = max(best, 2 * shared / (len(span) + len(content)))
    return min(best, 1.0)


def _window(content: Sequence[str], answer: Sequence[str]) -> tuple[float, float]:
    """Return the best recall in any stretch of the answer little longer than the reference, and where that begins."""
    best, place = 0.0, 1.0
    if not answer:
        return best, place
    table = {word: [similarity(wanted, word) for wanted in content] for word in set(answer)}
    size = len(content) + 2
    for start in range(max(1, len(answer) - size + 1)):
        rows = [table[word] for word in answer[start : start + size]]
        score = sum(map(max, zip(*rows, strict=True))) / len(content)
        if score > best + 1e-9:
            best, place = score, start / len(answer)
    return best, place


def _number_features(words: Sequence[str], read: _Answer) -> dict[str, float]:
    numbers = [word for word in words if word[0].isdecimal()]
    years = [word for word in numbers if _YEAR.fullmatch(word)]
    months = {_MONTHS[word] for word in words if word in _MONTHS}
    given_months = {_MONTHS[word] for word in read.words if word in _MONTHS}
    distances = [
        abs(wanted - given) / max(1e-9, abs(wanted))
        for wanted in map(_as_number, numbers)
        for given in map(_as_number, read.numbers)
        if wanted is not None and given is not None
    ]
    return {
        "numbers": float(len(numbers)),
        "number_recall": sum(number in read.numbers for number in numbers) / len(numbers) if numbers else -1.0,
        "years": float(len(years)),
        "year_recall": sum(year in read.numbers for year in years) / len(years) if years else -1.0,
        "months": float(months <= given_months) if months else -1.0,
        "nearest_number": min(1.0, *distances) if len(distances) > 1 else min(1.0, distances[0]) if distances else -1.0,
    }


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value_features(question: str, reference: str, answer: str) -> dict[str, float]:
    counts = {"same": 0, "different": 0, "missing": 0}
    kinds = set()
    for match in compare_values(question, reference, mend_spacing(answer)):
        counts[match.relation] += 1
        if match.relation == "different":
            kinds.add(match.kind)
    return {
        **{f"values_{relation}": float(count) for relation, count in counts.items()},
        "date_different": float("date" in kinds),
        "name_different": float("name" in kinds),
        "polarity_different": float("polarity" in kinds),
        "quantity_different": float(bool(kinds & {"number", "quantity", "money"})),
    }


def _of_the_answer(question: str, answer: str, read: _Answer) -> dict[str, float]:
    lower = plain(answer).lower()
    rest = without_refusal(answer)
    asked = question.lower()
    told = [word for word in read.question if not is_stop_word(word)]
    return {
        "words": float(len(read.words)),
        "content_words": float(len(set(read.content))),
        "new_content": float(len(read.new)),
        "sentences": float(read.sentences),
        "spans": float(len(read.spans)),
        "question_recall": sum(word in read.distinct for word in told) / max(1, len(told)),
        "numbers_given": float(len(read.numbers)),
        "refusal": float(is_refusal(answer)),
        "disclaimed": 1.0 - len(rest) / max(1, len(answer)),
        "negations": float(len(_NEGATED.findall(lower))),
        **{f"asks_{place}": float(pattern.search(asked) is not None) for place, pattern in enumerate(_ASKS)},
    }
