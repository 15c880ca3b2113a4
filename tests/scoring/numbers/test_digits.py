"""A number means the same in every way of writing it, and a changed number is another one."""

import warnings
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from word2number import w2n

from weighbridge.scoring.language.folding import fold
from weighbridge.scoring.numbers.digits import find_numbers, last_place, read_digits
from weighbridge.scoring.values import compare_values

WHOLE = st.integers(min_value=2, max_value=9_999_999)
BELOW_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "eighteen nineteen",
)
UNITS = " ".join(BELOW_TWENTY).split()
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number):
    if number < 20:
        return UNITS[number]
    if number < 100:
        return TENS[number // 10] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    for scale, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            joiner = " and " if rest and rest < 100 else " "
            return f"{in_words(number // scale)} {name}" + (f"{joiner}{in_words(rest)}" if rest else "")
    raise AssertionError


def grouped(number, mark):
    return f"{number:,}".replace(",", mark)


def in_indian_groups(number):
    head, tail = divmod(number, 1000)
    if not head:
        return str(tail)
    parts = []
    while head:
        head, part = divmod(head, 100)
        parts.append(f"{part:02d}" if head else str(part))
    return ",".join([*reversed(parts), f"{tail:03d}"])


def in_chinese(number):
    digits, places = "零一二三四五六七八九", ["", "十", "百", "千"]
    if number >= 10_000:
        return in_chinese(number // 10_000) + "万" + (in_chinese(number % 10_000) if number % 10_000 else "")
    written = ""
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            written += digits[digit] + places[place]
        elif written and number % 10**place:
            written += "零"
    return written.replace("零零", "零")


FORMATS = {
    "digits": str,
    "commas": lambda number: grouped(number, ","),
    "narrow spaces": lambda number: grouped(number, "\u202f"),
    "apostrophes": lambda number: grouped(number, "’"),
    "Indian groups": in_indian_groups,
    "words": in_words,
    "full width": lambda number: "".join(chr(ord(digit) + 0xFEE0) for digit in str(number)),
    "Arabic digits": lambda number: "".join(chr(0x660 + int(digit)) for digit in str(number)),
}


def value_of(text, **settings):
    (amount,) = find_numbers(fold(text), **settings)
    return amount.readings[0]


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
@given(number=WHOLE)
def test_a_whole_number_is_read_in_each_way_of_writing_it(write, number):
    assert value_of(write(number)) == number


@given(number=WHOLE)
def test_chinese_numerals_are_read(number):
    assert value_of(in_chinese(number), language="zh") == number


@given(number=st.integers(min_value=1, max_value=9999), decimals=st.integers(min_value=1, max_value=99))
def test_both_decimal_marks_are_read(number, decimals):
    value = Fraction(f"{number}.{decimals:02d}")
    assert value_of(f"{grouped(number, ',')}.{decimals:02d}") == value
    assert value_of(f"{grouped(number, '.')},{decimals:02d}", mark=",") == value
    assert value_of(f"{grouped(number, ' ')},{decimals:02d}", mark=",") == value


@given(
    first=st.sampled_from(list(FORMATS.values())), second=st.sampled_from(list(FORMATS.values())), number=WHOLE,
    other=WHOLE,
)  # fmt: skip
def test_two_ways_of_writing_agree_and_another_number_does_not(first, second, number, other):
    assume(number != other)
    question = "How many are there?"
    (same,) = compare_values(question, first(number), f"There are {second(number)}.")
    assert same.relation == "same"
    (different,) = compare_values(question, first(number), f"There are {second(other)}.")
    assert different.relation == "different"


@given(number=st.integers(min_value=0, max_value=999_999))
def test_english_words_are_read_as_word2number_reads_them(number):
    words = in_words(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert value_of(words) == w2n.word_to_num(words) == number


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("zweiundzwanzig Tage", "de", [22]),
        ("dreihundertfünf Kisten und eine Million Schrauben", "de", [305, 1_000_000]),
        ("viertausendeinhundertzwölf", "de", [4112]),
        ("im dritten Stock", "de", [3]),
        ("quatre-vingt-dix-sept", "fr", [97]),
        ("soixante et onze, deux cents, dix-sept", "fr", [71, 200, 17]),
        ("deux mille trois cent quatre-vingts", "fr", [2380]),
        ("treinta y dos", "es", [32]),
        ("doscientos cinco mil", "es", [205_000]),
        ("veintidós", "es", [22]),
        ("3万人と1億2000万", "ja", [30_000, 120_000_000]),
        ("二十一", "zh", [21]),
        ("一些三明治", "zh", []),
        ("nineteen eighty-four", "en", [1984]),
        ("two and a half million", "en", [2_500_000]),
        ("half a million", "en", [500_000]),
        ("two dozen", "en", [24]),
        ("two thirds", "en", [Fraction(2, 3)]),
        ("the forty-seventh", "en", [47]),
        ("30 seconds", "en", [30]),
        ("a 30 second break", "en", [30]),
        ("once or twice", "en", [1, 2]),
        ("one, two, three", "en", [1, 2, 3]),
        ("3.1.0", "en", []),
        ("2½ cups", "en", [Fraction(5, 2)]),
        ("10⁶", "en", [10**6]),
        ("6 x 10^3", "en", [6000]),
        ("1.2 million", "en", [1_200_000]),
        ("5k", "en", [5000]),
        ("-5 and minus 7, 10-12", "en", [-5, -7, 10, 12]),
        ("1,25,000", "en", [125_000]),
        ("+5 or +3.5", "en", [5, Fraction(7, 2)]),
    ],
)
def test_numbers_of_a_text(text, language, values):
    assert [amount.readings[0] for amount in find_numbers(fold(text), language=language)] == values


@pytest.mark.parametrize(
    ("digits", "mark", "values"),
    [
        ("1.000", ".", [1]),
        ("1.000", ",", [1000]),
        ("1.000", "", [1, 1000]),
        ("1,000", "", [1000, 1]),
        ("1,000", ".", [1000]),
        ("1,000", ",", [1]),
        ("1.25", ",", [Fraction(5, 4)]),
        ("1.250.000", ".", [1_250_000]),
        ("1.250,50", ".", [Fraction("1250.5")]),
        ("1,250.50", ",", [Fraction("1250.5")]),
        ("0.125", ",", [Fraction(1, 8)]),
        ("1.2.3", ".", []),
        ("1,2,3", ".", []),
        ("1.000,000.5", ".", []),
        ("1'000.5", ".", [Fraction("1000.5")]),
    ],
)
def test_marks_are_read_as_the_language_writes_them(digits, mark, values):
    assert list(read_digits(digits, mark)) == values


@pytest.mark.parametrize(
    ("value", "place"), [(1_200_000, 100_000), (7, 1), (70, 10), (0, 1), (Fraction(5, 2), Fraction(1, 10))]
)
def test_the_last_place_is_that_of_the_last_digit_but_zeros(value, place):
    assert last_place(Fraction(value)) == place
