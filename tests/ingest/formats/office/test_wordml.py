import re
import unicodedata
from collections.abc import Sequence

import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.office.numbering import ParagraphStyle, RunStyle, styles_of
from weighbridge.ingest.formats.office.wordml import WordReading, flow
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

SPACES = f'{nsdecls("w", "m", "a")} xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
VML = "urn:schemas-microsoft-com:vml"
STYLES = (
    '<w:style w:styleId="Mark" w:type="character"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>'
    '<w:style w:styleId="Note" w:type="character"><w:basedOn w:val="Mark"/><w:rPr><w:b/></w:rPr></w:style>'
    '<w:style w:styleId="Gone" w:type="character"><w:rPr><w:dstrike/></w:rPr></w:style>'
    '<w:style w:styleId="Old" w:type="paragraph"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:styleId="Normal" w:type="paragraph" w:default="1"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:styleId="Body" w:type="paragraph"><w:rPr><w:strike w:val="0"/></w:rPr></w:style>'
    '<w:style w:styleId="Back" w:type="character"><w:rPr><w:vertAlign w:val="baseline"/></w:rPr></w:style>'
)
_WAYS = {
    "superscript": ['<w:vertAlign w:val="superscript"/>', '<w:rStyle w:val="Mark"/>', '<w:rStyle w:val="Note"/>'],
    "subscript": ['<w:vertAlign w:val="subscript"/>', '<w:rStyle w:val="Mark"/><w:vertAlign w:val="subscript"/>'],
    "normal": ["", '<w:rStyle w:val="Mark"/><w:vertAlign w:val="baseline"/>', "<w:b/>"],
}
_STRIKES = ["<w:strike/>", '<w:dstrike w:val="true"/>', '<w:rStyle w:val="Gone"/>']


def _styles() -> dict[str, ParagraphStyle]:
    return dict(styles_of(parse_xml(f"<w:styles {SPACES}>{STYLES}</w:styles>")))


def _texts(inner: str, seen: WordReading | None = None) -> list[str]:
    body = parse_xml(f"<w:body {SPACES}>{inner}</w:body>")
    return [text for _, text in flow(body, seen or WordReading(_styles()))]


def _run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def _paragraph(*runs: str, properties: str = '<w:pStyle w:val="Body"/>') -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


_RUN = st.tuples(
    st.sampled_from(["10", "5,200", "2024", " litres ", "x", "3", "−4", "H", "."]),  # noqa: RUF001 - a minus is meant
    st.sampled_from(["normal", "superscript", "subscript"]),
    st.integers(0, 2),
    st.booleans(),
)


@settings(max_examples=80)
@given(runs=st.lists(_RUN, min_size=1, max_size=6))
def test_runs_are_written_by_the_convention_however_they_are_marked(
    runs: Sequence[tuple[str, Script, int, bool]],
) -> None:
    marked, plain = [], []
    for text, script, way, struck in runs:
        how = _WAYS[script][way % len(_WAYS[script])]
        strike = _STRIKES[way] if struck and "rStyle" not in how + _STRIKES[way] else "<w:strike/>" * struck
        marked.append(_run(text, how + strike))
        plain.append(Run(text, script, struck))
    assert _texts(_paragraph(*marked)) == [write_runs(plain)]


@settings(max_examples=40)
@given(number=st.integers(0, 9_999_999), note=st.integers(1, 99), way=st.integers(0, 2))
def test_numbers_stay_what_they_are_beside_marks(number: int, note: int, way: int) -> None:
    mark = _run(str(note), _WAYS["superscript"][way])
    reference = f'<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:footnoteReference w:id="{note}"/></w:r>'
    for text in (f"{number}", f"{number:,}"):
        by_hand, linked = _texts(_paragraph(_run(text), mark, _run(" euro")) + _paragraph(_run(text), reference))
        assert re.findall(r"[\d,]+", by_hand)[0] == text
        assert unicodedata.normalize("NFKC", by_hand).endswith(f"{note} euro")
        assert linked == f"{text} [^1]"


def test_what_styles_say_of_a_run() -> None:
    old = '<w:pStyle w:val="Old"/>'
    assert _texts(_paragraph(_run("14 euro"), _run(" 19 euro", '<w:strike w:val="0"/>'), properties=old)) == [
        "~~14 euro~~ 19 euro"
    ]
    assert _texts(_paragraph(_run("of the default style"), properties="")) == ["~~of the default style~~"]
    assert _texts(_paragraph(_run("10"), _run("6", '<w:rStyle w:val="Back"/>'))) == ["106"]
    assert _texts(_paragraph(_run("10"), _run("6", '<w:rStyle w:val="unknown"/>'))) == ["106"]


def _form(data: str) -> str:
    return f"<w:r><w:fldChar><w:ffData>{data}</w:ffData></w:fldChar></w:r>"


_EQUATION = "<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"


def test_runs_that_a_style_hides_are_told() -> None:
    seen = WordReading({"Secret": ParagraphStyle(look=RunStyle(hidden=True))})
    assert _texts(_paragraph(_run("seen"), _run("unseen", '<w:rStyle w:val="Secret"/>')), seen) == ["seen"]
    assert [loss.what for loss in seen.losses()] == ["1 hidden passage(s) left out"]


def test_equations_stand_apart_from_the_text_beside_them() -> None:
    assert _texts(_paragraph(_run("take 3"), _EQUATION, _run("cups"))) == ["take 3 1/2 cups"]
    assert _texts(_paragraph(_run("take "), _EQUATION, _run(", then"))) == ["take 1/2, then"]
    assert _texts(_paragraph(_EQUATION, _EQUATION)) == ["1/2 1/2"]
    assert _texts(_paragraph(_run("x")) + f"<m:oMathPara>{_EQUATION}</m:oMathPara>") == ["x", "1/2"]
    assert _texts(_paragraph(f"<m:oMathPara>{_EQUATION}{_EQUATION}</m:oMathPara>")) == ["1/2\n1/2"]


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t> paid</w:t></w:r>', "☑ paid"),
        ('<w:r><w:t>5 </w:t><w:sym w:font="Symbol" w:char="F0B1"/><w:t> 2</w:t></w:r>', "5 ± 2"),
        ('<w:r><w:sym w:font="Arial" w:char="00A7"/></w:r>', "§"),
        ('<w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>\uf06d</w:t></w:r>' + _run("m"), "μm"),
        (_run("\uf0b3") + _run(" 5"), "≥ 5"),
        (_run("letters", '<w:rFonts w:ascii="Wingdings"/>'), "letters"),
        (_form("<w:checkBox><w:checked/></w:checkBox>"), "☒"),
        (_form('<w:checkBox><w:default w:val="0"/></w:checkBox>'), "☐"),
        (_form('<w:ddList><w:result w:val="1"/><w:listEntry w:val="no"/><w:listEntry w:val="yes"/></w:ddList>'), "yes"),
        (r'<w:r><w:instrText> SYMBOL 176 \f "Symbol" \s 12</w:instrText></w:r>', "°"),
        (r"<w:r><w:instrText>SYMBOL 0xFE \f Wingdings</w:instrText></w:r>", "☑"),
        (f'<w:r><w:pict><v:textpath xmlns:v="{VML}" string="On sale"/></w:pict></w:r>', "\nOn sale\n"),
        ('<w:fldSimple w:instr="= 2 + 3"><w:r><w:t>5</w:t></w:r></w:fldSimple>', "5"),
        ("<w:r><w:fldChar/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:fldChar/></w:r><w:r><w:t>7</w:t></w:r>",
         "7"),
        (f"<w:r><w:ruby><w:rt>{_run('Tokyo')}</w:rt><w:rubyBase>{_run('京')}</w:rubyBase></w:ruby></w:r>", "京(Tokyo)"),
        ("<w:sdt><w:sdtPr><w14:checkbox/></w:sdtPr><w:sdtContent><w:r><w:t>☐</w:t></w:r></w:sdtContent></w:sdt>", "☐"),
    ],
)  # fmt: skip
def test_signs_and_fields_are_read_as_shown(inner: str, text: str) -> None:
    seen = WordReading()
    assert (_texts(_paragraph(inner), seen), seen.losses()) == ([text], ())


def test_what_only_word_can_show_is_told() -> None:
    seen = WordReading()
    field = r"<w:r><w:instrText> EQ \f(1;2) </w:instrText></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>"
    assert _texts(f"{_paragraph(field)}<w:subDoc/>", seen) == [""]
    assert [loss.what for loss in seen.losses()] == [
        "1 equation field(s) left out",
        "1 document(s) of a master document left out: they are files of their own",
    ]


def test_unknown_signs_are_told() -> None:
    seen = WordReading()
    assert _texts(_paragraph('<w:r><w:sym w:font="Wingdings" w:char="F02B"/><w:sym w:char="x"/></w:r>'), seen) == [""]
    assert [loss.what for loss in seen.losses()] == ["2 symbol(s) of a special font left out"]
