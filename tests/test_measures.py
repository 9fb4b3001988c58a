"""The measures on a matrix worked out by hand."""

import math

import pytest
from pandas import DataFrame, Series

from packnet_book.runs.metrics import (
    accuracies,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    prices,
)

TASKS = ["a", "b", "c"]
# After a: a 90. After b: a falls to 70, b 80. After c: a back at 75, b 60.
MATRIX = DataFrame(
    [[90.0, 22.0, 31.0], [70.0, 80.0, 36.0], [75.0, 60.0, 85.0]], TASKS, TASKS
)
UNTRAINED = Series([10.0, 20.0, 30.0], TASKS)


def test_average_accuracy_is_over_the_last_row():
    assert average_accuracy(MATRIX) == pytest.approx((75 + 60 + 85) / 3)


def test_backward_transfer_compares_the_end_with_the_beginning():
    # (75 - 90 + 60 - 80) / 2
    assert backward_transfer(MATRIX) == pytest.approx(-17.5)


def test_forgetting_is_the_fall_from_the_best_before_the_end():
    # a: best of 90, 70 less 75; b: best of 22, 80 less 60
    assert forgetting(MATRIX) == pytest.approx((15 + 20) / 2)


def test_forward_transfer_is_the_lead_before_training():
    # b after a: 22 - 20; c after b: 36 - 30
    assert forward_transfer(MATRIX, UNTRAINED) == pytest.approx(4)


def test_the_matrix_takes_the_last_measurement_after_each_task():
    rows = [
        ("first", "train", "a", "a", 10.0),
        ("packnet", "prune", "a", "a", 40.0),
        ("packnet", "retrain", "a", "a", 12.0),
        ("packnet", "add", "b", "a", 12.0),
        ("packnet", "add", "b", "b", 30.0),
        ("lwf", "train", "b", "a", 99.0),
    ]
    history = DataFrame(
        rows, columns=["method", "stage", "after", "task", "top1_error"]
    )
    matrix = accuracies(history, "packnet")
    assert list(matrix.index) == list(matrix.columns) == ["a", "b"]
    assert matrix.fillna(-1).to_numpy().tolist() == [[88, -1], [88, 70]]


def test_prices_are_paired_by_seed_and_task():
    rows = [
        ("packnet", 1, "a", 5.0), ("individual", 2, "a", 1.0),
        ("individual", 1, "a", 3.0), ("packnet", 2, "a", 4.0),
        ("packnet", 2, "b", 9.0), ("lwf", 1, "a", 8.0),
    ]  # fmt: skip
    table = DataFrame(rows, columns=["method", "seed", "task", "top1_error"])
    found = prices(table).set_index(["seed", "task"]).price
    assert found[1, "a"] == 2 and found[2, "a"] == 3
    assert math.isnan(found[2, "b"]) and len(found) == 3
    assert prices(table, "lwf").price.tolist() == [5]
