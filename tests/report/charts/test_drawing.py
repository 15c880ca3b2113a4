"""Charts: axes hold their values, and the drawings are well-formed and escaped."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.charts.drawing import BarSegment, Reach, axis, stacked_bar
from weighbridge.report.charts.scatter import Point, scatter

reaches = st.tuples(st.just(0.0) | st.floats(1e-6, 1e6), st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: Reach(drawn[0], drawn[0] * (1 - drawn[1]), drawn[0] * (1 + drawn[2]))
)


@given(st.lists(reaches, min_size=1, max_size=6), st.sampled_from([1.0, 5.0]))
def test_an_axis_holds_its_values_in_order(values: list[Reach], logarithmic_from: float) -> None:
    along = axis(values, logarithmic_from=logarithmic_from)
    places = [along.at(reach.value) for reach in sorted(values, key=lambda reach: reach.value)]
    assert places == sorted(places)
    assert along.low < along.high
    assert list(along.ticks) == sorted(set(along.ticks))
    assert len(along.ticks) >= 2
    assert all(along.low <= reach.value <= along.high for reach in values)


def test_a_scatter_is_well_formed_and_names_every_point() -> None:
    points = [
        Point(name=name, series=place, x=Reach(1.0 + place, 0.5, 7.0), y=Reach(0.5, 0.2, 0.9), leads=place == 0)
        for place, name in enumerate(("<b>rag</b>", "raft & co", "prompt"))
    ]
    along = axis([point.x for point in points], logarithmic_from=1.0)
    drawn = scatter(points, title="t", x_label="seconds", ticks=["1"] * len(along.ticks), along=along)
    texts = [node.text for node in ET.fromstring(drawn).iter("text")]  # noqa: S314 - our own drawing
    assert {"<b>rag</b>", "raft & co", "prompt", "seconds"} <= set(texts)


def test_a_bar_gives_every_part_its_share_and_skips_none() -> None:
    parts = (("right", 3, "right"), ("wrong missed", 1, "wrong"), ("error", 0, "failed"))
    segments = [BarSegment(style=style, count=count, meaning=meaning) for style, count, meaning in parts]
    drawn = ET.fromstring(stacked_bar(segments, "rag"))  # noqa: S314 - our own drawing
    groups = list(drawn.iter("g"))
    assert [group.find("rect").get("width") for group in groups] == ["75.00%", "25.00%"]
    assert drawn.get("aria-label") == "rag: 3 right, 1 wrong"
    assert len(list(groups[1].iter("rect"))) == 2
