"""Pruning all of VGG-16 by the exact rule, against `torch.kthvalue`."""

import torch
from torch import Tensor

from benchmarks.ratios import Ratio, compare
from packnet_core.network import prunable
from packnet_core.owner import free_smallest
from packnet_core.trunks import Architecture, build

FRACTION = 0.5


def by_kthvalue(weight: Tensor, owner: Tensor) -> None:
    """The same rule for a first task, as it is usually written."""
    magnitude = weight.abs()
    rank = round(FRACTION * weight.numel())
    cutoff = magnitude.flatten().kthvalue(rank).values
    freed = magnitude <= cutoff
    weight[freed] = 0
    owner[freed] = 0


@torch.no_grad()
def run() -> Ratio:
    """Time of our pruning of 134,248,128 weights over kthvalue's."""
    trunk = build(Architecture("vgg16"))
    weights = [w.detach() for w in prunable(trunk).values()]
    fresh = [w.clone() for w in weights]
    owners = [torch.ones_like(w, dtype=torch.uint8) for w in weights]
    results = {}

    def again() -> None:
        for weight, values, owner in zip(weights, fresh, owners, strict=True):
            weight.copy_(values)
            owner.fill_(1)

    def ours() -> None:
        again()
        for weight, owner in zip(weights, owners, strict=True):
            free_smallest(weight, owner, 1, FRACTION)
        results["ours"] = [o.sum().item() for o in owners]

    def theirs() -> None:
        again()
        for weight, owner in zip(weights, owners, strict=True):
            by_kthvalue(weight, owner)
        results["theirs"] = [o.sum().item() for o in owners]

    ratio = compare(ours, theirs, pairs=5)
    assert results["ours"] == results["theirs"]
    return ratio
