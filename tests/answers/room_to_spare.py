"""Answers to the exercises of *Room to spare*."""

import torch
from torch import nn

from packnet_book.exercises.room_to_spare import (
    check_fraction,
    check_one_cutoff,
    check_shares,
)
from packnet_core.network import PackNet
from tests.answers.cases import Case
from tests.answers.printed import solution


def own_network():
    """Two layers whose weights differ in size."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trunk = nn.Sequential(nn.Linear(30, 40), nn.Linear(40, 20))
        with torch.no_grad():
            trunk[1].weight.mul_(5)
        return PackNet(trunk, features=20)


NETWORK = own_network()

shares_left = solution("room_to_spare", "my_shares_left", torch=torch)
fraction = solution("room_to_spare", "my_fraction")


def each_its_own(layers, fraction):
    return {
        name: (w.abs() > w.abs().flatten().quantile(fraction)).float().mean()
        for name, w in layers.items()
    }


def without_magnitude(layers, fraction):
    sizes = torch.cat([weight.flatten() for weight in layers.values()])
    cutoff = sizes.kthvalue(round(fraction * len(sizes))).values
    return {n: (w > cutoff).float().mean() for n, w in layers.items()}


def shares_gone(layers, fraction):
    return {n: 1 - s for n, s in shares_left(layers, fraction).items()}


def cutoff_stays(layers, fraction):
    sizes = torch.cat([w.abs().flatten() for w in layers.values()])
    cutoff = sizes.kthvalue(round(fraction * len(sizes))).values
    return {n: (w.abs() >= cutoff).float().mean() for n, w in layers.items()}


def in_place(layers, fraction):
    found = shares_left(layers, fraction)
    for name, weight in layers.items():
        rank = round((1 - found[name]) * weight.numel())
        if rank:
            cutoff = weight.abs().flatten().kthvalue(rank).values
            weight[weight.abs() <= cutoff] = 0
    return found


def counts(layers, fraction):
    found = shares_left(layers, fraction)
    return {name: found[name] * w.numel() for name, w in layers.items()}


def by_range(layers, fraction):  # a share of the largest, not of the ranks
    top = max(weight.abs().max() for weight in layers.values())
    cutoff = fraction * top
    return {n: (w.abs() > cutoff).float().mean() for n, w in layers.items()}


def share_kept(left, times):
    return left ** (1 / times)


def in_equal_parts(left, times):
    return (1 - left) / times


def left_in_equal_parts(left, times):
    return 1 - left / times


def root_of_what_goes(left, times):
    return (1 - left) ** (1 / times)


CASES = (
    Case(
        check_shares,
        right=(((0.25, 0.343),), ((1 / 4, 0.7**3),)),
        wrong=(
            ((0.75, 0.343),), ((0.0, 0.343),), ((0.25, 0.1),),
            ((0.25, 0.027),), ((0.25, 0.49),), (0.25,),
        ),
    ),
    Case(
        check_one_cutoff,
        right=((shares_left, NETWORK),),
        wrong=tuple(
            (answer, NETWORK)
            for answer in (
                each_its_own, without_magnitude, shares_gone, cutoff_stays,
                in_place, counts, by_range,
            )
        ),
    ),
    Case(
        check_fraction,
        right=((fraction,),),
        wrong=(
            (share_kept,), (in_equal_parts,), (left_in_equal_parts,),
            (root_of_what_goes,),
        ),
    ),
)  # fmt: skip
