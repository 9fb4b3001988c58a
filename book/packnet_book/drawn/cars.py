"""Cars: paint one model from the side, in any colour, on a road."""

from packnet_book.drawn.canvas import Canvas, Colour, Point
from packnet_book.drawn.car_models import CARS, Car
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

TYRE = (30, 30, 33)


def draw_car(label: int, chance: Chance, size: int) -> Scene:
    """A car on a road, in a scene of 5/3 by 4/3 the size, with its box."""
    canvas = Canvas(round(size * 4 / 3), round(size * 5 / 3))
    ground = canvas.height * chance.about(0.78, 0.07)
    background(canvas, chance, ground)
    unit = size * chance.between(0.52, 0.68)
    pose = Pose.at(
        canvas.width * chance.about(0.5, 0.06),
        ground,
        unit,
        turn=chance.about(0, 0.09),
        flip=chance.happens(0.5),
        stretch=chance.about(1, 0.1),
    )
    pen = Pen(canvas, pose)
    paint_car(pen, CARS[label], chance)
    box = pen.box(chance.about(0.02, 0.04))
    cover(canvas, chance, 0.35)
    return Scene(finish(canvas, chance, 50), box)


def background(canvas: Canvas, chance: Chance, ground: float) -> None:
    """Sky or houses above, road or grass below."""
    sky = chance.pick(
        (
            hsv(0.57, 0.3, 0.9),
            hsv(0.1, 0.15, 0.8),
            hsv(0.3, 0.35, 0.5),
            hsv(0.6, 0.1, 0.5),
        )
    )
    backdrop(canvas, chance, chance.near(sky), chance.near(sky, 40))
    clutter(canvas, chance, chance.whole(1, 4))
    pen = Pen(canvas, Pose.at(0, ground, canvas.width))
    road = chance.pick(
        (
            hsv(0, 0, 0.45),
            hsv(0.6, 0.05, 0.6),
            hsv(0.1, 0.25, 0.6),
            hsv(0.27, 0.4, 0.5),
        )
    )
    top = chance.between(-0.15, -0.02)
    pen.polygon(
        [(-0.1, top), (1.1, top), (1.1, 1), (-0.1, 1)], chance.near(road, 30)
    )


def paint_car(pen: Pen, car: Car, chance: Chance) -> None:
    """Paint a car on the ground line y = 0, length 2."""
    paint = chance.colour((0.0, 0.9), (0.25, 0.95))
    pane = chance.near(chance.pick(((45, 55, 65), (150, 180, 195))), 25)
    pen.ellipse(0, -0.02, 1, 0.07, (40, 40, 42))  # its shadow
    cabin(pen, car, paint, pane, chance)
    nose = chance.about(0.3, 0.04)
    pen.polygon(
        [
            (-0.98, -0.12),
            (0.99, -0.12),
            (1.0, -nose),
            (0.93, -car.bonnet + 0.05),
            (car.screen, -car.bonnet),
            (car.tail, -car.deck),
            (-0.96, -car.deck + 0.02),
            (-1.0, -0.3),
        ],
        paint,
    )
    for x in car.doors:
        pen.line(
            (x, -0.16), (x, -car.bonnet + 0.02), 0.025, shade(paint, 0.5)
        )
    if chance.happens(0.5):
        pen.line((-0.97, -0.16), (0.97, -0.16), 0.07, shade(paint, 0.6))
    pen.ellipse(0.93, -nose - 0.02, 0.06, 0.05, (250, 245, 200))
    pen.ellipse(-0.96, -car.deck + 0.1, 0.04, 0.06, (190, 30, 30))
    wheels(pen, car, chance)
    extras(pen, car, paint)


def cabin(
    pen: Pen, car: Car, paint: Colour, pane: Colour, chance: Chance
) -> None:
    """Roof, windows and the pillars between them."""
    belt = max(car.deck, car.bonnet)
    if car.extra == "open":
        pen.line((car.screen, -belt), (car.front, -car.roof), 0.05, TYRE)
        pen.ellipse(-0.1, -belt, 0.1, 0.16, (60, 45, 40))
        pen.ellipse(-0.45, -belt, 0.2, 0.08, (60, 45, 40))
        return
    pen.polygon(
        [
            (car.screen, -car.bonnet + 0.02),
            (car.front, -car.roof),
            (car.rear, -car.roof),
            (car.tail, -car.deck + 0.02),
        ],
        paint,
    )
    behind = max(car.glass, car.tail + 0.1)
    above = max(car.glass, car.rear + 0.05)
    windows: list[Point] = [
        (car.screen - 0.08, -belt),
        (car.front - 0.03, 0.07 - car.roof),
        (above, 0.07 - car.roof),
        (behind, -belt),
    ]
    glass = pen.polygon(windows, pane)
    for x in car.pillars:
        pen.line((x, -belt), (x, -car.roof), 0.06, paint, inside=glass)


def wheels(pen: Pen, car: Car, chance: Chance) -> None:
    rim = chance.near((175, 175, 180), 40)
    for x in (-car.axle, car.axle):
        pen.ellipse(x, -car.wheel, car.wheel, car.wheel, TYRE)
        pen.ellipse(x, -car.wheel, 0.09, 0.09, rim)


def extras(pen: Pen, car: Car, paint: Colour) -> None:
    if car.extra == "rack":
        y = -car.roof - 0.07
        pen.line((car.front - 0.1, y), (car.rear + 0.05, y), 0.045, TYRE)
        for x in (car.front - 0.15, car.rear + 0.1):
            pen.line((x, y), (x, y + 0.08), 0.04, TYRE)
    elif car.extra == "spare":
        pen.ellipse(-1.02, -0.5, 0.07, 0.2, TYRE)
