"""Finds the side of a text in pairs of opposite words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from weighbridge.scoring.language.negation import is_negated

Sign = Literal[1, -1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """A text's side of an opposition: "not allowed" is the side -1 of "allowed"."""

    start: int
    end: int
    text: str
    axis: str
    sign: Sign


_AXES = """
allowed: allowed permitted permissible legal lawful authorised authorized erlaubt zulässig gestattet autorisé permis
 permitido 允许 允許
 | forbidden prohibited banned illegal unlawful disallowed verboten untersagt interdit prohibido 禁止
open: open opened opens offen geöffnet ouvert ouverte abierto abierta 开放
 | closed closes shut geschlossen fermé fermée cerrado cerrada 关闭
possible: possible möglich posible 可能 | impossible unmöglich imposible
required: required mandatory compulsory obligatory necessary erforderlich nötig notwendig obligatoire obligatorio
 | optional voluntary unnecessary freiwillig facultatif opcional
included: included inclusive including inbegriffen inklusive compris incluido
 | excluded excluding exclusive except ausgenommen außer sauf excepto
with: with mit avec con | without ohne sans sin
always: always immer toujours siempre | never nie niemals jamais nunca
true: true | false untrue
valid: valid gültig valide válido | invalid expired ungültig
before: before prior vor avant antes | after nach après después
increase: increase increased increases rise risen rising grew grown growth gained higher
 gestiegen erhöht augmenté aumentó
 | decrease decreased decreases fall fell fallen falling dropped declined shrank reduced lower
 gesunken gefallen baissé disminuyó
north: north northern nord | south southern süd sud
east: east eastern ost | west western
left: left links | right rechts
upper: upper top oben | lower bottom unten
inside: inside indoors drinnen | outside outdoors draußen
first: first erste erster | last final letzte letzter
high: high highest maximum | low lowest minimum
all: all every everyone everybody both alle jeder tous todos | none nobody neither keiner aucun ninguno
hot: hot warm | cold
early: early earlier | late later
enabled: enabled active | disabled inactive
free: free kostenlos gratuit gratis | paid
safe: safe | unsafe dangerous
clockwise: clockwise | counterclockwise anticlockwise counter-clockwise anti-clockwise
positive: positive | negative
male: male | female
vertical: vertical | horizontal
guilty: guilty | innocent
married: married | unmarried single divorced
vegetarian: vegetarian vegan | meat
import: import imports | export exports
buyer: buyer tenant borrower | seller landlord lender
inner: inner | outer
public: public | private
permanent: permanent | temporary
"""
DECISIVE = frozenset(("allowed", "open", "possible", "required", "included", "always", "true", "valid"))
"""Axes that decide a question by themselves. The sides of the others often are parts of a name ("South Carolina")."""
_SHORT_TEXT = 6
"""Words that a text may have for the axes below to count: in a long text these words mostly mean something else."""
_ONLY_IN_SHORT_TEXTS = frozenset(
    ("left", "first", "high", "early", "enabled", "free", "all", "with", "hot", "upper", "before",
      "vegetarian", "import", "buyer", "inner", "public", "positive", "male", "increase")
)  # fmt: skip


def _axes() -> dict[str, tuple[str, Sign]]:
    table: dict[str, tuple[str, Sign]] = {}
    for line in _AXES.replace("\n ", " ").strip().splitlines():
        axis, _, sides = line.partition(":")
        for sign, words in zip((1, -1), sides.split("|"), strict=True):
            for word in words.split():
                table.setdefault(word, (axis, 1 if sign == 1 else -1))
    return table


_SIDES = _axes()
_WORD = re.compile(
    rf"(?<![^\W\d_\u3040-\u30ff\u4e00-\u9fff])(?:{'|'.join(sorted(map(re.escape, _SIDES), key=len, reverse=True))})"
    r"(?![^\W\d_\u3040-\u30ff\u4e00-\u9fff])",
    re.IGNORECASE,
)
_MODAL = re.compile(
    r"\b(?:(?P<neither>(?:may|must|can|could|should) ?(?:not|n't|never)|cannot|no \w+ (?:may|can)"
    r"|(?:darf|dürfen) (?:nicht|kein\w*)|ne (?:peut|peuvent|doit) pas|no (?:puede|pueden|se puede)|not be allowed to)"
    r"|(?P<may>may|can|darf|dürfen|peut|peuvent|puede|pueden|se puede))\b"
    r"|(?P<han_not>不可以|不能|不得|不许|不准|てはいけ|てはなら|できません)|(?P<han>可以|てもよい|てもいい|できます)",
    re.IGNORECASE,
)
_LATE_NEGATION = re.compile(r"(?: [^\W\d_]+){0,4} (?:nicht|kein\w*|pas)\b", re.IGNORECASE)
_BEFORE_A_VERB = re.compile(r"[ ,]+(?!\d|\w+ \d{4})[^\W\d_]")
_WITHOUT_NEGATION = frozenset(("with", "always", "all"))
"""Axes with words that negate in themselves, so that a negation before them is another thought ("not all")."""
_SHOWN = 12
"""How many characters before a word are shown with it, for its negation."""


@lru_cache(maxsize=4096)
def find_stances(text: str) -> tuple[Stance, ...]:
    """Find the sides of oppositions that a folded text takes."""
    return (*_opposites(text), *_permissions(text))


def _opposites(text: str) -> Iterator[Stance]:
    short = len(text.split()) <= _SHORT_TEXT
    for match in _WORD.finditer(text):
        axis, sign = _SIDES[match[0].lower()]
        if axis in _ONLY_IN_SHORT_TEXTS and not short:
            continue
        negated = axis not in _WITHOUT_NEGATION and is_negated(text, match.start(), match.end())
        begin = max(0, match.start() - _SHOWN) if negated else match.start()
        side: Sign = 1 if (sign == 1) != negated else -1
        yield Stance(start=match.start(), end=match.end(), text=text[begin : match.end()].strip(), axis=axis, sign=side)


def _permissions(text: str) -> Iterator[Stance]:
    """Find verbs such as "may" that allow or forbid. The month is followed by a number, the verb by a word."""
    for match in _MODAL.finditer(text):
        forbids = match["neither"] or match["han_not"]
        if match["may"] and not _BEFORE_A_VERB.match(text, match.end()):
            continue
        late = _LATE_NEGATION.match(text, match.end()) if match["may"] else None
        end = late.end() if late else match.end()
        sign: Sign = -1 if forbids or late else 1
        yield Stance(start=match.start(), end=end, text=text[match.start() : end], axis="allowed", sign=sign)
