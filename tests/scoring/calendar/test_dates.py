"""A date or time means the same in every order and language; a changed one is another, a vaguer one says less."""

import datetime as dt

import dateutil.parser
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.scoring.calendar.dates import find_dates
from weighbridge.scoring.calendar.times import find_times, find_weekdays
from weighbridge.scoring.calendar.years import roman_value
from weighbridge.scoring.language.folding import fold
from weighbridge.scoring.values import compare_values

DAYS = st.dates(min_value=dt.date(1000, 1, 1), max_value=dt.date(2099, 12, 31))
MONTH_NAMES = """
en January February March April May June July August September October November December
de Januar Februar März April Mai Juni Juli August September Oktober November Dezember
fr janvier février mars avril mai juin juillet août septembre octobre novembre décembre
es enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
"""
MONTHS = {line.split()[0]: line.split()[1:] for line in MONTH_NAMES.strip().splitlines()}


def ordinal(number):
    suffix = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def month(day, language):
    return MONTHS[language][day.month - 1]


FORMATS = {
    "5 March 2024": lambda day: f"{day.day} {month(day, 'en')} {day.year}",
    "March 5th, 2024": lambda day: f"{month(day, 'en')} {ordinal(day.day)}, {day.year}",
    "Mar 5, 2024": lambda day: f"{month(day, 'en')[:3]} {day.day}, {day.year}",
    "the 5th of March, 2024": lambda day: f"the {ordinal(day.day)} of {month(day, 'en')}, {day.year}",
    "2024-03-05": lambda day: day.isoformat(),
    "05.03.2024": lambda day: f"{day.day:02d}.{day.month:02d}.{day.year}",
    "5. März 2024": lambda day: f"{day.day}. {month(day, 'de')} {day.year}",
    "le 5 mars 2024": lambda day: f"le {day.day} {month(day, 'fr')} {day.year}",
    "5 de marzo de 2024": lambda day: f"{day.day} de {month(day, 'es')} de {day.year}",
    "2024年3月5日": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "03/05/2024": lambda day: f"{day.month:02d}/{day.day:02d}/{day.year}",
    "05/03/2024": lambda day: f"{day.day:02d}/{day.month:02d}/{day.year}",
}
WAYS = st.sampled_from(sorted(FORMATS))


def relation(question, reference, answer, kind="date"):
    (match,) = [found for found in compare_values(question, reference, answer) if found.kind == kind]
    return match.relation


@given(day=DAYS, first=WAYS, second=WAYS)
def test_a_day_is_the_same_in_two_ways_of_writing_it(day, first, second):
    assert relation("When?", FORMATS[first](day), f"It was {FORMATS[second](day)}.") == "same"
    assert relation("When?", FORMATS[second](day), FORMATS[first](day)) == "same"


@given(day=DAYS, other=DAYS, first=WAYS, second=WAYS)
def test_another_day_is_another_answer(day, other, first, second):
    swapped = {(day.day, day.month), (day.month, day.day)} & {(other.day, other.month), (other.month, other.day)}
    assume(day.year != other.year or not swapped)
    assert relation("When?", FORMATS[first](day), FORMATS[second](other)) == "different"


@given(day=DAYS)
def test_a_vaguer_date_says_less_and_a_closer_one_is_right(day):
    exact, month_only = FORMATS["5 March 2024"](day), f"{month(day, 'en')} {day.year}"
    for vague in (month_only, f"in {day.year}"):
        (match,) = compare_values("When?", exact, vague)
        assert (match.relation, match.partial) == ("missing", True)
        assert relation("When?", vague, exact) == "same"
    assert relation("When?", f"the {day.year // 10 * 10}s", exact) == "same"
    assert relation("When?", month_only, f"{month(day, 'en')} {day.year + 1}") == "different"


@given(day=DAYS, way=st.sampled_from(["5 March 2024", "March 5th, 2024", "Mar 5, 2024", "2024-03-05"]))
def test_days_are_those_that_dateutil_reads(day, way):
    text = FORMATS[way](day)
    (date,) = find_dates(text)
    (reading,) = date.readings
    assert dt.date(reading.first_year, reading.month, reading.day) == dateutil.parser.parse(text).date() == day


@pytest.mark.parametrize(
    ("reference", "answer", "wanted"),
    [
        ("03/04/2024", "3 April 2024", "same"),
        ("03/04/2024", "March 4, 2024", "same"),
        ("03.04.2024", "March 4, 2024", "different"),
        ("the 1970s", "1975", "same"),
        ("the 1970s", "the seventies were 1980", "different"),
        ("the '90s", "1994", "same"),
        ("the 19th century", "1850", "same"),
        ("the nineteenth century", "the 1850s", "same"),
        ("im 19. Jahrhundert", "1850", "same"),
        ("au XIXe siècle", "1850", "same"),
        ("1994–96", "from 1994 to 1996", "same"),
        ("1994–96", "1994 to 1997", "different"),
        ("1994–96", "in 1995", "missing"),
        ("495 BC", "495 BCE", "same"),
        ("495 BC", "AD 495", "different"),
        ("495 BC", "the 5th century BC", "missing"),
        ("1871 A.D.", "1871", "same"),
        ("March 11", "11 March 1918", "same"),
        ("March 11", "April 11", "different"),
        ("14 and 15 August 1945", "August 15, 1945", "same"),
        ("in May", "in June", "different"),
        ("5 March 2024", "no idea", "missing"),
        ("1993", "It opened in 19931.", "same"),
        ("March 27, 1996", "It was released onMarch 27, 199612.", "same"),
        ("二〇二四年三月五日", "5 March 2024", "same"),
    ],
)
def test_dates_of_each_kind(reference, answer, wanted):
    assert relation("When was it?", reference, answer) == wanted


@pytest.mark.parametrize("text", ["You may 5 times", "march on", "1,000 men", "room 2.14", "May I?", "31/31/2024"])
def test_what_is_no_date(text):
    assert find_dates(text) == ()


def test_a_year_of_the_question_contradicts_nothing():
    question = "When did the 2017 season end?"
    (match,) = compare_values(question, "9 December 2017", "The 2017 season ended on 8 January 2018.")
    assert (match.relation, match.answer) == ("different", "8 January 2018")
    (match,) = compare_values(question, "9 December 2017", "The 2017 season was short.")
    assert (match.relation, match.partial) == ("missing", False)


def test_four_digits_count_something_where_a_count_is_asked():
    (match,) = compare_values("How many crates are there?", "1998 crates", "There were 1997 crates in 1998.")
    assert (match.kind, match.relation, match.answer) == ("number", "different", "1997")


@given(hour=st.integers(min_value=0, max_value=23), minute=st.integers(min_value=0, max_value=59))
def test_a_time_is_the_same_on_both_clocks_and_in_each_language(hour, minute):
    half, twelve = ("am" if hour < 12 else "pm"), (hour - 1) % 12 + 1
    ways = [
        f"{hour:02d}:{minute:02d}",
        f"{twelve}:{minute:02d} {half}",
        f"{twelve}:{minute:02d} {half[0]}.m.",
        f"{hour}.{minute:02d} Uhr",
        f"{hour}h{minute:02d}",
        f"{'午前' if hour < 12 else '午後'}{hour % 12}時{minute}分",
    ]
    seconds = {find_times(fold(way))[0].seconds for way in ways}
    assert seconds == {hour * 3600 + minute * 60}
    other = f"{(hour + 5) % 24:02d}:{minute:02d}"
    assert [relation("When?", way, other, "time") for way in ways] == ["different"] * len(ways)


@pytest.mark.parametrize(
    ("reference", "answer", "wanted"),
    [
        ("5 pm", "5 o'clock", "missing"),
        ("5 o'clock", "5 pm", "same"),
        ("5 o'clock", "17:00", "same"),
        ("5 pm", "5 am", "different"),
        ("half past five", "5:30", "same"),
        ("a quarter to six in the evening", "17:45", "same"),
        ("noon", "12:00", "same"),
        ("下午五点半", "17:30", "same"),
        ("a las 5 de la tarde", "17:00", "same"),
        ("17 Uhr", "5 pm", "same"),
        ("8:00", "20:00", "different"),
    ],
)
def test_times_of_each_kind(reference, answer, wanted):
    assert relation("When does it open?", reference, answer, "time") == wanted


def test_days_of_the_week_have_names_in_six_languages():
    for text in ("Tuesday", "Tuesdays", "Dienstag", "mardi", "martes", "星期二", "火曜日"):
        assert [day.number for day in find_weekdays(text)] == [1], text
    assert find_weekdays("the sun sat down") == ()
    assert relation("On which day?", "Monday", "on Tuesday", "weekday") == "different"


@pytest.mark.parametrize(("numeral", "value"), [("IV", 4), ("XIX", 19), ("VIII", 8), ("MCMXC", 1990)])
def test_roman_numerals(numeral, value):
    assert roman_value(numeral) == value
