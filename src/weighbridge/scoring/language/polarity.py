"""Yes and no: tells an answer that affirms from a reference that denies, and the reverse."""

import re
from collections.abc import Iterator
from functools import lru_cache

from weighbridge.scoring.language.folding import without_accents
from weighbridge.scoring.language.negation import is_negated, negations
from weighbridge.scoring.language.oppositions import DECISIVE, Sign, Stance, find_stances
from weighbridge.scoring.matches import ValueMatch

_YES = "yes yeah yep indeed correct true ja jawohl oui si sí 是 是的 对 對 可以 はい ええ"
_NO = "no nope incorrect false nein non 不 不是 不可以 否 没有 沒有 いいえ"
_YES_OR_NO = re.compile(
    r"^[\s\"'*#>-]*(?:(?:well|the answer is|answer|antwort|réponse|respuesta|回答|答案是?)[:,\s]*)?"
    rf"(?:(?P<yes>{'|'.join(sorted(_YES.split(), key=len, reverse=True))})|"
    rf"(?P<no>{'|'.join(sorted(_NO.split(), key=len, reverse=True))}))"
    r"(?=$|[\s\"'*]*[,.;:!。,、]|\s+(?:it|they|he|she|you|we|there|that|this|because|die|das|der|es|sie|du|man|il|elle|on)\b"
    r"|(?<=[^\x00-\x7f]))",
    re.IGNORECASE,
)
# An axis names two sides; both lists hold only words that stand for that side in nearly every sentence. Words with
# common other senses ("right", "may", "light") are left to the words around them, or taken in short texts only.
_IS_YES_NO_QUESTION = re.compile(
    r"^\W*(?:(?:and|so|but)\s)?(?:is|are|was|were|am|do|does|did|can|may|could|should|shall|will|would|has|have|had|must|"
    r"isn't|aren't|doesn't|don't|didn't|ist|sind|war|waren|darf|dürfen|kann|können|hat|haben|muss|müssen|gibt es|wird|"
    r"est-ce|peut-on|est-il|puede|pueden|es|está|hay|se puede|tiene)\b|吗|嗎|か[?。]?\s*$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。!?\n]+")
_CONTENT = re.compile(r"[^\W\d_]{3,}")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_STEM = 5
"""Letters of a word that must agree for two of its forms to count as one ("rides", "riding")."""
_SHORT_REFERENCE = 12
"""A reference of up to so many words states one thing, so that a negation in it is its meaning."""
_SHORTEST = 6
_SHOWN = 12
"""How many characters before a word are shown with it, for its negation."""


@lru_cache(maxsize=4096)
def yes_or_no(text: str) -> Sign | None:
    """Return 1 where a folded text opens with yes, -1 where it opens with no, None where it opens with neither."""
    match = _YES_OR_NO.match(text)
    if match is None:
        return None
    return 1 if match["yes"] else -1


def polarity_of(text: str, question: str = "") -> Sign | None:
    """Return 1 where a folded text says yes to a question, -1 where it says no, None where it says neither.

    A sentence without yes or no is compared with the question: it denies the question where it takes the other side of
    an opposition ("the gate is closed" to "is it open?"), or negates its statement.
    """
    if (opening := yes_or_no(text)) is not None:
        return opening
    if not _IS_YES_NO_QUESTION.search(question):
        return None
    given = find_stances(text)
    for asked in find_stances(question):
        for stance in given:
            if stance.axis == asked.axis:
                return 1 if stance.sign == asked.sign else -1
    stems = _stems(question)
    for sentence in _SENTENCE.findall(text):
        if stems & _stems(sentence):
            return 1 if len(negations(sentence)) % 2 == len(negations(question)) % 2 else -1
    return None


def _stems(text: str) -> set[str]:
    return {without_accents(word.lower())[:_STEM] for word in _LONG_WORD.findall(text)}


def match_polarity(question: str, reference: str, answer: str) -> Iterator[ValueMatch]:
    """Compare yes and no, opposites and negations of a folded reference with a folded answer."""
    wanted = yes_or_no(reference)
    if wanted is not None:
        yield _match_yes_no(wanted, question, reference, answer)
    if len(reference.split()) > _SHORT_REFERENCE:
        return
    stances = find_stances(reference)
    for stance in stances:
        match = _match_stance(stance, question, answer)
        if match.relation != "missing" or stance.axis in DECISIVE:
            yield match
    if wanted is None and not stances:
        yield from _match_negation(reference, answer, denied_in_question=len(negations(question)) % 2 == 1)


def _match_yes_no(wanted: Sign, question: str, reference: str, answer: str) -> ValueMatch:
    given = polarity_of(answer, question)
    said = _YES_OR_NO.match(reference)
    shown = (said["yes"] or said["no"]) if said else reference
    if given is None:
        return ValueMatch(
            kind="polarity", reference=shown, answer="", relation="missing", reason="the answer says neither yes nor no"
        )
    written = "yes" if given == 1 else "no"
    if given == wanted:
        return ValueMatch(
            kind="polarity", reference=shown, answer=written, relation="same", reason=f"both say {written}"
        )
    return ValueMatch(
        kind="polarity", reference=shown, answer=written, relation="different",
        reason=f"the answer says {written}, the reference {shown.lower()}",
    )  # fmt: skip


def _match_stance(wanted: Stance, question: str, answer: str) -> ValueMatch:
    given = [stance for stance in find_stances(answer) if stance.axis == wanted.axis]
    for stance in given:
        if stance.sign == wanted.sign:
            return ValueMatch(
                kind="polarity", reference=wanted.text, answer=stance.text, relation="same",
                reason=f"{stance.text} means the same as {wanted.text}",
            )  # fmt: skip
    opening = yes_or_no(answer)
    asked = [stance for stance in find_stances(question) if stance.axis == wanted.axis]
    if given:
        return ValueMatch(
            kind="polarity", reference=wanted.text, answer=given[0].text, relation="different",
            reason=f"{given[0].text} is the opposite of {wanted.text}",
        )  # fmt: skip
    if opening is not None and asked:
        written = "yes" if opening == 1 else "no"
        same = asked[0].sign * opening == wanted.sign
        return ValueMatch(
            kind="polarity", reference=wanted.text, answer=written, relation="same" if same else "different",
            reason=f"{written} {'says' if same else 'does not say'} that it is {wanted.text}",
        )  # fmt: skip
    return ValueMatch(
        kind="polarity", reference=wanted.text, answer="", relation="missing",
        reason=f"the answer says nothing of {wanted.text}",
    )  # fmt: skip


def _match_negation(reference: str, answer: str, *, denied_in_question: bool) -> Iterator[ValueMatch]:
    """Compare whether the words of a short reference are negated there and in the answer.

    A question that negates ("name a banned item") is answered in both ways, so nothing is concluded then.
    """
    denied = bool(negations(reference))
    if denied_in_question or (not denied and len(reference.split()) > _SHORTEST):
        return
    answered = [(match[0].lower(), match.span()) for match in _CONTENT.finditer(answer)]
    for word in _CONTENT.finditer(reference):
        stem = word[0].lower()[:_STEM]
        places = [span for other, span in answered if other.startswith(stem)]
        if not places or is_negated(reference, *word.span()) != denied:
            continue
        affirmed = [span for span in places if is_negated(answer, *span) == denied]
        if not affirmed:
            shown = answer[max(0, places[0][0] - _SHOWN) : places[0][1]].strip()
            yield ValueMatch(
                kind="polarity", reference=reference, answer=shown, relation="different",
                reason=f'the answer {"does not deny" if denied else "denies"} "{word[0]}"',
            )  # fmt: skip
            return
        if denied:
            yield ValueMatch(
                kind="polarity", reference=reference, answer=answer[slice(*affirmed[0])], relation="same",
                reason=f'both deny "{word[0]}"',
            )  # fmt: skip
            return
