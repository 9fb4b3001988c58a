"""Checks of the exercises of *Who owns which weight?*."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from packnet_book.exercises import called, expect, near, right
from packnet_core.network import PackNet


def check_share(share: float) -> None:
    """The third task's share of what it sees; 0.6 is freed twice.

    share: a number between 0 and 1. Raises WrongAnswer.
    """
    for wrong, why in (
        (0.6, "0.6 is what the first task gives away"),
        (0.24, "0.24 is the second task's share of all weights"),
        (0.4, "0.4 is the first task's share"),
        (0.216, "the last task is not pruned: it frees nothing"),
        (36, "give a number between 0 and 1, not percent"),
    ):
        expect(share != wrong, why)
    near(share, 0.36, "task 3 sees everything; it owns what was freed twice")
    right()


def check_clock(
    function: Callable, network: PackNet, stages: Sequence[PackNet]
) -> None:
    """The weights of an earlier stage, made from the last network.

    function: takes one layer's weight, its owners (both of one shape, as
    they are at the end) and a task number k, returns the weight as it was
    when task k was finished. network: the student's, when all tasks were
    finished; stages: the same network after task 1, 2, … Raises
    WrongAnswer.
    """
    small = torch.tensor([0.5, -2.0, 3.0, -4.0])
    owner = torch.tensor([2, 1, 3, 2], dtype=torch.uint8)
    for k, wanted in ((1, [0, -2, 0, 0]), (2, [0.5, -2, 0, -4])):
        found = turned_back(function, small, owner, k)
        expect(
            found.tolist() == wanted,
            f"weights {small.tolist()} of the owners {owner.tolist()}: when "
            f"task {k} was finished they were {wanted}, and you say "
            f"{found.tolist()}",
        )
    for k, then in enumerate(stages, start=1):
        for name, weight in network.layers.items():
            owner = network.owner[name]
            found = turned_back(function, weight.detach(), owner, k)
            expect(
                bool((found[owner > k] == 0).all()),
                f"{name}, after task {k}: weights of later tasks were free, "
                "and so they were zero",
            )
            expect(
                torch.equal(found, then.layers[name].detach()),
                f"{name}, after task {k}: weights that were owned by then "
                "have kept their values",
            )
    right()


def turned_back(
    function: Callable, weight: torch.Tensor, owner: torch.Tensor, k: int
) -> Any:
    """What the function makes of copies of a layer, which it may not change.

    Raises WrongAnswer if it does, or returns no tensor of that shape.
    """
    given = weight.clone(), owner.clone()
    found = called(function, *given, k)
    expect(
        torch.equal(given[0], weight) and torch.equal(given[1], owner),
        "it changed the weight or the owners that it was given",
    )
    expect(
        getattr(found, "shape", None) == weight.shape,
        "return a tensor of the shape of the weight",
    )
    return found


def check_spreads(function: Callable) -> None:
    """How much the first task's share varies from filter to filter.

    function: takes the owners of a layer, (filters, …); returns, in
    points, the standard deviation over the filters, and what it would be
    if the owners were drawn by lot. Raises WrongAnswer.
    """
    whole = torch.full((400, 8, 3, 3), 2, dtype=torch.uint8)
    whole[:200] = 1
    alike = torch.full((400, 72), 3, dtype=torch.uint8)
    alike[:, :18] = 1
    rows = torch.full((400, 100), 4, dtype=torch.uint8)
    rows[:200, :10] = 1
    rows[200:, :30] = 1
    for owner, measured, lot, what in (
        (whole, 50, 5.893, "half of the filters belong to task 1 as a whole, "
         "the others have none of its 72 weights"),
        (alike, 0, 5.103, "in every filter 18 of 72 weights are task 1's"),
        (rows, 10, 4, "200 filters have 10 of 100 weights, 200 have 30"),
    ):  # fmt: skip
        found = called(function, owner)
        expect(
            isinstance(found, tuple | list) and len(found) == 2,
            "return two numbers: measured, and by lot",
        )
        near(found[0], measured, f"{what}: the shares vary by {measured} "
             "points", tolerance=0.01)  # fmt: skip
        near(found[1], lot, f"{what}; by lot, with the layer's share p and "
             "n weights in a filter, it is 100 times the root of "
             f"p (1 - p) / n, that is {lot}", tolerance=0.01)  # fmt: skip
    right()
