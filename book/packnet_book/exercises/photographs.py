"""Checks of the exercises of *Real photographs*."""

from collections.abc import Callable

import pandas
import torch

from packnet_book.exercises import called, expect, near, right

Edges = tuple[int, int, int, int]


def check_edges(function: Callable) -> None:
    """Edges (left, top, right, bottom) of a box that CUB-200 wrote down.

    function: takes x, y, width, height (x and y counted from 1), and the
    picture's width and height, in pixels. Raises WrongAnswer.
    """
    cases = (
        ((1, 1, 30, 20), (30, 20), (0, 0, 30, 20),
         "a box round the whole picture begins at its first pixel, number 0"),
        ((5, 3, 10, 4), (30, 20), (4, 2, 14, 6),
         "10 columns from column number 4 on end just before number 14"),
        ((25, 15, 10, 10), (30, 20), (24, 14, 30, 20),
         "a box that leaves the picture ends where the picture ends"),
        ((-3, 0, 10, 10), (30, 20), (0, 0, 6, 9),
         "a box that begins outside is cut off at 0, and what is left of it "
         "still ends where the whole box ended"),
    )  # fmt: skip
    for box, size, wanted, why in cases:
        found = called(function, *box, *size)
        expect(
            tuple(found) == wanted,
            f"box {box} in a picture of {size[0]} by {size[1]}: you say "
            f"{tuple(found)}, but {why}: {wanted}",
        )
    right()


def check_rows(function: Callable) -> None:
    """The rows of a pretrained head that belong to some classes.

    function: takes weight (N, features), the N identifiers of its rows,
    and the classes wanted; returns weight (len(classes), features).
    Raises WrongAnswer.
    """
    names = ["n03", "n01", "n07", "n05", "n02"]
    weight = torch.arange(5.0)[:, None].repeat(1, 3)  # row k is full of k
    for classes in (["n01", "n05"], ["n05", "n01"], ["n02", "n03", "n07"]):
        found = called(function, weight.clone(), list(names), list(classes))
        wanted = [names.index(name) for name in classes]
        expect(
            tuple(found.shape) == (len(classes), 3),
            f"{len(classes)} classes of 3 features: your rows have the "
            f"shape {tuple(found.shape)}",
        )
        rows = found[:, 0].long().tolist()
        expect(
            rows == wanted,
            f"rows {names}, classes {classes}: you took rows {rows}, but "
            f"output k of the new head is class k of the task: {wanted}",
        )
    right()


def check_price(function: Callable) -> None:
    """PackNet's price: points of error above individual networks.

    function: takes a table with the columns method, task, seed,
    top1_error, and the name of the first task; returns the mean over the
    added tasks and the seeds. Raises WrongAnswer.
    """
    rows = [
        (method, task, seed, error + seed)
        for method, errors in (
            ("packnet", (40, 30, 24, 19)),
            ("individual", (39, 28, 21, 15)),
            ("sequential", (90, 80, 70, 15)),
        )
        for task, error in zip(("a", "b", "c", "d"), errors, strict=True)
        for seed in (0, 1)
    ]
    names = ["method", "task", "seed", "top1_error"]
    table = pandas.DataFrame(rows, columns=names)
    near(
        called(function, table.copy(), "a"), 3,
        "the added tasks b, c, d cost 2, 3 and 4 points, 3 on average; the "
        "first task is not among them, and more error is a positive price",
    )  # fmt: skip
    near(
        called(function, table[table.task != "d"].copy(), "b"), 2,
        "with b as the first task and no d, a costs 1 point and c 3",
    )  # fmt: skip
    shuffled = table.sample(frac=1, random_state=0)
    near(
        called(function, shuffled, "a"), 3,
        "the rows may come in any order: go by method, task and seed",
    )  # fmt: skip
    right()
