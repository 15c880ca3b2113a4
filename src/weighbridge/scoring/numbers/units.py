"""Units of measure and currencies, with their names and conversions.

A small table of its own instead of `pint`: importing pint and building its registry takes 0.4 s of processor time
(measured; the whole of ``weighbridge --help`` may take 0.3 s), and it knows no German, French, Spanish, Chinese or
Japanese names.
The factors are those of the SI brochure (9th edition, 2019) and of NIST SP 811; a test compares them with pint's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from weighbridge.scoring.language.folding import without_accents


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: an amount in it is ``amount * factor + offset`` of its dimension's base unit."""

    name: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    metric: bool = True
    """Whether it converts to other metric units without rounding as people write it."""


SHARE = "share"
MONEY = "money "
_PREFIXES = {
    "n nano": Fraction(1, 10**9), "µ micro": Fraction(1, 10**6), "u micro": Fraction(1, 10**6),
    "m milli": Fraction(1, 1000), "c centi": Fraction(1, 100), "d deci": Fraction(1, 10), "h hecto": Fraction(100),
    "k kilo": Fraction(1000), "M mega": Fraction(10**6), "G giga": Fraction(10**9), "T tera": Fraction(10**12),
    "P peta": Fraction(10**15),
}  # fmt: skip
_BASES = """
length | m | meter meters metre metres metern mètre mètres metro metros | n µ u m c d k
mass | g | gram grams gramm gramme grammes gramo gramos gramme | n µ u m k
volume | l | liter liters litre litres litern litro litros | µ u m c d h
volume | L | | µ u m c d h
power | W | watt watts vatio vatios | m k M G T
voltage | V | volt volts voltio voltios | m k
current | A | ampere amperes amp amps amperio amperios | m k
frequency | Hz | hertz | k M G T
energy | J | joule joules julio julios | m k M G
pressure | Pa | pascal pascals | h k M
force | N | newton newtons | k M
data | B | byte bytes octet octets | k M G T P
data8 | bit | bit bits | k M G T
resistance | Ω | ohm ohms | k M
substance | mol | mole moles | m µ
"""
_UNITS = """
time | 1 | s sec secs second seconds sekunde sekunden seconde secondes segundo segundos 秒 秒間 秒钟
time | 1/1000 | ms msec millisecond milliseconds millisekunde millisekunden
time | 1/1000000 | µs us microsecond microseconds
time | 60 | min mins minute minutes minuten minuto minutos 分 分鐘 分钟 分間
time | 3600 | h hr hrs hour hours stunde stunden heure heures hora horas 小时 小時 時間
time | 86400 | d day days tag tage tagen jour jours día días dia dias 天 日 日間
time | 604800 | wk wks week weeks woche wochen semaine semaines semana semanas 周 週 週間 星期
time | 1209600 | fortnight fortnights
month | 1 | mo mos month months monat monate monaten mois mes meses 个月 個月 ヶ月 か月 カ月
month | 12 | y yr yrs year years jahr jahre jahren année années an ans año años 年 年間 岁 歳 歲
month | 120 | decade decades jahrzehnt jahrzehnte
month | 1200 | century centuries jahrhundert jahrhunderte
length ~ | 1609.344 | mi mile miles meile meilen milles milla millas 英里 マイル
length ~ | 1852 | nmi nautical-mile nautical-miles seemeile seemeilen
length ~ | 0.9144 | yd yds yard yards
length ~ | 0.3048 | ft foot feet fuß pied pieds 英尺
length ~ | 0.0254 | inch inches zoll pouce pouces pulgada pulgadas 英寸
length | 1/1000000 | micron microns
length ~ | 9460730472580800 | ly light-year light-years lightyear lightyears
length | 1000 | kms 公里 千米 キロ キロメートル
length | 1 | 米 公尺 メートル
length | 1/100 | 厘米 公分 センチ センチメートル
length | 1/1000 | 毫米 ミリ
mass | 1000 | kgs kilo kilos kilogramm 公斤 千克 キログラム
mass | 1 | 克 グラム
mass | 1/1000 | 毫克 ミリグラム
mass | 1/1000000 | mcg
mass | 1000000 | t tonne tonnes metric-ton metric-tons metric-tonnes tonnen tonelada toneladas 吨 噸 トン
mass ~ | 907184.74 | ton tons short-ton short-tons us-tons
mass ~ | 453.59237 | lb lbs pound-weight
mass ~ | 28.349523125 | oz ounce ounces unze unzen onces
mass ~ | 6350.29318 | stone
volume | 1 | 升 公升 リットル
volume | 1/1000 | cc 毫升 ミリリットル
volume ~ | 3.785411784 | gal gallon gallons us-gallons us-gallon gallonen
volume ~ | 4.54609 | imperial-gallon imperial-gallons
volume ~ | 0.473176473 | pint pints
volume ~ | 0.946352946 | quart quarts
volume ~ | 0.2365882365 | cup cups
volume ~ | 0.0295735295625 | fl-oz fluid-ounce fluid-ounces
volume | 0.015 | tbsp tablespoon tablespoons
volume | 0.005 | tsp teaspoon teaspoons
area | 10000 | ha hectare hectares hektar hectárea hectáreas 公顷
area ~ | 4046.8564224 | acre acres
speed ~ | 0.44704 | mph
speed | 10/36 | kmh kph
speed ~ | 0.5144444444444444 | knot knots kn knoten
data/time | 1/8 | bps
data/time | 125 | kbps
data/time | 125000 | Mbps mbps
data/time | 125000000 | Gbps gbps
data | 1024 | KiB
data | 1048576 | MiB
data | 1073741824 | GiB
rotation | 1 | rpm
energy | 3600 | Wh watt-hour watt-hours
energy | 3600000 | kWh kilowatt-hour kilowatt-hours kilowattstunde kilowattstunden
energy | 3600000000 | MWh megawatt-hours
energy ~ | 4.184 | cal calorie calories kalorie kalorien
energy ~ | 4184 | kcal kilocalorie kilocalories kilokalorien
power ~ | 745.6998715822702 | hp horsepower
pressure | 100000 | bar bars
pressure | 100 | mbar millibar millibars
pressure ~ | 101325 | atm atmosphere atmospheres
pressure ~ | 6894.757293168361 | psi
pressure ~ | 133.322387415 | mmHg
angle | 1 | deg degree degrees ° grad degré degrés grado grados 度
sound | 1 | dB decibel decibels
acidity | 1 | pH
share | 1/100 | % percent per-cent pct prozent pour-cent por-ciento パーセント percentage-points
share | 1/1000 | ‰ permille promille per-mille
share | 1/1000000 | ppm
temperature | 1 + 273.15 | °C ℃ degrees-celsius degree-celsius celsius grad-celsius degrés-celsius degrees-c °-c
temperature | 1 + 273.15 | degree degrees ° grad degré degrés grado grados 度 摄氏度 度c degrees-centigrade
temperature | 5/9 + 45967/180 | °F ℉ degrees-fahrenheit degree-fahrenheit fahrenheit degrees-f °-f 华氏度
temperature | 5/9 + 45967/180 | degree degrees °
temperature | 1 | K kelvin kelvins degrees-kelvin
mass ~ | 453.59237 | pound pounds
mass ~ | 1000000 | ton tons
volume ~ | 4.54609 | gallon gallons
volume ~ | 0.0295735295625 | oz ounce ounces
"""
_CURRENCIES = """
EUR | € euro euros eur 欧元 ユーロ
USD | $ us$ dollar dollars usd dólar dólares us-dollar us-dollars american-dollars bucks 美元 ドル
CAD | $ ca$ c$ dollar dollars cad canadian-dollar canadian-dollars
AUD | $ au$ a$ dollar dollars aud australian-dollar australian-dollars
NZD | $ nz$ dollar dollars nzd new-zealand-dollar new-zealand-dollars
GBP | £ pound pounds gbp quid sterling pound-sterling pounds-sterling british-pounds pfund livres 英镑 ポンド
JPY | ¥ yen jpy 円 日元
CNY | ¥ yuan renminbi rmb cny 元 人民币 块
CHF | franken chf swiss-franc swiss-francs francs-suisses franc francs
FRF | franc francs french-franc french-francs
INR | ₹ rs rs. rupee rupees inr indian-rupees
PKR | rs rs. rupee rupees pkr
KRW | ₩ krw korean-won south-korean-won
RUB | ₽ rouble roubles ruble rubles rub
SEK | kr kronor krona sek swedish-krona swedish-kronor
NOK | kr kroner krone nok norwegian-kroner norwegian-krone
DKK | kr kroner krone kronen dkk danish-kroner danish-krone
MXN | mxn peso pesos mexican-pesos $
PHP | ₱ php peso pesos philippine-pesos
BRL | r$ brl reais
PLN | zł pln zloty zlotys
CZK | kč czk koruna korunas
TRY | ₺ turkish-lira lira liras
DEM | dm deutschmark deutschmarks deutsche-mark d-mark
BTC | ₿ btc bitcoin bitcoins
EUR 1/100 | euro-cent euro-cents eurocent eurocents cent cents ct
USD 1/100 | ¢ cent cents
CAD 1/100 | cent cents
AUD 1/100 | cent cents
GBP 1/100 | p pence penny
"""
_NAME_WORD = r"(?:[^\W\d_\u3040-\u30ff\u4e00-\u9fff]+\$?|[%‰°€$£¥₹₩₽₱₺₿¢Ω]+[CF]?)"
_NAMES = re.compile(rf"[ -]?({_NAME_WORD})\.?(?:\^?([23])(?!\d))?(?:[ -]({_NAME_WORD}))?(?:[ -]({_NAME_WORD}))?")
_HAN_NAMES = re.compile(r" ?([\u3040-\u30ff\u4e00-\u9fff]{1,7})")
_DIVISION = re.compile(r" ?/ ?| (?:per|pro|par|por|an?|each|every|je) |(?=毎)")
_POWER_WORDS = {"square": "2", "sq": "2", "cubic": "3", "cu": "3"}
_INCHES = re.compile(r"[ -]?in(?![\w/]| [\w(])")
_BEFORE = re.compile(r"(?:(?<!\w)([A-Z]{1,3}\$|[A-Z]{3}|[Rr]s\.?)|([€$£¥₹₩₽₱₺₿])) ?$")


@lru_cache(maxsize=1)
def _unit_table() -> dict[str, tuple[Unit, ...]]:
    """Return the units that a symbol as it is written, or a name in lower case without accents, can mean."""
    table: dict[str, tuple[Unit, ...]] = {}
    for unit, names in _written_units():
        for name in names.split():
            for key in dict.fromkeys((name, without_accents(name.lower()) if len(name) > 2 else name)):
                table[key] = (*table.get(key, ()), unit)
    return table


def _written_units() -> Iterator[tuple[Unit, str]]:
    """Yield each unit of the tables above with all its names."""
    for line in _CURRENCIES.strip().splitlines():
        code, names = (part.strip() for part in line.split("|"))
        yield Unit(names.split(maxsplit=1)[0], MONEY + code[:3], _fraction(code[4:] or "1")), names
    for line in _UNITS.strip().splitlines():
        dimension, size, names = (part.strip() for part in line.split("|"))
        factor, _, offset = size.partition(" + ")
        name = names.split(maxsplit=1)[0]
        metric = "~" not in dimension
        yield Unit(name, dimension.rstrip(" ~"), _fraction(factor), _fraction(offset or "0"), metric), names
    for line in _BASES.strip().splitlines():
        dimension, sign, words, prefixes = (part.strip() for part in line.split("|"))
        base = Fraction(1, 8) if dimension == "data8" else Fraction(1)
        for short, long, step in _prefixes(prefixes):
            names = " ".join((short + sign, *(long + word for word in words.split())))
            yield Unit(short + sign, dimension.rstrip("8"), step * base), names


def _prefixes(chosen: str) -> list[tuple[str, str, Fraction]]:
    prefixes = [("", "", Fraction(1))]
    for names, step in _PREFIXES.items():
        short, long = names.split()
        if short in chosen.split():
            prefixes.append((short, long, step))
    return prefixes


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator) / Fraction(denominator or 1)


def units_named(name: str) -> tuple[Unit, ...]:
    """Return the units that a name or symbol can mean: none, one, or several ("pounds")."""
    table, name = _unit_table(), name.replace("μ", "µ")  # NFKC turns the micro sign into the Greek letter
    plain = without_accents(name.lower())
    return table.get(name) or (table.get(plain, ()) if len(plain) > 1 else ())


def units_after(text: str, place: int, *, divided: bool = True) -> tuple[tuple[Unit, ...], int]:
    """Return the possible units at a place of a text, and their end; no units where none stands there."""
    if inches := _INCHES.match(text, place):
        return units_named("inches"), inches.end()
    if han := _HAN_NAMES.match(text, place):
        units, end = _han_unit(han)
    elif names := _NAMES.match(text, place):
        units, end = _spaced_unit(names)
    else:
        return (), place
    if units and divided and (division := _DIVISION.match(text, end)):
        below, below_end = units_after(text, division.end() - (division[0].endswith(" ")), divided=False)
        only_time = division[0].strip() in ("a", "an", "each", "every")
        below = tuple(unit for unit in below if unit.dimension in ("time", "month") or not only_time)
        if below and units:
            return tuple(_quotient(unit, other) for unit in units for other in below), below_end
    return units, end


def _han_unit(run: re.Match[str]) -> tuple[tuple[Unit, ...], int]:
    for length in range(len(run[1]), 0, -1):
        if units := _unit_table().get(run[1][:length], ()):
            return units, run.start(1) + length
    return (), run.start()


def _spaced_unit(names: re.Match[str]) -> tuple[tuple[Unit, ...], int]:
    """Return the unit of the longest name that starts the match: "US gallons", "square metres", "km²", "mg"."""
    first, power, second, third = names.groups()
    if first.lower() in _POWER_WORDS and second:
        return tuple(_raise_to_power(unit, _POWER_WORDS[first.lower()]) for unit in units_named(second)), names.end(3)
    if power:
        return tuple(_raise_to_power(unit, power) for unit in units_named(first)), names.end(2)
    for words, end in (
        ((first, second, third), names.end(4)),
        ((first, second), names.end(3)),
        ((first,), names.end(1)),
    ):
        if None not in words and (units := units_named("-".join(words))):
            return units, end
    return (), names.start()


def _raise_to_power(unit: Unit, power: str) -> Unit:
    """Return the square or the cube of a unit of length; volumes are counted in litres, 1,000 to a cubic metre."""
    if power == "2":
        return Unit(
            unit.name + "²",
            "area" if unit.dimension == "length" else unit.dimension + "²",
            unit.factor**2,
            metric=unit.metric,
        )
    dimension, step = ("volume", 1000) if unit.dimension == "length" else (unit.dimension + "³", 1)
    return Unit(unit.name + "³", dimension, unit.factor**3 * step, metric=unit.metric)


def _quotient(unit: Unit, other: Unit) -> Unit:
    dimension = f"{unit.dimension}/{other.dimension}"
    if dimension == "length/time":
        dimension = "speed"
    return Unit(f"{unit.name}/{other.name}", dimension, unit.factor / other.factor, metric=unit.metric and other.metric)


def currency_before(text: str, place: int) -> tuple[tuple[Unit, ...], int]:
    """Return the currencies that stand before an amount ("€", "US$", "EUR"), and where their name starts."""
    match = _BEFORE.search(text, max(0, place - 5), place)
    if match is None:
        return (), place
    units = tuple(unit for unit in units_named(match[1] or match[2]) if unit.dimension.startswith(MONEY))
    return units, match.start() if units else place
