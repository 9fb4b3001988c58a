"""The fourteen models of cars and the shapes that tell them apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Car:
    """The outline of one model; the car is 2 long and looks right.

    Places along the car: screen and front are the lower and upper end of
    the windscreen, rear and tail those of the rear window. Heights above
    the ground: roof, deck (behind the rear window) and bonnet.
    """

    name: str
    screen: float = 0.45
    front: float = 0.15
    rear: float = -0.45
    tail: float = -0.75
    roof: float = 0.72
    deck: float = 0.46
    bonnet: float = 0.44
    pillars: tuple[float, ...] = (-0.15,)
    doors: tuple[float, ...] = (0.4, -0.17)
    glass: float = -2.0  # no window behind this place
    wheel: float = 0.19
    axle: float = 0.6  # the wheels stand at plus and minus this
    extra: str = ""


CARS = (
    Car(
        "three-door hatchback",
        rear=-0.7,
        tail=-0.96,
        pillars=(-0.3,),
        doors=(0.4, -0.3),
        screen=0.5,
        front=0.2,
        roof=0.78,
    ),
    Car(
        "five-door hatchback",
        rear=-0.7,
        tail=-0.96,
        screen=0.5,
        front=0.2,
        pillars=(-0.1, -0.55),
        doors=(0.4, -0.1, -0.5),
        roof=0.78,
    ),
    Car("saloon", pillars=(-0.15,), doors=(0.4, -0.15, -0.55)),
    Car(
        "limousine",
        screen=0.6,
        front=0.38,
        rear=-0.6,
        tail=-0.8,
        pillars=(0.15, -0.12, -0.4),
        doors=(0.55, 0.15, -0.4),
        roof=0.64,
        deck=0.4,
        bonnet=0.38,
        wheel=0.15,
        axle=0.7,
    ),
    Car(
        "estate",
        rear=-0.88,
        tail=-0.98,
        pillars=(-0.12, -0.55),
        doors=(0.4, -0.12, -0.55),
        roof=0.7,
    ),
    Car(
        "rack estate",
        rear=-0.88,
        tail=-0.98,
        pillars=(-0.12, -0.55),
        doors=(0.4, -0.12, -0.55),
        roof=0.7,
        extra="rack",
    ),
    Car(
        "coupe",
        screen=0.3,
        front=0.0,
        rear=-0.3,
        tail=-0.85,
        pillars=(),
        doors=(0.28, -0.3),
        roof=0.62,
        bonnet=0.4,
        deck=0.42,
    ),
    Car(
        "convertible",
        screen=0.35,
        front=0.12,
        rear=-0.2,
        tail=-0.6,
        pillars=(),
        doors=(0.3, -0.2),
        roof=0.66,
        extra="open",
    ),
    Car(
        "off-roader",
        screen=0.42,
        front=0.32,
        rear=-0.85,
        tail=-0.9,
        pillars=(-0.15,),
        doors=(0.4, -0.2),
        roof=0.95,
        deck=0.56,
        bonnet=0.58,
        wheel=0.24,
        extra="spare",
    ),
    Car(
        "family jeep",
        screen=0.48,
        front=0.25,
        rear=-0.75,
        tail=-0.95,
        pillars=(-0.12, -0.52),
        doors=(0.42, -0.12, -0.52),
        roof=0.9,
        deck=0.54,
        bonnet=0.54,
        wheel=0.24,
        extra="rack",
    ),
    Car(
        "pickup",
        screen=0.4,
        front=0.2,
        rear=-0.08,
        tail=-0.12,
        pillars=(),
        doors=(0.38, -0.08),
        roof=0.84,
        deck=0.46,
        bonnet=0.5,
        wheel=0.22,
    ),
    Car(
        "double-cab pickup",
        screen=0.52,
        front=0.32,
        rear=-0.33,
        tail=-0.38,
        pillars=(0.0,),
        doors=(0.48, 0.0, -0.35),
        roof=0.84,
        deck=0.46,
        bonnet=0.5,
        wheel=0.22,
    ),
    Car(
        "panel van",
        screen=0.8,
        front=0.5,
        rear=-0.96,
        tail=-0.98,
        pillars=(),
        doors=(0.65, 0.2),
        glass=0.25,
        roof=0.98,
        deck=0.5,
        bonnet=0.5,
        wheel=0.17,
        axle=0.64,
    ),
    Car(
        "minibus",
        screen=0.8,
        front=0.5,
        rear=-0.96,
        tail=-0.98,
        pillars=(0.22, -0.18, -0.58),
        doors=(0.65, 0.2),
        roof=0.98,
        deck=0.5,
        bonnet=0.5,
        wheel=0.17,
        axle=0.64,
    ),
)
