from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.chart.data import BubbleChartData, CategoryChartData, XyChartData
from pptx.chart.xmlwriter import ChartXmlWriter
from pptx.enum.chart import XL_CHART_TYPE

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.office.chart_xml import ChartText, read_chart

C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=9)
_FORMATS = st.sampled_from(["General", "0", "0.0", "#,##0", "#,##0.00", "0%", "0.0%"])
_KINDS = st.sampled_from([XL_CHART_TYPE.COLUMN_CLUSTERED, XL_CHART_TYPE.BAR_STACKED, XL_CHART_TYPE.LINE,
                          XL_CHART_TYPE.PIE, XL_CHART_TYPE.AREA, XL_CHART_TYPE.RADAR])  # fmt: skip
_NUMBERS = st.lists(st.integers(-9_999, 9_999_999), min_size=4, max_size=4)
_SERIES = st.tuples(_WORDS, _FORMATS, _NUMBERS)


def _xml(kind: object, data: object) -> bytes:
    xml: str = ChartXmlWriter(kind, data).xml
    return xml.encode()


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def _shown(number: Decimal, code: str) -> str:
    """Write a number of one decimal as Excel does; every format that is drawn here shows at least that."""
    if code == "General":
        return f"{number.normalize():f}"
    scaled = number * 100 if code.endswith("%") else number
    decimals = len(code.rstrip("%").partition(".")[2])
    return f"{scaled:{',' if ',' in code else ''}.{decimals}f}{'%' if '%' in code else ''}"


@settings(max_examples=30)
@given(
    names=st.lists(_WORDS, min_size=1, max_size=4, unique=True),
    series=st.lists(_SERIES, min_size=1, max_size=3),
    kind=_KINDS,
)
def test_every_value_stands_in_its_row_and_column(
    names: list[str], series: list[tuple[str, str, list[int]]], kind: object
) -> None:
    data = CategoryChartData()
    data.categories = names
    for name, code, numbers in series:
        data.add_series(name, numbers[: len(names)], number_format=code)
    used = series[:1] if kind == XL_CHART_TYPE.PIE else series
    assert _rows(read_chart(_xml(kind, data)).text) == [
        ["", *(name for name, _, _ in used)],
        *(
            [category, *(_shown(Decimal(numbers[place]), code) for _, code, numbers in used)]
            for place, category in enumerate(names)
        ),
    ]


@settings(max_examples=20)
@given(numbers=st.lists(st.decimals(-10_000, 10_000, places=3), min_size=1, max_size=5))
def test_numbers_are_written_as_they_were_entered(numbers: list[Decimal]) -> None:
    data = CategoryChartData()
    data.categories = [f"c{place}" for place in range(len(numbers))]
    data.add_series("s", [float(number) for number in numbers])
    rows = _rows(read_chart(_xml(XL_CHART_TYPE.LINE, data)).text)
    assert [Decimal(row[1]) for row in rows[1:]] == numbers


def test_dates_are_written_as_their_format_shows_them() -> None:
    data = CategoryChartData(number_format="0")
    data.categories = [date(2024, 3, 1), date(2024, 12, 24)]
    data.categories.number_format = "d mmm yyyy"
    data.add_series("s", (1, 2))
    rows = _rows(read_chart(_xml(XL_CHART_TYPE.LINE, data)).text)
    assert rows[1:] == [["1 Mar 2024", "1"], ["24 Dec 2024", "2"]]


def test_grouped_categories_stand_in_every_row() -> None:
    data = CategoryChartData()
    north = data.add_category("North")
    north.add_sub_category("Holm")
    north.add_sub_category("Varde")
    data.add_category("South").add_sub_category("Ribe")
    data.add_series("tons", (417, None, 12.5))
    assert _rows(read_chart(_xml(XL_CHART_TYPE.COLUMN_CLUSTERED, data)).text) == [
        ["", "", "tons"], ["North", "Holm", "417"], ["North", "Varde"], ["South", "Ribe", "12.5"],
    ]  # fmt: skip


def test_series_over_other_places_get_their_own_table() -> None:
    scatter = XyChartData()
    for name, points in (("a", [(1, 2), (3, 4)]), ("b", [(1, 5), (3, 6)]), ("c", [(7, 8)])):
        series = scatter.add_series(name)
        for x, y in points:
            series.add_data_point(x, y)
    assert read_chart(_xml(XL_CHART_TYPE.XY_SCATTER, scatter)).text == (
        "|  | a | b |\n| --- | --- | --- |\n| 1 | 2 | 5 |\n| 3 | 4 | 6 |\n\n|  | c |\n| --- | --- |\n| 7 | 8 |"
    )
    bubbles = BubbleChartData()
    bubbles.add_series("size").add_data_point(1, 2, 30)
    assert _rows(read_chart(_xml(XL_CHART_TYPE.BUBBLE, bubbles)).text) == [["", "size", "size"], ["1", "2", "30"]]


def _title(text: str) -> str:
    return f"<c:title><c:tx><c:rich><a:p><a:r><a:t>{text}</a:t></a:r></a:p></c:rich></c:tx></c:title>"


def _series(name: str, value: str, more: str = "") -> str:
    return (
        f"<c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>{name}</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        f"{more}<c:cat><c:strLit><c:pt idx='0'><c:v>Holm</c:v></c:pt></c:strLit></c:cat>"
        "<c:val><c:numLit><c:formatCode>General</c:formatCode>"
        f"<c:pt idx='0'><c:v>{value}</c:v></c:pt></c:numLit></c:val></c:ser>"
    )


def _space(plot: str, title: str = "") -> bytes:
    chart = f"<c:chart>{title}<c:plotArea>{plot}</c:plotArea></c:chart>"
    return f"<c:chartSpace xmlns:c='{C}' xmlns:a='{A}'>{chart}</c:chartSpace>".encode()


def test_titles_name_the_columns() -> None:
    bars = f"<c:barChart>{_series('tons', '0.15')}<c:axId val='1'/><c:axId val='2'/></c:barChart>"
    lines = f"<c:lineChart>{_series('price', '9')}<c:axId val='1'/><c:axId val='3'/></c:lineChart>"
    across = f"<c:catAx><c:axId val='1'/>{_title('Port')}</c:catAx>"
    up = f"<c:valAx><c:axId val='2'/>{_title('thousand tons')}</c:valAx>"
    one = read_chart(_space(bars + across + up, _title("Turnover")))
    assert one == ChartText("Turnover (thousand tons)\n\n| Port | tons |\n| --- | --- |\n| Holm | 0.15 |")
    other = f"<c:valAx><c:axId val='3'/>{_title('euro')}</c:valAx>"
    assert read_chart(_space(bars + lines + across + up + other, _title("Turnover"))).text == (
        "Turnover\n\n| Port | tons (thousand tons) | price (euro) |\n| --- | --- | --- |\n| Holm | 0.15 | 9 |"
    )


def test_labels_are_read_as_they_are_shown() -> None:
    percent = "<c:dLbls><c:numFmt formatCode='0%' sourceLinked='0'/><c:showVal val='1'/></c:dLbls>"
    assert "| Holm | 15% |" in read_chart(_space(f"<c:pieChart>{_series('s', '0.15', percent)}</c:pieChart>")).text
    words = "<c:tx><c:rich><a:p><a:r><a:t>estimated</a:t></a:r></a:p></c:rich></c:tx>"
    own = f"<c:dLbls><c:dLbl><c:idx val='0'/>{words}</c:dLbl></c:dLbls>"
    assert (
        "| Holm | 0.15 | estimated |"
        in read_chart(_space(f"<c:pieChart>{_series('s', '0.15', own)}</c:pieChart>")).text
    )


def test_the_newer_kinds_of_charts() -> None:
    name = "http://schemas.microsoft.com/office/drawing/2014/chartex"
    names = "<cx:lvl ptCount='2'><cx:pt idx='0'>opening</cx:pt><cx:pt idx='1'>closing</cx:pt></cx:lvl>"
    names += "<cx:lvl ptCount='2'><cx:pt idx='0'>2024</cx:pt></cx:lvl>"
    numbers = "<cx:lvl formatCode='#,##0'><cx:pt idx='0'>1200</cx:pt><cx:pt idx='1'>-300</cx:pt></cx:lvl>"
    title, unit = (f"<cx:tx><cx:txData><cx:v>{text}</cx:v></cx:txData></cx:tx>" for text in ("Cash", "euro"))
    xml = (
        f"<cx:chartSpace xmlns:cx='{name}'><cx:chartData><cx:data id='0'><cx:strDim type='cat'>{names}</cx:strDim>"
        f"<cx:numDim type='val'>{numbers}</cx:numDim></cx:data></cx:chartData><cx:chart><cx:title>{title}</cx:title>"
        f"<cx:plotArea><cx:plotAreaRegion><cx:series layoutId='waterfall'>{unit}<cx:dataId val='0'/></cx:series>"
        "</cx:plotAreaRegion></cx:plotArea></cx:chart></cx:chartSpace>"
    )
    assert read_chart(xml.encode()).text == (
        "Cash\n\n|  |  | euro |\n| --- | --- | --- |\n| 2024 | opening | 1,200 |\n| 2024 | closing | -300 |"
    )


def test_what_cannot_be_read_is_told() -> None:
    assert read_chart(_space("<c:pieChart/>", _title("Shares"))) == ChartText(
        "Shares", "chart(s) without stored values"
    )
    drawn = _space(f"<c:pieChart>{_series('s', '1')}</c:pieChart>").replace(b"</c:chart>", b"</c:chart><c:userShapes/>")
    assert read_chart(drawn).lost == "chart(s) with shapes drawn over them, left out"
    with pytest.raises(UnreadableError, match="no XML"):
        read_chart(b"<c:chart")
    far = _series("s", "1").replace("idx='0'", "idx='999999999'")
    assert len(read_chart(_space(f"<c:pieChart>{far}</c:pieChart>")).text) < 100
