"""Checks of the exercises of *What is lifelong learning?*"""

from collections.abc import Callable

import numpy
from numpy import nan, ndarray

from packnet_book.exercises import called, expect, near, right

SCENARIOS = ("task", "domain", "class")
SMALL = numpy.array([[80, nan, nan], [90, 70, nan], [50, 60, 100]])


def check_scenarios(keyboard: str, camera: str, robot: str) -> None:
    """Which scenario each of three learners is in.

    Each is "task-incremental", "domain-incremental" or
    "class-incremental", or the first word of it. Raises WrongAnswer.
    """
    for what, answer, wanted, why in (
        ("keyboard", keyboard, "domain",
         "nobody says which kind of message it is, and the answers, words, "
         "are the same in all of them"),
        ("camera", camera, "class",
         "it has to name any animal that it knows, and nobody tells it in "
         "which year that one was learnt"),
        ("robot", robot, "task",
         "it is told which task it is to do"),
    ):  # fmt: skip
        word = str(answer).lower().removesuffix("-incremental").strip()
        expect(
            word in SCENARIOS,
            f"{what}: {answer!r} is none of task-, domain- and "
            "class-incremental",
        )
        expect(word == wanted, f"{what}: not {word}-incremental; {why}")
    right()


def check_measures(
    average: float, backward: float, forgetting: float
) -> None:
    """ACC, BWT and F of the matrix with rows 90; 90, 60; 90, 60, 30."""
    near(average, 60, "the average accuracy is the mean of the last row, "
         "and of that alone: 90, 60, 30")  # fmt: skip
    near(backward, 0, "for BWT each task is compared with itself, at the "
         "end and when just learnt: 90 and 90, 60 and 60")  # fmt: skip
    near(forgetting, 0, "F is first minus final of the same task, down a "
         "column; no column falls")  # fmt: skip
    right()


def check_forgetting(measure: Callable, own_run: ndarray) -> None:
    """Forgetting: best accuracy before the end, minus the final one.

    measure: takes R, float (T, T), percent, nan above the diagonal, and
    returns the mean over all tasks but the last, in points; own_run: the
    matrix of the student's run. Raises WrongAnswer.
    """

    def ask(matrix: ndarray) -> float:
        given = matrix.copy()
        answer = called(measure, matrix)
        expect(numpy.ndim(answer) == 0, f"return one number, not {answer!r}")
        expect(
            numpy.array_equal(matrix, given, equal_nan=True),
            "it changed its input",
        )
        expect(
            not numpy.isnan(answer),
            "the result is nan: leave out what is above the diagonal",
        )
        return float(answer)

    random = numpy.random.default_rng(0)
    for trial in range(100):
        tasks = 2 + trial % 4
        matrix = random.uniform(20, 80, (tasks, tasks))
        matrix[numpy.triu_indices(tasks, 1)] = nan
        before = ask(matrix)

        task = trial % (tasks - 1)  # one that is not the last
        changed = matrix.copy()
        changed[-1, task] -= 6
        near(
            ask(changed), before + 6 / (tasks - 1),
            "a final accuracy fell by 6 points, so the result has to rise "
            "by 6 / (T - 1)",
        )  # fmt: skip
        changed = matrix.copy()
        changed[-1, -1] += 5
        near(ask(changed), before, "the last task does not count: nothing "
             "has come after it")  # fmt: skip
        row = int(random.integers(task, tasks - 1))  # any before the end
        changed = matrix.copy()
        changed[row, task] = matrix[task:-1, task].max() + 4
        near(
            ask(changed), before + 4 / (tasks - 1),
            "a new best before the end, 4 points above the old one, has to "
            "raise the result by 4 / (T - 1)",
        )  # fmt: skip
        better = matrix.copy()
        better[-1] = 90  # every task ends better than it ever was
        expect(
            ask(better) < 0,
            "tasks that got better should give a negative result: the final "
            "accuracy is not among those before the end",
        )
    near(ask(SMALL), 25, "for `small` it is 25 by hand")
    first_minus_final = (own_run.diagonal() - own_run[-1])[:-1].mean()
    expect(
        ask(own_run) >= first_minus_final - 1e-6,
        "on your own run it is below first minus final, but the best is at "
        "least the first",
    )
    right()


def check_share_lost(
    function: Callable, own_run: ndarray, chance: ndarray
) -> None:
    """The share that each task lost of what it had above guessing.

    function: takes R, float (T, T), percent, nan above the diagonal, and
    the accuracies of guessing, (T,); returns (T - 1,), a share for each
    task but the last. own_run, chance: those of the student's run.
    Raises WrongAnswer.
    """
    guess = numpy.array([20.0, 10, 50])

    def ask(matrix: ndarray, guess: ndarray) -> ndarray:
        found = numpy.asarray(called(function, matrix.copy(), guess.copy()))
        expect(
            found.shape == (len(matrix) - 1,),
            f"{len(matrix)} tasks: return {len(matrix) - 1} numbers, one "
            f"for each task but the last; yours has the shape {found.shape}",
        )
        return found

    found = ask(SMALL, guess)
    near(found[0], 0.5, "the first task fell from 80 to 50, and guessing "
         "gives 20: it lost 30 of 60 points")  # fmt: skip
    near(found[1], 1 / 6, "the second task fell from 70 to 60, and guessing "
         "gives 10: it lost 10 of 60 points")  # fmt: skip
    guessed = SMALL.copy()
    guessed[-1, :-1] = guess[:-1]
    for share in ask(guessed, guess):
        near(share, 1, "a task that ends at guessing has lost everything")
    kept = SMALL.copy()
    kept[-1] = SMALL.diagonal()
    for share in ask(kept, guess):
        near(share, 0, "a task that ends where it began has lost nothing")
    left = 1 - ask(own_run, chance)
    first, final = own_run.diagonal(), own_run[-1]
    for task, share in enumerate(left):
        near(
            chance[task] + share * (first[task] - chance[task]), final[task],
            f"task {task + 1} of your own run: what guessing gives, and the "
            "share that is left of the rest, should add up to its final "
            "accuracy",
        )  # fmt: skip
    right()
