"""What a study is, and what several of them need."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import local

from pandas import DataFrame

from packnet_book.locks import alone
from packnet_book.runs.metrics import accuracies
from packnet_book.runs.presets import Preset
from packnet_book.runs.runner import Run
from packnet_core.images import generator

PRECISION = "PACKNET_PRECISION"  # of runs that do not say one: see record.py


class _Used(local):
    """Where this thread's runs are that were made or taken up."""

    def __init__(self):
        self.places: list[Path] = []


USED = _Used()


@dataclass(frozen=True)
class Study:
    """One recorded table.

    what: one sentence; settings: plain values that decide the results;
    table: makes the rows of one seed, given a directory for its runs;
    photographs: it reads those in the directory `PACKNET_PHOTOS`.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    settings: object
    table: Callable[[int, Path], DataFrame]
    photographs: bool = False


def run(preset: Preset, seed: int, folder: Path, name: str, **options) -> Run:
    """A run in its own directory, with the first network if it is there.

    The directory belongs to this preset: a changed one begins another.
    """
    if precision := os.environ.get(PRECISION):
        options = {"precision": precision} | options
    place = generator(preset, options).initial_seed()
    out = folder / f"{name}-{seed}-{place:x}"
    made = Run(preset, out, seed=seed, **options)
    USED.places.append(made.out)
    stages = made.out / "stages"
    stages.mkdir(exist_ok=True)
    config = (preset.architecture, preset.tasks[0], preset.first, options)
    key = generator(seed, config).initial_seed()
    common = folder / "first" / f"{key:x}"
    common.parent.mkdir(parents=True, exist_ok=True)
    with alone(common.with_suffix(".lock"), ""):
        if not list(stages.glob("first-*.json")):
            for file in sorted(common.glob("first-*"), reverse=True):
                shutil.copy(file, stages)  # the record last
        made.first()
        if not common.exists():
            common.mkdir()
            for file in stages.glob("first-*"):
                shutil.copy(file, common)
    return made


def rows_of(made: Run, method: str) -> DataFrame:
    """The rows of one method."""
    table = made.carry_out([method])
    return table[table.method == method]


def with_own_error(made: Run, method: str) -> DataFrame:
    """The rows of one method; `own_error`: after a task's own last stage."""
    table = rows_of(made, method)
    matrix = accuracies(made.history(), method)
    own = [100 - matrix.at[task, task] for task in table.task]
    return table.assign(own_error=own)


def only(preset: Preset, *parts: str) -> dict:
    """What decides a study's results: of what varies, some parts only."""
    settings = asdict(preset)
    kept = ("name", "architecture", "tasks", "fractions", "first",
            "pretrained", *parts)  # fmt: skip
    return {name: settings[name] for name in kept}


def study(
    table: Callable[[int, Path], DataFrame],
    seeds: tuple[int, ...],
    *settings: object,
    name: str = "",
    photographs: bool = False,
) -> Study:
    """A study; its name, unless given, and `what` are those of `table`."""
    described = table.func if isinstance(table, partial) else table
    told = " ".join((described.__doc__ or "").split())
    return Study(
        name or described.__name__, told, seeds, settings, table, photographs
    )
