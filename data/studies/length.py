"""How long is long enough: training and test error at several lengths."""

from dataclasses import replace
from pathlib import Path

from pandas import DataFrame

from packnet_book.runs.presets import (
    FROM_NOTHING,
    FULL_LENGTH,
    Preset,
    at_length,
)
from packnet_core.evaluation import evaluate
from studies.common import run

LENGTHS = (14, 28, 56, 112)  # epochs for an added task
FIRST_LENGTHS = (12, 24, 48, 96)  # for the first one


def of_first(epochs: int) -> Preset:
    """The miniature with so long a first task, half as long retrained."""
    again = max(epochs // 2, 1)
    return replace(
        FROM_NOTHING,
        first=replace(FROM_NOTHING.first, epochs=epochs),
        retrain_first=replace(FROM_NOTHING.retrain_first, epochs=again),
    )


START = of_first(FIRST_LENGTHS[0])
COLUMNS = ["epochs", "method", "task", "train_error", "top1_error"]


def lengths(seed: int, folder: Path) -> DataFrame:
    """Added tasks at four lengths, right after their own last stage.

    Retraining after pruning takes half as many epochs as training.
    """
    rows = []
    for epochs in LENGTHS:
        made = run(at_length(FULL_LENGTH, epochs), seed, folder, "length")
        made.carry_out(["individual", "packnet"])
        for method in ("individual", "packnet"):
            for task in FULL_LENGTH.tasks[1:]:
                network = made.after(method, task.name)
                rows.append((epochs, method, task.name, *[
                    evaluate(network, made.pictures(task.name, split),
                             size=FULL_LENGTH.architecture.size).top1
                    for split in ("train", "test")
                ]))  # fmt: skip
    return DataFrame(rows, columns=COLUMNS)


def first_lengths(seed: int, folder: Path) -> DataFrame:
    """The first task at four lengths, before and after half is freed."""
    rows = []
    task = START.tasks[0].name
    for epochs in FIRST_LENGTHS:
        preset = of_first(epochs)
        preset = replace(preset, tasks=START.tasks[:1], fractions=(0.5,))
        made = run(preset, seed, folder, "first-length")
        made.carry_out(["packnet"])
        for method, network in (
            ("individual", made.first()),
            ("packnet", made.after("packnet", task)),
        ):
            rows.append((epochs, method, task, *[
                evaluate(network, made.pictures(task, split),
                         size=START.architecture.size).top1
                for split in ("train", "test")
            ]))  # fmt: skip
    return DataFrame(rows, columns=COLUMNS)
