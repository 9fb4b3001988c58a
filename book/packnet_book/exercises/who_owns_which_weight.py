"""Checks of the exercises of *Who owns which weight?*."""

from collections.abc import Callable, Sequence
from itertools import product
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


def check_layer_share(share: float, owner: torch.Tensor, task: int) -> None:
    """The share of a layer's weights that one task owns, in percent.

    owner: the layer's owners in the student's network; task: the task's
    number. Raises WrongAnswer unless the share is right to 0.2 points.
    """
    wanted = 100 * (owner == task).double().mean().item()
    expect(
        isinstance(share, int | float),
        f"{share!r} is not a number",
    )
    expect(share > 1, f"you say {share:g}; give it in percent")
    expect(
        abs(share - wanted) < 0.2,
        f"you say {share:g} %. Of the whole layer's {owner.numel():,} "
        f"weights {int((owner == task).sum()):,} are task {task}'s; the nine "
        "squares of a kernel are too few to tell",
    )
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


def check_seen(function: Callable) -> None:
    """Which weights are not zero, at a stage and in the view of a task.

    function: takes owners (any shape), stage and view, both as numbers of
    tasks; returns a tensor of that shape, true where a weight is used.
    Raises WrongAnswer.
    """
    owner = torch.tensor([[0, 1, 2], [3, 4, 1]], dtype=torch.uint8)
    for stage, view in product((1, 2, 3, 4), repeat=2):
        found = torch.as_tensor(called(function, owner.clone(), stage, view))
        expect(
            found.shape == owner.shape,
            f"return a tensor of the shape {tuple(owner.shape)}, as owner's",
        )
        where = f"stage {stage}, view {view}"
        used = set(owner[found.bool()].tolist())
        expect(0 not in used, f"{where}: a weight that nobody owns is zero")
        expect(
            all(number <= stage for number in used),
            f"{where}: you use weights of task {max(used, default=0)}, "
            "which were free at that time, and zero",
        )
        expect(
            all(number <= view for number in used),
            f"{where}: you use weights of task {max(used, default=0)}; a "
            "task sees its own weights and those of earlier tasks",
        )
        wanted = set(range(1, min(stage, view) + 1))
        expect(
            used == wanted,
            f"{where}: you use the weights of tasks {sorted(used)}, and it "
            f"should be {sorted(wanted)}",
        )
    right()


def check_spreads(function: Callable) -> None:
    """How much the first task's share varies from filter to filter.

    function: takes the owners of a layer, (filters, …); returns, in
    points, the standard deviation over the filters, and what it would be
    if the owners were drawn at random. Raises WrongAnswer.
    """
    whole = torch.full((400, 8, 3, 3), 2, dtype=torch.uint8)
    whole[:200] = 1
    alike = torch.full((400, 72), 3, dtype=torch.uint8)
    alike[:, :18] = 1
    rows = torch.full((400, 100), 4, dtype=torch.uint8)
    rows[:200, :10] = 1
    rows[200:, :30] = 1
    for owner, measured, chance, what in (
        (whole, 50, 5.893, "half of the filters belong to task 1 as a whole, "
         "the others have none of its 72 weights"),
        (alike, 0, 5.103, "in every filter 18 of 72 weights are task 1's"),
        (rows, 10, 4, "200 filters have 10 of 100 weights, 200 have 30"),
    ):  # fmt: skip
        found = called(function, owner)
        expect(
            isinstance(found, tuple | list) and len(found) == 2,
            "return two numbers: measured, and at random",
        )
        near(found[0], measured, f"{what}: the shares vary by {measured} "
             "points", tolerance=0.01)  # fmt: skip
        near(found[1], chance, f"{what}; at random, with the layer's share p "
             "and n weights in a filter, it is 100 times the root of "
             f"p (1 - p) / n, that is {chance}", tolerance=0.01)  # fmt: skip
    right()


def check_places(function: Callable) -> None:
    """How far a task's share at each place of a kernel is off the layer's.

    function: takes owners (filters, channels, rows, columns) and a task's
    number; returns (rows, columns), in standard deviations of a random
    draw. Raises WrongAnswer.
    """
    owner = torch.ones((4, 25, 3, 3), dtype=torch.uint8)
    owner[:, :, 1, 1] = 2  # the centre of all 100 kernels
    p = 1 / 9
    spread = (p * (1 - p) / 100) ** 0.5
    for task, sign in ((2, 1), (1, -1)):
        found = torch.as_tensor(called(function, owner.clone(), task))
        expect(
            tuple(found.shape) == (3, 3),
            f"kernels of 3 by 3, and you return the shape "
            f"{tuple(found.shape)}: take means over filters and channels",
        )
        who = "all centres" if task == 2 else "all but the centres"
        told = f"100 kernels, and task {task} owns {who}: "
        near(found[1, 1], sign * (1 - p) / spread, told + "the centre's "
             "share minus the layer's share p, divided by the root of "
             "p (1 - p) / 100", tolerance=1e-3)  # fmt: skip
        for place in ((0, 0), (1, 2), (2, 0)):
            near(
                found[place], -sign * p / spread,
                told + "at the other places its share deviates the other way",
                tolerance=1e-3,
            )  # fmt: skip
    owner = torch.full((8, 10, 3, 5), 3, dtype=torch.uint8)
    owner[0] = 1  # an eighth of the layer, at every place alike
    found = torch.as_tensor(called(function, owner, 1))
    expect(
        tuple(found.shape) == (3, 5),
        "kernels of 3 by 5: (3, 5) is the shape to return",
    )
    expect(
        bool((found.abs() < 1e-3).all()),
        "task 1 owns one whole filter, so it has the same share at every "
        "place: 0 everywhere",
    )
    right()
