"""The stages of a run that are done: their records, as tables."""

import json
import re
from pathlib import Path

import pandas

from packnet_book.runs.methods import METHODS, Method
from packnet_book.runs.presets import Preset
from packnet_book.runs.variants import VARIANTS
from packnet_core.images import wanted

KNOWN: dict[str, Method] = METHODS | VARIANTS
STAGE = re.compile(r"(.+?)-(\d+)-.+-([a-z]+)")  # method, place, title
RESULTS = [
    "preset", "method", "prune", "order", "task", "position", "seed",
    "top1_error", "top5_error", "test_images", "train_seconds",
]  # fmt: skip
HISTORY = [
    "method", "stage", "after", "task", "top1_error", "top5_error",
    "test_images", "train_seconds",
]  # fmt: skip


def done(folder: Path) -> list[Path]:
    """The records of all stages that are done, in order."""
    there = [f for f in folder.glob("*.json") if wanted(f.name)]
    return sorted(there, key=_place)


def _place(record: Path) -> tuple[int, int, str]:
    """Where a stage comes: by method, position of the task, and title."""
    parts = STAGE.fullmatch(record.stem)
    assert parts is not None
    method, position, title = parts.groups()
    return ["first", *KNOWN].index(method), int(position), title


def history(folder: Path) -> pandas.DataFrame:
    """The error of every task after every stage, in percent."""
    rows = [row for f in done(folder) for row in json.loads(f.read_text())]
    return pandas.DataFrame(rows, columns=HISTORY)


def results(
    history: pandas.DataFrame, preset: Preset, seed: int
) -> pandas.DataFrame:
    """The error of every task at the end of every method."""
    names = [task.name for task in preset.tasks]
    rows = []
    for method in KNOWN:
        own = history[history.method == method]
        if method == "individual" and len(own):  # the first is common
            own = pandas.concat([history[history.method == "first"], own])
        known = history.method.isin(["first", method])
        for task in own.task.unique():
            last = own[own.task == task].iloc[-1]
            spent = history[known & (history.after == task)]
            stages = spent.drop_duplicates(["method", "stage"])
            rows.append(
                {
                    "preset": preset.name,
                    "method": method,
                    "prune": "/".join(map(str, preset.fractions))
                    if method in {"packnet", *VARIANTS}
                    else "",
                    "order": "/".join(names),
                    "task": task,
                    "position": names.index(task) + 1,
                    "seed": seed,
                    "top1_error": last.top1_error,
                    "top5_error": last.top5_error,
                    "test_images": last.test_images,
                    "train_seconds": stages.train_seconds.sum(),
                }
            )
    return pandas.DataFrame(rows, columns=RESULTS)
