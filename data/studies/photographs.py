"""Photographs: the error table from a pretrained network, and why."""

import os
from dataclasses import replace
from pathlib import Path

import pandas
import torch
from pandas import DataFrame

from packnet_book.runs.methods import on_fixed_trunk, with_own_weights
from packnet_book.runs.presets import PHOTOS, Preset
from packnet_book.runs.runner import Run
from packnet_core.evaluation import evaluate
from packnet_core.images import generator
from packnet_core.network import PackNet
from packnet_core.training import fit
from studies.common import rows_of, run, with_own_error
from studies.error_table import PHASE

PRECISION = "bf16"


PHOTO_RATES = {
    "individual": (7e-4, 1.5e-3, 3e-3),
    "packnet": (2e-3, 4e-3, 8e-3),
    "classifier-only": (1e-2, 3e-2, 1e-1),
    "lwf": (7e-4, 1.5e-3, 3e-3),
}
RETRAINING = 0.25  # PackNet's rate after pruning, of that before
TUNED = ["method", "rate", "task", "top1_error", "test_images"]


def photos_at(preset: Preset, seed: int, folder: Path, **options) -> Run:
    """A run on the photographs in `PACKNET_PHOTOS`."""
    return run(
        preset, seed, folder, "photos",
        data=os.environ["PACKNET_PHOTOS"], precision=PRECISION, **options,
    )  # fmt: skip


def photos_tuning(seed: int, folder: Path) -> DataFrame:
    """Validation error of each method at three rates, on photographs.

    Of the trunk, or of the head where that alone is trained; on a fifth
    of each class's training pictures, which is held out.
    """
    tables = []
    for method, rates in PHOTO_RATES.items():
        for rate in rates:
            phase = PHASE[method]
            phases = {phase: replace(getattr(PHOTOS, phase), lr=rate)}
            if method == "packnet":
                phases["retrain"] = replace(
                    PHOTOS.retrain, lr=RETRAINING * rate
                )
            made = photos_at(
                replace(PHOTOS, **phases), seed, folder, split="val"
            )
            tables.append(rows_of(made, method).assign(rate=rate))
    return pandas.concat(tables)[TUNED]


def photos_inherited(seed: int, folder: Path) -> DataFrame:
    """The last task on each trunk that PackNet hands on.

    `trunk`: of the first task before it is pruned ("adapted"), or as it
    is when PackNet has done with a task; `trained`: a new head alone, or
    the free weights with it.
    """
    made = photos_at(PHOTOS, seed, folder)
    made.carry_out(["packnet"])
    *before, last = (task.name for task in PHOTOS.tasks)
    size = PHOTOS.architecture.size
    train, test = made.pictures(last, "train"), made.pictures(last, "test")
    rows = []

    def learn(trunk: str, trained: str, network: PackNet) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, "inherited").initial_seed())
            head_alone = trained == "head"
            add = on_fixed_trunk if head_alone else with_own_weights
            network = add(network, last, made.classes(last))
        fit(
            network, train, PHOTOS.classifier if head_alone else PHOTOS.add,
            size=size, seed=f"{seed}/inherited", title=f"{trunk}, {trained}",
            accelerator=made.accelerator,
        )  # fmt: skip
        errors = evaluate(
            network, test, size=size, accelerator=made.accelerator
        )
        rows.append((trunk, trained, errors.top1, errors.images))

    learn("adapted", "head", made.first())
    for task in before:
        learn(task, "head", made.after("packnet", task))
        learn(task, "free weights", made.after("packnet", task))
    columns = ["trunk", "trained", "top1_error", "test_images"]
    return DataFrame(rows, columns=columns)


def photos(seed: int, folder: Path) -> DataFrame:
    """The error table on photographs, from a pretrained SqueezeNet.

    `own_error`: right after a task's own last stage.
    """
    made = photos_at(PHOTOS, seed, folder)
    table = made.carry_out(["individual"])
    alone = table[table.method == "individual"]
    others = ("packnet", "classifier-only", "sequential", "lwf")
    return pandas.concat(
        [alone.assign(own_error=alone.top1_error)]
        + [with_own_error(made, method) for method in others]
    )
