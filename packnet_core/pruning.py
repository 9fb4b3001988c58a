"""The rule: which weights of a task are the smallest, and freeing them.

Of the n weights that a task owns in a layer, the `round(fraction * n)`
smallest are freed, and with them all of the same magnitude as the
largest of these.

Mallya & Lazebnik, "PackNet: Adding Multiple Tasks to a Single Network
by Iterative Pruning", arXiv:1711.05769, section 3.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from packnet_core.errors import BadFraction, Diverged
from packnet_core.masking import count_owned, keep_where, pieces

SAMPLE = 2**16
NOT_FINITE = (
    "there are weights that are not finite numbers, and so no smallest "
    "among them. Train again with a lower learning rate"
)


def checked(fraction: float) -> float:
    """A prune fraction as a plain number in [0, 1). Raises BadFraction."""
    try:
        number = float(fraction)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1:
        raise BadFraction(
            f"prune fraction {fraction}: give a number from 0 up to, but "
            "not including, 1 (0.75 frees the smallest three quarters)"
        )
    return number


@torch.no_grad()
def cutoff(
    weight: Tensor, owner: Tensor, task: int, fraction: float
) -> float | None:
    """The magnitude up to which one task's weights in a layer are freed.

    The `round(fraction * n)`-th smallest of the task's n weights; None
    if that is the zeroth. weight: float tensor, any shape; owner: uint8
    tensor, same shape; fraction: in [0, 1). Raises BadFraction, and
    Diverged where a weight of the task is not a number.
    """
    total = count_owned(owner, task)
    rank = round(checked(fraction) * total)
    if rank:
        return _smallest(weight, owner, task, rank, total)
    for values, owners in pieces(weight, owner):
        if (values.isnan() & (owners == task)).any():
            raise Diverged(NOT_FINITE)
    return None


@torch.no_grad()
def free_up_to(
    weight: Tensor, owner: Tensor, task: int, limit: float | None
) -> None:
    """Free one task's weights of a layer up to a magnitude, in place.

    They become zero and free. limit: from `cutoff`; None frees nothing.
    """
    if limit is None:
        return
    for values, owners in pieces(weight, owner):
        keep = (values.abs() > limit) | (owners != task)
        keep_where(values, keep)
        owners.mul_(keep)  # FREE is 0


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
    where weights are not numbers; then nothing is freed.
    """
    free_up_to(weight, owner, task, cutoff(weight, owner, task, fraction))


def _smallest(
    weight: Tensor, owner: Tensor, task: int, rank: int, total: int
) -> float:
    """The rank-th smallest magnitude among one task's weights, exactly.

    rank: from 1 up to `total`, the number of the task's weights. Selects
    among the few weights between two bounds from a sample (Floyd &
    Rivest, "Expected time bounds for selection", 1975); among all in a
    small layer, or in the rare case that the bounds do not hold it.
    """
    for low, high in _bounds(weight, owner, task, rank / total):
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
        if found.isnan().any():  # neither below nor above anything
            break
        if 1 <= nth <= len(found):
            size = float(found.kthvalue(nth).values)
            if math.isfinite(size):
                return size
    raise Diverged(NOT_FINITE)


def _bounds(
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
