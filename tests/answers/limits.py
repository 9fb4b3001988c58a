"""Answers to the exercises of *Limits, and what came after*."""

import torch

from packnet_book.exercises.limits import (
    check_choice,
    check_equal_fractions,
    check_nearest,
    check_rank,
    check_third_share,
)
from tests.answers.cases import Case


def equal(tasks):
    return [1 - 1 / (tasks - k) for k in range(tasks - 1)]


def equal_in_parts(tasks):
    return tuple(left / (left + 1) for left in range(tasks - 1, 0, -1))


def same_for_all(tasks):
    return [1 - 1 / tasks] * (tasks - 1)


def last_one_too(tasks):
    return [1 - 1 / (tasks - k) for k in range(tasks)]


def kept_not_freed(tasks):
    return [1 / (tasks - k) for k in range(tasks - 1)]


def in_reverse(tasks):
    return equal(tasks)[::-1]


def no_return(tasks):
    equal(tasks)


def choice(logits):
    tops = [one.softmax(1).max(1) for one in logits]
    task = torch.stack([top.values for top in tops]).argmax(0)
    labels = torch.stack([top.indices for top in tops])
    return task, labels[task, torch.arange(len(task))]


def choice_one_by_one(logits):
    found = []
    for picture in range(len(logits[0])):
        shares = [one[picture].softmax(0) for one in logits]
        best = max(range(len(shares)), key=lambda t: shares[t].max())
        found.append((best, int(shares[best].argmax())))
    task, label = zip(*found)
    return torch.tensor(task), torch.tensor(label)


def largest_logit(logits):
    task = torch.stack([one.amax(1) for one in logits]).argmax(0)
    label = torch.stack([one.argmax(1) for one in logits])
    return task, label[task, torch.arange(len(task))]


def one_softmax(logits):
    return largest_logit(torch.cat(logits, 1).softmax(1).split(
        [one.shape[1] for one in logits], 1))  # fmt: skip


def counted_through(logits):
    task, label = choice(logits)
    first = torch.tensor([0, *(one.shape[1] for one in logits)]).cumsum(0)
    return task, label + first[task]


def least_entropy(logits):
    shares = [one.softmax(1) for one in logits]
    entropy = torch.stack([-(p * p.log()).sum(1) for p in shares])
    task = entropy.argmin(0)
    label = torch.stack([one.argmax(1) for one in logits])
    return task, label[task, torch.arange(len(task))]


def only_the_task(logits):
    return choice(logits)[0]


def from_one(logits):
    task, label = choice(logits)
    return task + 1, label


def nearest(means, features):
    owner = torch.tensor([t for t, own in enumerate(means) for _ in own])
    return owner[torch.cdist(features, torch.cat(means)).argmin(1)]


def nearest_by_task(means, features):
    return torch.stack(
        [torch.cdist(features, own).amin(1) for own in means]
    ).argmin(0)


def mean_of_the_task(means, features):
    centres = torch.stack([own.mean(0) for own in means])
    return torch.cdist(features, centres).argmin(1)


def the_class(means, features):
    return torch.cdist(features, torch.cat(means)).argmin(1)


def farthest(means, features):
    return torch.stack(
        [torch.cdist(features, own).amin(1) for own in means]
    ).argmax(0)


def product(means, features):
    return torch.stack([(features @ own.T).amax(1) for own in means]).argmax(
        0
    )


CASES = (
    Case(
        check_third_share,
        right=((14.0625,), (100 * 0.75**2 * 0.25,)),
        wrong=(
            (56.25,),  # what it is given
            (42.1875,),  # what it leaves
            (18.75,),  # the second task's
            (10.546875,),  # the fourth's
            (0.140625,),  # no percent
            ("14 %",),
        ),
    ),
    Case(
        check_equal_fractions,
        right=((equal,), (equal_in_parts,)),
        wrong=(
            (same_for_all,),
            (last_one_too,),
            (kept_not_freed,),
            (in_reverse,),
            (no_return,),
            ([0.75, 2 / 3, 0.5],),
        ),
    ),
    Case(
        check_choice,
        right=((choice,), (choice_one_by_one,)),
        wrong=(
            (largest_logit,),
            (one_softmax,),
            (counted_through,),
            (least_entropy,),
            (only_the_task,),
            (from_one,),
        ),
    ),
    Case(
        check_rank,
        right=((110,),),
        wrong=(
            (3521,),  # one bit a number of the factors
            (111,),  # rounded up
            (109,),
            (128,),  # of the 4096 outputs alone
            (880,),  # bytes for bits
            (110.03,),
        ),
    ),
    Case(
        check_nearest,
        right=((nearest,), (nearest_by_task,)),
        wrong=(
            (mean_of_the_task,),
            (the_class,),
            (farthest,),
            (product,),
        ),
    ),
)
