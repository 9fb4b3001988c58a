"""A painter whose pixels are the same on every machine.

Shapes are tested at FINE x FINE sample points a pixel and averaged in
whole numbers. Arrays see only + - * / and comparisons, which IEEE 754
fixes to the last bit, on coordinates that `Pen` has rounded to a grid.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FINE = 2  # sample points a pixel, in each direction

Point = tuple[float, float]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Region:
    """The sample points that a shape covers.

    mask: bool (h, w), its corner at column `left` and row `top`.
    """

    left: int
    top: int
    mask: NDArray[np.bool_]

    def within(self, other: "Region") -> "Region":
        """The part of this region that lies in the other one."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(
            self.left + self.mask.shape[1], other.left + other.mask.shape[1]
        )
        bottom = min(
            self.top + self.mask.shape[0], other.top + other.mask.shape[0]
        )
        wide, high = max(right - left, 0), max(bottom - top, 0)

        def cut(region: "Region") -> NDArray[np.bool_]:
            row, column = top - region.top, left - region.left
            return region.mask[row : row + high, column : column + wide]

        if not wide or not high:
            return Region(left, top, np.zeros((0, 0), bool))
        return Region(left, top, cut(self) & cut(other))


class Canvas:
    """Pixels to paint on; all coordinates count sample points.

    pixels: uint8 (3, FINE * height, FINE * width).
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.pixels = np.zeros((3, FINE * height, FINE * width), np.uint8)
        self._x = np.arange(FINE * width) + 0.5  # centres of the columns
        self._y = np.arange(FINE * height) + 0.5

    def _span(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[int, int, int, int]:
        """The rectangle in whole sample points, cut to the canvas."""
        x0 = min(max(math.floor(left), 0), len(self._x))
        y0 = min(max(math.floor(top), 0), len(self._y))
        x1 = max(min(math.ceil(right), len(self._x)), x0)
        y1 = max(min(math.ceil(bottom), len(self._y)), y0)
        return x0, y0, x1, y1

    def ellipse(self, centre: Point, u: Point, v: Point) -> Region:
        """The ellipse with half-axes u and v around the centre.

        A point p lies inside if p = s u + t v with s^2 + t^2 <= 1.
        """
        wide = math.sqrt(u[0] * u[0] + v[0] * v[0])
        high = math.sqrt(u[1] * u[1] + v[1] * v[1])
        x0, y0, x1, y1 = self._span(
            centre[0] - wide,
            centre[1] - high,
            centre[0] + wide,
            centre[1] + high,
        )
        x = self._x[x0:x1] - centre[0]  # (w,)
        y = (self._y[y0:y1] - centre[1])[:, None]  # (h, 1)
        area = u[0] * v[1] - u[1] * v[0]
        s = v[1] * x - v[0] * y  # area times s, (h, w)
        t = u[0] * y - u[1] * x
        s *= s
        t *= t
        s += t
        return Region(x0, y0, s <= area * area)

    def polygon(self, points: list[Point]) -> Region:
        """The inside of a closed outline (even-odd rule)."""
        corner = np.array(points)  # (n, 2)
        x0, y0, x1, y1 = self._span(*corner.min(0), *corner.max(0))
        after = np.concatenate((corner[1:], corner[:1]))
        ax, ay = corner[:, :1], corner[:, 1:]  # (n, 1) each
        rise = after[:, 1:] - ay
        slope = (after[:, :1] - ax) / np.where(rise == 0, 1, rise)
        y = self._y[y0:y1]
        crossed = (ay <= y) != (after[:, 1:] <= y)  # (n, h)
        at = np.where(crossed, ax + (y - ay) * slope, np.inf)
        right_of = self._x[x0:x1] > at[:, :, None]  # (n, h, w)
        return Region(x0, y0, np.logical_xor.reduce(right_of, axis=0))

    def line(self, a: Point, b: Point, radius: float) -> Region:
        """All points no further than the radius from the line a-b."""
        x0, y0, x1, y1 = self._span(
            min(a[0], b[0]) - radius,
            min(a[1], b[1]) - radius,
            max(a[0], b[0]) + radius,
            max(a[1], b[1]) + radius,
        )
        x = self._x[x0:x1] - a[0]
        y = (self._y[y0:y1] - a[1])[:, None]
        dx, dy = b[0] - a[0], b[1] - a[1]
        length2 = max(dx * dx + dy * dy, 1 / 256)
        along = np.clip((dx * x + dy * y) / length2, 0.0, 1.0)
        x = x - dx * along
        y = y - dy * along
        return Region(x0, y0, x * x + y * y <= radius * radius)

    def fill(self, region: Region, colour: Colour) -> None:
        """Paint a region in one colour."""
        high, wide = region.mask.shape
        view = self.pixels[
            :,
            region.top : region.top + high,
            region.left : region.left + wide,
        ]
        paint = np.array(colour, np.uint8)[:, None, None]
        np.copyto(view, paint, where=region.mask)

    def averaged(self) -> NDArray[np.int32]:
        """The picture at one value a pixel: int32 (3, height, width)."""
        rows = self.pixels[:, ::FINE].astype(np.int32)
        for k in range(1, FINE):
            rows += self.pixels[:, k::FINE]
        total = rows[:, :, ::FINE].copy()
        for k in range(1, FINE):
            total += rows[:, :, k::FINE]
        return (total + FINE * FINE // 2) // (FINE * FINE)


def resize(image: NDArray, height: int, width: int) -> NDArray[np.int32]:
    """Resize (3, h, w) to int32 (3, height, width), bilinear, integers."""

    def places(old: int, new: int) -> tuple[NDArray, NDArray, NDArray]:
        at = (2 * np.arange(new, dtype=np.int32) + 1) * old * 128 // new
        at = np.clip(at - 128, 0, (old - 1) * 256)  # in 1/256 pixel
        low = at >> 8
        return low, np.minimum(low + 1, old - 1), at & 255

    low, high, part = places(image.shape[1], height)
    part = part[:, None]
    source = image.astype(np.int32)
    rows = source[:, low] * (256 - part) + source[:, high] * part
    low, high, part = places(image.shape[2], width)
    full = rows[:, :, low] * (256 - part) + rows[:, :, high] * part
    return (full + (1 << 15)) >> 16


def speckle(key: int, *shape: int) -> NDArray[np.int32]:
    """Triangular noise in [-255, 255] from a hash of the position."""
    count = math.prod(shape)
    h = np.arange(count, dtype=np.uint32) + np.uint32(key & 0xFFFFFFFF)
    h *= np.uint32(0x9E3779B1)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    two = (h & np.uint32(255)) + ((h >> np.uint32(8)) & np.uint32(255))
    return two.astype(np.int32).reshape(shape) - 255
