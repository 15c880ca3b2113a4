"""Labels beside points."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.charts.label_places import LabelBox, place_labels
from weighbridge.report.charts.scatter import HEIGHT, WIDTH

AREA = LabelBox(46, 14, WIDTH - 12, HEIGHT - 44)
NAMES = ("prompt", "few-shot", "rag", "fine-tuned", "raft", "routed")
inside = st.tuples(st.floats(AREA.left + 8, AREA.right - 8), st.floats(AREA.top + 6, AREA.bottom - 6))


@given(st.lists(inside, min_size=1, max_size=len(NAMES)))
def test_labels_lie_in_the_chart_and_never_cover_each_other(points: list[tuple[float, float]]) -> None:
    placed = place_labels(NAMES[: len(points)], points, AREA)
    assert all(box.inside(LabelBox(AREA.left - 1, AREA.top - 1, AREA.right + 1, AREA.bottom + 1)) for box in placed)
    assert not any(one.overlap(other) for n, one in enumerate(placed) for other in placed[n + 1 :])


def test_a_lone_label_stands_beside_its_point() -> None:
    (box,) = place_labels(["rag"], [(200.0, 150.0)], AREA)
    assert 200 < box.left < 220
    assert box.top < 150 < box.bottom
    assert not box.far
