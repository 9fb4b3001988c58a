"""Answers to the exercises of *PackNet, one step at a time*."""

import contextlib
import io

import torch

from packnet_book.exercises.step_by_step import (
    check_freed,
    check_losses,
    check_packed,
    check_prune,
)
from tests.answers.cases import Case
from tests.answers.printed import definitions, solution

with contextlib.redirect_stdout(io.StringIO()):
    CHAPTER = definitions(
        "step_by_step", "letter", "visible", "train", "prune"
    )
pictures, train, loss_of = map(CHAPTER.get, ("pictures", "train", "loss_of"))
TEST = {
    task: pictures(*pair, count=200, seed=177 + task)
    for task, pair in enumerate(("TL", "XO", "VA", "CD"), start=1)
}
EVERYTHING = torch.ones(5, 5, dtype=torch.uint8)

prune = solution("step_by_step", "my_prune")
losses = solution("step_by_step", "my_losses", **CHAPTER)
pack = solution("step_by_step", "pack", **CHAPTER)


def rule(function):
    """A pruning function from one that says which weights go."""

    def pruned(weight, owner, task, fraction):
        mine = owner == task
        rank = round(fraction * int(mine.sum()))
        if rank == 0:
            return weight, owner
        freed = function(weight, mine, rank)
        return weight.masked_fill(freed, 0), owner.masked_fill(freed, 0)

    pruned.__name__ = function.__name__
    return pruned


@rule
def cutoff_stays(weight, mine, rank):
    return mine & (weight.abs() < weight[mine].abs().sort().values[rank - 1])


@rule
def without_magnitude(weight, mine, rank):
    return mine & (weight <= weight[mine].sort().values[rank - 1])


@rule
def cutoff_of_all(weight, mine, rank):
    return mine & (weight.abs() <= weight.abs().flatten().sort()[0][rank - 1])


@rule
def from_all_tasks(weight, mine, rank):
    return weight.abs() <= weight[mine].abs().sort().values[rank - 1]


@rule
def exactly_as_many(weight, mine, rank):
    size = weight.abs().masked_fill(~mine, torch.inf).flatten()
    freed = torch.zeros(weight.numel(), dtype=torch.bool)
    freed[size.argsort(stable=True)[:rank]] = True
    return freed.view(weight.shape)


@rule
def one_too_many(weight, mine, rank):
    sizes = weight[mine].abs().sort().values
    return mine & (weight.abs() <= sizes[min(rank, len(sizes) - 1)])


def not_zeroed(weight, owner, task, fraction):
    return weight, prune(weight, owner, task, fraction)[1]


def in_place(weight, owner, task, fraction):
    new, owners = prune(weight, owner, task, fraction)
    return weight.copy_(new), owner.copy_(owners)


def last_weight(weight, owner, task, fraction):  # rank 0 is the last one
    mine = owner == task
    rank = round(fraction * int(mine.sum()))
    cutoff = weight[mine].abs().sort().values[rank - 1]
    freed = mine & (weight.abs() <= cutoff)
    return weight.masked_fill(freed, 0), owner.masked_fill(freed, 0)


def losses_rounded(images, targets):
    full = train(torch.zeros(5, 5), EVERYTHING, 1, images, targets).round()
    found = losses(images, targets)
    return [loss_of(full, EVERYTHING, 1, images, targets), *found[1:]]


def losses_of_200(images, targets):
    full, _, pruned, retrained = losses(images, targets)
    return full, full, pruned, retrained


def losses_turned_round(images, targets):
    full, longer, pruned, retrained = losses(images, targets)
    return full, longer, retrained, pruned


def losses_retrained_whole(images, targets):
    full = train(torch.zeros(5, 5), EVERYTHING, 1, images, targets)
    weight, _ = prune(full, EVERYTHING, 1, 0.6)
    weight = train(weight, EVERYTHING, 1, images, targets)
    found = losses(images, targets)
    return [*found[:3], loss_of(weight, EVERYTHING, 1, images, targets)]


def losses_of_half(images, targets):
    full = train(torch.zeros(5, 5), EVERYTHING, 1, images, targets)
    pruned, left = prune(full, EVERYTHING, 1, 0.5)
    found = losses(images, targets)
    return [*found[:2], loss_of(pruned, left, 1, images, targets), found[3]]


def nothing_fixed():
    """A filter in which each task trains all that it sees."""
    weight, owner = pack((0.8, 0.7, 0.5))
    for task, pair in enumerate(("TL", "XO", "VA", "CD"), start=1):
        data = pictures(*pair, count=40, seed=77 + task)
        free = (owner <= task).to(torch.uint8)
        weight = train(weight, free, 1, *data)
    return weight, owner


def owners_turned_round():
    weight, owner = pack((0.8, 0.7, 0.5))
    return weight, 5 - owner


CASES = (
    Case(
        check_freed,
        right=(((3, 3, 4),),),
        wrong=(
            ((2, 3, 4),),  # without the ties
            ((3, 3, 5),),  # a half rounded up
            ((0, 0, 3),),  # < for <=
            ((3, 3, 3),),  # rounded down
            (3,),
        ),
    ),
    Case(
        check_prune,
        right=((prune,), (CHAPTER["prune"],)),
        wrong=(
            (cutoff_stays,), (without_magnitude,), (cutoff_of_all,),
            (from_all_tasks,), (exactly_as_many,), (one_too_many,),
            (not_zeroed,), (in_place,), (last_weight,),
        ),
    ),
    Case(
        check_losses,
        right=((losses,),),
        wrong=(
            (losses_rounded,), (losses_of_200,), (losses_turned_round,),
            (losses_retrained_whole,), (losses_of_half,),
        ),
    ),
    Case(
        check_packed,
        right=((*pack((0.8, 0.7, 0.5)), TEST),),
        wrong=(
            (*pack((0.5, 0.5, 0.5)), TEST),  # the first keeps too many
            (*pack((0.8, 0.7)), TEST),  # nothing for the fourth
            (*nothing_fixed(), TEST),
            (*owners_turned_round(), TEST),
        ),
    ),
)  # fmt: skip
