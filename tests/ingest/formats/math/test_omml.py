import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from weighbridge.ingest.formats.math.omml import EQUATION, omml_text

M = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def _equation(inner: str) -> str:
    return omml_text(etree.fromstring(f"<m:oMath xmlns:m='{M}'>{inner}</m:oMath>"))


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def fraction(above: str, below: str) -> str:
    return f"<m:f><m:fPr><m:ctrlPr/></m:fPr><m:num>{above}</m:num><m:den>{below}</m:den></m:f>"


def raised(base: str, upper: str) -> str:
    return f"<m:sSup><m:e>{base}</m:e><m:sup>{upper}</m:sup></m:sSup>"


def lowered(base: str, lower: str) -> str:
    return f"<m:sSub><m:e>{base}</m:e><m:sub>{lower}</m:sub></m:sSub>"


def root(inner: str, degree: str) -> str:
    return f"<m:rad><m:deg>{degree}</m:deg><m:e>{inner}</m:e></m:rad>"


def total(lower: str, body: str) -> str:
    return f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{lower}</m:sub><m:e>{body}</m:e></m:nary>"


def matrix(one: str, two: str) -> str:
    return f"<m:m><m:mr><m:e>{one}</m:e><m:e>{two}</m:e></m:mr><m:mr><m:e>{two}</m:e><m:e>{one}</m:e></m:mr></m:m>"


def function(name: str, argument: str) -> str:
    return f"<m:func><m:fName>{name}</m:fName><m:e>{argument}</m:e></m:func>"


def limit(base: str, below: str) -> str:
    return f"<m:limLow><m:e>{base}</m:e><m:lim>{below}</m:lim></m:limLow>"


def delimited(inner: str, properties: str = "") -> str:
    return f"<m:d><m:dPr>{properties}</m:dPr><m:e>{inner}</m:e></m:d>"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (run("x=") + fraction(run("-b±") + root(raised(run("b"), run("2")) + run("-4ac"), ""), run("2a")),
         "x= (-b±√(b²-4ac))/(2a)"),
        (run("3") + fraction(run("1"), run("2")) + run("cups"), "3 1/2 cups"),
        (fraction(delimited(run("a")) + delimited(run("b")), delimited(run("a"))), "((a)(b))/(a)"),
        (fraction(run("|a|+|b|"), run("|a|")), "(|a|+|b|)/|a|"),
        (raised(delimited(fraction(run("x-c"), run("v"))), run("2")), "((x-c)/v)²"),
        (raised(run("e"), run("-") + raised(run("x"), run("2"))), "e^(-x²)"),
        (run("2") + raised(run("10"), run("6")), "2 10⁶"),
        (run("y=") + function(lowered(run("log"), run("2")), delimited(run("8"))), "y= log₂(8)"),
        (function(limit(run("lim"), run("x→0")), fraction(run("1"), run("x"))), "lim_(x→0)(1/x)"),
        (total(run("i=1"), raised(run("i"), run("2"))) + run("+1"), "∑_(i=1) i² +1"),
        (delimited(run("x"), "<m:begChr m:val='{'/><m:endChr m:val=''/>"), "{x"),
        (delimited(matrix(run("1"), run("2"))), "([1, 2; 2, 1])"),
        (f"<m:sPre><m:sub>{run('92')}</m:sub><m:sup>{run('235')}</m:sup><m:e>{run('U')}</m:e></m:sPre>", "₉₂²³⁵U"),
        (f"<m:acc><m:e>{run(chr(0x1D465))}</m:e></m:acc>", "x\u0302"),
        (raised(run("f"), run("′")), "f′"),  # noqa: RUF001 - a prime is meant
        (f"<m:eqArr><m:e>{run('a=1')}</m:e><m:e>{run('b=2')}</m:e></m:eqArr>", "a=1; b=2"),
        (root(run("8"), run("3")) + run("=2"), "∛(8)=2"),
        (f"<m:phant><m:phantPr><m:show m:val='0'/></m:phantPr><m:e>{run('1')}</m:e></m:phant>{run('2')}", "2"),
    ],
)  # fmt: skip
def test_structures_are_told_by_signs(inner: str, text: str) -> None:
    assert _equation(inner) == text


_LEAVES = st.integers(0, 9_999).map(lambda number: ([str(number)], run(str(number))))


def _combined(build: Callable[[str, str], str], order: tuple[int, ...] = (0, 1)) -> Callable[..., object]:
    def combine(one: tuple[list[str], str], two: tuple[list[str], str]) -> tuple[list[str], str]:
        numbers = (one[0], two[0])
        return [number for place in order for number in numbers[place]], build(one[1], two[1])

    return combine


_EQUATIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        *(st.builds(_combined(build), inner, inner) for build in (fraction, raised, lowered, total)),
        st.builds(_combined(root, (1, 0)), inner, st.integers(5, 9).map(lambda n: ([str(n)], run(str(n))))),
        st.builds(_combined(matrix, (0, 1, 1, 0)), inner, inner),
        st.builds(_combined(lambda one, two: run("a+") + one + run("-") + two), inner, inner),
        st.builds(_combined(lambda one, two: run("1") + one + two + run("7")), inner, inner).map(
            lambda made: (["1", *made[0], "7"], made[1])
        ).filter(lambda made: "m:r><m:r" not in made[1]),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=80)
@given(made=_EQUATIONS)
def test_no_number_of_an_equation_is_changed(made: tuple[list[str], str]) -> None:
    numbers, xml = made
    found = re.findall("[0-9]+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[₀-₉]+", _equation(xml))
    assert [unicodedata.normalize("NFKC", number) for number in found] == numbers


def test_deep_equations_keep_their_text() -> None:
    deep = run("1")
    for _ in range(70):
        deep = raised(run("2"), deep)
    text = _equation(deep)
    assert text.count("2") == 70
    assert etree.QName(EQUATION).namespace == M
