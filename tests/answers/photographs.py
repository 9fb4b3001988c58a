"""Answers to the exercises of *Real photographs*."""

import torch

from packnet_book.exercises.photographs import (
    check_edges,
    check_price,
    check_rows,
)
from tests.answers.cases import Case


def edges(x, y, width, height, wide, high):
    left, top = x - 1, y - 1
    return (
        max(left, 0), max(top, 0),
        min(left + width, wide), min(top + height, high),
    )  # fmt: skip


def edges_from_1(x, y, width, height, wide, high):
    return edges(x + 1, y + 1, width, height, wide, high)


def edges_like_cars(x, y, width, height, wide, high):
    return max(x - 1, 0), max(y - 1, 0), min(width, wide), min(height, high)


def edges_not_clipped(x, y, width, height, wide, high):
    return x - 1, y - 1, x - 1 + width, y - 1 + height


def edges_shifted(x, y, width, height, wide, high):
    left, top = max(x - 1, 0), max(y - 1, 0)
    return left, top, min(left + width, wide), min(top + height, high)


def rows(weight, names, classes):
    return weight[[names.index(name) for name in classes]]


def rows_in_their_order(weight, names, classes):
    return weight[[k for k, name in enumerate(names) if name in classes]]


def rows_of_sorted_names(weight, names, classes):
    return weight[[sorted(names).index(name) for name in classes]]


def first_rows(weight, names, classes):
    return weight[: len(classes)]


def columns(weight, names, classes):
    return torch.stack([weight[:, 0] for _ in classes])


def price(table, first):
    errors = table[table.task != first].pivot(
        index=["task", "seed"], columns="method", values="top1_error"
    )
    return (errors.packnet - errors.individual).mean()


def price_of_all(table, first):
    return price(table, "")


def price_turned_round(table, first):
    return -price(table, first)


def price_by_place(table, first):
    added = table[table.task != first]
    of = {name: group for name, group in added.groupby("method")}
    packed = of["packnet"].top1_error.to_numpy()
    return packed[0] - of["individual"].top1_error.to_numpy()[0]


def price_in_percent(table, first):
    added = table[table.task != first].groupby("method").top1_error.mean()
    return 100 * (added.packnet / added.individual - 1)


CASES = (
    Case(
        check_edges,
        right=((edges,),),
        wrong=(
            (edges_from_1,), (edges_like_cars,), (edges_not_clipped,),
            (edges_shifted,),
        ),
    ),
    Case(
        check_rows,
        right=((rows,),),
        wrong=(
            (rows_in_their_order,), (rows_of_sorted_names,), (first_rows,),
            (columns,),
        ),
    ),
    Case(
        check_price,
        right=((price,),),
        wrong=(
            (price_of_all,), (price_turned_round,), (price_by_place,),
            (price_in_percent,),
        ),
    ),
)  # fmt: skip
