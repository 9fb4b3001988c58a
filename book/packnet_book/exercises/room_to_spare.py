"""Checks of the exercises of *Room to spare*."""

from collections.abc import Callable

import torch

from packnet_book.exercises import called, expect, near, right
from packnet_core.network import PackNet


def check_shares(shares: tuple[float, float]) -> None:
    """What two networks have left that were pruned more than once.

    shares: of the one pruned by 0.5 twice, and of the one pruned by 0.3
    three times, from 0 to 1. Raises WrongAnswer.
    """
    expect(
        isinstance(shares, tuple | list) and len(shares) == 2,
        f"{shares!r}: give two numbers",
    )
    first, second = map(float, shares)
    expect(
        abs(first - 0.75) > 0.005,
        "first: the second pruning takes half of what is left, and the "
        "share asked for is what stays",
    )
    near(first, 0.25, "first: multiply what is left each time", 0.003)
    expect(
        abs(second - 0.1) > 0.005,
        "second: 0.3 of what is left goes each time, not 0.3 of the whole",
    )
    expect(
        abs(second - 0.027) > 0.0005,
        "second: 0.3 is the share that goes; which share stays?",
    )
    near(second, 0.343, "second: 0.7 three times", 0.003)
    right()


def check_one_cutoff(function: Callable, network: PackNet) -> None:
    """Pruning with one cutoff for the whole network.

    function: takes a dict, name -> tensor, and a fraction; returns a
    dict, name -> share of the weights that is left. network: the
    student's own. Raises WrongAnswer.
    """
    small = {
        "a": torch.tensor([[1.0, -2.0], [3.0, -4.0]]),
        "b": torch.tensor([0.1, 0.2, -0.3, 0.4, 5.0, 6.0]),
    }
    given = {name: weight.clone() for name, weight in small.items()}
    found = called(function, small, 0.4)
    expect(
        all(torch.equal(small[n], given[n]) for n in small),
        "it changed the weights it was given",
    )
    expect(
        isinstance(found, dict) and set(found) == {"a", "b"},
        "return a dict with one number for each layer, by its name",
    )
    near(
        found["a"], 1,
        "the four smallest of all ten weights are in layer b, so a loses "
        "nothing (is your cutoff one for each layer? did you take abs()?)",
    )  # fmt: skip
    near(found["b"], 1 / 3, "four of the six weights of layer b go")
    half = called(function, small, 0.5)
    near(half["a"], 0.75, "the fifth smallest is the 1 of layer a")
    layers = {n: w.detach() for n, w in network.layers.items()}
    found = called(function, layers, 0.75)
    expect(set(found) == set(layers), "a layer of your network is missing")
    total = sum(found[n] * w.numel() for n, w in layers.items())
    everything = sum(w.numel() for w in layers.values())
    near(
        total / everything, 0.25,
        "in all, a quarter of your network's weights should be left",
        0.001,
    )  # fmt: skip
    right()


def check_fraction(function: Callable) -> None:
    """The fraction to free each time, to end with a given share.

    function: takes the share that is to be left, and how many times is
    pruned; returns a number from 0 to 1. Raises WrongAnswer.
    """
    for left, times, wanted, why in (
        (0.05, 1, 0.95, "in one step, all but 5 % goes at once"),
        (0.25, 2, 0.5, "half, and half of the rest"),
        (0.343, 3, 0.3, "0.7 three times is 0.343, as in exercise 1"),
        (1, 4, 0, "if everything is to be left, nothing may go"),
    ):
        near(
            called(function, left, times), wanted,
            f"{left} to be left after {times}: {why}",
        )  # fmt: skip
    for left in (0.01, 0.05, 0.5, 0.9):
        for times in (2, 3, 7):
            kept = (1 - float(called(function, left, times))) ** times
            near(kept, left, f"that share should be left after {times} times")
    right()
