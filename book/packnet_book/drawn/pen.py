"""Draw in the coordinates of a figure, wherever the figure stands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from packnet_book.drawn.canvas import FINE, Canvas, Colour, Point, Region

GRID = 16  # coordinates are rounded to 1 / GRID of a sample point


@dataclass(frozen=True)
class Pose:
    """Where a figure stands: its origin and its two unit arrows, pixels."""

    origin: Point
    right: Point
    down: Point

    @classmethod
    def at(
        cls,
        x: float,
        y: float,
        unit: float,
        *,
        turn: float = 0,
        flip: bool = False,
        stretch: float = 1,
    ) -> "Pose":
        """Place a figure at (x, y), `unit` pixels a unit, turned (rad)."""
        cos, sin = unit * math.cos(turn), unit * math.sin(turn)
        wide = -stretch if flip else stretch
        return cls((x, y), (wide * cos, wide * sin), (-sin, cos))


class Pen:
    """Paint shapes of one figure and remember how far they reach."""

    def __init__(self, canvas: Canvas, pose: Pose) -> None:
        self.canvas, self.pose = canvas, pose
        self._reached: list[Region] = []

    def ellipse(
        self,
        x: float,
        y: float,
        wide: float,
        high: float,
        colour: Colour,
        *,
        turn: float = 0,
        inside: Region | None = None,
    ) -> Region:
        """An ellipse with half-axes wide and high, turned by radians."""
        cos, sin = math.cos(turn), math.sin(turn)
        region = self.canvas.ellipse(
            self._place(x, y),
            self._arrow(wide * cos, wide * sin),
            self._arrow(-high * sin, high * cos),
        )
        return self._paint(region, colour, inside)

    def polygon(
        self,
        points: Sequence[Point],
        colour: Colour,
        *,
        rounds: int = 0,
        inside: Region | None = None,
    ) -> Region:
        """A polygon; each round cuts its corners to make it rounder."""
        for _ in range(rounds):
            points = _cut_corners(points)
        placed = [self._place(x, y) for x, y in points]
        return self._paint(self.canvas.polygon(placed), colour, inside)

    def line(
        self,
        a: Point,
        b: Point,
        thick: float,
        colour: Colour,
        *,
        inside: Region | None = None,
    ) -> Region:
        """A line with round ends."""
        scale = math.sqrt(
            abs(
                self.pose.right[0] * self.pose.down[1]
                - self.pose.right[1] * self.pose.down[0]
            )
        )
        radius = max(_snap(thick * scale / 2), 0.5)
        region = self.canvas.line(self._place(*a), self._place(*b), radius)
        return self._paint(region, colour, inside)

    def box(self, margin: float) -> tuple[int, int, int, int]:
        """(x, y, width, height) in pixels around all that was painted.

        margin: share of the size to add on each side (may be negative).
        """
        left = min(r.left for r in self._reached) / FINE
        top = min(r.top for r in self._reached) / FINE
        right = max(r.left + r.mask.shape[1] for r in self._reached) / FINE
        bottom = max(r.top + r.mask.shape[0] for r in self._reached) / FINE
        wide, high = margin * (right - left), margin * (bottom - top)
        x0 = max(math.floor(left - wide), 0)
        y0 = max(math.floor(top - high), 0)
        x1 = min(math.ceil(right + wide), self.canvas.width)
        y1 = min(math.ceil(bottom + high), self.canvas.height)
        return x0, y0, x1 - x0, y1 - y0

    def _place(self, x: float, y: float) -> Point:
        dx, dy = self._arrow(x, y)
        return (
            _snap(self.pose.origin[0]) + dx,
            _snap(self.pose.origin[1]) + dy,
        )

    def _arrow(self, x: float, y: float) -> Point:
        right, down = self.pose.right, self.pose.down
        return (
            _snap(x * right[0] + y * down[0]),
            _snap(x * right[1] + y * down[1]),
        )

    def _paint(
        self, region: Region, colour: Colour, inside: Region | None
    ) -> Region:
        if inside is None:
            if region.mask.size:
                self._reached.append(region)
        else:
            region = region.within(inside)
        self.canvas.fill(region, colour)
        return region


def _snap(pixels: float) -> float:
    """Pixels to sample points on the grid: hides the last bit of sin."""
    return round(pixels * FINE * GRID) / GRID


def _cut_corners(points: Sequence[Point]) -> list[Point]:
    """Chaikin (1974): replace each corner by two at 1/4 of its sides."""
    cut = []
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]]):
        cut.append((0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by))
        cut.append((0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by))
    return cut
