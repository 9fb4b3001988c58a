"""The owner map: one byte a weight says which task it belongs to.

0 is free, k belongs to the k-th task. Task k sees the weights with
0 < owner <= k; every other weight is zero for it. The functions here
work on one layer at a time and know nothing of networks.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769, section 3.
"""

import numpy
import torch
from torch import Tensor

from packnet_core.errors import BadFraction

FREE = 0
MOST_TASKS = 255


def cutoff(weight: Tensor, mine: Tensor, rank: int) -> float:
    """The rank-th smallest magnitude among one task's weights.

    weight: float tensor, any shape; mine: bool tensor, same shape;
    rank: counted from 1, at most the number of weights in `mine`.
    numpy selects here because it is several times faster than
    `torch.kthvalue` on a layer with 100 million weights.
    """
    magnitude = weight.detach().abs().masked_fill_(~mine, torch.inf)
    if magnitude.dtype == torch.bfloat16:  # unknown to numpy
        magnitude = magnitude.float()
    flat = magnitude.flatten().cpu().numpy()
    flat.partition(rank - 1)
    return float(flat[rank - 1])


@torch.no_grad()
def free_smallest(
    weight: Tensor, owner: Tensor, task: int, fraction: float
) -> int:
    """Free the smallest weights that one task owns in one layer, in place.

    Of the task's n weights, those whose magnitude is at most the
    `round(fraction * n)`-th smallest become zero and free. Ties at the
    cutoff are freed too: weights that were handed over and never moved
    are all exactly zero.

    weight: float tensor, any shape; owner: uint8 tensor, same shape;
    task: from 1; fraction: in [0, 1). Returns how many were freed.
    Raises BadFraction.
    """
    if not 0 <= fraction < 1:
        raise BadFraction(
            f"prune fraction {fraction}: give a number from 0 up to, but "
            "not including, 1 (0.75 frees the smallest three quarters)"
        )
    mine = owner == task
    rank = round(fraction * int(mine.count_nonzero()))
    if rank == 0:
        return 0
    freed = mine & (weight.abs() <= cutoff(weight, mine, rank))
    weight.masked_fill_(freed, 0)
    owner.mul_(~freed)  # FREE is 0
    return int(freed.count_nonzero())


@torch.no_grad()
def hand_over(weight: Tensor, owner: Tensor, task: int) -> int:
    """Give every free weight of one layer to a task, from zero, in place.

    The first task takes the weights as they are: they hold what was
    learnt in pretraining. weight: float tensor, any shape; owner: uint8
    tensor, same shape. Returns how many were handed over.
    """
    free = owner == FREE
    if task > 1:
        weight.masked_fill_(free, 0)
    owner.masked_fill_(free, task)
    return int(free.sum())


def visible(owner: Tensor, task: int) -> Tensor:
    """Which weights a task sees: bool tensor, shaped like `owner`."""
    return (owner > FREE) & (owner <= task)


def counts(owner: Tensor, tasks: int) -> list[int]:
    """Weights that are free, of task 1, of task 2, … of one layer."""
    flat = owner.flatten().cpu().numpy()
    return numpy.bincount(flat, minlength=tasks + 1).tolist()
