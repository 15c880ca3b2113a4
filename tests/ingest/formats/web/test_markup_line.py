import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.web.html import read_page


def text_of(page: str) -> str:
    return read_page(page.encode()).contents[0].text


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("10<sup>6</sup> litres", "10⁶ litres"),
        ("5,200<sup>3</sup> euro", "5,200 ³ euro"),
        ("2.5&times;10<sup>-3</sup> g", "2.5\u00d710⁻³ g"),
        ("48 m&sup2; and 2&frac12; m<b><sup>3</sup></b>", "48 m² and 2½ m³"),
        ("H<sub>2</sub>O, the 1<sup>st</sup>", "H₂O, the 1st"),
        ("x<span style='vertical-align: super'>7</span>", "x⁷"),
        ("5,200<sup><a href='#fn1'>3</a></sup> units", "5,200 [^3] units"),
        ("said<a href='#fn1'><sup>3</sup></a>.", "said[^3]."),
        ("12<sup class=reference><a href='#cite'>[5]</a></sup>", "12[5]"),
        ("<del>14 euro</del> <ins>19 euro</ins>", "~~14 euro~~ 19 euro"),
        ("<s>80</s> <strike>85</strike> 95 euro", "~~80~~ ~~85~~ 95 euro"),
        ("<span style='color:red;text-decoration: line-through'>1</span> 2", "~~1~~ 2"),
        ("1&nbsp;000&#8239;000 12<wbr>34 5&shy;6", "1 000 000 1234 56"),
        ("<span style='visibility:hidden'>00</span>7", "7"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby> <ruby>14<rt>nineteen</rt></ruby>", "漢字 14 (nineteen)"),
        (
            "<input value=19><input type=hidden value=7><input type=checkbox checked>A <input type=radio>B",
            "19 [x] A [ ] B",
        ),
        ("<details><summary>Fee</summary>23 euro</details>", "Fee\n23 euro"),
    ],
)
@pytest.mark.parametrize("around", ["p", "li", "h3"])
def test_forms(page: str, expected: str, around: str) -> None:
    mark = {"p": "", "li": "- ", "h3": "### "}[around]
    if "details" not in page:
        assert text_of(f"<{around}>{page}</{around}>") == mark + expected
    else:
        assert text_of(page) == expected


def test_forms_in_cells_and_code() -> None:
    assert text_of("<table><tr><th>a<th>b<tr><td>10<sup>6</sup><td><del>1</del> 2</table>") == (
        "| a | b |\n| --- | --- |\n| 10⁶ | ~~1~~ 2 |"
    )
    assert text_of("<pre>x<sup>2</sup> = 4</pre>") == "```\nx² = 4\n```"


X_SQUARED = (
    "<math><semantics><msup><mi>x</mi><mn>2</mn></msup>"
    "<annotation encoding='application/x-tex'>x^2</annotation></semantics></math>"
)
KATEX = (
    f"<span class=katex><span class=katex-mathml>{X_SQUARED}</span><span class=katex-html aria-hidden=true>"
    "<span>x</span><span>2</span></span></span>"
)
WIKI = (
    f"<span class=mwe-math-element><span class=mwe-math-mathml-inline style='display: none'>{X_SQUARED}</span>"
    "<img class=mwe-math-fallback-image-inline alt='{x^2}'></span>"
)
MATHJAX = (
    "<span class=MathJax_Preview></span><span class=MathJax><nobr aria-hidden=true>x2</nobr><span class="
    f"MJX_Assistive_MathML>{X_SQUARED}</span></span><script type='math/tex'>x^2</script>"
)
TEX = "<script type='math/tex; mode=display'>x^2</script>"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (X_SQUARED, "x²"),
        (KATEX, "x²"),
        (WIKI, "x²"),
        (MATHJAX, "x²"),
        (TEX, "$x^2$"),
        (f"<span class=MathJax>x2</span>{TEX}", "$x^2$"),
    ],
)
def test_a_formula_is_said_once(formula: str, expected: str) -> None:
    parsed = read_page(f"<p>so {formula} holds".encode())
    assert parsed.contents[0].text == f"so {expected} holds"
    assert not [loss for loss in parsed.losses if "formulas" not in loss.what]


NUMBERS = st.integers(10, 999).map(str)
SIGNS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
PIECES = st.one_of(
    NUMBERS.map(lambda n: (n, [n])),
    st.tuples(NUMBERS, NUMBERS).map(lambda n: (f"{n[0]}<sup>{n[1]}</sup>", [n[0], n[1].translate(SIGNS)])),
    st.tuples(NUMBERS, NUMBERS).map(lambda n: (f"{n[0]}<sup><a href='#n'>{n[1]}</a></sup>", [n[0], n[1]])),
    st.tuples(NUMBERS, NUMBERS).map(lambda n: (f"<del>{n[0]}</del> <ins>{n[1]}</ins>", [n[0], n[1]])),
    st.tuples(NUMBERS, NUMBERS).map(
        lambda n: (f"{n[0]}<math><mfrac><mn>{n[1]}</mn><mn>7</mn></mfrac></math>", [n[0], n[1], "7"])
    ),
    st.tuples(NUMBERS, NUMBERS).map(
        lambda n: (f"<math><msup><mn>{n[0]}</mn><mn>{n[1]}</mn></msup></math>", [n[0], n[1].translate(SIGNS)])
    ),
    NUMBERS.map(lambda n: (f"<b>{n[0]}</b>&shy;<wbr>{n[1:]}", [n])),
    NUMBERS.map(lambda n: (f"<span hidden>{n}</span><script>{n}</script><!-- {n} -->", [])),
)
WRAPPERS = ["<b>{}</b>", "<p>{}</p>", "<div>{}</div>", "<ul><li>{}</ul>", "<h2>{}</h2>", "<span>{}</span>", "{}<br>"]
WRAPPERS += ["<table><tr><td>{}<td>x<tr><td>y<td>z</table>", "<em>{}</em>", "<blockquote>{}</blockquote>"]


@settings(max_examples=60)
@given(
    pieces=st.lists(st.tuples(PIECES, st.lists(st.sampled_from(WRAPPERS), max_size=3)), min_size=1, max_size=6),
)
def test_no_number_appears_that_no_reader_of_the_page_sees(
    pieces: list[tuple[tuple[str, list[str]], list[str]]],
) -> None:
    page, expected = "", []
    for (markup, numbers), wrappers in pieces:
        for wrapper in wrappers:
            markup = wrapper.format(markup)  # noqa: PLW2901 - it grows outward
        page += f"<section>{markup}</section>"
        expected += numbers
    assert re.findall(r"[0-9]+|[⁰¹²³⁴-⁹]+", text_of(page)) == expected


@pytest.mark.parametrize("tag", ["textarea", "meter", "progress"])
def test_a_box_joins_no_digits(tag: str) -> None:
    assert text_of(f"<p>9<{tag}>10</{tag}>11") == "9 10 11"
