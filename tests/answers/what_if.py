"""Answers to the exercises of *What if?*."""

from math import ceil

from scipy.stats import t as student

from packnet_book.exercises.what_if import (
    check_effects,
    check_pencil,
    check_seeds,
)
from tests.answers.cases import Case


def effects(runs):
    cells = runs.pivot_table("cost", "task", "position")  # means
    mean = cells.mean().mean()
    return cells.mean(axis=1) - mean, cells.mean() - mean


def effects_by_grouping(runs):
    cells = runs.groupby(["task", "position"]).cost.mean()
    tasks = cells.groupby("task").mean()
    places = cells.groupby("position").mean()
    return tasks - tasks.mean(), places - places.mean()


def plain_means(runs):
    mean = runs.cost.mean()
    return (
        runs.groupby("task").cost.mean() - mean,
        runs.groupby("position").cost.mean() - mean,
    )


def not_from_the_mean(runs):
    cells = runs.pivot_table("cost", "task", "position")
    return cells.mean(axis=1), cells.mean()


def from_the_mean_of_runs(runs):
    tasks, places = not_from_the_mean(runs)
    return tasks - runs.cost.mean(), places - runs.cost.mean()


def from_the_least(runs):
    tasks, places = not_from_the_mean(runs)
    return tasks - tasks.min(), places - places.min()


def exchanged(runs):
    return effects(runs)[::-1]


def tasks_only(runs):
    return effects(runs)[0]


def in_place(runs):
    runs["cost"] -= runs.cost.mean()
    return effects(runs)


def seeds(spread, half):
    n = 2
    while student.ppf(0.975, n - 1) * spread / n**0.5 > half:
        n += 1
    return n


def seeds_of_many(spread, half):
    return max(2, ceil((1.96 * spread / half) ** 2))


def seeds_with_t_of_n(spread, half):
    n = 2
    while student.ppf(0.975, n) * spread / n**0.5 > half:
        n += 1
    return n


def seeds_without_root(spread, half):
    n = 2
    while student.ppf(0.975, n - 1) * spread / n > half:
        n += 1
    return n


def seeds_of_single_runs(spread, half):
    n = 2
    while student.ppf(0.975, n - 1) * spread > half and n < 1000:
        n += 1
    return n


def one_too_many(spread, half):
    return seeds(spread, half) + 1


def from_one_seed(spread, half):
    n = 1
    while 1.96 * spread / n**0.5 > half:
        n += 1
    return n


QUARTERS = (3 / 4, 2 / 3, 1 / 2)

CASES = (
    Case(
        check_pencil,
        right=(((7, 0.78), QUARTERS), ([7, 0.78125], list(QUARTERS))),
        wrong=(
            ((8, 0.39), QUARTERS),
            ((6, 1.5625), QUARTERS),
            ((7, 0.0078), QUARTERS),
            (7, QUARTERS),
            ((7, 0.78), (1 / 4, 1 / 3, 1 / 2)),  # what stays
            ((7, 0.78), (3 / 4, 3 / 4, 3 / 4)),
            ((7, 0.78), (3 / 4, 1 / 2, 1 / 4)),  # of all weights
            ((7, 0.78), (3 / 4, 2 / 3, 1 / 2, 0)),
        ),
    ),
    Case(
        check_effects,
        right=((effects,), (effects_by_grouping,)),
        wrong=(
            (plain_means,), (not_from_the_mean,), (from_the_mean_of_runs,),
            (from_the_least,), (exchanged,), (tasks_only,), (in_place,),
        ),
    ),
    Case(
        check_seeds,
        right=((seeds,),),
        wrong=(
            (seeds_of_many,), (seeds_with_t_of_n,), (seeds_without_root,),
            (seeds_of_single_runs,), (one_too_many,), (from_one_seed,),
        ),
    ),
)  # fmt: skip
