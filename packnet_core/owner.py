"""The owner map: one byte a weight says which task it belongs to.

0 is free, k belongs to the k-th task. Task k sees the weights with
0 < owner <= k; every other weight is zero for it. The functions here
work on one layer at a time and know nothing of networks.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769, section 3.
"""

from collections.abc import Iterator

import numpy
import torch
from torch import Tensor

from packnet_core.bits import clear, pieces
from packnet_core.errors import BadFraction, Diverged

FREE = 0
MOST_TASKS = 255
SAMPLE = 2**16


def held(owner: Tensor, task: int) -> int:
    """How many weights of one layer a task owns."""
    return sum(
        int((owners == task).count_nonzero()) for (owners,) in pieces(owner)
    )


def bounds(
    weight: Tensor, owner: Tensor, task: int, share: float
) -> Iterator[tuple[float, float]]:
    """Where to look for a cutoff: first in a sample's bounds, then anywhere.

    share: of the task's weights that are no larger than the cutoff.
    """
    step = weight.numel() // SAMPLE
    if step > 4:
        sampled = owner.flatten()[::step] == task
        sample = weight.flatten()[::step][sampled].abs().sort().values
        # Four standard deviations: sqrt(n p (1 - p)) is at most sqrt(n) / 2.
        middle, slack = share * len(sample), 2 * len(sample) ** 0.5
        low, high = int(middle - slack), int(middle + slack)
        if 0 <= low and high < len(sample):
            yield float(sample[low]), float(sample[high])
    yield 0.0, torch.finfo(weight.dtype).max


def cutoff(
    weight: Tensor, owner: Tensor, task: int, rank: int, total: int
) -> float:
    """The rank-th smallest magnitude among one task's weights, exactly.

    weight: float tensor, any shape; owner: uint8 tensor, same shape;
    rank: from 1 up to `total`, the number of the task's weights. Selects
    among the few weights between two bounds from a sample (Floyd &
    Rivest, "Expected time bounds for selection", 1975); among all in a
    small layer, or in the rare case that the bounds do not hold it.
    Raises Diverged.
    """
    for low, high in bounds(weight, owner, task, rank / total):
        below, between = torch.tensor(0, device=weight.device), []
        for values, owners in pieces(weight, owner):
            sizes = values.abs()
            if total < weight.numel():
                sizes.masked_fill_(owners != task, torch.inf)
            outside = sizes < low
            below = below + outside.count_nonzero()
            outside |= sizes > high
            between.append(sizes[outside.logical_not_()])
        found, nth = torch.cat(between), rank - int(below)
        if 1 <= nth <= len(found):
            size = float(found.kthvalue(nth).values)
            if size <= high:  # or it is not a number
                return size
    raise Diverged(
        "too many weights are not finite numbers: there is no smallest "
        "among them. Train again with a lower learning rate"
    )


@torch.no_grad()
def free_smallest(
    weight: Tensor, owner: Tensor, task: int, fraction: float
) -> None:
    """Free the smallest weights that one task owns in one layer, in place.

    Of the task's n weights, those whose magnitude is at most the
    `round(fraction * n)`-th smallest become zero and free. Ties at the
    cutoff are freed too: weights that were handed over and never moved
    are all exactly zero.

    weight: float tensor, any shape; owner: uint8 tensor, same shape;
    task: from 1; fraction: in [0, 1). Raises BadFraction, and Diverged
    where weights are not numbers.
    """
    if not 0 <= fraction < 1:
        raise BadFraction(
            f"prune fraction {fraction}: give a number from 0 up to, but "
            "not including, 1 (0.75 frees the smallest three quarters)"
        )
    total = held(owner, task)
    rank = round(fraction * total)
    if rank == 0:
        return
    limit = cutoff(weight, owner, task, rank, total)
    for values, owners in pieces(weight, owner):
        keep = (values.abs() > limit) | (owners != task)
        clear(values, keep)
        owners.mul_(keep)  # FREE is 0


@torch.no_grad()
def hand_over(weight: Tensor, owner: Tensor, task: int) -> None:
    """Give every free weight of one layer to a task, from zero, in place.

    The first task takes the weights as they are: they hold what was
    learnt in pretraining. weight: float tensor, any shape; owner: uint8
    tensor, same shape.
    """
    for values, owners in pieces(weight, owner):
        free = owners == FREE
        if task > 1:
            clear(values, ~free)
        owners.add_(free, alpha=task)  # FREE is 0


def visible(owner: Tensor, task: int) -> Tensor:
    """Which weights a task sees: bool tensor, shaped like `owner`."""
    return (owner > FREE) & (owner <= task)


def seen(weight: Tensor, owner: Tensor, task: int) -> Tensor:
    """One layer as a task sees it: zero where it belongs to later tasks.

    weight: float tensor, any shape; owner: uint8 tensor, same shape.
    Returns the weight itself if there is nothing to leave out.
    """
    whole = all(visible(part, task).all() for (part,) in pieces(owner))
    if whole:
        return weight
    copy = weight.clone()
    for values, owners in pieces(copy, owner):
        clear(values, visible(owners, task))
    return copy


def counts(owner: Tensor, tasks: int) -> list[int]:
    """Weights that are free, of task 1, of task 2, … of one layer."""
    flat = owner.flatten().cpu().numpy()
    return numpy.bincount(flat, minlength=tasks + 1).tolist()
