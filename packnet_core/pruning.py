"""The rule: which weights of a task are the smallest, and freeing them.

Of the n weights that a task owns in a layer, the `round(fraction * n)`
smallest are freed, and those of the same magnitude with them.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769, section 3.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from packnet_core.bits import clear, pieces
from packnet_core.errors import BadFraction, Diverged
from packnet_core.masking import held

SAMPLE = 2**16


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
