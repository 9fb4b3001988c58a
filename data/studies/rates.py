"""Learning rates: tried on validation pictures until no other is better."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
from pandas import DataFrame

from packnet_book.runs.presets import BEFORE_TUNING, Preset, at_length
from packnet_core.errors import Diverged
from studies.common import rows_of, run

PHASE = {
    "individual": "alone",
    "packnet": "add",
    "classifier-only": "classifier",
    "lwf": "lwf",
    "ewc": "ewc",
    "joint": "joint",
}
# What is varied, and by which factor at a time.
AXES = {method: {"lr": 2.0} for method in PHASE} | {
    "lwf": {"lr": 2.0, "head_lr": 2.0, "lwf_strength": 3.0},
    "ewc": {"lr": 2.0, "ewc_strength": 10.0},
}
# What the headline compares is searched in smaller steps, by two draws.
CLOSER = AXES | {
    "individual": {"lr": 2**0.5},
    "packnet": {"lr": 2**0.5},
}
DRAWS = {"individual": 2, "packnet": 2}
# The search begins with the first network that the chapters have, retrained
# half as long as for the records.
BEGINNING = replace(
    BEFORE_TUNING,
    first=None,
    pretrained=True,
    retrain_first=replace(BEFORE_TUNING.retrain_first, epochs=12),
)
STRENGTHS = ("lwf_strength", "ewc_strength")
COLUMNS = ["method", "lr", "head_lr", *STRENGTHS, "draw", "task",
           "top1_error", "test_images"]  # fmt: skip


def as_searched(preset: Preset, method: str) -> Preset:
    """A preset as the search for a method's rates begins with it.

    Joint training, the dearest, at half the length: no claim is judged by
    it. EWC not: a strength found so let go of old tasks at full length.
    """
    if method == "joint":
        return at_length(preset, (preset.alone.epochs + 1) // 2)
    return preset


def tuning(method: str, seed: int, folder: Path) -> DataFrame:
    """Validation error of a method, from its preset's rates outwards.

    In steps of a factor of 2 (PackNet and individual networks: of its
    root, by two draws; a strength: of 3 or 10), until all neighbours of
    the best are worse: no search ends at an edge. Joint training at half
    the length.
    """

    def measure(preset: Preset, method: str) -> DataFrame:
        def drawn(draw: int) -> DataFrame:
            made = run(preset, draw, folder, "tuning", split="val")
            return rows_of(made, method).assign(draw=draw)

        last = seed + DRAWS.get(method, 1)
        return pandas.concat(each(drawn, range(seed, last)))

    beginning = as_searched(BEGINNING, method)
    return searched(beginning, method, measure, CLOSER)


def searched(
    preset: Preset,
    method: str,
    measure: Callable[[Preset, str], DataFrame],
    axes: dict[str, dict[str, float]] = AXES,
) -> DataFrame:
    """All that was tried from a preset on, a row a task."""
    tables = []
    for tried, rows in search(preset, method, measure, axes[method]).items():
        phase = getattr(tried, PHASE[method])
        tables.append(rows.assign(
            lr=phase.lr, head_lr=phase.head_lr or phase.lr,
            **{name: getattr(tried, name) for name in STRENGTHS},
        ))  # fmt: skip
    table = pandas.concat(tables)
    return table[[name for name in COLUMNS if name in table]]


def search(
    preset: Preset,
    method: str,
    measure: Callable[[Preset, str], DataFrame],
    axes: dict[str, float],
) -> dict[Preset, DataFrame]:
    """Presets that were tried, and the rows of each.

    The best one, by the mean error of all tasks at the end, is never at
    the edge: all its neighbours were tried.
    """
    tried: dict[Preset, DataFrame] = {}

    def error(preset: Preset) -> float:
        if preset not in tried:
            try:
                tried[preset] = measure(preset, method)
            except Diverged:  # nothing was learnt
                names = [task.name for task in preset.tasks]
                tried[preset] = DataFrame(
                    {"task": names, "top1_error": 100.0}
                )
        return tried[preset].top1_error.mean()

    best = preset
    while True:
        around = [
            moved(best, method, axis, factor)
            for axis, step in axes.items()
            for factor in (1 / step, step)
        ]
        candidates = [best, *around]
        errors = each(error, candidates)
        better = candidates[errors.index(min(errors))]
        if better == best:
            return tried
        best = better


def each(call: Callable[[Any], Any], values: Sequence) -> list:
    """What `call` gives of each value, one after the other."""
    return [call(value) for value in values]


def at_rates(preset: Preset, rates: dict[str, float]) -> Preset:
    """The preset with each method's learning rate, as a search moves it."""
    for method, rate in rates.items():
        factor = rate / getattr(preset, PHASE[method]).lr
        preset = moved(preset, method, "lr", factor)
    return preset


def moved(preset: Preset, method: str, axis: str, factor: float) -> Preset:
    """The preset with one rate, or strength, times a factor."""

    def times(value: float) -> float:
        return float(f"{factor * value:.4g}")

    if axis in STRENGTHS:
        return replace(preset, **{axis: times(getattr(preset, axis))})
    phase = getattr(preset, PHASE[method])
    value = times(getattr(phase, axis) or phase.lr)
    changes = {PHASE[method]: replace(phase, **{axis: value})}
    if method == "packnet":  # and after pruning in the same proportion
        again = replace(preset.retrain, lr=times(preset.retrain.lr))
        changes["retrain"] = again
    return replace(preset, **changes)
