"""Flowers: fourteen species that differ in petals, centre and leaves."""

import math
from dataclasses import dataclass

from packnet_book.drawn.canvas import Canvas, Colour, Point
from packnet_book.drawn.pen import Pen, Pose
from packnet_book.drawn.scene import (
    Chance,
    Scene,
    backdrop,
    clutter,
    cover,
    finish,
    hsv,
    shade,
)


@dataclass(frozen=True)
class Flower:
    """What a key to the plants asks for."""

    name: str
    petals: int
    shape: str
    colours: str
    centre: float = 0.2  # radius; the petals end at 1
    middle: str = "yellow"
    rows: int = 1
    mark: str = ""
    leaf: str = "oval"


FLOWERS = (
    Flower("field daisy", 12, "strap", "wypv", 0.3),
    Flower("double daisy", 12, "strap", "wypv", 0.2, rows=2),
    Flower("blotched poppy", 4, "round", "rypw", 0.2, "dark", mark="blotch"),
    Flower("ring poppy", 4, "round", "rypw", 0.2, "green", mark="ring"),
    Flower("wild rose", 5, "heart", "pwry", 0.24),
    Flower("garden rose", 5, "heart", "pwry", 0.16, rows=2),
    Flower("primrose", 5, "notch", "ybpv", 0.12, mark="ring"),
    Flower("periwinkle", 5, "pointed", "bvwp", 0.12, "white"),
    Flower(
        "spotted lily",
        6,
        "pointed",
        "ypwr",
        0.12,
        "green",
        mark="spots",
        leaf="lance",
    ),
    Flower(
        "striped lily",
        6,
        "pointed",
        "ypwr",
        0.12,
        "green",
        mark="stripe",
        leaf="lance",
    ),
    Flower("anemone", 8, "round", "vrwp", 0.28, "dark"),
    Flower("cosmos", 8, "notch", "vpwr", 0.2, leaf="lance"),
    Flower("clematis", 4, "pointed", "vbwp", 0.22),
    Flower("bur star", 12, "pointed", "yvwp", 0.38, "dark", leaf="lance"),
)

HUES = {
    "w": hsv(0.15, 0.06, 0.96),
    "y": hsv(0.14, 0.75, 0.95),
    "p": hsv(0.92, 0.45, 0.93),
    "r": hsv(0.0, 0.8, 0.8),
    "v": hsv(0.78, 0.5, 0.75),
    "b": hsv(0.63, 0.55, 0.85),
}

MIDDLE = {
    "yellow": hsv(0.13, 0.85, 0.85),
    "dark": (45, 32, 35),
    "green": hsv(0.25, 0.6, 0.65),
    "white": (240, 240, 235),
}

# half an outline: (share of the length, share of the half width)
PETAL: dict[str, list[Point]] = {
    "strap": [(0.1, 0.6), (0.85, 1.0), (1.0, 0.5)],
    "round": [(0.1, 0.3), (0.5, 0.95), (0.85, 0.9), (1.0, 0.4)],
    "pointed": [(0.1, 0.3), (0.4, 0.8), (0.75, 0.5), (1.0, 0.0)],
    "heart": [(0.1, 0.2), (0.6, 0.95), (0.95, 0.8), (1.0, 0.35), (0.78, 0.0)],
    "notch": [(0.1, 0.2), (0.7, 0.8), (1.0, 0.9), (0.82, 0.0)],
}

# half width of a petal of length 1, for each number of petals
WIDTH = {4: 0.68, 5: 0.56, 6: 0.4, 8: 0.36, 12: 0.2}


def draw_flower(label: int, chance: Chance, size: int) -> Scene:
    """A flower that fills a square of 8/7 of the size."""
    side = round(size * 8 / 7)
    canvas = Canvas(side, side)
    flower = FLOWERS[label]
    green = hsv(chance.about(0.3, 0.06), 0.5, chance.between(0.2, 0.6))
    earth = hsv(chance.about(0.2, 0.15), 0.4, chance.between(0.2, 0.6))
    backdrop(canvas, chance, green, earth)
    clutter(canvas, chance, chance.whole(1, 4))
    leaves(canvas, flower, chance)
    pose = Pose.at(
        side * chance.about(0.5, 0.07),
        side * chance.about(0.48, 0.07),
        side * chance.between(0.28, 0.43),
        turn=chance.about(0, 0.5),
        stretch=chance.between(0.65, 1.1),
    )
    paint_flower(Pen(canvas, pose), flower, chance)
    cover(canvas, chance, 0.45)
    return Scene(finish(canvas, chance, 70), None)


def leaves(canvas: Canvas, flower: Flower, chance: Chance) -> None:
    """A stem and two leaves behind the flower."""
    side = canvas.width
    green = hsv(chance.about(0.31, 0.04), 0.6, chance.between(0.35, 0.6))
    pen = Pen(canvas, Pose.at(side / 2, side / 2, side / 2))
    pen.line((0, 0), (chance.about(0, 0.4), 1.2), 0.07, green)
    wide = 0.34 if flower.leaf == "oval" else 0.1
    for side_of in (-1, 1):
        x, y = side_of * chance.about(0.6, 0.1), chance.about(0.65, 0.15)
        turn = side_of * chance.about(-0.6, 0.4)
        pen.ellipse(x, y, 0.55, wide, chance.near(green), turn=turn)


def paint_flower(pen: Pen, flower: Flower, chance: Chance) -> None:
    """Paint the petals, row by row, then the centre; radius 1."""
    colour = chance.near(HUES[chance.pick(flower.colours)], 22)
    start = chance.between(0, 2 * math.pi)
    step = 2 * math.pi / flower.petals
    for row in range(flower.rows):
        long = 1 - 0.38 * row
        tint = shade(colour, 1 - 0.2 * row)
        for k in range(flower.petals):
            angle = start + (k + row / 2) * step + chance.about(0, 0.08)
            petal(
                pen,
                flower,
                angle,
                long * chance.about(0.97, 0.05),
                tint if k % 2 else shade(tint, 0.86),
            )
    if flower.mark == "ring":
        pen.ellipse(0, 0, 0.42, 0.42, shade(colour, 0.5))
    middle = chance.near(MIDDLE[flower.middle])
    pen.ellipse(0, 0, flower.centre, flower.centre, middle)


def petal(
    pen: Pen, flower: Flower, angle: float, long: float, colour: Colour
) -> None:
    """One petal from the centre, with its mark."""
    cos, sin = long * math.cos(angle), long * math.sin(angle)
    half = [(a, b * WIDTH[flower.petals]) for a, b in PETAL[flower.shape]]
    outline = half + [(a, -b) for a, b in reversed(half)]
    region = pen.polygon(
        [(a * cos - b * sin, a * sin + b * cos) for a, b in outline], colour
    )
    dark = shade(colour, 0.45)
    if flower.mark == "blotch":
        pen.ellipse(0.35 * cos, 0.35 * sin, 0.16, 0.16, dark)
    elif flower.mark == "stripe":
        pen.line((0, 0), (0.85 * cos, 0.85 * sin), 0.1, dark, inside=region)
    elif flower.mark == "spots":
        for at in (0.4, 0.62):
            pen.ellipse(at * cos, at * sin, 0.07, 0.07, dark)
