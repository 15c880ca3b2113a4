"""Where the names beside points go, so that none covers another."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

_LETTER, _HEIGHT, _CLEAR = 6.9, 16.0, 7.0
"""The size of a label's letters in pixels, generously, and the half-width of a point's mark."""
_HARD, _SOFT = 100.0, 1.0
"""Costs per square pixel of covering a mark or a label, and of covering a line; a pixel's distance costs one."""
_RINGS = (3.0, 9.0, 13.0, 22.0, 38.0, 58.0, 82.0, 110.0)
_DIRECTIONS = ((1, 0), (-1, 0), (1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True)
class LabelBox:
    """A rectangle in pixels; `far` where a line should lead from it to its point."""

    left: float
    top: float
    right: float
    bottom: float
    far: bool = False

    @property
    def middle_x(self) -> float:
        """Return the middle from left to right."""
        return (self.left + self.right) / 2

    @property
    def middle_y(self) -> float:
        """Return the middle from top to bottom."""
        return (self.top + self.bottom) / 2

    def overlap(self, other: "LabelBox") -> float:
        """Return the area that two boxes share."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(across, 0.0) * max(down, 0.0)

    def inside(self, area: "LabelBox") -> bool:
        """Tell whether this box lies within another."""
        return (
            self.left >= area.left and self.right <= area.right and self.top >= area.top and self.bottom <= area.bottom
        )


def place_labels(
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    area: LabelBox,
    lines: Sequence[LabelBox] = (),
    *,
    clear: Sequence[float] = (),
) -> tuple[LabelBox, ...]:
    """Return a box for each name, in order: within the area, clear of marks and other labels, close to its point.

    `lines` may be covered, but better not; `clear` are the half-widths of the marks, where they differ. Where no place
    is wholly clear, the one that covers least is taken.
    """
    halves = clear or [_CLEAR] * len(points)
    marks = [LabelBox(x - half, y - half, x + half, y + half) for (x, y), half in zip(points, halves, strict=True)]
    placed: list[LabelBox] = []
    for name, (x, y) in zip(names, points, strict=True):
        taken = [*marks, *placed]
        near = [box for box in _around(name, x, y) if box.inside(area)]
        free = [box for box in near if not _covered_area(box, taken)]
        candidates = free or [*near, *_anywhere(name, area)]
        costs = [
            (_HARD * _covered_area(box, taken) + _SOFT * _covered_area(box, lines) + _gap(box, x, y), number)
            for number, box in enumerate(candidates)
        ]
        placed.append(candidates[min(costs)[1]])
    return tuple(placed)


def _covered_area(box: LabelBox, others: Sequence[LabelBox]) -> float:
    return sum(box.overlap(other) for other in others)


def _gap(box: LabelBox, x: float, y: float) -> float:
    """Return how far a box is from a point, in pixels, at its nearest edges."""
    return math.hypot(max(box.left - x, x - box.right, 0.0), max(box.top - y, y - box.bottom, 0.0))


def _around(name: str, x: float, y: float) -> Iterator[LabelBox]:
    width = len(name) * _LETTER + 4
    for ring, (right, down) in product(_RINGS, _DIRECTIONS):
        yield _box(x + right * (ring + width / 2), y + down * (ring + _HEIGHT / 2), width, far=ring > _RINGS[3])


def _anywhere(name: str, area: LabelBox) -> Iterator[LabelBox]:
    """Yield places on a grid over the area, for a label that finds none near its point."""
    width = len(name) * _LETTER + 4
    step_x, step_y = (area.right - area.left - width) / 4, (area.bottom - area.top - _HEIGHT) / 15
    for column, row in product(range(5), range(16)):
        middle_y = area.top + _HEIGHT / 2 + row * step_y
        yield _box(area.left + width / 2 + column * step_x, middle_y, width, far=True)


def _box(x: float, y: float, width: float, *, far: bool) -> LabelBox:
    return LabelBox(x - width / 2, y - _HEIGHT / 2, x + width / 2, y + _HEIGHT / 2, far=far)
