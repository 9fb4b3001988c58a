"""Pruning all of VGG-16 by the exact rule, against `torch.kthvalue`."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from benchmarks.ratios import Ratio, compare
from packnet_core.masking import shared_out
from packnet_core.pruning import cutoff, free_up_to
from packnet_core.trunks import Architecture, build

FRACTION = 0.5


def cutoff_by_kthvalue(weight: Tensor) -> Tensor:
    """The cutoff of a first task, as it is usually found."""
    rank = round(FRACTION * weight.numel())
    return weight.abs().flatten().kthvalue(rank).values


def prune_by_kthvalue(weight: Tensor, owner: Tensor) -> None:
    """The rule for a first task, as it is usually written."""
    freed = weight.abs() <= cutoff_by_kthvalue(weight)
    weight[freed] = 0
    owner[freed] = 0


@torch.no_grad()
def run() -> tuple[Ratio, Ratio]:
    """Time of our pruning of 134,248,128 weights over kthvalue's.

    Over that of the whole pruning, and over that of `abs` and `kthvalue`
    alone. Restoring the weights in between is not timed.
    """
    trunk = build(Architecture("vgg16"))
    weights = [w.detach() for w in shared_out(trunk).values()]
    fresh = [w.clone() for w in weights]
    owners = [torch.ones_like(w, dtype=torch.uint8) for w in weights]

    @contextmanager
    def again() -> Iterator[None]:
        for weight, values, owner in zip(weights, fresh, owners, strict=True):
            weight.copy_(values)
            owner.fill_(1)
        yield

    def ours() -> None:
        for weight, owner in zip(weights, owners, strict=True):
            limit = cutoff(weight, owner, 1, FRACTION)
            free_up_to(weight, owner, 1, limit)

    def theirs() -> None:
        for weight, owner in zip(weights, owners, strict=True):
            prune_by_kthvalue(weight, owner)

    def selection() -> None:
        for weight in weights:
            cutoff_by_kthvalue(weight)

    with again():
        theirs()
        maps = [owner.clone() for owner in owners]
    with again():
        ours()
    assert all(map(torch.equal, owners, maps))
    return (
        compare(ours, theirs, pairs=7, setting=again),
        compare(ours, selection, pairs=7, setting=again),
    )
