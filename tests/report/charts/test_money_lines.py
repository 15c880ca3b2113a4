"""Costs as lines: well-formed, escaped, every name at the end of its line, and none over another."""

from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.charts.drawing import Axis
from weighbridge.report.charts.money_lines import HEIGHT, MoneyLine, Notch, ScaleOfAxis, money_lines

ACROSS = ScaleOfAxis(axis=Axis(0.0, 36.0, logarithmic=False, ticks=(0.0, 36.0)), label="months", words=("0", "36"))
UPRIGHT = ScaleOfAxis(axis=Axis(0.0, 1.0, logarithmic=False, ticks=(0.0, 1.0)), label="USD", words=("$0", "$1"))


def draw(ends: list[float], name: str = "arm") -> ET.Element:
    lines = [
        MoneyLine(name=f"{name} {place}", series=place, path=((0.0, 0.0), (36.0, end)), mark=(36.0, end))
        for place, end in enumerate(ends)
    ]
    drawn = money_lines(lines, title="t", across=ACROSS, upright=UPRIGHT, notches=[Notch(12.0, "now", is_now=True)])
    return ET.fromstring(drawn)  # noqa: S314 - our own drawing


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_no_name_covers_another_or_leaves_the_picture(ends: list[float]) -> None:
    labels = [node for node in draw(ends).iter("text") if node.get("class", "").startswith("label")]
    assert sorted(node.text or "" for node in labels) == [f"arm {place}" for place in range(len(ends))]
    places = sorted(float(node.get("y", "nan")) for node in labels)
    assert all(after - before >= 13.9 for before, after in pairwise(places))
    assert all(0 < place < HEIGHT for place in places)


def test_hostile_names_are_escaped() -> None:
    assert '<b>&"' in " ".join(node.text or "" for node in draw([0.5], '<b>&"').iter("text"))
