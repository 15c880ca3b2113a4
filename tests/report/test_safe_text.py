"""How the texts around figures are written."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.safe_text import clip, count_noun, one_line, superscript_number, visible


def test_small_words() -> None:
    assert [count_noun(number, "question") for number in (1, 1_000)] == ["1\u00a0question", "1,000\u00a0questions"]
    assert clip("abcdef", 4) == "abc…"
    assert superscript_number(12) == "¹²"


def test_a_plain_text_keeps_what_must_not_be_broken() -> None:
    assert one_line(" 46\u00a0%\n of\t\u2003all ") == "46\u00a0% of all"


@given(st.text())
def test_foreign_text_keeps_its_length_and_loses_what_hides(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert not any(ord(mark) < 32 for mark in one_line(text))
    one_line(text).encode()
