"""Finds a second, different answer beside the right one: "Paris. Or Rome.", or "It was 1912. No, it was 1921".

Whoever gives two answers has given none. It looks for the ways in which people do so: a choice ("or"), a
sentence said again with another value, a correction, yes and no in one breath, and an item too many in a list.
"""

import re
from collections.abc import Iterator, Sequence

from weighbridge.scoring.language.folding import fold
from weighbridge.scoring.language.polarity import yes_or_no
from weighbridge.scoring.language.words import is_stop_word, plain, tokens
from weighbridge.scoring.lists import extra_items, split_items
from weighbridge.scoring.values import compare_values

_CLAUSE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？!?])|\n+")
_OR = re.compile(
    r"[.,;]?\s+(?:or|oder|ou|o)\s+(?:(?:possibly|maybe|perhaps|even|also|else|vielleicht|auch|peut-être|quizás?)\s+)?"
    r"|或者?|または|もしくは|あるいは",
    re.IGNORECASE,
)
_PHRASE_END = re.compile(
    r"[.,;:!?()\[\]\n。、，；](?!\d)|\s(?:-|but|aber|mais|pero|depending|if|(?:and|und|et|y)(?! \d))\s"
)
_CORRECTION = re.compile(
    r"^\W*(?:actually|correction|wait|no(?=,)|sorry|i mean|scratch that|on second thoughts?|alternatively|"
    r"eigentlich|nein(?=,)|korrektur|en fait|non(?=,)|en realidad)\b\W*",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\b(?:yes and no|yes or no|ja und nein|oui et non|sí y no)\b", re.IGNORECASE)
_EITHER = re.compile(r"\b(?:either|entweder|soit)\b", re.IGNORECASE)
_STATED = re.compile(r"\b(?:is|was|are|were|by|in|ist|war|est|était|es|fue|von|par|por)\s(?:the\s)?[A-Z]")
_PLACE = re.compile(r"^(?:(?:in|at|on|to|im|am|à|en)\s)?(?:the\s)?", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_NAMING = re.compile(
    r"\b(?:call(?:ed)?|known as|means?|meaning|named?|names?|term(?:ed)?|word|referred to as|heißt|appel\w+)\b",
    re.IGNORECASE,
)
"""Where a name or a meaning is told, "or" mostly gives the same thing in other words: "hormones or phytohormones"."""
_LIST_ITEM = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])(?:\s|$)")
_SHORTEST_COMMON = 5
"""Letters in a row that two words share where they are forms or parts of one another."""
_LONGEST_PHRASE = 5
"""Most words of the other half of a choice; a longer half goes on with the sentence."""
_SHORTEST_FRAME = 2
"""Words that two sentences share around their values, so that one says the other again."""
_MOST_CLAUSES = 40
"""Sentences that are compared with one another."""
_SHORT = 8
"""Words of an answer that can be nothing but two answers with an "and"."""


def find_rival(question: str, references: Sequence[str], reference: str, answer: str) -> str:
    """Return the other answer that stands beside a reference in an answer; empty where there is none.

    Words of the question or of another reference are no rival.
    """
    text = fold(answer)
    known = {word for said in (question, *references) for word in tokens(plain(said))}
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()][:_MOST_CLAUSES]
    finders = (
        _find_opposite(reference, text, clauses),
        _find_choice(question, reference, text, known),
        _find_restatement(question, reference, clauses, known),
        _find_correction(question, reference, clauses, known),
        _find_extra(reference, text, known),
    )
    return next((rival for finder in finders for rival in finder), "")


def _find_opposite(reference: str, text: str, clauses: Sequence[str]) -> Iterator[str]:
    """Find yes and no in one answer to a question for one of them."""
    wanted = yes_or_no(fold(reference))
    if wanted is None:
        return
    if both := _BOTH.search(text):
        yield both[0]
    for clause in clauses[1:]:
        said = yes_or_no(_CORRECTION.sub("", clause) or clause)
        if said is not None and said != wanted:
            yield clause


def _find_choice(question: str, reference: str, text: str, known: set[str]) -> Iterator[str]:
    """Find the other half of a choice ("or") with the reference."""
    wanted = tokens(plain(reference))
    for choice in _OR.finditer(text):
        before, after = text[: choice.start()], text[choice.end() :]
        phrase = _PHRASE_END.split(after.strip(), maxsplit=1)[0].strip()
        phrase = phrase if wanted[:1] == tokens(plain(phrase))[:1] else _PLACE.sub("", phrase)
        if tokens(plain(before))[-len(wanted) :] == wanted:
            named = _NAMING.search(question) or _NAMING.search(_CLAUSE.split(before)[-1])
            if named and not compare_values(question, reference, phrase):
                continue
            if len(phrase.split()) <= _LONGEST_PHRASE and _rivals(question, reference, phrase, known):
                yield phrase
        elif tokens(plain(after))[: len(wanted)] == wanted and (either := _EITHER.search(before)):
            phrase = before[either.end() :].strip()
            if len(phrase.split()) <= _LONGEST_PHRASE and _rivals(question, reference, phrase, known):
                yield phrase


def _find_restatement(question: str, reference: str, clauses: Sequence[str], known: set[str]) -> Iterator[str]:
    """Find a sentence that says the same as another one, with something else in the place of the reference."""
    wanted = set(tokens(plain(reference)))
    if any(_LIST_ITEM.match(clause) for clause in clauses):
        return  # items of a list are alike and mean different things
    bare = [tokens(plain(_CORRECTION.sub("", clause))) for clause in clauses]
    for one in bare:
        if not wanted & set(one):
            continue
        for other in bare:
            head = _common(one, other)
            tail = min(_common(one[::-1], other[::-1]), len(one) - head, len(other) - head)
            value, instead = one[head : len(one) - tail], other[head : len(other) - tail]
            if head + tail < _SHORTEST_FRAME or not value or not instead or len(instead) > len(value) + 1:
                continue
            if all(word in wanted or is_stop_word(word) for word in value) and wanted & set(value):
                said = " ".join(instead)
                written = next(clause for clause, words in zip(clauses, bare, strict=True) if words == other)
                phrase = _stretch_as_written(written, instead)
                if not set(value) & set(instead) and _rivals(question, reference, phrase, known):
                    yield said


def _stretch_as_written(clause: str, words: Sequence[str]) -> str:
    """Return a stretch of a clause as it is written, from its first word to its last."""
    found = re.search(r"\W+".join(map(re.escape, words)), clause, re.IGNORECASE)
    return found[0] if found else " ".join(words)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _find_correction(question: str, reference: str, clauses: Sequence[str], known: set[str]) -> Iterator[str]:
    """Find a sentence that takes the answer back and gives another one."""
    wanted = set(tokens(plain(reference)))
    for clause in clauses[1:]:
        opener = _CORRECTION.match(clause)
        if not opener:
            continue
        rest = clause[opener.end() :]
        if wanted & set(tokens(plain(rest))) - set(tokens(plain(question))):
            continue
        matches = compare_values(question, reference, rest)
        if any(match.relation == "different" for match in matches):
            yield rest
        stated = _STATED.search(rest)
        if stated and reference[:1].isupper() and _rivals(question, reference, rest[stated.end() - 1 :], known):
            yield rest


def _find_extra(reference: str, text: str, known: set[str]) -> Iterator[str]:
    """Find an item that a list has besides those of the reference, or a second item where one is right."""
    own = split_items(fold(reference))
    said = set(tokens(plain(text)))
    if own:
        complete = all(word in said or is_stop_word(word) for item in own for word in tokens(plain(item)))
        extra = extra_items(fold(reference), text) if complete else ()
    else:
        items = split_items(text.strip(" .")) if len(text.split()) <= _SHORT and "," not in text else ()
        wanted = tokens(plain(reference))
        given = [item for item in items if tokens(plain(item)) == wanted]
        extra = tuple(item for item in items if item not in given) if given else ()
    longest = max((len(item.split()) for item in own), default=len(reference.split())) + 1
    capital = all(item[:1].isupper() for item in own or [reference])
    for item in extra:
        words = tokens(plain(item))
        alike = len(words) <= longest and (item[:1].isupper() or not capital)
        if words and alike and not is_stop_word(words[0]) and not known & set(words):
            yield item


def _rivals(question: str, reference: str, phrase: str, known: set[str]) -> bool:
    """Tell whether a phrase is another answer of the reference's kind: another value, or other words as short."""
    matches = compare_values(question, reference, phrase)
    words = tokens(plain(phrase))
    longest = len(tokens(plain(reference))) + 1
    if any(match.relation == "different" for match in matches):
        return len(words) <= longest and all(match.relation != "same" for match in matches)
    if _DIGIT.search(reference) or any(match.relation == "same" for match in matches):
        return False
    content = [word for word in words if not is_stop_word(word)]
    fresh = [word for word in content if word not in known]
    if not fresh or is_stop_word(words[0]) != is_stop_word(tokens(plain(reference))[0]):
        return False
    if any(_share_letters(word, other) for word in fresh for other in tokens(plain(reference))):
        return False
    written = phrase.rsplit(maxsplit=1)[-1] if reference.rsplit(maxsplit=1)[-1][:1].isupper() else ""
    return (not written or written[:1].isupper()) and len(words) <= longest


def _share_letters(one: str, other: str) -> bool:
    pieces = {one[start : start + _SHORTEST_COMMON] for start in range(len(one) - _SHORTEST_COMMON + 1)}
    return any(piece in other for piece in pieces)
