"""Answers to the exercises of *Four tasks, one VGG-16*."""

import torch
from torch import nn

from packnet_book.exercises.four_tasks import (
    check_hidden_share,
    check_outputs,
    check_owned,
)
from packnet_core.network import PackNet
from tests.answers.cases import Case
from tests.answers.printed import solution


def packed():
    """A network of three tasks with different numbers of classes."""
    network = PackNet(nn.Sequential(nn.Flatten(), nn.Linear(192, 30)), 30)
    for classes, name in enumerate(("objects", "birds", "cars"), start=3):
        network.add_task(name, classes)
        with torch.no_grad():
            for weight in network.layers.values():
                weight.add_((weight == 0) * torch.randn_like(weight) / 5)
        if name != "cars":
            network.prune(0.5)
    return network


with torch.random.fork_rng():
    torch.manual_seed(0)
    NETWORK, IMAGES = packed(), torch.randn(8, 3, 8, 8)

hidden = solution("four_tasks", "my_hidden_share")
outputs = solution("four_tasks", "my_outputs", torch=torch)


def seen_share(fractions, k):
    return 1 - hidden(fractions, k)


def hidden_from_the_last_too(fractions, k):
    left = 1.0
    for fraction in fractions[:k]:
        left *= fraction
    return left


def hidden_with_k_from_0(fractions, k):
    return hidden(fractions, k + 1)


def not_its_own(fractions, k):
    left = share = 1.0
    for fraction in (*fractions, 0)[:k]:
        share = left * (1 - fraction)
        left *= fraction
    return 1 - share


def hidden_of_the_last_fraction(fractions, k):
    return fractions[k - 1] if k <= len(fractions) else 0.0


def without_view(network, task, seen_as, images):
    with torch.no_grad():
        head = network.heads[network.number(task) - 1]
        return head(network.features(images))


def in_its_own_view(network, task, seen_as, images):
    return outputs(network, task, task, images)


def head_of_the_view(network, task, seen_as, images):
    with torch.no_grad(), network.view(seen_as):
        return network(images)


def names_exchanged(network, task, seen_as, images):
    return outputs(network, seen_as, task, images)


def head_counted_from_1(network, task, seen_as, images):
    heads = [*network.heads, network.heads[0]]
    with torch.no_grad(), network.view(seen_as):
        return heads[network.number(task)](network.features(images))


def left_without_others(network, task, seen_as, images):
    with torch.no_grad():
        for name, weight in network.layers.items():
            weight[network.owner[name] > network.number(seen_as)] = 0
        head = network.heads[network.number(task) - 1]
        return head(network.features(images))


def answers(network, task, seen_as, images):
    return outputs(network, task, seen_as, images).argmax(1)


def fresh():  # for an answer that spoils it
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return packed()


CASES = (
    Case(
        check_owned,
        right=(
            ((25, 18.75, 14.06, 42.19),),
            ([25, 18.75, 14.0625, 42.1875],),
        ),
        wrong=(
            ((75, 18.75, 4.69, 1.56),),  # freed and kept exchanged
            ((25, 18.75, 14.06, 10.55),),  # the last one pruned, too
            ((25, 25, 25, 25),),
            ((0.25, 0.1875, 0.1406, 0.4219),),
            ((50, 12.5, 9.375, 28.125),),  # the fractions of the chapter
        ),
    ),
    Case(
        check_hidden_share,
        right=((hidden,),),
        wrong=(
            (seen_share,), (hidden_from_the_last_too,),
            (hidden_with_k_from_0,), (not_its_own,),
            (hidden_of_the_last_fraction,),
        ),
    ),
    Case(
        check_outputs,
        right=((outputs, NETWORK, IMAGES),),
        wrong=(
            (without_view, NETWORK, IMAGES),
            (in_its_own_view, NETWORK, IMAGES),
            (head_of_the_view, NETWORK, IMAGES),
            (names_exchanged, NETWORK, IMAGES),
            (head_counted_from_1, NETWORK, IMAGES),
            (left_without_others, fresh(), IMAGES),
            (answers, NETWORK, IMAGES),
        ),
    ),
)  # fmt: skip
