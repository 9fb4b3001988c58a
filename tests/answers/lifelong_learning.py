"""Answers to the exercises of *What is lifelong learning?*"""

import numpy
from numpy import nan

from packnet_book.exercises.lifelong_learning import (
    check_forgetting,
    check_measures,
    check_scenarios,
    check_share_lost,
)
from tests.answers.cases import Case
from tests.answers.printed import solution

OWN_RUN = numpy.array(
    [[88, nan, nan], [15, 86, nan], [20, 10, 80.5]]
)  # fmt: skip
CHANCE = numpy.array([5, 6.25, 7])

forgetting = solution("lifelong_learning", "my_forgetting", numpy=numpy)
share_lost = solution("lifelong_learning", "my_share_lost")


def first_minus_final(R):
    return (R.diagonal() - R[-1])[:-1].mean()


def never_negative(R):
    best = numpy.nanmax(R[:, :-1], axis=0)
    return (best - R[-1, :-1]).mean()


def over_all_tasks(R):
    return forgetting(R) * (len(R) - 1) / len(R)


def with_nan(R):
    return (R[:-1, :-1].max(axis=0) - R[-1, :-1]).mean()


def turned_round(R):
    return -forgetting(R)


def one_for_each_task(R):
    return numpy.nanmax(R[:-1, :-1], axis=0) - R[-1, :-1]


def in_place(R):
    R[numpy.isnan(R)] = -1e9
    return (R[:-1, :-1].max(axis=0) - R[-1, :-1]).mean()


def points_lost(R, chance):
    return (R.diagonal() - R[-1])[:-1]


def share_of_accuracy(R, chance):
    return points_lost(R, chance) / R.diagonal()[:-1]


def share_of_all_tasks(R, chance):
    return (R.diagonal() - R[-1]) / (R.diagonal() - chance)


def share_left(R, chance):
    return 1 - share_lost(R, chance)


def mean_share(R, chance):
    return share_lost(R, chance).mean()


CASES = (
    Case(
        check_scenarios,
        right=(
            ("domain-incremental", "class-incremental", "task-incremental"),
            ("domain", "class", "Task"),
        ),
        wrong=(
            ("class-incremental", "class-incremental", "task-incremental"),
            ("domain-incremental", "task-incremental", "task-incremental"),
            ("domain-incremental", "class-incremental", "domain-incremental"),
            ("words", "animals", "commands"),
        ),
    ),
    Case(
        check_measures,
        right=((60, 0, 0),),
        wrong=(
            (70, 0, 0),  # the mean of all that was measured
            (60, -30, 0),  # along a row
            (60, 0, 30),
            (180, 0, 0),  # not divided
            (0.6, 0, 0),
        ),
    ),
    Case(
        check_forgetting,
        right=((forgetting, OWN_RUN),),
        wrong=tuple(
            (answer, OWN_RUN)
            for answer in (
                first_minus_final, never_negative, over_all_tasks, with_nan,
                turned_round, one_for_each_task, in_place,
            )
        ),
    ),
    Case(
        check_share_lost,
        right=((share_lost, OWN_RUN, CHANCE),),
        wrong=tuple(
            (answer, OWN_RUN, CHANCE)
            for answer in (
                points_lost, share_of_accuracy, share_of_all_tasks,
                share_left, mean_share,
            )
        ),
    ),
)  # fmt: skip
