"""Answers to the exercises of *Who owns which weight?*."""

import copy

import torch
from torch import nn

from packnet_book.exercises.who_owns_which_weight import (
    check_clock,
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


CASES = (
    Case(
        check_share,
        right=((0.36,), (0.6 * 0.6,)),
        wrong=((0.6,), (0.24,), (0.4,), (0.216,), (36,), (0.16,), ("0,36",)),
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
        check_spreads,
        right=((spreads,), (spreads_of_any_layer,)),
        wrong=(
            (spreads_at_one_half,), (spreads_of_the_layer,),
            (spreads_of_numbers,), (spreads_of_weights,), (variances,),
            (measured_only,),
        ),
    ),
)  # fmt: skip
