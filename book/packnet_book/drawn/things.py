"""Twenty kinds of thing, each a few shapes around the origin.

Each function paints with a pen in a square from -1 to 1, y down, and
returns the region that may carry a pattern.
"""

import math
from collections.abc import Callable

from packnet_book.drawn.canvas import Colour, Region
from packnet_book.drawn.pen import Pen
from packnet_book.drawn.scene import Chance, shade

# main colour, second colour
Colours = tuple[Colour, Colour]
Thing = Callable[[Pen, Colours, Chance], Region]


def house(pen: Pen, c: Colours, chance: Chance) -> Region:
    wall = pen.polygon(
        [(-0.7, -0.1), (0.7, -0.1), (0.7, 0.9), (-0.7, 0.9)], c[0]
    )
    pen.polygon(
        [(-0.95, -0.1), (0, chance.about(-0.85, 0.15)), (0.95, -0.1)], c[1]
    )
    x = chance.about(0, 0.4)
    pen.polygon(
        [
            (x - 0.15, 0.35),
            (x + 0.15, 0.35),
            (x + 0.15, 0.9),
            (x - 0.15, 0.9),
        ],
        shade(c[1], 0.5),
    )
    return wall


def tree(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon(
        [(-0.12, 0), (0.12, 0), (0.18, 0.95), (-0.18, 0.95)], shade(c[1], 0.6)
    )
    for x, y in ((-0.4, -0.05), (0.4, -0.1)):
        pen.ellipse(x, y, 0.42, 0.38, shade(c[0], 0.85))
    return pen.ellipse(0, -0.4, chance.about(0.55, 0.1), 0.5, c[0])


def fish(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon([(-0.45, 0), (-1, -0.45), (-0.85, 0), (-1, 0.45)], c[1])
    pen.polygon([(-0.2, -0.3), (0.1, -0.7), (0.35, -0.3)], c[1])
    body = pen.ellipse(0.15, 0, 0.75, chance.about(0.42, 0.08), c[0])
    pen.ellipse(0.58, -0.1, 0.09, 0.09, (20, 20, 20))
    return body


def cup(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.ellipse(0.62, 0.05, 0.34, 0.36, c[1])
    pen.ellipse(0.62, 0.05, 0.19, 0.2, shade(c[1], 0.4))
    side = pen.polygon(
        [(-0.65, -0.6), (0.65, -0.6), (0.5, 0.75), (-0.5, 0.75)], c[0]
    )
    pen.ellipse(0, -0.6, 0.65, 0.17, shade(c[0], 0.5))
    return side


def key(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.line((-0.3, 0), (0.9, 0), 0.17, c[0])
    for x in (0.6, 0.85):
        pen.line((x, 0), (x, chance.about(0.33, 0.06)), 0.14, c[0])
    bow = pen.ellipse(-0.55, 0, 0.42, 0.4, c[0])
    pen.ellipse(-0.6, 0, 0.2, 0.18, c[1])
    return bow


def star(pen: Pen, c: Colours, chance: Chance) -> Region:
    inner = chance.about(0.42, 0.06)
    points = []
    for k in range(10):
        radius = inner if k % 2 else 1.0
        angle = math.pi * k / 5 - math.pi / 2
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    return pen.polygon(points, c[0])


def umbrella(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.line((0, -0.2), (0, 0.8), 0.09, c[1])
    pen.line((0, 0.8), (0.25, 0.75), 0.09, c[1])
    return pen.polygon(
        [
            (-0.95, 0),
            (-0.75, -0.5),
            (-0.3, -0.82),
            (0.3, -0.82),
            (0.75, -0.5),
            (0.95, 0),
            (0.6, -0.15),
            (0.3, 0),
            (0, -0.15),
            (-0.3, 0),
            (-0.6, -0.15),
        ],
        c[0],
    )


def boat(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon([(-0.95, 0.4), (0.95, 0.4), (0.6, 0.85), (-0.6, 0.85)], c[1])
    pen.line((0, -0.9), (0, 0.45), 0.07, shade(c[1], 0.5))
    pen.polygon([(-0.08, -0.6), (-0.08, 0.3), (-0.6, 0.3)], shade(c[0], 0.8))
    return pen.polygon([(0.08, -0.9), (0.08, 0.3), (0.8, 0.3)], c[0])


def butterfly(pen: Pen, c: Colours, chance: Chance) -> Region:
    for x in (-1, 1):
        pen.ellipse(x * 0.42, 0.38, 0.36, 0.3, c[1], turn=x * 0.6)
        wing = pen.ellipse(x * 0.5, -0.28, 0.52, 0.38, c[0], turn=-x * 0.6)
        pen.line((0, -0.5), (x * 0.3, -0.95), 0.06, (30, 30, 30))
    pen.ellipse(0, 0, 0.1, 0.6, (40, 35, 30))
    return wing


def bicycle(pen: Pen, c: Colours, chance: Chance) -> Region:
    for x in (-0.55, 0.55):
        pen.ellipse(x, 0.35, 0.42, 0.42, (35, 35, 35))
        hole = pen.ellipse(x, 0.35, 0.29, 0.29, c[1])
    for a, b in (
        ((-0.55, 0.35), (-0.2, -0.3)),
        ((-0.2, -0.3), (0.4, -0.3)),
        ((0.4, -0.5), (0.55, 0.35)),
        ((0.0, 0.35), (0.4, -0.3)),
    ):
        pen.line(a, b, 0.1, c[0])
    pen.line((-0.35, -0.42), (-0.05, -0.42), 0.12, (35, 35, 35))
    return hole


def cart(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.line((0.5, 0.2), (1.0, -0.4), 0.09, c[1])
    box = pen.polygon(
        [(-0.85, -0.45), (0.65, -0.45), (0.5, 0.35), (-0.7, 0.35)], c[0]
    )
    for x in (-0.45, 0.3):
        pen.ellipse(x, 0.5, 0.3, 0.3, (40, 35, 35))
        pen.ellipse(x, 0.5, 0.13, 0.13, c[1])
    return box


def windmill(pen: Pen, c: Colours, chance: Chance) -> Region:
    tower = pen.polygon(
        [(-0.22, -0.3), (0.22, -0.3), (0.4, 0.95), (-0.4, 0.95)], c[0]
    )
    start = chance.between(0, math.pi / 2)
    for k in range(4):
        cos = 0.85 * math.cos(start + k * math.pi / 2)
        sin = 0.85 * math.sin(start + k * math.pi / 2)
        pen.polygon(
            [
                (0, -0.3),
                (cos, sin - 0.3),
                (cos - 0.3 * sin, sin + 0.3 * cos - 0.3),
            ],
            c[1],
        )
    return tower


def mushroom(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon(
        [(-0.2, 0), (0.2, 0), (0.3, 0.9), (-0.3, 0.9)], shade(c[1], 1.3)
    )
    return pen.polygon(
        [
            (-0.9, 0.1),
            (-0.75, -0.45),
            (-0.3, -0.8),
            (0.3, -0.8),
            (0.75, -0.45),
            (0.9, 0.1),
        ],
        c[0],
        rounds=1,
    )


def lamp(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.line((0, -0.1), (0, 0.8), 0.12, c[1])
    pen.ellipse(0, 0.85, 0.45, 0.13, c[1])
    top = chance.about(0.3, 0.08)
    return pen.polygon([(-top, -0.9), (top, -0.9), (0.7, 0), (-0.7, 0)], c[0])


def balloon(pen: Pen, c: Colours, chance: Chance) -> Region:
    for x in (-0.3, 0.3):
        pen.line((x, 0.1), (x / 2, 0.7), 0.05, (50, 45, 40))
    pen.polygon(
        [(-0.2, 0.65), (0.2, 0.65), (0.17, 0.95), (-0.17, 0.95)], c[1]
    )
    pen.polygon([(-0.5, 0.05), (0.5, 0.05), (0.2, 0.4), (-0.2, 0.4)], c[0])
    return pen.ellipse(0, -0.3, 0.62, 0.62, c[0])


def clock(pen: Pen, c: Colours, chance: Chance) -> Region:
    rim = pen.ellipse(0, 0, 0.9, 0.9, c[0])
    pen.ellipse(0, 0, 0.68, 0.68, (235, 232, 220))
    for long in (0.4, 0.58):
        angle = chance.between(0, 2 * math.pi)
        pen.line(
            (0, 0),
            (long * math.cos(angle), long * math.sin(angle)),
            0.1,
            (30, 30, 30),
        )
    return rim


def snail(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon(
        [
            (-0.95, 0.75),
            (-0.5, 0.5),
            (0.4, 0.5),
            (0.55, -0.1),
            (0.85, -0.1),
            (0.85, 0.75),
        ],
        c[1],
        rounds=1,
    )
    for x in (0.62, 0.85):
        pen.line((0.7, 0), (x, -0.5), 0.06, c[1])
    shell = pen.ellipse(-0.15, 0.08, 0.58, 0.55, c[0])
    pen.ellipse(-0.1, 0.12, 0.36, 0.34, shade(c[0], 0.6))
    pen.ellipse(-0.05, 0.15, 0.16, 0.15, c[0])
    return shell


def plane(pen: Pen, c: Colours, chance: Chance) -> Region:
    pen.polygon(
        [
            (0.2, 0),
            (-0.3, -0.95),
            (-0.5, -0.95),
            (-0.2, 0),
            (-0.5, 0.95),
            (-0.3, 0.95),
        ],
        c[1],
    )
    pen.polygon([(-0.6, 0), (-0.95, -0.4), (-0.9, 0), (-0.95, 0.4)], c[1])
    body = pen.ellipse(0, 0, 0.98, 0.17, c[0])
    pen.ellipse(0.72, 0, 0.12, 0.09, (40, 50, 70))
    return body


def ladybird(pen: Pen, c: Colours, chance: Chance) -> Region:
    for y in (-0.35, 0, 0.35):
        pen.line((-0.85, y), (0.85, y * 1.3), 0.08, (30, 30, 30))
    pen.ellipse(0, -0.6, 0.36, 0.3, (30, 30, 30))
    shell = pen.ellipse(0, 0.1, 0.66, 0.72, c[0])
    pen.line((0, -0.6), (0, 0.8), 0.07, (30, 30, 30), inside=shell)
    for x, y in ((-0.32, -0.15), (0.32, -0.1), (-0.28, 0.4), (0.3, 0.4)):
        pen.ellipse(x, y, 0.14, 0.14, (30, 30, 30))
    return shell


def cactus(pen: Pen, c: Colours, chance: Chance) -> Region:
    for x, y in ((-1, 0.05), (1, chance.about(-0.15, 0.1))):
        pen.line((0, y + 0.25), (x * 0.5, y + 0.2), 0.24, c[0])
        pen.line((x * 0.5, y + 0.2), (x * 0.5, y - 0.25), 0.24, c[0])
    trunk = pen.line((0, -0.65), (0, 0.6), 0.4, c[0])
    pen.polygon(
        [(-0.45, 0.5), (0.45, 0.5), (0.33, 0.95), (-0.33, 0.95)], c[1]
    )
    return trunk


THINGS: tuple[Thing, ...] = (
    house,
    tree,
    fish,
    cup,
    key,
    star,
    umbrella,
    boat,
    butterfly,
    bicycle,
    cart,
    windmill,
    mushroom,
    lamp,
    balloon,
    clock,
    snail,
    plane,
    ladybird,
    cactus,
)
