"""Names of months and weekdays as Office writes them in the languages that a number format may ask for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LOCALE_NUMBER = re.compile(r"[0-9A-F]{3,8}", re.IGNORECASE)
_LANGUAGE_BITS = 0x3FF
"""The language in a Windows locale number; the rest is the country and its calendar (MS-LCID, 2.1)."""
_LANGUAGES = {
    0x06: "da", 0x07: "de", 0x0A: "es", 0x0C: "fr", 0x10: "it", 0x13: "nl", 0x14: "nb", 0x16: "pt", 0x1D: "sv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CalendarNames:
    """The twelve months, and the seven days from Monday on, each in full and abbreviated."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]


def _names(months: str, short_months: str, days: str, short_days: str) -> CalendarNames:
    return CalendarNames(
        tuple(months.split()), tuple(short_months.split()), tuple(days.split()), tuple(short_days.split())
    )


ENGLISH = _names(
    "January February March April May June July August September October November December",
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "Mon Tue Wed Thu Fri Sat Sun",
)
_NAMES: Mapping[str, CalendarNames] = {
    "da": _names(
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
        "ma ti on to fr lø sø",
    ),
    "de": _names(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Mo Di Mi Do Fr Sa So",
    ),
    "es": _names(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "lunes martes miércoles jueves viernes sábado domingo",
        "lun mar mié jue vie sáb dom",
    ),
    "fr": _names(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "it": _names(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "lun mar mer gio ven sab dom",
    ),
    "nb": _names(
        "januar februar mars april mai juni juli august september oktober november desember",
        "jan feb mar apr mai jun jul aug sep okt nov des",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
        "ma ti on to fr lø sø",
    ),
    "nl": _names(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "ma di wo do vr za zo",
    ),
    "pt": _names(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "seg ter qua qui sex sáb dom",
    ),
    "sv": _names(
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
        "mån tis ons tor fre lör sön",
    ),
}


def names_of(locale: str) -> CalendarNames:
    """Return the names in the language of a locale, such as 407, 1010407 or de-DE; English for other languages."""
    if _LOCALE_NUMBER.fullmatch(locale):
        language = _LANGUAGES.get(int(locale, 16) & _LANGUAGE_BITS, "")
    else:
        language = locale.partition("-")[0].lower()
    return _NAMES.get(language, ENGLISH)
