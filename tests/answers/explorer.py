"""Answers to the exercises of *The explorer*."""

import torch

from packnet_book.exercises.explorer import (
    check_places,
    check_seen,
    check_share,
)
from tests.answers.cases import Case

SHARES = torch.tensor([1] * 16 + [2] * 4 + [3] * 3 + [4] * 9)  # of 32


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


def places(owner, k):
    mine = (owner == k).float()  # (filters, channels, rows, columns)
    p, kernels = mine.mean(), len(owner) * len(owner[0])
    return (mine.mean((0, 1)) - p) / (p * (1 - p) / kernels) ** 0.5


def places_by_counting(owner, k):
    kernels = (owner == k).flatten(0, 1)  # (kernels, rows, columns)
    p = kernels.double().mean()
    expected = p * len(kernels)
    return (kernels.sum(0) - expected) / (expected * (1 - p)).sqrt()


def shares(owner, k):
    return (owner == k).float().mean((0, 1))


def off_in_points(owner, k):
    return 100 * (shares(owner, k) - (owner == k).float().mean())


def for_one_kernel(owner, k):
    p = (owner == k).float().mean()
    return (shares(owner, k) - p) / (p * (1 - p)) ** 0.5


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
        right=((28.125, SHARES, 4), (28.1, SHARES, 4), (28, SHARES, 4)),
        wrong=(
            (0.28125, SHARES, 4), (2.5, SHARES, 4), (12.5, SHARES, 4),
            (9.4, SHARES, 4), (100 * 2 / 9, SHARES, 4), ("28 %", SHARES, 4),
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
        check_places,
        right=((places,), (places_by_counting,)),
        wrong=(
            (shares,), (off_in_points,), (for_one_kernel,), (for_filters,),
            (of_task_2,), (by_filter,),
        ),
    ),
)  # fmt: skip
