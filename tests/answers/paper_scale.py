"""Answers to the exercises of *At the paper's scale*."""

from packnet_book.exercises.paper_scale import (
    check_operations,
    check_parts,
    check_sent,
    check_wanted,
)
from tests.answers.cases import Case


def forward(layers):
    return [2 * s * s * k * k * i * o for s, k, i, o in layers]


def counted(layers):
    ops = forward(layers)
    return 3 * sum(ops) - ops[0]


def one_by_one(layers):
    total = 0
    for number, (side, kernel, into, out) in enumerate(layers):
        passes = 2 if number == 0 else 3
        total += passes * 2 * side**2 * kernel**2 * into * out
    return total


def thrice(layers):
    return 3 * sum(forward(layers))


def multiply_adds(layers):
    return counted(layers) / 2


def forward_only(layers):
    return sum(forward(layers))


def kernel_once(layers):
    return counted([(s, k**0.5, i, o) for s, k, i, o in layers])


def last_is_cheap(layers):
    ops = forward(layers)
    return 3 * sum(ops) - ops[-1]


def nothing(layers):
    counted(layers)


def ring(processes, size):
    return 2 * (processes - 1) / processes * size


def ring_in_pieces(processes, size):
    piece = size / processes
    return sum(piece for _ in range(2 * (processes - 1)))


def one_round(processes, size):
    return (processes - 1) / processes * size


def to_everyone(processes, size):
    return (processes - 1) * size


def always_twice(processes, size):
    return 2 * size


def wanted(rate, operations, width, height):
    pictures = rate / operations
    return pictures, pictures * 3 * width * height


def one_colour(rate, operations, width, height):
    return rate / operations, rate / operations * width * height


def turned_round(rate, operations, width, height):
    return operations / rate, operations / rate * 3 * width * height


def bytes_only(rate, operations, width, height):
    return wanted(rate, operations, width, height)[1]


CASES = (
    Case(
        check_operations,
        right=((counted,), (one_by_one,)),
        wrong=(
            (thrice,), (multiply_adds,), (forward_only,), (kernel_once,),
            (last_is_cheap,), (nothing,),
        ),
    ),
    Case(
        check_parts,
        right=((4,),),
        wrong=((1,), (2,), (3,), (5,), (32,), (3.5,)),
    ),
    Case(
        check_sent,
        right=((ring,), (ring_in_pieces,)),
        wrong=((one_round,), (to_everyone,), (always_twice,)),
    ),
    Case(
        check_wanted,
        right=((wanted,),),
        wrong=((one_colour,), (turned_round,), (bytes_only,)),
    ),
)  # fmt: skip
