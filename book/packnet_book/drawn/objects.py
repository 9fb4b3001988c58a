"""Objects: twenty kinds of thing in any colour, pattern and place."""

from packnet_book.drawn.canvas import Canvas, Colour, Region
from packnet_book.drawn.pen import Pen, Pose
from packnet_book.drawn.scene import (
    Chance,
    Scene,
    backdrop,
    clutter,
    cover,
    finish,
)
from packnet_book.drawn.things import THINGS


def draw_object(label: int, chance: Chance, size: int) -> Scene:
    """A thing that fills a good part of a square of 8/7 of the size."""
    side = round(size * 8 / 7)
    canvas = Canvas(side, side)
    pale = (0.05, 0.4), (0.3, 0.95)  # saturation, value
    backdrop(canvas, chance, chance.colour(*pale), chance.colour(*pale))
    clutter(
        canvas,
        chance,
        chance.whole(0, 4),
        [chance.colour(*pale) for _ in range(3)],
    )
    pose = Pose.at(
        side * chance.about(0.5, 0.07),
        side * chance.about(0.5, 0.07),
        side * chance.between(0.29, 0.45),
        turn=chance.about(0, 0.4),
        flip=chance.happens(0.5),
        stretch=chance.between(0.8, 1.2),
    )
    pen = Pen(canvas, pose)
    main, second = chance.colour((0.45, 1), (0.35, 1)), chance.colour()
    region = THINGS[label](pen, (main, second), chance)
    pattern(pen, region, chance.near(second, 40), chance)
    cover(canvas, chance, 0.45)
    return Scene(finish(canvas, chance, 55), None)


def pattern(pen: Pen, region: Region, colour: Colour, chance: Chance) -> None:
    """Stripes, spots or nothing on one region of the thing."""
    kind = chance.whole(0, 3)
    if kind == 0:
        for k in range(-1, 2):
            lean = chance.about(0, 0.3)
            pen.line(
                (k * 0.35 - lean, -1),
                (k * 0.35 + lean, 1),
                0.13,
                colour,
                inside=region,
            )
    elif kind == 1:
        for _ in range(4):
            pen.ellipse(
                chance.about(0, 0.6),
                chance.about(0, 0.6),
                0.13,
                0.13,
                colour,
                inside=region,
            )
