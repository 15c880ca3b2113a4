from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.number_format.display import BUILT_IN, display, display_text

_CENTS = st.integers(-(10**11), 10**11).map(lambda cents: Decimal(cents) / 100)
_ZONELESS = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets have no zones


def _group(value: Decimal, decimals: int) -> str:
    return f"{abs(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"


def _signed(value: Decimal, text: str) -> str:
    return f"-{text}" if value < 0 else text


_FAMILIES: dict[str, Callable[[Decimal], str]] = {
    "#,##0.00": lambda value: _signed(value, _group(value, 2)),
    "#,##0": lambda value: _signed(value, _group(value, 0)),
    "0.0": lambda value: _signed(value, _group(value, 1).replace(",", "")),
    "0%": lambda value: _signed(value, _group(value * 100, 0).replace(",", "") + "%"),
    "0.00%": lambda value: _signed(value, _group(value * 100, 2).replace(",", "") + "%"),
    '"$"#,##0.00_);("$"#,##0.00)': lambda value: f"(${_group(value, 2)})" if value < 0 else f"${_group(value, 2)} ",
    "#,##0.00 [$€-407];[Red]-#,##0.00 [$€-407]": lambda value: _signed(value, f"{_group(value, 2)} €"),
    '0.0,"k"': lambda value: _signed(value, _group(value / 1000, 1).replace(",", "") + "k"),
    '#,##0.00,,"M"': lambda value: _signed(value, _group(value / 10**6, 2) + "M"),
    "00000000": lambda value: _signed(value, _group(value, 0).replace(",", "").zfill(8)),
    "[>=100]0.0;[<-100]0.0;0.00": lambda value: (
        _group(value, 1).replace(",", "") if abs(value) > 100 or value == 100
        else _signed(value, _group(value, 2).replace(",", ""))
    ),
    ";;;": lambda _: "",
}  # fmt: skip


@pytest.mark.parametrize("code", _FAMILIES)
@settings(max_examples=25)
@given(value=_CENTS)
def test_decimal_numbers(code: str, value: Decimal) -> None:
    assert display(float(value), code) == _FAMILIES[code](value)


@settings(max_examples=50)
@given(seconds=st.integers(61 * 86_400, 2_958_465 * 86_400))
def test_dates_are_those_of_the_calendar(seconds: int) -> None:
    moment = _ZONELESS + timedelta(seconds=seconds)
    for code, form in [
        ("yyyy-mm-dd hh:mm:ss", "%Y-%m-%d %H:%M:%S"),
        ("dd.mm.yyyy", "%d.%m.%Y"),
        ("dddd, mmmm dd, yyyy", "%A, %B %d, %Y"),
        ("ddd d-mmm-yy", f"%a {moment.day}-%b-%y"),
        ("hh:mm AM/PM", "%I:%M %p"),
        ('yyyy"年"mm"月"', "%Y年%m月"),
    ]:
        assert display(seconds / 86_400, code) == moment.strftime(form)
    if seconds >= 1_462 * 86_400:
        assert display(seconds / 86_400 - 1_462, "yyyy-mm-dd", date1904=True) == f"{moment:%Y-%m-%d}"


@settings(max_examples=50)
@given(seconds=st.integers(0, 10**8))
def test_durations_count_on(seconds: int) -> None:
    minutes, rest = divmod(seconds, 60)
    assert display(seconds / 86_400, "[h]:mm:ss") == f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    assert display(seconds / 86_400, "[mm]:ss") == f"{minutes:02}:{rest:02}"


@settings(max_examples=100)
@given(value=st.floats(allow_nan=False, allow_infinity=False), code=st.sampled_from(sorted(set(BUILT_IN.values()))))
def test_every_number_has_a_text_and_no_digits_of_its_own(value: float, code: str) -> None:
    shown = display(value, code)
    assert shown
    if "General" in code and value:
        assert float(shown) == pytest.approx(value, rel=1e-5)


@settings(max_examples=200)
@given(code=st.text('0#?.,%E+-/@;"\\_*[]<>=hmsydgbAP$€ General', max_size=14), value=st.floats(-1e16, 1e16))
def test_no_code_is_too_odd(code: str, value: float) -> None:
    display(value, code)
    display(value, code, date1904=True)
    display_text("tea", code)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1 / 3, "General", "0.333333333"), (1234567.891234, "General", "1234567.891"), (1.5e-5, "General", "0.000015"),
        (12345678901, "General", "12345678901"), (123456789012, "General", "123456789012"),
        (1.23456789e-5, "General", "1.23457E-05"), (1e21, "General", "1E+21"), (1.005, "0.00", "1.01"),
        (0.5, "#.##", ".5"), (5, "0.##", "5."), (0, "#", ""), (-0.5, '0.0;(0.0);"-"', "(0.5)"),
        (0, '0.0;(0.0);"-"', "-"), (7, '[<10]"under ten";0', "under ten"), (12000, '0,"k"', "12k"),
        (4915112345678, "+00 000 00000000", "+49 151 12345678"), (3.5, '0.0"‰"', "3.5‰"), (0.25, "# ?/?", " 1/4"),
        (2.75, "# ?/?", "2 3/4"), (0.3125, "# ??/16", "  5/16"), (3, "# ?/?", "3    "),
        (12345, "0.00E+00", "1.23E+04"), (0.00012, "0.0E-0", "1.2E-4"), (123456, "##0.0E+0", "123.5E+3"),
        (9.999, "0.0E+0", "1.0E+1"), (1500, "_-[$£-809]* #,##0.00_-;-[$£-809]* #,##0.00_-;_-@_-", " £1,500.00 "),
        (60, "yyyy-mm-dd", "1900-02-29"), (0, "d/m/yyyy", "0/1/1900"), (1, "dddd", "Sunday"),
        (0.999999, "h:mm:ss", "0:00:00"), (0.5, "mm:ss.00", "00:00.00"), (1.25 / 86_400, "ss.000", "01.250"),
        (43586, '[$-411]ggge"年"m"月"d"日"', "令和1年5月1日"), (45352, "m", "3"), (45352.5, "h:m", "12:0"),
        (-1, "yyyy-mm-dd", "-1"), (-0.5, "[h]:mm", "-12:00"), (3_000_000, "yyyy", "3000000"), (80, "0.0 dB", "80.0 dB"),
        (0.5, "0%%", "5000%%"),
        (5, "[Red]0", "5"), (5, "[Color 12][>3]0.0", "5.0"), (5, '"un;close', "un;close"), (5, "0\\", "5"),
        (5, "@", "5"), (10, '[<10]#" few"', "10"), (-11, '[<-10]#" few"', "-11 few"), (0.5, "h:mm a/p", "12:00 p"),
        (2.5, 's:m" at hour "[hh]', "0:0 at hour 60"), (0.75, '# "and" ?/?', " 3/4"), (2, '0 "and" ?/?', "2      "),
        (1.5, "# 0/00", "1 1/02"), (0, "0.0e+0", "0.0e+0"), (150000, "#,E+0", "2E+5"),
    ],
)  # fmt: skip
def test_codes_with_their_display(value: float, code: str, shown: str) -> None:
    assert display(value, code) == shown


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("tea", "General", "tea"), ("tea", '0;0;0;"<"@">"', "<tea>"), ("tea", ";;;", ""), ("tea", "0.00", "tea"),
        ("tea", "_(@_)", " tea "), ("tea", "0;@", "tea"), ("tea", "@@", "teatea"),
    ],
)  # fmt: skip
def test_texts_have_a_section_of_their_own(text: str, code: str, shown: str) -> None:
    assert display_text(text, code) == shown


def test_the_built_in_dates_are_unambiguous() -> None:
    serial = (date(2024, 3, 1) - date(1899, 12, 30)).days
    assert display(serial + 0.25, BUILT_IN[14]) == "2024-03-01"
    assert display(serial + 0.25, BUILT_IN[22]) == "2024-03-01 6:00"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("[$-407]d. mmmm yyyy", "1. März 2024"), ("[$-de-DE]ddd d. mmm yy", "Fr 1. Mrz 24"),
        ("[$-40C]dddd d mmmm", "vendredi 1 mars"),
        ("[$-1010410]mmmm", "marzo"), ("[$-816]dddd", "sexta-feira"), ("[$-sv-SE]mmm", "mar"), ("[$-fr-FR]mmmmm", "M"),
        ("[$-409]mmmm", "March"), ("[$-F800]dddd, mmmm dd, yyyy", "Friday, March 01, 2024"), ("[$-411]mmmm", "March"),
        ("[$-x-sysdate]dddd", "Friday"),
    ],
)  # fmt: skip
def test_dates_are_in_the_language_of_their_code(code: str, shown: str) -> None:
    assert display(45352, code) == shown


@pytest.mark.parametrize("locale", ["407", "nl-NL", "x-euro2", "1"])
def test_currencies_of_any_locale(locale: str) -> None:
    assert display(1500, f"#,##0 [$€-{locale}]") == "1,500 €"
    assert display(1500, f"[$CHF-{locale}] 0.00") == "CHF 1500.00"
