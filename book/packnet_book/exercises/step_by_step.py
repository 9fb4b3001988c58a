"""Checks of the exercises of *PackNet, one step at a time*."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from packnet_book.exercises import called, expect, near, right

MOST_WRONG = 12  # of 200 pictures
MOST_OWNED = 8  # of 25 weights
EVERYTHING = torch.ones(5, 5, dtype=torch.bool)


def check_freed(numbers: tuple[int, int, int]) -> None:
    """How many of 0, 0, 0, 1, 2, 5 go for 0.25, 0.5 and 0.75."""
    expect(
        isinstance(numbers, tuple | list) and len(numbers) == 3,
        f"{numbers!r}: give three numbers",
    )
    for fraction, found, wanted, why in (
        (0.25, numbers[0], 3, "round(1.5) is 2, the second smallest is 0, "
         "and there are three zeros: ties at the cutoff go too"),
        (0.5, numbers[1], 3, "the third smallest is 0, and with <= the "
         "cutoff itself goes"),
        (0.75, numbers[2], 4, "round(4.5) is 4, the fourth smallest is 1"),
    ):  # fmt: skip
        near(found, wanted, f"f = {fraction}: {why}")
    right()


def check_prune(function: Callable) -> None:
    """The pruning rule, on 200 random filters.

    function: takes weight (float), owner (uint8, same shape), task and
    fraction; returns the new weight and the new owner map, and leaves
    its inputs alone. Raises WrongAnswer.
    """
    generator = torch.Generator().manual_seed(0)
    for trial in range(200):
        shape = (5, 5) if trial % 2 else (2, 3, 4)
        weight = torch.randint(-4, 5, shape, generator=generator).float()
        owner = torch.randint(4, shape, generator=generator).byte()
        task = 1 + trial % 3
        fraction = (0, 0.05, 0.25, 0.5, 0.6, 0.75, 0.9)[trial % 7]
        given = weight.clone(), owner.clone()
        found = called(function, weight, owner, task, fraction)
        expect(
            isinstance(found, tuple | list) and len(found) == 2,
            "return two things, the new weight and the new owner map",
        )
        expect(torch.equal(weight, given[0]), "it changed its input weight")
        expect(torch.equal(owner, given[1]), "it changed its input owner")
        expect_rule(given, found, task, fraction)
    right()


def expect_rule(
    given: tuple[Tensor, Tensor],
    found: tuple[Tensor, Tensor],
    task: int,
    fraction: float,
) -> None:
    """What the rule demands of (weight, owner) before and after."""
    (weight, owner), (pruned, owners) = given, found
    mine = owner == task
    freed, kept = mine & (owners == 0), mine & (owners == task)
    rank = round(fraction * int(mine.sum()))
    size = weight.abs()
    expect(
        torch.equal(owners[~mine], owner[~mine])
        and torch.equal(pruned[~mine], weight[~mine]),
        "it touched weights that are not of this task",
    )
    expect(torch.equal(freed | kept, mine), "a weight got a wrong owner")
    expect(
        torch.equal(pruned[kept], weight[kept]),
        "it changed the value of a weight that stays",
    )
    expect(bool((pruned[freed] == 0).all()), "a freed weight is not zero")
    if not rank:
        expect(
            not freed.any(),
            f"round(f * n) is 0 for f = {fraction}: nothing may go",
        )
        return
    expect(
        int(freed.sum()) >= rank,
        "it freed fewer than round(f * n): does the cutoff itself go?",
    )
    if kept.any():
        expect(
            bool(size[freed].max() < size[kept].min()),
            "a weight stays that is no larger than one that goes: compare "
            "magnitudes, and free ties at the cutoff too",
        )
    below = size[freed] < size[freed].max()
    expect(int(below.sum()) < rank, "it freed weights above the cutoff")


def _descend(
    weight: Tensor, mine: Tensor, images: Tensor, targets: Tensor
) -> Tensor:
    """The chapter's training: 200 steps of size 0.04."""
    for _ in range(200):
        error = (images * weight).sum((1, 2)) - targets
        gradient = 2 * (error[:, None, None] * images).mean(0)
        weight = weight - 0.04 * gradient * mine
    return weight


def check_losses(function: Callable) -> None:
    """Four losses of one task, without rounding.

    function: takes images (B, 5, 5) and targets (B,); returns the losses
    of the full filter after 200 steps, the full one after 400, the first
    one pruned with 0.6, and that one retrained for 200 steps. Raises
    WrongAnswer.
    """
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        images = torch.rand(40, 5, 5, generator=generator)
        images = (images < 0.4).float()
        targets = torch.tensor([10.0, -10.0]).repeat(20)

        full = _descend(torch.zeros(5, 5), EVERYTHING, images, targets)
        longer = _descend(full, EVERYTHING, images, targets)
        left = full.abs() > full.abs().flatten().kthvalue(15).values
        pruned = full * left
        retrained = _descend(pruned, left, images, targets)

        found = called(function, images, targets)
        expect(
            isinstance(found, tuple | list) and len(found) == 4,
            f"return four numbers, not {found!r}",
        )
        for loss, filter_, why in zip(
            found,
            (full, longer, pruned, retrained),
            (
                "the full filter after 200 steps from zeros (no rounding)",
                "the full filter after 400 steps (another 200, all weights)",
                "the filter of 200 steps pruned with 0.6, not trained since",
                "the pruned filter retrained, its freed weights held at 0",
            ),
            strict=True,
        ):
            error = (images * filter_).sum((1, 2)) - targets
            wanted = error.square().mean().item()
            near(loss, wanted, f"{why} has {wanted:.3f}", 1e-3)
    right()


def check_packed(
    weight: Tensor, owner: Tensor, pictures: Mapping[int, tuple]
) -> None:
    """Four tasks in one filter, none too large, none too bad.

    weight, owner: (5, 5), of the student's finished filter; pictures:
    task -> (images (200, 5, 5), targets (200,)). Raises WrongAnswer.
    """
    expect(
        tuple(weight.shape) == tuple(owner.shape) == (5, 5),
        "give a weight and an owner map of 5 by 5",
    )
    for task, (images, targets) in pictures.items():
        owned = int((owner == task).sum())
        expect(owned > 0, f"task {task} owns nothing")
        expect(
            owned <= MOST_OWNED,
            f"task {task} owns {owned} weights, {MOST_OWNED} at most are "
            "allowed",
        )
        seen = weight * ((owner > 0) & (owner <= task))
        answers = (images * seen).sum((1, 2))
        wrong = int((answers * targets <= 0).sum())
        expect(
            wrong <= MOST_WRONG,
            f"task {task}, in its own view, answers {wrong} of "
            f"{len(targets)} pictures wrongly, {MOST_WRONG} are allowed",
        )
    right()
