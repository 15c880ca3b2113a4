"""English as the rules read it: verbs and their forms, values and how one asks for them, and what can be a subject.

These are word lists and patterns, no grammar. They are made to miss rather than to misread: a sentence that fits none
gives no question. In other languages only what stands in tables and after labels is turned into questions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
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
_CLOCK = r"(?:\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\b\.?)?|\d{1,2} ?[ap]\.?m\b\.?|noon|midnight)"
SPAN_WORD = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|nights?)"
DURATION = rf"{NUMBER}(?: (?:working|calendar|full|consecutive))? {SPAN_WORD}(?: {NUMBER} {SPAN_WORD})?"
PERCENT = rf"{_FIGURE} ?(?:%|per ?cent\b)"
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
AT_MOST = (
    r"(?:(?:at least|at most|no more than|not more than|no less than|up to|about|around|approximately|nearly|more than"
    r"|fewer than|less than) )?"
)
_CAPITAL = r"[A-Z][\w'\u2019-]*"
PERSON = rf"(?:(?:Captain|Dr|Mrs?|Ms|Professor|Sir) )?{_CAPITAL}(?: [A-Z]\.)?(?: {_CAPITAL})+"
_PREPOSITION = r"(?:in|on|at|of|for|with|to|from|by|as|per|between|before|after|during|into|over|under|through)"
PLACE = (
    rf"(?:the (?:ground|first|second|third|fourth|top) floor(?: of {_CAPITAL}(?: {_CAPITAL})*)?|"
    rf"(?:room|bay|gate) \d[\d.]*|"
    rf"the {_CAPITAL}(?: {_CAPITAL})*(?: (?!{_PREPOSITION}\b|and\b|or\b)[a-z]+)?|{_CAPITAL}(?: {_CAPITAL})*)"
)
TAIL = re.compile(rf"(?: {_PREPOSITION} [^,;:()\d]*)?")
"""What may follow a value without changing it: nothing, or words like "in the Chart Room"."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stretch of a sentence tells, and the words that ask for it."""

    pattern: re.Pattern[str]
    """Its group `value` is the answer."""
    words: str


def _by(preposition: str, value: str, words: str) -> Asked:
    return Asked(re.compile(rf"\b{preposition} (?P<value>{value})(?!\w)"), words)


CIRCUMSTANCES = (
    _by("from", rf"{_CLOCK} (?:to|until) {_CLOCK}", "From when until when"),
    _by("between", rf"{_CLOCK} and {_CLOCK}", "Between what times"),
    _by("from", rf"{_DATE_ONE} (?:to|until) {_DATE_ONE}", "From when until when"),
    _by("between", rf"{_DATE_ONE} and {_DATE_ONE}", "Between which dates"),
    _by("at", _CLOCK, "At what time"),
    _by("by", _CLOCK, "By what time"),
    _by("until", _CLOCK, "Until what time"),
    _by("before", _CLOCK, "Before what time"),
    _by("after", _CLOCK, "After what time"),
    _by("from", _CLOCK, "From what time"),
    _by("(?:on|in)", DATE, "When"),
    _by("by", DATE, "By when"),
    _by("since", DATE, "Since when"),
    _by("until", DATE, "Until when"),
    _by("before", DATE, "Before what date"),
    _by("after", DATE, "After what date"),
    _by("from", DATE, "From when"),
    _by("within", rf"{AT_MOST}{DURATION}", "Within what time"),
    _by("for", rf"{AT_MOST}{DURATION}", "For how long"),
    _by("after", rf"{AT_MOST}{DURATION}", "After how long"),
    Asked(re.compile(rf"\b(?P<value>every (?:{DURATION}|{_DAY}|{SPAN_WORD}|{_MONTH}))\b"), "How often"),
    Asked(re.compile(r"\b(?P<value>(?:once|twice|three times) (?:a|every) [a-z]+)\b"), "How often"),
    _by("at", MONEY, "At what price"),
    _by("by", PERCENT, "By how much"),
    _by("by", PERSON, "By whom"),
    _by("(?:in|on|at)", PLACE, "Where"),
)
"""What a clause may say besides who does what to what, the most particular first."""

AUXILIARIES = frozenset(("is", "are", "was", "were", "must", "may", "can", "should", "will"))
_VERBS = (
    "open close start begin end cost pay carry hold employ own run cover take last leave arrive depart meet sail apply "
    "have get receive earn need contain include serve weigh measure keep claim expire retire join win lose produce "
    "publish use visit travel stay live work move reach return sell buy build host teach train supply charge offer "
    "provide require allow award grant extend hire replace finish stop travel become grow fall rise found launch "
    "complete establish introduce record occur happen die"
)
_PAST = {
    "begin": "began", "pay": "paid", "hold": "held", "run": "ran", "take": "took", "leave": "left", "meet": "met",
    "have": "had", "get": "got", "keep": "kept", "win": "won", "lose": "lost", "sell": "sold", "buy": "bought",
    "build": "built", "teach": "taught", "become": "became", "grow": "grew", "fall": "fell", "rise": "rose",
    "cost": "cost", "stop": "stopped",
}  # fmt: skip
_PEOPLE_DO = frozenset({
    "runs", "leads", "heads", "manages", "chairs", "founded", "wrote", "invented", "designed", "discovered",
    "painted", "composed", "directed", "approves", "signs", "teaches", "won", "commanded",
})  # fmt: skip
ROLES = re.compile(
    r"\b(?:chair|chairman|director|manager|head|captain|master|officer|secretary|president|founder|author|mayor|king|"
    r"queen|warden|cook|chef|planner|superintendent|clerk|trustee|treasurer|coordinator|steward|librarian|owner|editor|"
    r"archivist|nurse|physician|leader|keeper|instructor|buyer|inspector|engineer|doctor|minister|coach|chancellor|"
    r"governor|contact|convenor|representative|chaplain|tutor|mentor|registrar|judge|curator|controller|commander)\b"
)
_CANNOT_BEGIN = frozenset({
    "if", "when", "while", "after", "before", "since", "because", "although", "though", "as", "in", "on", "at", "for",
    "from", "to", "by", "with", "without", "during", "under", "over", "only", "not", "no", "never", "here", "there",
    "then", "also", "however", "today", "it", "its", "he", "she", "they", "his", "her", "their", "this", "that",
    "these", "those", "such", "we", "you", "i", "our", "your", "my", "who", "which", "what", "up", "both", "some",
    "many", "most", "once", "until", "unless", "where", "either", "neither", "among", "between", "despite",
    "according", "all", "any", "every", "each", "another", "other", "others", "one", "two", "first", "second", "last",
    "later", "instead", "nothing", "nobody", "everything", "everyone", "someone", "anyone",
})  # fmt: skip
_CANNOT_HOLD = frozenset({
    "who", "later", "ago", "then", "there", "which", "that", "whose", "whom",
    "where", "when", "if", "because", "while", "and", "or", "but", "it",
    "they", "this", "these",
})  # fmt: skip
_LONGEST_SUBJECT = 7
_BREAKS = re.compile(r"[,;:()\"\u201c\u201d\u2013\u2014|*_`\[\]]")


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb as it stands in a sentence, and how a question with it begins: `auxiliary` subject `base`."""

    base: str
    auxiliary: str


def _forms() -> Mapping[str, Verb]:
    found: dict[str, Verb] = {}
    for base in dict.fromkeys(_VERBS.split()):
        third = {"have": "has"}.get(base) or _third(base)
        stem = base[:-1] if base.endswith("e") else re.sub(r"(?<=[^aeiou])y$", "i", base)
        found[_PAST.get(base, f"{stem}ed")] = Verb(base, "did")
        found[base] = Verb(base, "do")
        found[third] = Verb(base, "does")
    return found


def _third(base: str) -> str:
    if base.endswith(("ch", "sh", "s", "x")):
        return f"{base}es"
    return f"{base[:-1]}ies" if re.search(r"[^aeiou]y$", base) else f"{base}s"


VERBS = _forms()


def is_finite(word: str) -> bool:
    """Tell whether a word may be the verb of a clause."""
    return word in AUXILIARIES or word in VERBS or word in {"had", "would", "could", "does", "did"}


def person_does(verb: str) -> bool:
    """Tell whether a verb is one of those that only people are the subject of."""
    return verb in _PEOPLE_DO


def can_be_subject(text: str) -> bool:
    """Tell whether the words before a verb are likely its whole subject, and mean something on their own."""
    words = text.split()
    if not 1 <= len(words) <= _LONGEST_SUBJECT or _BREAKS.search(text):
        return False
    low = [word.casefold() for word in words]
    if low[0] in _CANNOT_BEGIN or not _CANNOT_HOLD.isdisjoint(low):
        return False
    if low[0] in {"the", "a", "an"} and len(words) == 1:
        return False
    if any(word.endswith("ed") and low[at] not in {"the", "a", "an"} for at, word in enumerate(words[1:])):
        return False  # a verb that is not in the list, more often than not
    return not any(word in AUXILIARIES for word in low) and low[-1] not in {"of", "to", "in", "the", "a", "not", "also"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the documents write words: those with a small letter, and those with a capital amid a sentence."""

    small: frozenset[str]
    names: frozenset[str]
    """Those that have a capital amid a sentence more often than not."""

    def lowered(self, text: str) -> str:
        """Return what begins a sentence as it stands amid one: with a small letter, unless it begins with a name."""
        found = re.match(r"[A-Z][a-z'\u2019-]*(?!\w)", text)
        if not found:
            return text
        small, rest = found.group().lower(), text[found.end() :]
        if small in {"the", "a", "an"}:
            return small + rest
        if found.group() in self.names or re.match(r" (?:of|de|von|van|al|and) [A-Z]", rest) or small in _TITLES:
            return text
        known = {small, small.removesuffix("s"), f"{small}s"} & self.small
        common = small.endswith("s") or re.match(r" [a-z]+(?! [A-Z])(?!\w)", rest)
        return small + rest if known or common else text


def vocabulary_of(texts: Iterable[str]) -> Vocabulary:
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
    "it", "its",
})  # fmt: skip


def content_words(text: str) -> frozenset[str]:
    """Return the words that carry meaning, crudely cut to their stems, so that forms of one word agree."""
    words = re.findall(r"[^\W_]+(?:[.:]\d+)*", text.casefold())
    return frozenset(_stem(word) for word in words if word not in _GRAMMAR)


def _stem(word: str) -> str:
    if len(word) <= _SHORT:
        return word
    return re.sub(r"([bdgmnprt])\1$", r"\1", _STEM.sub("", word))
