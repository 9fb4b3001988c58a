"""The rule: which weights of a task are the smallest, and freeing them.

Of the n weights that a task owns in a layer, the `round(fraction * n)`
smallest are freed, and with them all of the same magnitude as the
largest of these: weights that were handed over and never moved are all
exactly zero (section 3 of the paper)."""

import numpy
import torch
from torch import Tensor

from packnet_core.errors import BadFraction, Diverged
from packnet_core.masking import keep_where, owned, pieces


def checked(fraction: float) -> float:
    """A prune fraction as a plain number in [0, 1). Raises BadFraction."""
    try:
        number = float(fraction)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1:
        raise BadFraction(
            f"prune fraction {fraction}: give a number from 0 to below 1"
        )
    return number


@torch.no_grad()
def cutoff(
    weight: Tensor, owner: Tensor, task: int, fraction: float, name: str = ""
) -> float | None:
    """The magnitude up to which one task's weights in a layer are freed: the
    `round(fraction * n)`-th smallest of its n, None if that is the zeroth.
    weight: float tensor, any shape; owner: uint8 tensor, same shape;
    fraction: in [0, 1). Raises BadFraction; Diverged if any is not finite."""
    mine = (owned(part, task) for (part,) in pieces(owner))
    whole = all(part.view(torch.uint8).all() for part in mine)
    own = weight if whole else weight.masked_select(owned(owner, task))
    exact = torch.promote_types(weight.dtype, torch.float32)  # for numpy
    sizes = own.abs().to("cpu", exact).flatten().numpy()
    rank = round(checked(fraction) * len(sizes))
    if len(sizes) and not numpy.isfinite(sizes.max()):
        raise Diverged(
            f"{name or 'layer'}: some weights are not finite numbers: "
            "train again with a lower learning rate"
        )
    if rank == 0:
        return None
    sizes.partition(rank - 1)
    return float(sizes[rank - 1])


@torch.no_grad()
def free_up_to(
    weight: Tensor, owner: Tensor, task: int, limit: float | None
) -> None:
    """Free one task's weights of a layer, and set them to zero, up to a
    magnitude from `cutoff`; None frees nothing."""
    if limit is not None:
        for values, owners in pieces(weight, owner):
            keep = values.abs().gt_(limit).bool() | ~owned(owners, task)
            keep_where(values, keep)
            owners.mul_(keep.view(torch.uint8))  # FREE is 0
