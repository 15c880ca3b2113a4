"""Any text can be compared: nothing raises, nothing takes long, and one way of writing it is as good as another."""

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from weighbridge.scoring.values import compare_values, find_values

WRITTEN = (
    "5 05 12 1.000 1,000 250 3.1.0 AB-12-4 -7 +4 % ‰ € $ £ ½ 10⁶ m² kg mg days Wochen heures 5月",
    "下午五点 三千 not no yes never one a an half dozen million March May 5th 1994–96 BC 1980s Monday",
    ": ; , . ( ) / - – — ' J. Smith van de al- and or to between at least most [1] ** ١٢ ３ Ⅷ",
)
PIECES = st.sampled_from([*" ".join(WRITTEN).split(), "\n", "\t", "\u202f", "\u200b", "\x00", '"'])
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(PIECES, max_size=14).map(" ".join),
    st.lists(PIECES, max_size=14).map("".join),
    st.text(alphabet=st.characters(categories=("Nd", "Nl", "No", "Sc", "Cc", "Cf", "Zs", "Pd")), max_size=40),
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_nothing_raises(question, reference, answer):
    for match in compare_values(question, reference, answer):
        assert match.relation in ("same", "different", "missing")
        assert match.reason
        assert match.relation != "missing" or match.kind == "list" or not match.answer


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_spans_lie_in_the_text_and_do_not_overlap(text):
    values = find_values(text)
    for kind in (values.dates, values.times, values.codes, values.quantities):
        end = 0
        for value in kind:
            assert end <= value.start < value.end
            end = value.end


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_a_text_after_nfkc_means_the_same(reference, answer):
    # A raised digit is an exponent before NFKC and an ordinary digit after it, and a fraction may be glued to a number.
    plain = [text for text in (reference, answer) if all(unicodedata.category(c) != "No" for c in text)]
    for text in plain:
        normal = unicodedata.normalize("NFKC", text)
        assert [m.relation for m in compare_values("", text, answer)] == [
            m.relation for m in compare_values("", normal, answer)
        ]


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example("0\r\u00af")
def test_a_text_gives_its_own_values(text):
    for match in compare_values("", text, text):
        assert match.relation == "same", match


@pytest.mark.parametrize(
    "text",
    [
        "9" * 10_000,
        "1," * 4_000,
        "1.234." * 2_000,
        "1 " * 4_000,
        "12-" * 4_000,
        "a-1" * 4_000,
        "A. " * 4_000,
        "John " * 4_000,
        "one hundred " * 2_000,
        "not " * 4_000,
        "und" * 6_000,
        "tausend" * 2_000,
        "五" * 10_000,
        "万億" * 4_000,
        "5 mg and " * 2_000,
        "between 5 and " * 1_000,
        "March 5, " * 2_000,
        "( " * 6_000,
        "-" * 10_000,
        "'" * 10_000,
        " " * 10_000,
        "a, b and c; " * 1_000,
        "no, " * 4_000,
        "x" * 20_000,
        "5 square cubic " * 1_000,
        "open closed " * 1600,
    ],
    ids=lambda text: text[:12],
)
def test_a_long_text_takes_no_longer_than_its_length(text):
    # Four times the text may take four times as long, and twice that: a pattern that backtracks takes sixteen times as
    # long or worse. Below two seconds nothing is told apart from a busy machine, whose processor time grows too.
    def seconds(part):
        started = time.process_time()
        compare_values("How many?", part, part)
        compare_values("", "5 mg", part)
        return time.process_time() - started

    quarter, whole = seconds(text[: len(text) // 4]), seconds(text)
    assert whole < max(2.0, 8 * quarter)
