import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.scripts import Run, Script, subscript, superscript, write_runs

_DIGITS = st.text("0123456789", min_size=1, max_size=4)
_SIGNED = st.builds(lambda sign, digits: sign + digits, st.sampled_from(["", "-", "−", "+"]), _DIGITS)  # noqa: RUF001
_SCRIPTS: st.SearchStrategy[Script] = st.sampled_from(["superscript", "subscript", "note"])


def _written(*runs: tuple[str, Script] | str) -> str:
    return write_runs(Run(run) if isinstance(run, str) else Run(*run) for run in runs)


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (("10", ("6", "superscript"), " litres"), "10⁶ litres"),
        (("2.5×10", ("-", "superscript"), ("3", "superscript")), "2.5×10⁻³"),  # noqa: RUF001 - a multiplication sign
        (("2", ("n", "superscript")), "2ⁿ"),
        (("H", ("2", "subscript"), "O"), "H₂O"),
        (("e", ("-x/2", "superscript")), "e^(-x/2)"),
        (("v", ("max ", "subscript"), "= 3"), "v_(max) = 3"),
        (("5,200", ("3", "superscript"), " thousand"), "5,200 ³ thousand"),
        (("5 200", ("3,4", "superscript")), "5 200 ^(3,4)"),
        (("in 2024", ("1", "superscript")), "in 2024 ¹"),
        (("$5.20", ("a", "superscript")), "$5.20 ^(a)"),
        (("5,200", ("[^3]", "note")), "5,200 [^3]"),
        (("m", ("2", "superscript"), ("[^3]", "note")), "m² [^3]"),
        (("Said", ("[^1]", "note"), "."), "Said[^1]."),
        (("the 1", ("st", "superscript"), " of May"), "the 1st of May"),
        (("le 2024", ("e", "superscript")), "le 2024e"),
        (("la 2", ("ième", "superscript"), " fois"), "la 2ième fois"),
        (("25", ("o", "superscript"), "C"), "25ºC"),
        (("Weigh", ("TM", "superscript")), "Weigh™"),
        (("5,200", ("*", "superscript")), "5,200*"),
        (("known", ("[7]", "superscript")), "known[7]"),
        ((("3", "superscript"), " Audited"), "³ Audited"),
        ((("raised words", "superscript"), " stay"), "raised words stay"),
        (("a", ("", "superscript"), (" ", "subscript"), "b"), "a b"),
    ],
)
def test_scripts_by_the_convention(runs: tuple[tuple[str, Script] | str, ...], text: str) -> None:
    assert _written(*runs) == text


def test_struck_text_keeps_marks_and_no_blanks_inside() -> None:
    runs = [Run("now "), Run("14 ", struck=True), Run("euro ", struck=True), Run(" ", struck=True), Run("19 euro")]
    assert write_runs(runs) == "now ~~14 euro~~  19 euro"
    assert write_runs([Run("a"), Run(" ", struck=True), Run("b")]) == "a b"
    assert write_runs([Run("10", struck=True), Run("6", "superscript", struck=True)]) == "~~10⁶~~"


@settings(max_examples=60)
@given(number=_DIGITS, script=_SCRIPTS, inner=_SIGNED, after=st.sampled_from(["", " t", "."]))
def test_no_script_changes_the_number_before_it(number: str, script: Script, inner: str, after: str) -> None:
    text = _written(f"is {number}", (f"[^{inner}]" if script == "note" else inner, script), after)
    assert re.findall(r"[0-9]+", text)[0] == number
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")  # noqa: RUF001 - a minus is meant
    assert inner.replace("−", "-") in plain  # noqa: RUF001 - a minus is meant


@given(text=st.text(min_size=1, max_size=8))
def test_brackets_stand_where_unicode_has_no_form(text: str) -> None:
    assert superscript(text) == f"^({text})" or len(superscript(text)) == len(text)
    assert subscript(text) == f"_({text})" or len(subscript(text)) == len(text)
