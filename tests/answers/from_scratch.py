"""Answers to the five steps of *PackNet from scratch*."""

import torch

from packnet_book import from_scratch
from packnet_book.exercises.from_scratch import (
    check_freeze,
    check_hand_over,
    check_prune,
    check_retrain,
    check_see,
)
from tests.answers.cases import Case
from tests.answers.printed import definitions, solution

CHAPTER = definitions("from_scratch", "train")
CHAPTER["torch"] = torch
train = CHAPTER["train"]
see, prune, retrain, freeze, hand_over = (
    solution("from_scratch", f"my_{name}", **CHAPTER)
    for name in ("see", "prune", "retrain", "freeze", "hand_over")
)


# Step 1


def later_tasks_too(trunk, owner, task):
    return see(trunk, owner, 255)


def own_weights_only(trunk, owner, task):
    return {
        name: trunk.get_parameter(name).detach() * (owners == task)
        for name, owners in owner.items()
    }


def free_weights_too(trunk, owner, task):
    return {
        name: trunk.get_parameter(name).detach() * (owners <= task)
        for name, owners in owner.items()
    }


def in_the_trunk(trunk, owner, task):
    shown = see(trunk, owner, task)
    with torch.no_grad():
        for name, values in shown.items():
            trunk.get_parameter(name).copy_(values)
    return shown


def masks(trunk, owner, task):
    return {n: (o > 0) & (o <= task) for n, o in owner.items()}


def as_a_list(trunk, owner, task):
    return list(see(trunk, owner, task).values())


# Step 2


def pruned_by(freed_of):
    """A wrong pruning from a function that says which weights go."""

    @torch.no_grad()
    def wrong(trunk, owner, task, fraction):
        for name, owners in owner.items():
            weight = trunk.get_parameter(name)
            mine = owners == task
            rank = round(fraction * int(mine.sum()))
            if rank > 0:
                freed = freed_of(weight, mine, rank)
                weight[freed] = 0
                owners[freed] = 0

    wrong.__name__ = freed_of.__name__
    return wrong


@pruned_by
def below_the_cutoff(weight, mine, rank):
    return mine & (weight.abs() < weight[mine].abs().kthvalue(rank).values)


@pruned_by
def with_signs(weight, mine, rank):
    return mine & (weight <= weight[mine].kthvalue(rank).values)


@pruned_by
def of_all_tasks(weight, mine, rank):
    return weight.abs() <= weight[mine].abs().kthvalue(rank).values


@torch.no_grad()
def one_cutoff(trunk, owner, task, fraction):
    sizes = torch.cat(
        [trunk.get_parameter(n)[o == task].abs() for n, o in owner.items()]
    )
    rank = round(fraction * len(sizes))
    if rank > 0:
        cutoff = sizes.kthvalue(rank).values
        for name, owners in owner.items():
            weight = trunk.get_parameter(name)
            freed = (owners == task) & (weight.abs() <= cutoff)
            weight[freed] = 0
            owners[freed] = 0


def owners_only(trunk, owner, task, fraction):
    kept = {n: p.detach().clone() for n, p in trunk.named_parameters()}
    prune(trunk, owner, task, fraction)
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            parameter.copy_(kept[name])


def new_owner_map(trunk, owner, task, fraction):
    owner = {name: owners.clone() for name, owners in owner.items()}
    prune(trunk, owner, task, fraction)
    return owner


@torch.no_grad()
def biases_too(trunk, owner, task, fraction):
    prune(trunk, owner, task, fraction)
    for name, parameter in trunk.named_parameters():
        if name not in owner:
            parameter[parameter.abs() <= 2] = 0


# Step 3


def clearing(trunk, owner):
    with torch.no_grad():
        for name, owners in owner.items():
            trunk.get_parameter(name)[owners == 0] = 0


def plain_training(trunk, head, owner, batches, lr):
    train(trunk, head, batches, lr)


def cleared_at_the_end(trunk, head, owner, batches, lr):
    train(trunk, head, batches, lr)
    clearing(trunk, owner)


def cleared_before(trunk, head, owner, batches, lr):
    clearing(trunk, owner)
    train(trunk, head, batches, lr)


def one_batch_only(trunk, head, owner, batches, lr):
    train(trunk, head, [next(iter(batches))], lr, lambda: None)
    clearing(trunk, owner)


def all_put_back(trunk, head, owner, batches, lr):
    nobody = {name: owners * 0 for name, owners in owner.items()}
    train(trunk, head, batches, lr, from_scratch.freeze(trunk, nobody, 1))


def biases_fixed(trunk, head, owner, batches, lr):
    renamed = {name: 2 * owners for name, owners in owner.items()}
    train(trunk, head, batches, lr, from_scratch.freeze(trunk, renamed, 2))


# Step 4


def put_back_by(keep, fixed_of, biases_from=2):
    """A freeze that differs in what it keeps, or holds."""

    def wrong(trunk, owner, task):
        before = {n: keep(p) for n, p in trunk.named_parameters()}

        @torch.no_grad()
        def put_back():
            for name, now in trunk.named_parameters():
                if name in owner:
                    fixed = fixed_of(owner[name], task)
                    now[fixed] = before[name][fixed]
                elif task >= biases_from:
                    now.copy_(before[name])

        return put_back

    return wrong


def copied(parameter):
    return parameter.detach().clone()


def not_own(owners, task):
    return owners != task


no_copy = put_back_by(lambda parameter: parameter.detach(), not_own)
free_ones_move = put_back_by(copied, lambda o, t: (o > 0) & (o < t))
biases_move = put_back_by(copied, not_own, biases_from=256)
biases_never_move = put_back_by(copied, not_own, biases_from=0)
nothing_moves = put_back_by(copied, lambda o, t: o >= 0)


def gradients_cleared(trunk, owner, task):
    def put_back():
        for name, owners in owner.items():
            gradient = trunk.get_parameter(name).grad
            if gradient is not None:
                gradient[owners != task] = 0

    return put_back


def no_gradients(trunk, owner, task):
    for name, parameter in trunk.named_parameters():
        if name not in owner:
            parameter.requires_grad_(task == 1)


# Step 5


def stale(trunk, owner, task):
    for owners in owner.values():
        owners[owners == 0] = task


def all_to_the_new(trunk, owner, task):
    hand_over(trunk, owner, task)
    for owners in owner.values():
        owners.fill_(task)


def new_map(trunk, owner, task):
    owner = {name: owners.clone() for name, owners in owner.items()}
    hand_over(trunk, owner, task)
    return owner


@torch.no_grad()
def all_zeroed(trunk, owner, task):
    for name, owners in owner.items():
        owners[owners == 0] = task
        trunk.get_parameter(name).zero_()


def always_to_the_second(trunk, owner, task):
    hand_over(trunk, owner, 2)


CASES = (
    Case(
        check_see,
        right=((see,), (from_scratch.see,)),
        wrong=(
            (later_tasks_too,), (own_weights_only,), (free_weights_too,),
            (in_the_trunk,), (masks,), (as_a_list,),
        ),
    ),
    Case(
        check_prune,
        right=((prune,), (from_scratch.prune,)),
        wrong=(
            (below_the_cutoff,), (with_signs,), (of_all_tasks,),
            (one_cutoff,), (owners_only,), (new_owner_map,), (biases_too,),
        ),
    ),
    Case(
        check_retrain,
        right=((retrain,), (from_scratch.retrain,)),
        wrong=(
            (plain_training,), (cleared_at_the_end,), (cleared_before,),
            (one_batch_only,), (all_put_back,), (biases_fixed,),
        ),
    ),
    Case(
        check_freeze,
        right=((freeze,), (from_scratch.freeze,)),
        wrong=(
            (no_copy,), (free_ones_move,), (biases_move,),
            (biases_never_move,), (nothing_moves,), (gradients_cleared,),
            (no_gradients,),
        ),
    ),
    Case(
        check_hand_over,
        right=((hand_over,), (from_scratch.hand_over,)),
        wrong=(
            (stale,), (all_to_the_new,), (new_map,), (all_zeroed,),
            (always_to_the_second,),
        ),
    ),
)  # fmt: skip
