"""Answers to the exercises of *The error table*."""

import pandas
from scipy.stats import t

from packnet_book.exercises.error_table import (
    check_choice,
    check_limits,
    check_paired,
    check_pencil,
)
from packnet_book.runs.statistics import mean_interval
from tests.answers.cases import Case

LEFT = pandas.Series([20.1, 22.4, 19.8, 25.0], index=[0, 1, 2, 3])
RIGHT = pandas.Series([18.3, 23.0, 17.5, 20.0], index=[0, 1, 2, 3])
OFFERS = pandas.DataFrame(
    {"mb": [34.0, 9.1, 8.7, 8.7], "worst": [24.0, 34.0, 99.0, 88.0]},
    index=["individual", "packnet", "sequential", "classifier-only"],
)


def paired(left, right):
    change = left - right  # (n,)
    error = change.std(ddof=1) / len(change) ** 0.5
    return change.mean(), t.ppf(0.975, len(change) - 1) * error


def paired_by_the_library(left, right):
    interval = mean_interval(left - right)
    return interval.mean, interval.half


def unpaired(left, right):
    one, other = mean_interval(left), mean_interval(right)
    return one.mean - other.mean, (one.half**2 + other.half**2) ** 0.5


def turned_round(left, right):
    return paired(right, left)


def spread_of_all(left, right):
    change = left - right
    error = change.std(ddof=0) / len(change) ** 0.5
    return change.mean(), t.ppf(0.975, len(change) - 1) * error


def of_many_runs(left, right):
    change = left - right
    return change.mean(), 1.96 * change.std(ddof=1) / len(change) ** 0.5


def freedom_of_n(left, right):
    change = left - right
    error = change.std(ddof=1) / len(change) ** 0.5
    return change.mean(), t.ppf(0.975, len(change)) * error


def without_the_root(left, right):
    change = left - right
    return change.mean(), t.ppf(0.975, len(change) - 1) * change.std(ddof=1)


def one_sided(left, right):
    change = left - right
    error = change.std(ddof=1) / len(change) ** 0.5
    return change.mean(), t.ppf(0.95, len(change) - 1) * error


def ends(left, right):
    mean, half = paired(left, right)
    return mean - half, mean + half


def choice(offers, most_mb, most_error):
    fit = offers[(offers.mb <= most_mb) & (offers.worst <= most_error)]
    return list(fit.sort_values("worst").index)


def choice_below(offers, most_mb, most_error):
    fit = offers[(offers.mb < most_mb) & (offers.worst < most_error)]
    return list(fit.sort_values("worst").index)


def choice_of_either(offers, most_mb, most_error):
    fit = offers[(offers.mb <= most_mb) | (offers.worst <= most_error)]
    return list(fit.sort_values("worst").index)


def smallest_first(offers, most_mb, most_error):
    fit = offers[(offers.mb <= most_mb) & (offers.worst <= most_error)]
    return list(fit.sort_values("mb").index)


def as_they_come(offers, most_mb, most_error):
    fit = offers[(offers.mb <= most_mb) & (offers.worst <= most_error)]
    return list(fit.index)


def rows_chosen(offers, most_mb, most_error):
    return offers.loc[choice(offers, most_mb, most_error)]


CASES = (
    Case(
        check_pencil,
        right=((1.96, (2, 1.24)), (1.963, [2.0, 1.2415])),
        wrong=(
            (1.58, (2, 1.24)),  # s
            (1.756, (2, 1.24)),  # divided by n, not n - 1
            (1.386, (2, 1.24)),  # 1.96 in place of t
            (1.96, (-2, 1.24)),  # the other way round
            (1.96, (2, 3.13)),  # the two widths combined
            (1.96, (2, 1)),
            (1.96, 2),
        ),
    ),
    Case(
        check_paired,
        right=((paired, LEFT, RIGHT), (paired_by_the_library, LEFT, RIGHT)),
        wrong=tuple(
            (function, LEFT, RIGHT)
            for function in (
                unpaired, turned_round, spread_of_all, of_many_runs,
                freedom_of_n, without_the_root, one_sided, ends,
            )
        ),
    ),
    Case(
        check_choice,
        right=((choice,),),
        wrong=(
            (choice_below,), (choice_of_either,), (smallest_first,),
            (as_they_come,), (rows_chosen,),
        ),
    ),
    Case(
        check_limits,
        right=(((15, 40), OFFERS), ((9.1, 34.0), OFFERS)),
        wrong=(
            ((9, 40), OFFERS),  # too small for PackNet
            ((15, 30), OFFERS),  # too strict for PackNet
            ((40, 40), OFFERS),  # individual fits
            ((15, 100), OFFERS),  # sequential fits
            ((40, 15), OFFERS),  # exchanged
            (15, OFFERS),
        ),
    ),
)  # fmt: skip
