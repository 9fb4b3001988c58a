"""What every task shares: random numbers, backgrounds, clutter, light."""

import colorsys
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from packnet_book.drawn.canvas import (
    FINE,
    Canvas,
    Colour,
    resize,
    speckle,
)
from packnet_book.drawn.pen import Pen, Pose

Item = TypeVar("Item")


@dataclass(frozen=True)
class Scene:
    """A finished picture.

    image: uint8 (height, width, 3); box: (x, y, width, height) of the
    figure in pixels, or None where the picture is the figure's frame.
    """

    image: NDArray[np.uint8]
    box: tuple[int, int, int, int] | None


class Chance:
    """Random numbers of one picture, named by a text.

    Only `random.Random.random` is used: its values have been the same in
    every version of Python since 2.3, the other methods' have not.
    """

    def __init__(self, name: str) -> None:
        self._next = random.Random(name).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._next()

    def about(self, value: float, spread: float) -> float:
        return self.between(value - spread, value + spread)

    def happens(self, share: float) -> bool:
        return self._next() < share

    def pick(self, items: Sequence[Item]) -> Item:
        return items[int(self._next() * len(items))]

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both possible."""
        return low + int(self._next() * (high - low + 1))

    def colour(
        self,
        saturation: tuple[float, float] = (0.3, 0.9),
        value: tuple[float, float] = (0.3, 0.95),
    ) -> Colour:
        """Any hue."""
        return hsv(
            self._next(), self.between(*saturation), self.between(*value)
        )

    def near(self, colour: Colour, spread: float = 18) -> Colour:
        """A colour close to the given one: brighter or darker, tinted."""
        light = self.about(0, spread)
        return rgb(*(c + light + self.about(0, spread / 2) for c in colour))


def rgb(red: float, green: float, blue: float) -> Colour:
    """A colour from any three numbers, cut to 0..255."""
    r, g, b = (min(max(round(c), 0), 255) for c in (red, green, blue))
    return r, g, b


def hsv(hue: float, saturation: float, value: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return rgb(255 * r, 255 * g, 255 * b)


def shade(colour: Colour, factor: float) -> Colour:
    """Darker (factor < 1) or lighter (factor > 1)."""
    return rgb(*(factor * c for c in colour))


def backdrop(
    canvas: Canvas, chance: Chance, top: Colour, bottom: Colour
) -> None:
    """Fill the canvas from top to bottom colour, with soft clouds."""
    high, wide = canvas.height, canvas.width
    share = np.arange(high, dtype=np.int32) * 256 // high  # (H,)
    ends = np.array([top, bottom], np.int32)[:, :, None]  # (2, 3, 1)
    ramp = (ends[0] * (256 - share) + ends[1] * share) >> 8  # (3, H)
    rough = speckle(
        int(chance.between(0, 2**32)),
        1,
        chance.whole(3, 8),
        chance.whole(3, 10),
    )
    cloud = resize(rough * chance.whole(20, 110), high, wide) >> 8
    small = np.clip(ramp[:, :, None] + cloud, 0, 255).astype(np.uint8)
    canvas.pixels[:] = small.repeat(FINE, axis=1).repeat(FINE, axis=2)


NATURE = (
    hsv(0.3, 0.5, 0.4),
    hsv(0.25, 0.6, 0.6),
    hsv(0.1, 0.5, 0.45),
    hsv(0.08, 0.3, 0.7),
    hsv(0.38, 0.4, 0.35),
)


def clutter(
    canvas: Canvas, chance: Chance, count: int, colours: Sequence[Colour] = ()
) -> None:
    """Scatter leaves, twigs and blobs over the canvas."""
    for _ in range(count):
        pose = Pose.at(
            chance.between(0, canvas.width),
            chance.between(0, canvas.height),
            canvas.height * chance.between(0.08, 0.25),
            turn=chance.between(0, 2 * math.pi),
        )
        pen = Pen(canvas, pose)
        colour = chance.near(chance.pick(colours or NATURE), 30)
        kind = chance.whole(0, 3)
        if kind == 0:
            pen.ellipse(0, 0, 1, chance.between(0.2, 0.9), colour)
        elif kind == 1:
            pen.line((-2, 0), (2, 0.5), chance.between(0.1, 0.3), colour)
        elif kind == 2:
            pen.polygon([(-1, 0), (0, -0.5), (1, 0), (0, 0.5)], colour)
        else:
            pen.polygon([(-0.8, -0.6), (0.9, -0.3), (0, 0.9)], colour)


def cover(canvas: Canvas, chance: Chance, share: float) -> None:
    """Sometimes put a twig or a leaf in front of the figure."""
    if chance.happens(share):
        clutter(canvas, chance, chance.whole(1, 2))


def finish(canvas: Canvas, chance: Chance, noise: int) -> NDArray[np.uint8]:
    """Average, light from one side, add noise: uint8 (H, W, 3)."""
    image = canvas.averaged()
    left, right = (chance.whole(170, 290) for _ in range(2))
    wide = canvas.width
    light = left + (right - left) * np.arange(wide, dtype=np.int32) // wide
    grain = speckle(int(chance.between(0, 2**32)), *image.shape)
    lit = (image * light + grain * chance.whole(noise // 3, noise)) >> 8
    return np.ascontiguousarray(
        np.clip(lit, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    )
