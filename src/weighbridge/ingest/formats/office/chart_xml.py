"""Charts of Office files: the title, and the drawn values as a table."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.markdown_writer import join_lines, paragraph, table
from weighbridge.ingest.formats.number_format.display import display
from weighbridge.ingest.formats.office.xml_parsing import parse_xml

Points = Mapping[int, str]
"""Texts or values by their place in a series; charts leave places out."""


@dataclass(frozen=True, slots=True)
class ChartText:
    """The text of a chart in Markdown, and its loss. Either may be empty."""

    text: str
    lost: str = ""


@dataclass(slots=True)
class _Grid:
    """Series over the same categories. Categories in groups have several levels, the outermost first."""

    categories: tuple[Points, ...]
    columns: list[tuple[str, Points]] = field(default_factory=list)


def read_chart(xml: bytes) -> ChartText:
    """Read the part of a package that describes a chart: `chart1.xml`, or `chartEx1.xml` of Office 2016.

    The title comes first, with the title of the value axis in brackets. A table follows, with a row for each category
    under the title of their axis, and a column for each series. Series over other categories, as in scatter charts,
    get a table of their own. Values are those stored for drawing, in the number format of their labels or source.

    Raises:
        UnreadableError: it is no XML.
    """
    try:
        root = parse_xml(xml)
    except SyntaxError as error:
        raise UnreadableError("a chart that is no XML") from error
    axes = list(root.iterfind(".//{*}plotArea/{*}axis"))
    axes += [axis for axis in root.iterfind(".//{*}plotArea/*") if axis.tag.endswith("Ax")]
    across = _category_axis(axes)
    value_titles = {_value(axis, "axId") or axis.get("id"): _title(axis) for axis in axes if axis is not across}
    named = {text for text in value_titles.values() if text}
    title = " ".join(_title(node) for node in root.iterfind("{*}chart"))
    if len(named) == 1:
        title = f"{title} ({named.pop()})".strip()
    grids = _grids(root, value_titles if named else {}) or _newer_grids(root)
    tables = [_table(grid, "" if across is None else _title(across)) for grid in grids]
    text = "\n\n".join(block for block in [paragraph(title), *tables] if block)
    if not any(tables):
        return ChartText(text, "chart(s) without stored values")
    drawn_over = root.find("{*}userShapes") is not None
    return ChartText(text, "chart(s) with shapes drawn over them, left out" if drawn_over else "")


def _category_axis(axes: list[Any]) -> Any:
    """Return the axis of the categories; where both axes are of values, the horizontal one."""
    for axis in axes:
        if axis.tag.endswith(("}catAx", "}dateAx")) or axis.find("{*}catScaling") is not None:
            return axis
    return next((axis for axis in axes if _value(axis, "axPos") in {"b", "t"}), None)


def _title(node: Any) -> str:
    """Return the title of a chart or an axis: written there, or taken from a cell."""
    return _words(node.find("{*}title/{*}tx"))


def _words(node: Any) -> str:
    """Return the text of a title or a name: paragraphs of runs, else the stored text of cells."""
    if node is None:
        return ""
    lines = list(node.iterfind(".//{*}p")) or list(node.iterfind(".//{*}v"))
    return join_lines(" ".join("".join(line.xpath("descendant-or-self::*[not(*)]/text()")) for line in lines))


def _value(node: Any, name: str) -> str:
    """Return the value of the child of a name, such as 7 of `<c:axId val="7"/>`; empty where there is none."""
    child = node.find(f"{{*}}{name}")
    return "" if child is None else str(child.get("val") or "")


def _grids(root: Any, value_titles: Mapping[str, str]) -> list[_Grid]:
    """Return the series of a chart. With titles of several value axes, each series is named with that of its own."""
    grids: dict[str, _Grid] = {}
    for series in root.iterfind(".//{*}plotArea/*/{*}ser"):
        name = _words(series.find("{*}tx"))
        own = [value_titles.get(str(axis.get("val"))) for axis in series.getparent().iterfind("{*}axId")]
        name += "".join(f" ({text})" for text in own if text)
        places = [node for tag in ("cat", "xVal") for node in series.iterfind(f"{{*}}{tag}")]
        categories = tuple(level for node in places for level in _levels(node))
        if not categories and grids:  # only the first series has to name them
            categories = next(iter(grids.values())).categories
        grid = grids.setdefault(str(categories), _Grid(categories))
        for tag in ("val", "yVal", "bubbleSize"):
            for node in series.iterfind(f"{{*}}{tag}"):
                grid.columns += [(name, points) for points in _levels(node, _label_format(series))]
        if labels := _labels(series):
            grid.columns.append((name, labels))
    return list(grids.values())


def _newer_grids(root: Any) -> list[_Grid]:
    """Return the series of a chart of the kinds of 2016, such as waterfalls. Their data stand apart."""
    names = {_value(node, "dataId"): _words(node.find("{*}tx")) for node in root.iter("{*}series")}
    grids = []
    for data in root.iterfind("{*}chartData/{*}data"):
        categories = [_points(level) for level in data.iterfind("{*}strDim/{*}lvl")]
        columns = [(names.get(data.get("id"), ""), _points(level)) for level in data.iterfind("{*}numDim/{*}lvl")]
        grids.append(_Grid(tuple(reversed(categories)), columns))
    return grids


def _levels(node: Any, label_format: str = "") -> list[Points]:
    """Return the points that stand below a reference, one mapping a level of grouped categories, outermost first."""
    levels = list(node.iterfind(".//{*}lvl"))
    if levels:
        return [_points(level) for level in reversed(levels)]
    caches = [cache for kind in ("numCache", "strCache", "numLit", "strLit") for cache in node.iter(f"{{*}}{kind}")]
    return [_points(cache, label_format) for cache in caches]


def _points(cache: Any, label_format: str = "") -> Points:
    code = cache.findtext("{*}formatCode") or cache.get("formatCode") or ""
    date1904 = _value(cache.getroottree().getroot(), "date1904") in {"1", "true"}
    is_number = "num" in cache.tag or "numDim" in cache.getparent().tag
    points: dict[int, str] = {}
    for point in cache.iterfind("{*}pt"):
        text = join_lines(point.findtext("{*}v") or point.text or "")
        if text and (place := str(point.get("idx"))).isdecimal():
            shown = label_format or str(point.get("formatCode") or code)
            if is_number:
                with suppress(ValueError):  # such as #N/A
                    text = display(float(text), shown or "General", date1904=date1904).strip()
            points[int(place)] = text
    return points


def _label_format(series: Any) -> str:
    """Return the number format of the labels beside a series' points, empty where they have that of the source."""
    labels = series.find("{*}dLbls")
    written = None if labels is None or _value(labels, "showVal") not in {"1", "true"} else labels.find("{*}numFmt")
    return "" if written is None or written.get("sourceLinked") in {"1", "true"} else str(written.get("formatCode"))


def _labels(series: Any) -> Points:
    """Return the labels that somebody wrote beside points, or took from cells of their own."""
    labels: dict[int, str] = {}
    for stored in series.iter("{*}dlblRangeCache"):
        labels.update(_points(stored))
    for label in series.iterfind("{*}dLbls/{*}dLbl"):
        place, text = _value(label, "idx"), _words(label.find("{*}tx"))
        if place.isdecimal() and text and "[CELLRANGE]" not in text:
            labels[int(place)] = text
    return labels


def _table(grid: _Grid, category_title: str) -> str:
    """Return a table of the places that have a point; an outer category holds until the next one."""
    *outer, inner = grid.categories or ({},)
    header = ["" for _ in outer] + [category_title] + [name for name, _ in grid.columns]
    rows = [header]
    group = [""] * len(outer)
    places = set[int]().union(*grid.categories, *(points for _, points in grid.columns))
    for place in sorted(places):
        group = [level.get(place, before) for level, before in zip(outer, group, strict=True)]
        rows.append([*group, inner.get(place, ""), *(points.get(place, "") for _, points in grid.columns)])
    return table(rows) if grid.columns else ""
