"""Where a text negates a word."""

import re

_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|n't|(?:is|are|was|were|do|does|did|has|have|had|ca|wo|could|would|"
    r"should|must|may|need)n't|hardly|non(?=-\w)|fails? to|failed to|kein(?:e[nrsm]?)?|nicht|nie|niemals|ne|pas|"
    r"jamais|aucune?|no|nunca|jamás|ningun[ao]?)\b|不|没|沒|未|ない|ません|ず",
    re.IGNORECASE,
)
_NO_NEGATION = re.compile(
    r"\b(?:not only|not just|not merely|no doubt|not until|no later than|not later than|no (?:more|less|fewer) than|"
    r"not (?:more|less) than|no longer than|why not|whether or not|nicht nur|non seulement|no sólo)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;:!?,。，;!?]|\b(?:but|although|whereas|however|aber|mais|pero)\b", re.IGNORECASE)
_RULED_OUT = re.compile(
    r"(?:\b(?:not|rather than|instead of|nicht|statt|anstatt|pas|au lieu de|en lugar de)|n't)\s"
    r"(?:(?:in|on|at|by|um|am|à|en)\s)?(?:the\s)?$",
    re.IGNORECASE,
)
"""A word that rules out the value behind it. Spanish "no" is left out: before a digit it mostly is "No. 5"."""
_LONGEST_LEAD = 32
"""Most characters that such words, with those between, take up in front of a value."""
_LONGEST_CLAUSE = 120
"""Characters before a word that are searched for its negation; its reach is far shorter."""
_REACH = 4
"""How many words a negation reaches ahead in its clause: "may not ride on the upper deck" negates "upper" at most."""


def negations(text: str) -> list[tuple[int, int]]:
    """Return the places of the words that negate; "not only" and "no more than" negate nothing."""
    idle = [match.span() for match in _NO_NEGATION.finditer(text)]
    found = [match.span() for match in _NEGATION.finditer(text)]
    return [span for span in found if not any(start <= span[0] < end for start, end in idle)]


def is_negated(text: str, start: int, end: int) -> bool:
    """Tell whether the word at a place is negated: by a word before it in its clause, or by a Japanese ending."""
    cut = max(0, start - _LONGEST_CLAUSE)
    text, start, end = text[cut : end + 2], start - cut, end - cut
    clause_ends = [match.end() for match in _CLAUSE_END.finditer(text, 0, start)]
    begin = clause_ends[-1] if clause_ends else 0
    count = 0
    for first, last in negations(text):
        before = begin <= first and last <= start and len(text[last:start].split()) <= _REACH
        count += before or (first == end and text[first] in "なまず")
    return count % 2 == 1


def is_ruled_out(text: str, start: int) -> bool:
    """Tell whether the value that begins at a place is named only to say that it is not the one: "not 5 mg"."""
    return _RULED_OUT.search(text[max(0, start - _LONGEST_LEAD) : start]) is not None
