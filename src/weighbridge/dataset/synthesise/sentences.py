"""A sentence becomes questions that it answers itself.

A sentence is taken apart as subject, verb and the rest; a value in the rest (a date, a price, a number of things, a
person, a place) becomes the answer, and what remains is asked for it: "The leave year starts on 1 February" gives
"When does the leave year start?". What is bound to a condition, denied, or one of several values is left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from weighbridge.dataset.synthesise.english import (
    AT_MOST,
    AUXILIARIES,
    CIRCUMSTANCES,
    DATE,
    DURATION,
    MONEY,
    NUMBER,
    PERCENT,
    PERSON,
    ROLES,
    SPAN_WORD,
    TAIL,
    VERBS,
    Vocabulary,
    can_be_subject,
    is_finite,
    person_does,
)

MOST_WORDS = 12
"""Words of an answer."""

_MOST_BEFORE, _MOST_AFTER = 9, 6
_CLAUSE_ENDS = re.compile(
    r"[,:](?!\d)|[;()\u2013\u2014]| because |,? and (?=(?:is|are|was|were|must|may|can|should|will|has|have|had|"
    r"the|it|they|he|she|each|any)\b)"
    rf"| and (?={MONEY} (?:for|in|on)\b)"
)
_RESTRICTED = re.compile(
    r"\b(?:if|unless|except|but|only|no(?! (?:more|less) than)|not(?! more than)|never|without|cannot|nor|neither|"
    r"otherwise|when|while|where|until further|also|"
    r"either|whichever|respectively|former|latter)\b|\b(?:or) (?=[\u00a3$\u20ac\d])"
)
_HARMLESS = re.compile(
    r"(?:who|which|whose|because|so|with|under|above|below|beside|opposite|near|then|since|in|at|on|by|from|to|and "
    r"(?:is|are|was|were|has|have|must|may|can|the|it|they|he|she)|"
    r"(?!includ|exclud|depend|assum|provid|start|count|accord)[a-z]+ing)\b"
)
"""Words that may follow a comma without changing what was said before it."""
_ENDS_OPEN = re.compile(
    r"\b(?:in|on|at|of|for|with|to|from|by|within|about|around|over|under|nearly|than|and|up|least|most|that|which|who|"
    r"whose|after|before|until|every)$"
)
_PERFECT = re.compile(r"(?:[a-z]+(?:ed|en|own)|been|had|kept|held|run|won|made|built|sold|lost|left|met|paid)\b")
_PARTICIPLE = re.compile(r"(?:ed|en|wn|un|ade|eld|ept|uilt|old|aid|ost|ught|ound|ung|et|ut)$")
_PLURAL = re.compile(r"(?:[a-rt-z]s|people|staff|crew|children|men)$")
_LASTING = frozenset({"take", "last", "stay", "be kept", "run", "live"})
_NO_PERSON = re.compile(
    r"\b(?:House|Company|Missions|University|Council|Corporation|Inc|Ltd|Board|Department|Office|Museum|Hall|Bank|Society|"
    r"Group|Association|Committee|Ministry|Agency|Party|Army|Church|College|Club|States|Kingdom|Government|Act)\b"
)
_VALUE_LIKE = re.compile(r"[\u00a3$\u20ac\d]")
_CODE = r"(?=[\w./-]*\d)[\w./-]+|[\"\u201c][^\"\u201d ]+(?: [^\"\u201d ]+){0,5}[\"\u201d]"
_KIND = re.compile(r"an? (?!bit|little|few|lot|long|short|good|bad)(?:(?!\b(?:more|less|than)\b).)+")
_OF = r" of (?:the |a )?[a-z]+(?: (?!in|on|at|of|for|with|to|from|by|and|or|per|before|after|between)[a-z]+)?"
_LED = re.compile(rf"(?:In|On) (?P<value>{DATE}),? (?P<clause>[a-zA-Z].*)")
_SOME = rf"(?:{AT_MOST}{MONEY}|{AT_MOST}{PERCENT}|{AT_MOST}{DURATION}|{DATE})"


_VALUES = (
    (rf"{AT_MOST}{MONEY}", "How much", "amount"),
    (DATE, "When", "date"),
    (rf"{_SOME}|{_CODE}", "What", "value"),
)
"""What something may be said to be, how one asks for it, and what that rule is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A question, how to ask it indirectly, other direct wordings, its answers (the best first), and its rule."""

    question: str
    indirect: str
    """As after "Could you tell me": "when the leave year starts"."""
    answers: tuple[str, ...]
    rule: str
    subject: str
    """What it asks about, as it stands in the question."""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause taken apart. `base` is the verb as a question has it after the subject; empty after is, may, must."""

    subject: str
    verb: str
    auxiliary: str
    base: str
    rest: str

    def ask(self, words: str, before: str, after: str, answers: tuple[str, ...], rule: str) -> Draft:
        """Return the question that begins with `words`; `before` and `after` is what stood around the value."""
        after = after.strip()
        question = _joined(words, self.auxiliary, self.subject, self.base, before, after)
        indirect = _joined(words[0].lower() + words[1:], self.subject, self.verb, before, after)
        others: tuple[str, ...] = ()
        if words == "When" and re.match(r"\d", answers[0]):
            others = (_joined("On what date", self.auxiliary, self.subject, self.base, before, after) + "?",)
        if words == "How much" and self.base == "cost":
            others = (f"What is the price of {_joined(self.subject, after)}?",)
        return Draft(
            question=f"{question}?", indirect=indirect, answers=answers, rule=rule, subject=self.subject, others=others
        )


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def drafts_of(sentence: str, words: Vocabulary, *, opening: bool = False) -> Iterator[Draft]:
    """Yield the questions that a sentence answers, `opening` being the first of a document.

    Each answer stands in the sentence, but for runs of white space.
    """
    for part in " ".join(sentence.split()).split("; "):
        yield from _drafts(_without_stop(part), words, opening=opening)


def _without_stop(sentence: str) -> str:
    return sentence if re.search(r"\b(?:[ap]\.m|Inc|Ltd|Co|St)\.$", sentence) else sentence.rstrip(".!")


def _drafts(plain: str, words: Vocabulary, *, opening: bool) -> Iterator[Draft]:
    plain = re.sub(r"^(?:Today|Currently|Now|However|Overall),? (?=[a-z])", "", plain)
    if led := _LED.match(plain):
        yield from _dated(led["value"], led["clause"], words)
        return
    if "?" in plain or (clause := _taken_apart(plain, words)) is None:
        return
    yield from _who(clause)
    if _RESTRICTED.search(clause.rest):
        return
    stated = list(_stated(clause, opening=opening)) or list(_amounts(clause))
    yield from stated or list(_circumstances(clause))[:2]


def _dated(value: str, sentence: str, words: Vocabulary) -> Iterator[Draft]:
    """Yield when a clause was so that stands after a date."""
    clause = _taken_apart(sentence[0].upper() + sentence[1:], words)
    if (
        clause is None
        or clause.auxiliary in {"has", "have"}
        or _RESTRICTED.search(clause.rest)
        or _VALUE_LIKE.search(clause.rest)
    ):
        return
    if 1 <= len(clause.rest.split()) <= _MOST_BEFORE and not _unclear(clause, clause.rest):
        yield clause.ask("When", clause.rest, "", (value,), "when")


def _taken_apart(sentence: str, words: Vocabulary) -> Clause | None:
    for found in re.finditer(r"(?<![\w'\u2019-])[a-z]+(?![\w'\u2019-])", sentence):
        word, subject = found.group(), sentence[: found.start()].strip()
        if (word not in AUXILIARIES and word not in VERBS) or not can_be_subject(subject):
            continue
        following = sentence[found.end() :].strip()
        rest = _until_clause_ends(following)
        if rest is None or (word in VERBS and VERBS[word].base != "have" and is_finite(rest.partition(" ")[0])):
            continue
        return _clause(words.lowered(subject), word, rest)
    return None


def _until_clause_ends(following: str) -> str | None:
    """Return what belongs to the verb; None where what follows it changes what is said."""
    end = _CLAUSE_ENDS.search(following)
    if end is None:
        return following
    mark, beyond = following[end.start()], following[end.start() :].lstrip(", ")
    if mark in "(:" or (mark == "," and not _HARMLESS.match(beyond)):
        return None
    return following[: end.start()].strip()


def _clause(subject: str, word: str, rest: str) -> Clause | None:
    if any(other in AUXILIARIES for other in rest.split()):
        return None
    if word in AUXILIARIES or (word in {"has", "have", "had"} and _PERFECT.match(rest)):
        return Clause(subject=subject, verb=word, auxiliary=word, base="", rest=rest)
    verb = VERBS[word]
    if verb.auxiliary == "do" and not (_PLURAL.search(subject) or _PLURAL.search(subject.split(maxsplit=1)[0])):
        return None
    return Clause(subject=subject, verb=word, auxiliary=verb.auxiliary, base=verb.base, rest=rest)


def _who(clause: Clause) -> Iterator[Draft]:
    """Yield who does something, where the sentence begins with that person."""
    if not re.fullmatch(PERSON, clause.subject) or clause.subject.startswith("The "):
        return
    if person_does(clause.verb) and 1 <= len(clause.rest.split()) <= _MOST_BEFORE:
        said = f"who {clause.verb} {clause.rest}"
        yield Draft(question=f"W{said[1:]}?", indirect=said, answers=(clause.subject,), rule="who", subject=clause.rest)


def _stated(clause: Clause, *, opening: bool) -> Iterator[Draft]:
    """Yield what something is: a person, a price, a date, a number, or a kind of thing."""
    if clause.verb not in {"is", "are", "was", "were"} or not clause.rest:
        return
    value = clause.rest
    if len(value.split()) > MOST_WORDS or re.search(r"(?:^| )(?:of|the|a|to|in|for)$", value):
        return
    if re.fullmatch(PERSON, value):
        if ROLES.search(clause.subject):
            yield clause.ask("Who", "", "", (value,), "person")
        return
    for pattern, words, rule in _VALUES:
        if re.fullmatch(pattern, value):
            yield clause.ask(words, "", "", (value.strip('"\u201c\u201d'),), rule)
            return
    named = clause.subject[0].isupper() or opening
    if named and clause.verb in {"is", "was"} and _KIND.fullmatch(value):
        yield clause.ask("What", "", "", (value,), "definition")


def _amounts(clause: Clause) -> Iterator[Draft]:
    """Yield how much, how long or how many, where that follows the verb, or the verbs: costs, may cost, must have."""
    before = r"(?P<before>(?:be )?[a-z]+ )" if not clause.base else "(?P<before>)"
    if clause.auxiliary in {"is", "are", "was", "were"} and clause.verb == clause.auxiliary:
        before = r"(?P<before>(?:paid|charged|given|allowed|granted) )"
    for pattern, words in ((MONEY, "How much"), (PERCENT, "How much"), (DURATION, "How long")):
        found = re.fullmatch(rf"{before}(?P<value>{AT_MOST}{pattern}(?:{_OF})?)(?P<after>{TAIL.pattern})", clause.rest)
        if not found or not _short(found["after"]) or found["after"].startswith(" of"):
            continue
        if words == "How much" or (clause.base or found["before"].strip()) in _LASTING:
            yield clause.ask(words, found["before"], found["after"], (found["value"],), "amount")
            return
    found = re.fullmatch(
        rf"{before}(?P<value>{AT_MOST}(?P<number>{NUMBER}) (?P<things>[a-z-]+(?: [a-z-]+){{0,2}}?))"
        rf"(?P<of>{_OF})?(?P<after>{TAIL.pattern})",
        clause.rest,
    )
    if found and _short(found["after"]) and _PLURAL.search(found["things"].split()[-1]) and found["number"] != "one":
        after = found["after"].strip()
        if re.search(SPAN_WORD, found["things"]) and re.match(r"(?:before|after) ", after):
            yield clause.ask(f"How long {after}", found["before"], "", (found["value"],), "when")
        elif not after or clause.base or not found["before"].startswith("be "):
            things = f"How many {found['things']}{found['of'] or ''}"
            yield clause.ask(things, found["before"], after, (found["value"], found["number"]), "number")


def _circumstances(clause: Clause) -> Iterator[Draft]:
    """Yield when, where, by whom, for how long: what a preposition brings into the clause."""
    taken: list[range] = []
    for asked in CIRCUMSTANCES:
        found = asked.pattern.search(clause.rest)
        if found is None or any(found.start() in other for other in taken):
            continue
        before, after, value = clause.rest[: found.start()].strip(), clause.rest[found.end() :], found["value"]
        if of := re.match(_OF, after):
            value, after = value + of.group(), after[of.end() :]
        taken.append(range(*found.span()))
        if len(before.split()) > _MOST_BEFORE or _unclear(clause, before) or not _short(after):
            continue
        if not TAIL.fullmatch(after) or (asked.words == "Where" and not _is_place(value, before)):
            continue
        if asked.words == "By whom" and (not _PARTICIPLE.search(before) or _NO_PERSON.search(value)):
            continue
        rule = {"Where": "place", "By whom": "person"}.get(asked.words, "when")
        yield clause.ask(asked.words, before, after, (value,), rule)


def _unclear(clause: Clause, before: str) -> bool:
    """Tell whether what stands before a value is too little or too much to be asked with."""
    if clause.auxiliary in {"must", "may", "can", "should", "will", "has", "have"} and not clause.base and not before:
        return True
    joined = re.search(r"\band ([a-z]+)", before)
    verb = joined and (joined[1] in VERBS or _PARTICIPLE.search(joined[1]))
    return bool(verb or _ENDS_OPEN.search(before) or re.search(r"^to be|\b(?:that|which|who)\b", before))


def _is_place(value: str, before: str) -> bool:
    """Tell whether a name after in, on or at says where, and of the whole clause, not of a thing in it."""
    return not re.fullmatch(DATE, value) and bool(re.fullmatch(r"(?:be )?[a-z]*", before))


def _short(after: str) -> bool:
    return len(after.split()) <= _MOST_AFTER and not _VALUE_LIKE.search(after) and not _ENDS_OPEN.search(after)
