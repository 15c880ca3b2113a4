"""Codes, versions and names that end in a letter: every character counts."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from weighbridge.scoring.language.folding import cover_mask
from weighbridge.scoring.numbers.units import units_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code in a text ("AB-12-4", "3.1.0"), or a word with a letter ("Hepatitis A")."""

    start: int
    end: int
    text: str
    key: str
    """How it is compared: lower case, one kind of separator."""
    label: str = ""
    """The word in front of a single letter: "hepatitis"."""


_TOKEN = re.compile(r"(?<![\w])v?[A-Za-z0-9]+(?:[-._/:#+][A-Za-z0-9]+)*(?![^\W\u3040-\u30ff\u4e00-\u9fff])")
_NO_CODE = re.compile(
    r"\d+(?:st|nd|rd|th|er|s|e|in)(?:-\w+)?|'?\d+s|[A-Za-z]+|\d+(?:[.,:/-]\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d\d(?::\d\d)?"
    r"|\d{1,3}(?:\.\d{3})+|\d+(?:\.\d+)?[kKmMbBxX]|\d+(?:\.\d+)?(?:bn|mn|tn)|\d{1,2}h\d\d|\d{1,2}(?:am|pm)"
    r"|[a-z]+-\d+|\d+(?:\.\d+)?[eE][+-]?\d+"
)
_NUMBER_AND_UNIT = re.compile(r"\d+(?:[.,]\d+)?(?:-\d+(?:[.,]\d+)?)?-?([A-Za-zµ]+(?:/[a-z]+)?)(?:-[a-z]+)*")
_WORD_THEN_NUMBER = re.compile(r"(?:[a-z]+|[A-Z][a-z]{2,})[-/]\d+|\d+[-/](?:[a-z]{3,}|[A-Z][a-z]{2,})(?:-[a-z]+)*")
_LETTERED = re.compile(r"(?<![\w.])([^\W\d_]{3,})[ -]([A-Z])(?![\w'])(?!\.\s?[A-Z])(?! [A-Z][a-z])")
_END = re.compile(r"\s*(?:$|[.,;:!?)])")
_LABELS_WORDS = """
hepatitis vitamin type class grade plan group gate hall room level section appendix annex annexe part terminal
platform zone block building option schedule category team model version line bus dock bay wing pier stand lane
influenza flu pool series exhibit unit tower stage ward deck schritt gruppe typ klasse halle raum groupe salle grupo
sala tipo clase quai zona
"""
_LABELS = frozenset(_LABELS_WORDS.split())
_SEPARATORS = re.compile(r"[-_ ]+")
_ASKED = re.compile(
    r"\b(?:version|firmware|release|build|part number|article number|item number|serial|model number|code|id|"
    r"identifier|postcode|postal code|zip|phone|telephone|"
    r"iban|isbn|account number|order number|reference number|number plate|"
    r"teilenummer|artikelnummer|seriennummer|postleitzahl|telefonnummer|référence|numéro de série|código)\b",
    re.IGNORECASE,
)
_EXACT_NUMBER = re.compile(r"(?<![\w.])\+?\d+(?:[-./ ]?\d+)*(?![\w])")


@lru_cache(maxsize=4096)
def find_codes(text: str, *, asked: bool = False) -> tuple[Code, ...]:
    """Find the codes of a folded text; `asked` tells that the question is for one, so that "3.10" is no number."""
    tokens = (match for match in _TOKEN.finditer(text) if _is_code(match[0]))
    found = [Code(start=token.start(), end=token.end(), text=token[0], key=code_key(token[0])) for token in tokens]
    for match in _LETTERED.finditer(text):
        label = match[1].lower()
        if _ends_in_a_name(text, match, label):
            found.append(Code(start=match.start(), end=match.end(), text=match[0], key=match[2].lower(), label=label))
    if asked:
        taken = cover_mask(text, found)
        numbers = (match for match in _EXACT_NUMBER.finditer(text) if not any(taken[match.start() : match.end()]))
        found.extend(
            Code(start=match.start(), end=match.end(), text=match[0], key=code_key(match[0])) for match in numbers
        )
    return tuple(sorted(found, key=lambda code: code.start))


def is_code_asked(question: str) -> bool:
    """Tell whether a question asks for a code, a version or another number that nobody calculates with."""
    return _ASKED.search(question) is not None


def _is_code(token: str) -> bool:
    if not any(map(str.isdigit, token)) or _NO_CODE.fullmatch(token):
        return _is_version(token)
    with_unit = _NUMBER_AND_UNIT.fullmatch(token)
    if with_unit and (units_named(with_unit[1]) or (len(with_unit[1]) > 2 and with_unit[1].islower())):
        return False
    return not _WORD_THEN_NUMBER.fullmatch(token)


def _is_version(token: str) -> bool:
    """Tell whether digits with dots are a version or an address: two dots or more that divide no thousands."""
    parts = token.split(".")
    return len(parts) > 2 and all(map(str.isdecimal, parts)) and not all(len(part) == 3 for part in parts[1:])


def _ends_in_a_name(text: str, match: re.Match[str], label: str) -> bool:
    """Tell whether a word and a letter are a name ("Hepatitis A"), rather than an article or an initial."""
    at_the_end = match[2] != "I" and match[1][0].isupper() and _END.match(text, match.end()) is not None
    return label in _LABELS or at_the_end


@lru_cache(maxsize=4096)
def code_key(code: str) -> str:
    """Return a code as it is compared: "F-150" and "F 150" are "f150", and "12-4" stays apart from "124"."""
    key = _SEPARATORS.sub("-", code.strip().lower())
    key = re.sub(r"^v(?=\d+\.)", "", key)
    return re.sub(r"(?<=[a-z])-(?=\d)|(?<=\d)-(?=[a-z])", "", key)


def holds_code(text: str, code: Code) -> bool:
    """Tell whether a text holds a code, whatever its separators between letters and digits are."""
    if code.label:
        return re.search(rf"\b{re.escape(code.label)}[ -]?{code.key}(?!\w)", text, re.IGNORECASE) is not None
    pieces = re.findall(r"[a-z]+|\d+|[^a-z\d]", code.key)

    pattern = re.escape(pieces[0])
    for before, piece in pairwise(pieces):
        between = "[-_ ]?" if before.isalnum() and piece.isalnum() else ""
        pattern += between + ("[-_ ]" if piece == "-" else re.escape(piece))
    return re.search(rf"(?<![\w])(?<!\d[.-])v?{pattern}(?!\w|[.-]\d)", text, re.IGNORECASE) is not None
