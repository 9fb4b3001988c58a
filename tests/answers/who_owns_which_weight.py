"""Answers to the exercises of *Who owns which weight?*."""

import copy

import torch
from torch import nn

from packnet_book.exercises.who_owns_which_weight import (
    check_clock,
    check_layer_share,
    check_places,
    check_seen,
    check_share,
    check_spreads,
)
from packnet_core.network import PackNet
from tests.answers.cases import Case


def packed():
    """A small network of three tasks, and itself after task 1 and 2."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        trunk = nn.Sequential(
            nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 8)
        )
        network, stages = PackNet(trunk, 8), []
        for name in ("shapes", "colours"):
            network.add_task(name, ["one", "other"])
            train(network)
            network.prune(0.5)
            stages.append(copy.deepcopy(network))
        network.add_task("sizes", ["one", "other"])
        train(network)
    return network, stages


def train(network):
    for weight in network.layers.values():
        weight.add_((weight == 0) * torch.randn_like(weight))


NETWORK, STAGES = packed()
SHARES = torch.tensor([1] * 16 + [2] * 4 + [3] * 3 + [4] * 9)  # of 32


def layer_at(weight, owner, k):
    return weight * (owner <= k)


def layer_at_where(weight, owner, k):
    return torch.where(owner > k, torch.zeros_like(weight), weight)


def only_its_own(weight, owner, k):
    return weight * (owner == k)


def only_earlier(weight, owner, k):
    return weight * (owner < k)


def as_it_is(weight, owner, k):
    return weight.clone()


def in_place(weight, owner, k):
    return weight.mul_(owner <= k)


def which(weight, owner, k):
    return (owner <= k).float()


def taken_out(weight, owner, k):
    return weight[owner <= k]


def seen(owner, stage, view):
    return (owner > 0) & (owner <= min(stage, view))


def seen_by_multiplying(owner, stage, view):
    return ((owner > 0) * (owner <= stage) * (owner <= view)).float()


def of_the_stage(owner, stage, view):
    return (owner > 0) & (owner <= stage)


def of_the_view(owner, stage, view):
    return (owner > 0) & (owner <= view)


def free_ones_too(owner, stage, view):
    return owner <= min(stage, view)


def own_only(owner, stage, view):
    return owner == min(stage, view)


def either(owner, stage, view):
    return (owner > 0) & (owner <= max(stage, view))


def owners_seen(owner, stage, view):
    return owner[seen(owner, stage, view)]


def spreads(owner):
    share = (owner == 1).float().flatten(1).mean(1)  # one for each filter
    p, n = share.mean(), owner[0].numel()
    return 100 * share.std(), 100 * (p * (1 - p) / n) ** 0.5


def spreads_of_any_layer(owner):
    rows = (owner == 1).double().reshape(len(owner), -1)
    p = rows.mean()
    shares = rows.mean(1)
    return (
        100 * shares.std(correction=0).item(),
        100 * (p * (1 - p) / rows.shape[1]).sqrt().item(),
    )


def spreads_at_one_half(owner):
    return spreads(owner)[0], 100 * (0.25 / owner[0].numel()) ** 0.5


def spreads_of_the_layer(owner):
    p = (owner == 1).float().mean()
    return spreads(owner)[0], 100 * (p * (1 - p) / owner.numel()) ** 0.5


def spreads_of_numbers(owner):
    numbers = (owner == 1).float().flatten(1).sum(1)
    return numbers.std(), spreads(owner)[1]


def spreads_of_weights(owner):
    return 100 * (owner == 1).float().std(), spreads(owner)[1]


def variances(owner):
    return tuple((value / 100) ** 2 for value in spreads(owner))


def measured_only(owner):
    return spreads(owner)[0]


def places(owner, k):
    mine = (owner == k).float()  # (filters, channels, rows, columns)
    p, kernels = mine.mean(), len(owner) * len(owner[0])
    return (mine.mean((0, 1)) - p) / (p * (1 - p) / kernels) ** 0.5


def places_by_counting(owner, k):
    kernels = (owner == k).flatten(0, 1)  # (kernels, rows, columns)
    p = kernels.double().mean()
    expected = p * len(kernels)
    return (kernels.sum(0) - expected) / (expected * (1 - p)).sqrt()


def shares_by_place(owner, k):
    return (owner == k).float().mean((0, 1))


def off_in_points(owner, k):
    return 100 * (shares_by_place(owner, k) - (owner == k).float().mean())


def for_one_kernel(owner, k):
    p = (owner == k).float().mean()
    return (shares_by_place(owner, k) - p) / (p * (1 - p)) ** 0.5


def for_filters(owner, k):
    return for_one_kernel(owner, k) * len(owner) ** 0.5


def of_task_2(owner, k):
    return places(owner, 2)


def by_filter(owner, k):
    mine = (owner == k).float()
    return mine.mean((2, 3)) - mine.mean()


CASES = (
    Case(
        check_share,
        right=((0.36,), (0.6 * 0.6,)),
        wrong=((0.6,), (0.24,), (0.4,), (0.216,), (36,), (0.16,), ("0,36",)),
    ),
    Case(
        check_layer_share,
        right=((28.125, SHARES, 4), (28.1, SHARES, 4), (28, SHARES, 4)),
        wrong=(
            (0.28125, SHARES, 4), (2.5, SHARES, 4), (12.5, SHARES, 4),
            (9.4, SHARES, 4), (100 * 2 / 9, SHARES, 4), ("28 %", SHARES, 4),
        ),
    ),
    Case(
        check_clock,
        right=(
            (layer_at, NETWORK, STAGES), (layer_at_where, NETWORK, STAGES),
        ),
        wrong=tuple(
            (function, NETWORK, STAGES)
            for function in (
                only_its_own, only_earlier, as_it_is, in_place, which,
                taken_out,
            )
        ),
    ),
    Case(
        check_seen,
        right=((seen,), (seen_by_multiplying,)),
        wrong=(
            (of_the_stage,), (of_the_view,), (free_ones_too,), (own_only,),
            (either,), (owners_seen,),
        ),
    ),
    Case(
        check_spreads,
        right=((spreads,), (spreads_of_any_layer,)),
        wrong=(
            (spreads_at_one_half,), (spreads_of_the_layer,),
            (spreads_of_numbers,), (spreads_of_weights,), (variances,),
            (measured_only,),
        ),
    ),
    Case(
        check_places,
        right=((places,), (places_by_counting,)),
        wrong=(
            (shares_by_place,), (off_in_points,), (for_one_kernel,),
            (for_filters,), (of_task_2,), (by_filter,),
        ),
    ),
)  # fmt: skip
