"""Birds: paint one species by its field marks, in a scene."""

from packnet_book.drawn.bird_species import BIRDS, Bird
from packnet_book.drawn.canvas import Canvas, Colour, Point, Region
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

# upper side and breast of brown, grey, olive and blue birds
PLUMAGE = {
    "b": (hsv(0.08, 0.5, 0.55), hsv(0.11, 0.3, 0.85)),
    "g": (hsv(0.6, 0.08, 0.55), hsv(0.1, 0.08, 0.92)),
    "o": (hsv(0.22, 0.55, 0.5), hsv(0.15, 0.6, 0.9)),
    "u": (hsv(0.6, 0.65, 0.55), hsv(0.07, 0.45, 0.9)),
}

DARK = (60, 54, 54)
LIGHT = (222, 218, 204)

BEAK: dict[str, list[Point]] = {
    "cone": [(0.1, -0.14), (0.42, 0.03), (0.1, 0.14)],
    "thin": [(0.1, -0.06), (0.45, 0.02), (0.1, 0.08)],
    "long": [(0.1, -0.1), (0.8, 0.06), (0.1, 0.1)],
    "hooked": [
        (0.1, -0.16),
        (0.34, -0.12),
        (0.46, 0.02),
        (0.42, 0.22),
        (0.32, 0.06),
        (0.1, 0.12),
    ],
    "curved": [
        (0.1, -0.1),
        (0.38, -0.04),
        (0.56, 0.2),
        (0.32, 0.08),
        (0.1, 0.1),
    ],
    "sickle": [
        (0.1, -0.1),
        (0.5, -0.08),
        (0.72, 0.1),
        (0.82, 0.38),
        (0.62, 0.18),
        (0.42, 0.06),
        (0.1, 0.1),
    ],
}

TAIL: dict[str, list[Point]] = {
    "short": [(-0.3, -0.12), (-0.95, 0.12), (-0.9, 0.32), (-0.3, 0.2)],
    "long": [(-0.3, -0.12), (-1.45, 0.3), (-1.42, 0.48), (-0.3, 0.18)],
    "forked": [
        (-0.3, -0.12),
        (-1.3, -0.08),
        (-0.95, 0.22),
        (-1.25, 0.52),
        (-0.3, 0.18),
    ],
    "cocked": [(-0.3, 0.15), (-0.85, -0.6), (-0.62, -0.7), (-0.2, -0.1)],
}


def draw_bird(label: int, chance: Chance, size: int) -> Scene:
    """A bird somewhere in a scene of 5/3 by 4/3 the size, with its box."""
    canvas = Canvas(round(size * 4 / 3), round(size * 5 / 3))
    background(canvas, chance)
    unit = size * chance.between(0.4, 0.58)
    pose = Pose.at(
        canvas.width * chance.about(0.52, 0.08),
        canvas.height * chance.about(0.5, 0.07),
        unit,
        turn=chance.about(0, 0.4),
        flip=chance.happens(0.5),
        stretch=chance.about(1, 0.15),
    )
    pen = Pen(canvas, pose)
    paint_bird(pen, BIRDS[label], chance)
    box = pen.box(chance.about(0.03, 0.08))
    cover(canvas, chance, 0.75)
    return Scene(finish(canvas, chance, 75), box)


def background(canvas: Canvas, chance: Chance) -> None:
    """Sky, reeds or wood, with leaves and twigs."""
    top, bottom = chance.pick(
        (
            (hsv(0.57, 0.35, 0.9), hsv(0.55, 0.1, 0.95)),
            (hsv(0.28, 0.4, 0.6), hsv(0.25, 0.5, 0.4)),
            (hsv(0.12, 0.3, 0.75), hsv(0.2, 0.4, 0.5)),
            (hsv(0.35, 0.35, 0.3), hsv(0.1, 0.3, 0.35)),
            (hsv(0.55, 0.25, 0.7), hsv(0.3, 0.4, 0.5)),
        )
    )
    backdrop(canvas, chance, chance.near(top), chance.near(bottom))
    clutter(canvas, chance, chance.whole(2, 6))


def paint_bird(pen: Pen, bird: Bird, chance: Chance) -> None:
    """Paint a bird that looks to the right, body length about 1."""
    upper, under = (
        chance.near(c, 30) for c in PLUMAGE[chance.pick(bird.plumage)]
    )
    head_x, head_y = chance.about(0.46, 0.06), chance.about(-0.38, 0.06)
    legs(pen, bird, chance)
    long = chance.about(0.95, 0.15)
    pen.polygon(
        [(x * long, y) for x, y in TAIL[bird.tail]], shade(upper, 0.7)
    )
    body = pen.ellipse(0, 0, 0.58, bird.girth, under, turn=-0.3)
    pen.ellipse(-0.12, -0.16, 0.62, bird.girth, upper, turn=-0.3, inside=body)
    pen.polygon(
        [
            (head_x - 0.26, head_y),
            (head_x + 0.2, head_y + 0.1),
            (0.42, 0.05),
            (0.05, -0.2),
        ],
        under,
    )
    breast(pen, bird, body)
    wing(pen, bird, upper, chance)
    head(pen, bird, head_x, head_y, upper, under, chance)


def legs(pen: Pen, bird: Bird, chance: Chance) -> None:
    """Two legs, straight down from the body."""
    foot = 0.28 + bird.legs
    colour = chance.near(hsv(0.07, 0.5, 0.4), 30)
    for x in (-0.08, 0.12):
        pen.line((x, 0.2), (x + chance.about(0, 0.08), foot), 0.06, colour)


def breast(pen: Pen, bird: Bird, body: Region) -> None:
    if bird.breast == "streaks":
        for x in (-0.05, 0.12, 0.29, 0.44):
            pen.line(
                (x, -0.1 + 0.1 * (x < 0.3)),
                (x - 0.06, 0.4),
                0.06,
                (80, 60, 45),
                inside=body,
            )
    elif bird.breast == "band":
        pen.line((0.12, -0.3), (0.62, 0.12), 0.12, DARK, inside=body)
    elif bird.breast == "bib":
        pen.ellipse(0.48, -0.12, 0.18, 0.18, DARK)


def wing(pen: Pen, bird: Bird, upper: Colour, chance: Chance) -> None:
    turn = chance.about(-0.1, 0.12)
    dark = shade(upper, 0.72)
    fold = pen.ellipse(-0.2, -0.02, 0.46, 0.22, dark, turn=turn)
    if bird.wing == "bars":
        for x in (-0.28, -0.04):
            pen.line(
                (x - 0.05, -0.3), (x + 0.05, 0.3), 0.07, LIGHT, inside=fold
            )
    elif bird.wing == "patch":
        pen.ellipse(-0.2, 0, 0.17, 0.1, LIGHT, inside=fold)


def head(
    pen: Pen,
    bird: Bird,
    x: float,
    y: float,
    upper: Colour,
    under: Colour,
    chance: Chance,
) -> None:
    if bird.crest:
        tip = chance.about(-0.46, 0.12)  # raised or laid back
        pen.polygon(
            [(x + 0.12, y - 0.18), (x - 0.38, y + tip), (x - 0.22, y + 0.02)],
            shade(upper, 0.85),
        )
    long = chance.about(0.95, 0.12)
    beak = [(x + 0.1 + a * long, y + b) for a, b in BEAK[bird.beak]]
    pen.polygon(beak, chance.near(hsv(0.1, 0.5, 0.4), 35))
    skull = pen.ellipse(x, y, 0.27, 0.25, upper)
    pen.ellipse(x + 0.05, y + 0.2, 0.24, 0.18, under, inside=skull)
    if bird.face == "cap":
        pen.ellipse(x, y - 0.2, 0.3, 0.2, DARK, inside=skull)
    elif bird.face == "stripe":
        pen.line(
            (x - 0.3, y - 0.1), (x + 0.3, y - 0.1), 0.08, LIGHT, inside=skull
        )
    elif bird.face == "mask":
        pen.line((x - 0.25, y + 0.02), (x + 0.3, y), 0.14, DARK, inside=skull)
    pen.ellipse(x + 0.1, y - 0.03, 0.05, 0.05, (10, 10, 10))
