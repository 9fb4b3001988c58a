"""Checks of the exercises of *The explorer*."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from packnet_book.exercises import called, expect, near, right


def check_share(share: float, owner: Tensor, task: int) -> None:
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


def check_places(function: Callable) -> None:
    """How far a task's share at each place of a kernel is off the layer's.

    function: takes owners (filters, channels, rows, columns) and a task's
    number; returns (rows, columns), in standard deviations of a draw by
    lot. Raises WrongAnswer.
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
                told + "at the other places its share is off the other way",
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
