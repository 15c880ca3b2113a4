"""References that list several items, in any order."""

import re
from collections.abc import Callable

from weighbridge.scoring.language.folding import without_accents
from weighbridge.scoring.matches import ValueMatch

_SEPARATOR = re.compile(
    r"\s*(?:;|\n+|、|,(?!\d{3}(?!\d))(?:\s*(?:and|or|und|oder|et|ou|y|o)\s)?|\s(?:and|und|et|y|&)\s|和|及|与|と(?=\w))\s*",
    re.IGNORECASE,
)
INSIDE = {" ": "\ue000", ",": "\ue001"}
"""Characters of the private use area that stand for a space and a comma inside of one item."""
_OUTSIDE = str.maketrans({hidden: written for written, hidden in INSIDE.items()})
_MARKER = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)]|[a-z]\))\s+", re.IGNORECASE)
_LONGEST_ITEM = 5
"""Words of an item: a comma between longer parts divides a sentence, not a list."""
_SHORTEST_WITH_FOOTNOTE = 3
_MOST_ITEMS = 64
"""A text with more parts is not taken apart, to bound the time."""
_FEWEST_BY_COMMA = 3
"""A comma alone makes a list from three items on: "Oslo, Norway" is one place."""
_ARTICLES = re.compile(r"^(?:the|an?|der|die|das|le|la|les|el|los|las)\s+", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|be|been|does|do|did|will|can|may|must|ist|sind|wird|est|sont|es|son|it|they|he|she"
    r"|because|that|which|who|when|if)\b",
    re.IGNORECASE,
)


def split_items(text: str) -> tuple[str, ...]:
    """Return the items of a folded text that lists some; none where it lists nothing."""
    lines = [_MARKER.sub("", line) for line in text.strip().splitlines()]
    text = "\n".join(line.strip(" .") for line in lines if line.strip())
    parts = [part.strip(" .\"'") for part in _SEPARATOR.split(text)]
    items = tuple(part.translate(_OUTSIDE) for part in parts if without_accents(part))
    strong = re.search(r"[;\n、和及与]|\s(?:and|und|et|y|&)\s", text, re.IGNORECASE)
    if (
        len(items) > _MOST_ITEMS
        or len(items) < (2 if strong else _FEWEST_BY_COMMA)
        or _VERB.search(text.translate(_OUTSIDE))
    ):
        return ()
    return items if all(len(item.split()) <= _LONGEST_ITEM for item in items) else ()


def match_list(question: str, reference: str, answer: str, holds: Callable[[str, str], bool]) -> ValueMatch | None:
    """Compare the items of a reference with an answer, in any order; None where the reference is no list.

    `holds` tells whether the answer gives an item that has a typed value. Items of the question are not counted as
    additions.
    """
    items = split_items(reference)
    if not items:
        return None
    missing = [item for item in items if not (_holds_words(answer, item) or holds(item, answer))]
    given = split_items(_without_lead(answer))
    extra = [
        item for item in given
        if not any(_holds_words(item, own) or _holds_words(own, item) or holds(own, item) for own in items)
        and not _holds_words(question, item)
    ]  # fmt: skip
    found = ", ".join(item for item in items if item not in missing)
    reference = reference.translate(_OUTSIDE)
    if not missing:
        reason = f"all {len(items)} items are given" + (f", and also {', '.join(extra)}" if extra else "")
        return ValueMatch(kind="list", reference=reference, answer=found, relation="same", reason=reason)
    replaced = bool(extra) and bool(found)
    reason = f"missing: {', '.join(missing)}" + (f"; instead: {', '.join(extra)}" if extra else "")
    return ValueMatch(
        kind="list", reference=reference, answer=found, relation="different" if replaced else "missing", reason=reason
    )


def extra_items(reference: str, answer: str) -> tuple[str, ...]:
    """Return the items that an answer lists and its reference does not."""
    own = split_items(reference)
    return tuple(
        item
        for item in split_items(_without_lead(answer))
        if own and not any(_holds_words(item, other) or _holds_words(other, item) for other in own)
    )


def _without_lead(answer: str) -> str:
    """Return the list of an answer without the words that introduce it ("The colours are red, blue and green")."""
    head, colon, tail = answer.partition(":")
    if colon and tail.strip() and len(head.split()) <= 12:
        return tail
    while first := _VERB.search(answer):
        answer = answer[first.end() :]
        if not _VERB.match(answer.lstrip()):
            break
    return answer


def _holds_words(text: str, item: str) -> bool:
    words = without_accents(_ARTICLES.sub("", item).lower())
    if not words:
        return False
    # A digit after a word is the mark of a footnote ("Holm1"); after a number it makes another number.
    after = (
        r"(?![^\W\d\u3040-\u9fff])"
        if words[-1].isalpha() and len(words) > _SHORTEST_WITH_FOOTNOTE
        else r"(?![^\W\u3040-\u9fff])"
    )
    edge = r"(?<![^\W\u3040-\u9fff])", after
    return re.search(f"{edge[0]}{re.escape(words)}(?:e?s)?{edge[1]}", without_accents(text.lower())) is not None
