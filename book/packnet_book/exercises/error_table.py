"""Checks of the exercises of *The error table*."""

from collections.abc import Callable
from typing import Any

import numpy
from pandas import DataFrame, Series

from packnet_book.exercises import called, expect, near, right
from packnet_book.runs.statistics import mean_interval, paired_interval


def check_pencil(half: float, difference: tuple[float, float]) -> None:
    """Intervals of 20, 22, 21, 23, 19, and of that minus 18, 21, 20, 20, 16.

    half: the half-width of the first method's interval; difference: the
    mean and the half-width of the difference's. Raises WrongAnswer.
    """
    first = Series([20.0, 22, 21, 23, 19])
    second = Series([18.0, 21, 20, 20, 16])
    near(
        half, mean_interval(first).half,
        "(a) the deviations from the mean, squared and added, make 10; "
        "divide by n - 1, take the root, divide by the root of n, times t",
        tolerance=0.01,
    )  # fmt: skip
    mean, width = two_numbers(difference)
    wanted = paired_interval(first, second)
    near(mean, wanted.mean, "(b) the five differences are 2, 1, 1, 3, 3, "
         "first minus second", tolerance=0.01)  # fmt: skip
    near(width, wanted.half, "(b) the spread is that of the five "
         "differences, not of the methods", tolerance=0.01)  # fmt: skip
    right()


def two_numbers(found: Any) -> tuple[float, float]:
    """Mean and half-width. Raises WrongAnswer if it is something else."""
    try:
        mean, half = (float(number) for number in found)
    except (TypeError, ValueError):
        expect(False, f"{found!r}: give two numbers, mean and half-width")
    return mean, half


def check_paired(
    function: Callable, errors: Series, yardstick: Series
) -> None:
    """Mean and half-width of the interval of a difference.

    function: takes two float arrays (n,), a value a seed, returns two
    numbers. errors, yardstick: those of two methods by seed, from the
    student's record. Raises WrongAnswer.
    """
    random = numpy.random.default_rng(0)

    def ask(one: Any, other: Any) -> tuple[float, float]:
        return two_numbers(called(function, one.copy(), other.copy()))

    for trial in range(30):
        a, b = random.normal(20, 3, (2, 3 + trial % 5))
        mean, half = ask(a, b)
        luck = random.normal(0, 50, len(a))
        shifted, widened = ask(a + luck, b + luck), ask(3 * a, 3 * b)
        for found, wanted, why in (
            (shifted, (mean, half), "both methods had the same luck, seed by "
             "seed, and your interval changed: it is not that of the "
             "differences"),
            (ask(b, a), (-mean, half), "with the methods exchanged, only the "
             "sign should change"),
            (ask(a + 7, b), (mean + 7, half), "7 points more with every seed "
             "move the mean by 7 and leave the width"),
            (widened, (3 * mean, 3 * half), "differences three times as "
             "large need three times the width"),
        ):  # fmt: skip
            expect(numpy.allclose(found, wanted, atol=1e-6), why)
        four = ask(numpy.tile(a, 4), numpy.tile(b, 4))
        expect(
            four[1] < half / 2,
            "with four times the runs the width should be less than half: "
            "the root of n is below, and t falls",
        )
    two = ask(numpy.array([2.0, 4.0]), numpy.zeros(2))
    near(two[1], 12.7062, "for differences of 2 and 4 it is s = 1.414 "
         "(divide by n - 1), t = 12.706 (one degree of freedom)",
         tolerance=1e-4)  # fmt: skip
    real = paired_interval(errors, yardstick)
    found = ask(errors.to_numpy(), yardstick[errors.index].to_numpy())
    near(found[0], real.mean, "for the record it is another mean")
    near(found[1], real.half, "for the record it is another half-width")
    right()


def check_choice(function: Callable) -> None:
    """The methods that keep to two limits, the smallest error first.

    function: takes a table (a row a method; columns mb and worst), the
    most MB and the most error; returns a list of names. Raises
    WrongAnswer.
    """
    offers = DataFrame(
        {"mb": [36, 9, 9.5, 8], "worst": [14.0, 95, 20, 55]},
        index=["a", "b", "c", "d"],
    )
    for mb, error, wanted, why in (
        (40, 100, ["a", "c", "d", "b"], "everybody, by the worst task"),
        (10, 30, ["c"], "small and good at every task"),
        (9.5, 20, ["c"], "a limit may be reached"),
        (9, 60, ["d"], "c is too large, b too bad"),
        (5, 100, [], "nobody fits"),
    ):
        found = list(called(function, offers.copy(), mb, error))
        expect(
            found == wanted,
            f"{mb} MB, {error} %, offers {offers.to_dict('index')}: you say "
            f"{found}; {why}: {wanted}",
        )
    right()


def check_limits(limits: tuple[float, float], offers: DataFrame) -> None:
    """Limits that PackNet keeps to, and two other methods do not.

    limits: MB and percent; offers: the student's table, with the rows
    packnet, individual and sequential, columns mb and worst. Raises
    WrongAnswer.
    """
    most_mb, most_error = two_numbers(limits)
    for method, meets in (
        ("packnet", True), ("individual", False), ("sequential", False),
    ):  # fmt: skip
        mb, worst = map(float, offers.loc[method, ["mb", "worst"]])
        told = (
            f"{method} takes {mb:.1f} MB and may have {worst:.1f} % on its "
            f"worst task; your limits are {most_mb:g} MB and {most_error:g} %"
        )
        fits = mb <= most_mb and worst <= most_error
        expect(
            fits == meets,
            f"{told}: it should meet "
            + ("both, and does not" if meets else "one at most"),
        )
    right()
