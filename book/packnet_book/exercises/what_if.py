"""Checks of the exercises of *What if?*."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
from pandas import DataFrame, Series
from scipy.stats import t as student

from packnet_book.exercises import called, expect, near, right


def check_pencil(
    small_task: tuple[int, float], fractions: Sequence[float]
) -> None:
    """Room for tasks, worked out by hand.

    small_task: of ten tasks that free one half each, the first one below
    1 %, and its percent; fractions: three, with which four tasks own a
    quarter each. Raises WrongAnswer.
    """
    expect(
        isinstance(small_task, tuple | list) and len(small_task) == 2,
        "(a) give two numbers: the task's, and its percent",
    )
    number, percent = small_task
    expect(
        number != 8, "(a) the first task keeps one half itself: 50, 25, 12.5"
    )
    expect(number == 7, "(a) halve 100 % until it is below 1 %")
    near(percent, 0.78125, "(a) it is 100 / 2**7", tolerance=0.005)
    expect(
        isinstance(fractions, tuple | list) and len(fractions) == 3,
        "(b) give three fractions; the last task is not pruned",
    )
    left, kept = 1.0, []
    for fraction in fractions:
        kept.append(100 * left * (1 - fraction))
        left *= fraction
    kept.append(100 * left)
    expect(
        max(abs(share - 25) for share in kept) < 0.5,
        f"(b) these fractions give {', '.join(f'{k:.1f}' for k in kept)} %; "
        "a fraction is the share that goes, of what is there at that time",
    )
    right()


def check_effects(function: Callable) -> None:
    """Main effects of tasks and places, each cell counted once.

    function: takes a table with a row a run (task, position, cost), each
    task in each position at least once; returns two Series, an effect for
    each task and one for each position. Raises WrongAnswer.
    """
    random = numpy.random.default_rng(0)
    for trial in range(40):
        even = trial % 2 == 0
        tasks = Series(random.normal(0, 5, 3), list("abc"))
        places = Series(random.normal(0, 5, 3), [2, 3, 4])
        runs = DataFrame(
            [
                (task, place, 8 + tasks[task] + places[place])
                for task in tasks.index
                for place in places.index
                for _ in range(2 if even else random.integers(1, 5))
            ],
            columns=["task", "position", "cost"],
        ).sample(frac=1, random_state=trial)
        advice = (
            "all cells have two runs, and the effects are wrong"
            if even
            else "the cells have different numbers of runs, and the effects "
            "are wrong: take the mean of each cell, then the means of these"
        )
        of_tasks, of_places = ask(function, runs)
        agree(of_tasks, tasks - tasks.mean(), advice)
        agree(of_places, places - places.mean(), advice)
        raised = runs.assign(cost=runs.cost + 6.0 * (runs.task == "b"))
        agree(
            ask(function, raised)[1], of_places,
            "the cost of task b rose by 6 points in all places, and the "
            "effects of the places changed",
        )  # fmt: skip
        cell = (runs.task == "b") & (runs.position == trial % 3 + 2)
        of_tasks_then, _ = ask(
            function, runs.assign(cost=runs.cost + 9.0 * cell)
        )
        near(
            of_tasks_then["b"] - of_tasks["b"], 2,
            "the cost of task b rose by 9 points in one of three places: by "
            "3 in its mean, by 1 in that of all, so its effect rises by 2",
        )  # fmt: skip
    right()


def ask(function: Callable, runs: DataFrame) -> tuple[Any, Any]:
    """Two effects for some runs, which must stay as they are."""
    given = runs.copy()
    found = called(function, given)
    expect(runs.equals(given), "it changed the runs that it was given")
    expect(
        isinstance(found, tuple | list)
        and len(found) == 2
        and all(isinstance(effects, Series) for effects in found),
        "return two Series: effects of the tasks, effects of the positions",
    )
    for effects, index in zip(found, (runs.task, runs.position), strict=True):
        expect(
            set(effects.index) == set(index),
            f"effects of {index.name}s: an entry for each of "
            f"{sorted(set(index))}, and you have {list(effects.index)}",
        )
    return found[0], found[1]


def agree(found: Series, wanted: Series, advice: str) -> None:
    """Raise WrongAnswer, with advice, unless two sets of effects agree."""
    off = found[wanted.index] - wanted
    expect(
        bool(abs(off.mean()) < 1e-6 or numpy.ptp(off) > 1e-6),
        "the effects are right but for a constant: count them from the mean "
        "of all cells, so that they add up to 0",
    )
    expect(bool(off.abs().max() < 1e-6), advice)


def check_seeds(function: Callable) -> None:
    """The fewest seeds with which an interval gets narrow enough.

    function: takes the standard deviation of the differences and the
    half-width that is wanted; returns a whole number. Raises WrongAnswer.
    """

    def half(number: int, spread: float) -> float:
        t = student.ppf(0.975, number - 1)
        return float(t * spread / number**0.5)

    for spread, wanted in (
        (3.5, 2), (3.5, 1), (1, 10), (0.1, 1), (5, 0.5), (1, 2), (7, 4),
    ):  # fmt: skip
        found = called(function, spread, wanted)
        expect(
            isinstance(found, int | numpy.integer) and int(found) >= 2,
            f"s = {spread}, half-width {wanted}: you say {found!r}; give a "
            "whole number, at least 2, since one run has no spread",
        )
        there = half(found, spread)
        expect(
            there <= wanted,
            f"s = {spread}: with {found} seeds the half-width is "
            f"{there:.2f}, more than {wanted}; t has n - 1 degrees of "
            "freedom, and is larger than 1.96",
        )
        expect(
            found == 2 or half(found - 1, spread) > wanted,
            f"s = {spread}: {found} seeds give {there:.2f}, but fewer would "
            f"do for {wanted}: s is divided by the root of n",
        )
    right()
