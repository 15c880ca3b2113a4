"""Names of people: initials, order, titles and particles; another given name or surname is another person."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from weighbridge.scoring.language.folding import without_accents
from weighbridge.scoring.matches import ValueMatch

NameRelation = Literal["same", "part", "other given name", "other surname", "other"]

_TITLES_WORDS = """
mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend captain capt general gen colonel col major
sergeant judge justice senator herr frau monsieur madame mme señor señora sr sra don doña saint st president king
queen prince princess pope emperor father brother sister actor actress singer author director coach
"""
_TITLES = frozenset(_TITLES_WORDS.split())
_SUFFIXES_WORDS = """
jr jnr sr snr ii iii iv phd md esq obe mbe
"""
_SUFFIXES = frozenset(_SUFFIXES_WORDS.split())
_PARTICLES_WORDS = """
van von der den de del della di da do dos das la le du ter ten zu zum af av bin ibn al el y e
"""
_PARTICLES = frozenset(_PARTICLES_WORDS.split())
_NO_NAMES_WORDS = """
the a an in on at by it he she they this that these his her their as is was and or but if for of to from with no yes
who what when where i we you der die das le les los las i'm i'd there here ein eine un une both
"""
_NO_NAMES = frozenset(_NO_NAMES_WORDS.split())
_ORGANISATIONS_WORDS = """
inc ltd llc gmbh corporation corp company co university college school department ministry committee council party
association union league club band orchestra bank group agency office army navy museum studios records church
government
"""
_ORGANISATIONS = frozenset(_ORGANISATIONS_WORDS.split())
_SHORT_FORMS = """
william will bill billy
robert rob bob bobby
richard rick dick
james jim jimmy jamie
john jack johnny jon
michael mike mick
thomas tom tommy
joseph joe joey
charles charlie chuck
edward ed eddie ted
elizabeth liz beth betty lizzie
margaret maggie meg peggy
katherine catherine kate cathy kathy katie
alexander alex sandy
samantha samuel sam
daniel dan danny
david dave
stephen steven steve
anthony tony
christopher chris
benjamin ben
matthew matt
andrew andy drew
nicholas nick
patricia patrick pat
gregory greg
kenneth ken
ronald ron
timothy tim
jeffrey geoffrey jeff geoff
"""
_FORMS: dict[str, set[str]] = {}
for _line in _SHORT_FORMS.strip().splitlines():
    for _form in _line.split():
        _FORMS.setdefault(_form, set()).update(_line.split())
_WHO = re.compile(
    r"\b(?:who|whose|whom|who's|wer|wem|wen|wessen|qui|quién|quien|quiénes)\b|谁|誰|name of the (?:person|man|woman|"
    r"author|director|actor|actress|singer|manager|founder|owner|president|ceo|head|captain|player|teacher|doctor|nurse|boy|girl)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\.?")
_GLUED_INITIALS = re.compile(r"(?<=\b[^\W\d_]\.)(?=[^\W\d_])")
_LONGEST_NAME = 6


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as it is compared: in lower case without accents, titles and particles."""

    text: str
    parts: tuple[str, ...]


@lru_cache(maxsize=4096)
def parse_name(text: str) -> PersonName | None:
    """Return the name that a folded text consists of; None where it is something else."""
    plain = text.strip().strip("\"'.,")
    if (order := re.fullmatch(r"([^,]+), ([^,]+)", plain)) and order[2].rstrip(".").lower() not in _SUFFIXES:
        plain = f"{order[2]} {order[1]}"
    plain = _GLUED_INITIALS.sub(" ", plain).replace(",", "")
    words = _WORD.findall(plain)
    if not words or len(words) > _LONGEST_NAME or re.sub(r"[\s.]", "", plain) != re.sub(r"[\s.]", "", "".join(words)):
        return None
    if not all(_is_capital(word) or word.lower() in _PARTICLES for word in words):
        return None
    parts = _parts(words)
    if not parts or any(part in _ORGANISATIONS or part in _NO_NAMES for part in parts):
        return None
    return PersonName(text.strip(), parts)


def _is_capital(word: str) -> bool:
    return word[0].isupper() or word.lower().startswith(("al-", "el-"))


def _parts(words: list[str]) -> tuple[str, ...]:
    parts = []
    for word in re.split(r"\s|(?<=\w\w)-(?=\w\w)", " ".join(words)):
        part = without_accents(word.lower()).rstrip(".").removeprefix("al-").removeprefix("el-").removesuffix("'s")
        initial = len(part) == 1 and word[0].isupper()
        if part and (initial or (part not in _TITLES and part not in _SUFFIXES and part not in _PARTICLES)):
            parts.append(part)
    return tuple(parts)


@lru_cache(maxsize=2048)
def find_names(text: str) -> tuple[PersonName, ...]:
    """Find possible names in a folded text: capitalised words in a row, with particles and initials."""
    text = _GLUED_INITIALS.sub(" ", text)
    if not any(map(str.isupper, text)):
        text = text.title()
    found: list[PersonName] = []
    run: list[str] = []
    end = 0
    for match in [*_WORD.finditer(text), None]:
        word = match[0] if match else ""
        lower = word.lower().rstrip(".")
        apart = text[end : match.start()] if match else ""
        joins = (
            match is not None
            and bool(run)
            and apart.strip() == ""
            and "\n" not in apart
            and not _ends_sentence(run[-1])
        )
        if run and not (joins and (_is_capital(word) or lower in _PARTICLES)):
            parts = _parts(run)
            if parts:
                found.append(PersonName(" ".join(run), parts))
            run = []
        if match and (run or (_is_capital(word) and (lower not in _NO_NAMES or _is_initial(word)))):
            run.append(word)
        end = match.end() if match else end
    return tuple(found)


def _is_initial(word: str) -> bool:
    return len(word) == 2 and word.endswith(".")


def _ends_sentence(word: str) -> bool:
    """Tell whether the dot of a word ends a sentence, rather than an initial or a title."""
    plain = word.rstrip(".").lower()
    return word.endswith(".") and len(plain) > 1 and plain not in _TITLES and plain not in _SUFFIXES


def compare_names(reference: PersonName, answer: PersonName) -> NameRelation:
    """Return whether two names can be one person's."""
    wanted, given = reference.parts, answer.parts
    glued = "".join(wanted)
    if sorted(wanted) == sorted(given) or glued in ("".join(given), "".join(given[1:] + given[:1])):
        return "same"
    surname = wanted[-1]
    if len(wanted) == 1:
        return "same" if surname in given else "other"
    if surname in given:
        place = given.index(surname)
        others = (*given[:place], *given[place + 1 :]) if place == 0 else given[:place]
        return _compare_given_names(wanted[:-1], others)
    if len(given) > 1 and set(given) <= set(wanted):
        return "same"
    if any(len(part) > 1 and part == wanted[0] for part in given):
        return "part" if len(given) == 1 else "other surname"
    return "other"


def _compare_given_names(wanted: tuple[str, ...], given: tuple[str, ...]) -> NameRelation:
    """Compare the names before a common surname; a bare surname is that person."""
    if not given:
        return "same"
    if not any(_fits(first, second) for first in wanted for second in given):
        return "other given name"
    if len(wanted) > 1 and len(given) > 1 and _fits(wanted[0], given[0]):
        # Two people may share a first name and a surname: their middle names tell them apart.
        return "same" if any(_fits(x, y) for x in wanted[1:] for y in given[1:]) else "other given name"
    return "same"


def _fits(first: str, second: str) -> bool:
    if len(first) == 1 or len(second) == 1:
        return first[0] == second[0]
    return first == second or second in _FORMS.get(first, ())


def asks_for_a_person(question: str) -> bool:
    """Tell whether a question asks who somebody is."""
    return _WHO.search(question) is not None


def match_name(question: str, reference: str, answer: str) -> ValueMatch | None:
    """Compare the name of a folded reference with an answer; None where the reference is no person's name."""
    name = parse_name(reference)
    if name is None or not (asks_for_a_person(question) or _looks_like_a_person(reference)):
        return None
    whole = without_accents(name.text.lower())
    if len(name.parts) > 1 and whole in without_accents(answer.lower()):  # also where the space after it is lost
        reason = f"the answer names {name.text}"
        return ValueMatch(kind="name", reference=name.text, answer=name.text, relation="same", reason=reason)
    relations = [(compare_names(name, other), other) for other in find_names(answer)]
    full = [pair for pair in relations if pair[0] == "same" and (len(pair[1].parts) > 1 or len(name.parts) == 1)]
    same = [pair for pair in relations if pair[0] == "same"]
    namesakes = [pair for pair in relations if pair[0] == "other given name"]
    if full or (same and not namesakes):
        other = (full or same)[0][1]
        return ValueMatch(
            kind="name", reference=name.text, answer=other.text, relation="same", reason=f"{other.text} is {name.text}"
        )
    asked = {part for known in find_names(question.title()) for part in known.parts}
    # Without capital letters any words may look like a name: then only a common surname tells of another person.
    kinds = ("other given name", "other surname", "other") if any(map(str.isupper, answer)) else ("other given name",)
    for kind in kinds:
        for relation, other in relations:
            if relation != kind or (kind == "other" and (len(other.parts) == 1 or set(other.parts) & asked)):
                continue
            reason = f"{other.text} is another person than {name.text}"
            return ValueMatch(kind="name", reference=name.text, answer=other.text, relation="different", reason=reason)
    reason = f"the answer does not name {name.text}"
    part = [other for relation, other in relations if relation == "part"]
    if part:
        reason = f"{part[0].text} alone may be somebody else than {name.text}"
    return ValueMatch(kind="name", reference=name.text, answer="", relation="missing", reason=reason)


def _looks_like_a_person(reference: str) -> bool:
    """Tell whether a name has a title or an initial, as only people have."""
    words = [word.rstrip(".").lower() for word in _WORD.findall(_GLUED_INITIALS.sub(" ", reference))]
    return len(words) > 1 and (words[0] in _TITLES or any(len(word) == 1 for word in words[:-1]))
