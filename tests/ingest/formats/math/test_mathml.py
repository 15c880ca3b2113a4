import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from weighbridge.ingest.formats.math.mathml import mathml_text


def text_of(inside: str) -> str:
    return mathml_text(LexborHTMLParser(f"<math>{inside}</math>").css_first("math"))


def row(*tokens: str) -> str:
    return f"<mrow>{''.join(tokens)}</mrow>"


A, B, ONE, TWO = "<mi>a</mi>", "<mi>b</mi>", "<mn>1</mn>", "<mn>2</mn>"
TABLE = "<mtable>" + "<mtr><mtd>{}</mtd><mtd>{}</mtd></mtr>" * 2 + "</mtable>"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (f"<mfrac>{ONE}{TWO}</mfrac>", "1/2"),
        (f"<mn>3</mn><mfrac>{ONE}{TWO}</mfrac>", "3 1/2"),
        (f"<mfrac>{row(A, '<mo>+</mo>', B)}{TWO}</mfrac>", "(a+b)/2"),
        ("<msup><mn>10</mn><mn>6</mn></msup>", "10⁶"),
        (f"<msup>{row('<mo>(</mo>', A, '<mo>)</mo>')}{row('<mo>-</mo>', TWO)}</msup>", "(a)⁻²"),
        (f"<msub>{A}{ONE}</msub><mo>=</mo><msubsup>{B}{ONE}{TWO}</msubsup>", "a₁ = b₁²"),
        (f"<msqrt>{A}<mo>+</mo>{B}</msqrt><mroot>{A}<mn>3</mn></mroot>", "√(a+b)∛(a)"),
        (f"<munderover><mo>∑</mo>{row('<mi>i</mi><mo>=</mo>', ONE)}<mi>n</mi></munderover>", "∑_(i = 1)ⁿ"),
        (f"<mover>{A}<mo>^</mo></mover>", "a\u0302"),
        (f"<mfenced>{A}{B}</mfenced>", "(a, b)"),
        (f"<mfenced open='[' close=')' separators=';'>{A}{B}</mfenced>", "[a; b)"),
        (TABLE.format(A, B, ONE, TWO), "[a, b; 1, 2]"),
        (TABLE.format(A, f"<mo>=</mo>{ONE}", B, f"<mo>=</mo>{TWO}"), "a = 1; b = 2"),
        ("<mmultiscripts><mi>U</mi><mprescripts></mprescripts><mn>92</mn><mn>235</mn></mmultiscripts>", "₉₂²³⁵U"),
        (f"<mmultiscripts>{A}{ONE}{TWO}</mmultiscripts>", "a₁²"),
        (f"<mphantom>{ONE}</mphantom>{TWO}", "2"),
        (f"{ONE}<mspace></mspace>{TWO}", "1 2"),
        (f"{ONE}{TWO}", "1 2"),
        (f"<semantics>{row(A)}<annotation encoding='application/x-tex'>a</annotation></semantics>", "a"),
        ("<semantics><annotation encoding='application/x-tex'>a^2</annotation></semantics>", "a^2"),
        ("<mi>\U0001d465</mi>", "x"),
    ],
)
def test_equations(inside: str, expected: str) -> None:
    assert text_of(inside) == expected


def test_structures_inside_each_other_have_an_end() -> None:
    assert text_of("<msqrt>" * 500 + ONE + "</msqrt>" * 500).count("1") == 1
    assert text_of("<mrow>" * 5_000 + ONE) == "1"


EQUATIONS = st.recursive(
    st.integers(0, 999).map(lambda number: f"<mn>n{number}</mn>"),
    lambda inside: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(["mrow", "mfrac", "msup", "msubsup", "msqrt", "mroot", "munder", "mfenced", "mtable", "mtr"]),
        st.lists(inside, min_size=0, max_size=3),
    ),
    max_leaves=10,
)


@settings(max_examples=50)
@given(inside=EQUATIONS)
def test_any_equation_is_read(inside: str) -> None:
    assert "<" not in text_of(inside)
