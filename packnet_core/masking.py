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

from packnet_core.bits import clear, pieces

FREE = 0
MOST_TASKS = 255


def held(owner: Tensor, task: int) -> int:
    """How many weights of one layer a task owns."""
    return sum(
        int((owners == task).count_nonzero()) for (owners,) in pieces(owner)
    )


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
