"""Checks of the exercises of *Four tasks, one VGG-16*."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from packnet_book.exercises import called, expect, near, right
from packnet_core.network import PackNet


def check_owned(shares: Sequence[float]) -> None:
    """What four tasks own in the end, with 0.75 freed three times.

    shares: in percent, in the order of the tasks. Raises WrongAnswer.
    """
    expect(
        isinstance(shares, tuple | list) and len(shares) == 4,
        f"{shares!r}: give four numbers",
    )
    expect(
        sum(shares) > 2,
        "in percent: the shares should add up to 100, not to 1",
    )
    for number, (found, wanted, why) in enumerate(
        zip(
            shares,
            (25, 18.75, 14.0625, 42.1875),
            (
                "0.75 is what it frees; the rest it keeps",
                "it keeps a quarter of the 75 % that the first one freed",
                "it keeps a quarter of the 56.25 % that were left to it",
                "the last task is not pruned: it keeps all that is left",
            ),
            strict=True,
        ),
        start=1,
    ):
        near(found, wanted, f"task {number}: {why}", 0.003)
    right()


def check_hidden_share(function: Callable) -> None:
    """The share of the weights that task k does not see.

    function: takes the fractions, and k, from 1; returns a number from 0
    to 1. Raises WrongAnswer.
    """
    for fractions, k, wanted, why in (
        ((0.5, 0.75, 0.75), 1, 0.5, "task 1 sees its own half only"),
        ((0.5, 0.75, 0.75), 2, 0.375, "task 2 sees what 1 and 2 own"),
        ((0.5, 0.75, 0.75), 3, 0.28125, "task 3 sees what 1 to 3 own"),
        ((0.5, 0.75, 0.75), 4, 0, "the last task sees everything"),
        ((0.0, 0.9), 1, 0, "a fraction of 0 frees nothing"),
        ((0.9, 0.9), 2, 0.81, "nine tenths of nine tenths are free then"),
        ((), 1, 0, "a single task that is not pruned sees all"),
    ):
        near(
            called(function, fractions, k), wanted,
            f"fractions {fractions}, task {k}: {why}",
        )  # fmt: skip
    right()


def check_outputs(
    function: Callable, network: PackNet, images: Tensor
) -> None:
    """The outputs of one task's head in the view of another task.

    function: takes a network, the task whose head answers, the task in
    whose view, and images (B, 3, size, size); returns (B, classes).
    network, images: the student's own. Raises WrongAnswer.
    """
    whole = {n: w.detach().clone() for n, w in network.layers.items()}
    for number, task in enumerate(network.tasks):
        for seen_as in network.tasks:
            with torch.no_grad(), network.view(seen_as):
                wanted = network.heads[number](network.features(images))
            found = called(function, network, task, seen_as, images)
            what = f"head of {task!r}, view of {seen_as!r}"
            expect(
                isinstance(found, Tensor),
                f"{what}: return a tensor of outputs, not a "
                f"{type(found).__name__}",
            )
            expect(
                tuple(found.shape) == tuple(wanted.shape),
                f"{what}: {tuple(wanted.shape)[1]} outputs for each of "
                f"{len(images)} pictures; you return {tuple(found.shape)}. "
                "Inside a view, calling the network takes the view's head",
            )
            expect(
                all(
                    torch.equal(weight, whole[name])
                    for name, weight in network.layers.items()
                ),
                f"{what}: it changed the network; a view hides weights "
                "only until its block ends",
            )
            expect(
                torch.allclose(found.detach(), wanted, atol=1e-4),
                f"{what}: other numbers come out of this head when the "
                f"trunk shows what {seen_as!r} sees, and no more",
            )
    right()
