"""The number words of languages that write spaces between words."""

from dataclasses import dataclass
from fractions import Fraction

from weighbridge.scoring.language.folding import Language


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The number words of one language."""

    units: dict[str, int]
    scales: dict[str, int]
    ordinals: dict[str, int]
    joiners: frozenset[str]
    articles: frozenset[str]
    """Words for one that are articles or pronouns as well."""

    def knows(self, word: str) -> bool:
        """Return whether a number can begin with a word."""
        return word in self.units or word in self.ordinals or word in self.articles or word in ("half", *self.scales)


def _number_words(words: str, start: int = 0, step: int = 1) -> dict[str, int]:
    return {word: start + step * place for place, word in enumerate(words.split())}


ENGLISH = Lexicon(
    units={
        **_number_words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        ),
        **_number_words("twenty thirty forty fifty sixty seventy eighty ninety hundred", 20, 10),
    },
    scales={
        "dozen": 12,
        "thousand": 10**3,
        "million": 10**6,
        "billion": 10**9,
        "trillion": 10**12,
        "quadrillion": 10**15,
        "millions": 10**6,
        "thousands": 10**3,
        "billions": 10**9,
        "crore": 10**7,
        "lakh": 10**5,
    },
    ordinals={
        **_number_words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth",
            1,
        ),
        **_number_words(
            "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth hundredth", 20, 10
        ),
    },
    joiners=frozenset(("and",)),
    articles=frozenset(("one", "a", "an")),
)
FRENCH = Lexicon(
    units={
        **_number_words(
            "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
        ),
        **_number_words("vingt trente quarante cinquante soixante septante huitante nonante cent", 20, 10),
        "une": 1,
        "cents": 100,
        "vingts": 20,
        "octante": 80,
    },
    scales={"mille": 10**3, "million": 10**6, "millions": 10**6, "milliard": 10**9, "milliards": 10**9},
    ordinals={
        "premier": 1,
        "premiere": 1,
        "deuxieme": 2,
        "troisieme": 3,
        "quatrieme": 4,
        "cinquieme": 5,
        "sixieme": 6,
        "septieme": 7,
        "huitieme": 8,
        "neuvieme": 9,
        "dixieme": 10,
        "vingtieme": 20,
    },
    joiners=frozenset(("et",)),
    articles=frozenset(("un", "une")),
)
SPANISH = Lexicon(
    units={
        **_number_words(
            "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
            "diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis "
            "veintisiete veintiocho veintinueve"
        ),
        **_number_words("treinta cuarenta cincuenta sesenta setenta ochenta noventa cien", 30, 10),
        **_number_words(
            "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos",
            100,
            100,
        ),
        "un": 1,
        "una": 1,
        "veintiun": 21,
    },
    scales={"mil": 10**3, "millon": 10**6, "millones": 10**6},
    ordinals={
        "primero": 1,
        "primera": 1,
        "segundo": 2,
        "segunda": 2,
        "tercero": 3,
        "tercera": 3,
        "cuarto": 4,
        "cuarta": 4,
        "quinto": 5,
        "quinta": 5,
        "sexto": 6,
        "sexta": 6,
        "septimo": 7,
        "octavo": 8,
        "noveno": 9,
        "decimo": 10,
    },
    joiners=frozenset(("y",)),
    articles=frozenset(("un", "una", "uno")),
)
GERMAN_UNITS = {
    **_number_words(
        "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
        "sechzehn siebzehn achtzehn neunzehn"
    ),
    **_number_words("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig", 20, 10),
    "eins": 1,
    "zwo": 2,
    "dutzend": 12,
}
GERMAN_SCALES = {
    "million": 10**6,
    "millionen": 10**6,
    "milliarde": 10**9,
    "milliarden": 10**9,
    "tausend": 10**3,
    "hundert": 100,
}
GERMAN_ORDINALS = {"erst": 1, "drit": 3, "siebt": 7, "acht": 8}
LEXICONS: dict[Language, Lexicon] = {"en": ENGLISH, "fr": FRENCH, "es": SPANISH}
FRACTIONS = {
    "half": Fraction(1, 2),
    "halves": Fraction(1, 2),
    "third": Fraction(1, 3),
    "thirds": Fraction(1, 3),
    "quarter": Fraction(1, 4),
    "quarters": Fraction(1, 4),
    "fifths": Fraction(1, 5),
    "eighths": Fraction(1, 8),
    "tenths": Fraction(1, 10),
    "tenth": Fraction(1, 10),
}
