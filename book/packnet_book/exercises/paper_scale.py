"""Checks of the exercises of *At the paper's scale*."""

import random
from collections.abc import Callable

from packnet_book.exercises import called, expect, near, right
from packnet_book.runs.costs import Work, step_memory
from packnet_book.runs.presets import PAPER

ROOM = 3e9  # of a card of 4 GB, without what driver and libraries take
ADDING = Work((200,), guarded=True)


def check_operations(function: Callable) -> None:
    """Floating-point operations of a step of training, for one picture.

    function: takes convolutions as (side, kernel, channels in, channels
    out), the first one first, and returns a number.
    """
    one = called(function, [(4, 1, 1, 1)])
    expect(
        one != 16 + 16,
        "of a single layer you count forward and backward once each: is the "
        "multiply-add one operation, or two?",
    )
    near(one, 64, "4 x 4 outputs of one multiply-add each are 32 operations "
         "forward and 32 for the gradient of the weight; the gradient of the "
         "picture is not needed")  # fmt: skip
    two = called(function, [(4, 1, 1, 1), (4, 1, 1, 1)])
    near(two, 64 + 96, "a second layer costs three times its forward pass: "
         "its input's gradient is needed too")  # fmt: skip
    draw = random.Random(0)
    for _ in range(20):
        layers = [
            (draw.randint(1, 30), draw.choice((1, 3, 5, 7)),
             draw.randint(1, 64), draw.randint(1, 64))
            for _ in range(draw.randint(1, 4))
        ]  # fmt: skip
        forward = [
            2 * side**2 * kernel**2 * into * out
            for side, kernel, into, out in layers
        ]
        near(
            called(function, layers), 3 * sum(forward) - forward[0],
            f"for {layers} the forward pass alone has {sum(forward)}: "
            "side x side outputs a channel, kernel x kernel x channels in "
            "multiply-adds for each",
        )  # fmt: skip
    right()


def check_parts(parts: int) -> None:
    """The fewest parts with which a step of adding a task fits."""
    expect(
        isinstance(parts, int) and not isinstance(parts, bool) and parts >= 1,
        f"{parts!r}: give a whole number from 1",
    )

    def takes(number: int) -> float:
        memory = step_memory(PAPER.architecture, ADDING, accumulate=number)
        return float(memory.sum())

    expect(
        takes(parts) <= ROOM,
        f"in {parts} part(s) it takes {takes(parts) / 1e9:.2f} GB: the "
        "largest part counts, and what does not depend on pictures stays",
    )
    expect(
        parts == 1 or takes(parts - 1) > ROOM,
        f"{parts} parts fit, but so do {parts - 1}: give the fewest",
    )
    right()


def check_sent(function: Callable) -> None:
    """Bytes that each process sends in a step, in a ring.

    function: takes the number of processes and the bytes of all
    gradients.
    """
    for processes, sent, why in (
        (1, 0, "one process has nobody to send to"),
        (2, 400, "of two processes each sends half of the gradients to be "
         "added up, then half of the sums"),
        (4, 600, "of four each sends three quarters, twice"),
    ):  # fmt: skip
        near(called(function, processes, 400), sent, why)
    for processes in (3, 8, 16, 100):
        near(
            called(function, processes, 1e9),
            2e9 * (processes - 1) / processes,
            f"with {processes} processes a piece is 1 / {processes} of all, "
            f"and each sends {processes - 1} of them in each of two rounds",
        )
    right()


def check_wanted(function: Callable) -> None:
    """Pictures and bytes a second that a device wants to be given.

    function: takes operations a second (really reached), operations of
    training a picture, width and height of a stored picture; returns
    two numbers.
    """
    for rate, operations, width, height in (
        (1e12, 1e10, 10, 20), (4e14, 9.3e10, 341, 256), (3e12, 3e10, 8, 8),
    ):  # fmt: skip
        found = called(function, rate, operations, width, height)
        expect(
            isinstance(found, tuple | list) and len(found) == 2,
            f"it returns {found!r}; return two numbers: pictures, bytes",
        )
        pictures = rate / operations
        near(found[0], pictures, f"at {rate:g} operations a second, and "
             f"{operations:g} a picture, it is {pictures:g}")  # fmt: skip
        near(found[1], pictures * 3 * width * height, "a stored picture has "
             f"{width} x {height} pixels of three bytes each")  # fmt: skip
    right()
