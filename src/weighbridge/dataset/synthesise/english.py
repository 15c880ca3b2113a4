"""English as the rules read it: values such as dates and prices, names and common words, and forms of one word."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_NUMBER_WORD = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-[a-z]+)?|(?:a|one) hundred)"
)
NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?(?: (?:thousand|million|billion))?|{_NUMBER_WORD})(?![\w:%]|[.,]\d)"
_FIGURE = r"\d[\d,]*(?:\.\d+)?"
_EACH = r"(?: (?:a|an|per) [a-z]+| each)?"
MONEY = rf"(?:[\u00a3$\u20ac]{_FIGURE}(?: (?:million|billion))?|{_FIGURE}p\b|{NUMBER} (?:dollars|euros|pounds)){_EACH}"
_DATE_ONE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTH})(?: \d{{4}})?|(?:{_MONTH}) \d{{1,2}}(?:, \d{{4}})?|"
    rf"(?:the )?(?:end|start|beginning|middle) of (?:{_MONTH})|(?:{_MONTH})(?: \d{{4}})?|"
    r"(?:1[0-9]|20)\d{2}(?![\w,.]\d))"
)
_DATE_DAY = (
    rf"(?:the (?:first|second|third|fourth|fifth|last) (?:{_DAY}|day) (?:of|in) (?:each|every|the|{_MONTH})"
    rf"(?: (?:month|quarter|year))?|{_DAY}(?:(?:, {_DAY})*,? (?:and|or) {_DAY})?|weekdays|weekends)"
)
DATE = rf"(?:{_DATE_DAY}|{_DATE_ONE})"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the documents write words: those with a small letter, and those with a capital amid a sentence."""

    small: frozenset[str]
    names: frozenset[str]
    """Those that have a capital amid a sentence more often than not."""

    def lower_first(self, text: str) -> str:
        """Return the beginning of a sentence as it stands inside one: with a small letter, unless it is a name."""
        found = re.match(r"[A-Z][a-z'\u2019-]*(?!\w)", text)
        if not found:
            return text
        small, rest = found.group().lower(), text[found.end() :]
        if small in {"the", "a", "an"}:
            return small + rest
        if found.group() in self.names or re.match(r" (?:(?:of|de|von|van|al|and) )?[A-Z]", rest) or small in _TITLES:
            return text
        known = {small, small.removesuffix("s"), f"{small}s"} & self.small
        common = small.endswith("s") or re.match(r" [a-z]+(?! [A-Z])(?!\w)", rest)
        return small + rest if known or common else text


def build_vocabulary(texts: Iterable[str]) -> Vocabulary:
    """Read how texts write their words."""
    small, names = Counter[str](), Counter[str]()
    for text in texts:
        small.update(re.findall(r"(?<![\w'\u2019-])[a-z][a-z'\u2019-]+", text))
        names.update(re.findall(r"(?<=[a-z,] )[A-Z][a-z'\u2019-]*", text))
    return Vocabulary(frozenset(small), frozenset(name for name, count in names.items() if count > small[name.lower()]))


_TITLES = frozenset({"mr", "mrs", "ms", "dr", "sir", "lady", "lord", "captain", "professor", "saint", "king", "queen"})
_STEM = re.compile(r"(?:ings?|ed|es|s|d|e)$")
_SHORT = 4
_GRAMMAR = frozenset({
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "is", "are", "was",
    "were", "be", "been", "do", "does", "did", "has", "have", "had", "may", "can", "must", "should", "will", "what",
    "when", "where", "who", "whom", "which", "how", "many", "much", "long", "often", "time", "whose", "that", "this",
    "it", "its", "as", "given",
})  # fmt: skip


def content_words(text: str) -> frozenset[str]:
    """Return the words that carry meaning, crudely cut to their stems, so that forms of one word agree."""
    words = re.findall(r"[^\W_]+(?:[.:]\d+)*", text.casefold())
    return frozenset(_stem(word) for word in words if word not in _GRAMMAR)


def _stem(word: str) -> str:
    if len(word) <= _SHORT:
        return word
    return re.sub(r"([bdgmnprt])\1$", r"\1", _STEM.sub("", word))
