"""Means of few runs, each with the interval that says how sure they are.

An interval of 95 % is made by a rule that, over many repetitions of the
whole experiment, covers the true mean in 95 % of them, if the runs are
independent and roughly normal. With few runs the spread itself is badly
known; Student's t takes that into account and makes the interval wider.
"""

from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike
from pandas import DataFrame, Series
from scipy.stats import sem
from scipy.stats import t as student

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and how far the interval reaches to each side.

    As text: "8.3 ± 0.7"; `format(interval, "+.1f")` gives the mean a sign.
    """

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half

    def __format__(self, how: str) -> str:
        sign, digits = how[: how[:1] == "+"], how.lstrip("+") or ".1f"
        mean = format(self.mean, f"{sign}z{digits}")  # z: no minus at zero
        return f"{mean} ± {self.half:{digits}}"

    def __str__(self) -> str:
        return format(self)


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean of runs, with Student's interval.

    values: (n,), one a run. Raises ValueError for fewer than two, which
    have no spread, and for values that are not finite.
    """
    runs = numpy.asarray(values, dtype=float)
    if runs.ndim != 1 or len(runs) < 2:
        raise ValueError(
            f"values of shape {runs.shape}: an interval needs a list of at "
            "least two runs"
        )
    if not numpy.isfinite(runs).all():
        raise ValueError("a run without a value: leave it out, and say so")
    half = student.ppf((1 + level) / 2, df=len(runs) - 1) * sem(runs)
    return Interval(float(runs.mean()), float(half))


def paired_interval(
    left: Series, right: Series, level: float = LEVEL
) -> Interval:
    """Mean of left - right, run by run, with its interval.

    left, right: one value a run, with the same index (the seeds), in any
    order. What a pair has in common drops out of its difference, so this
    can be far narrower than the intervals of both sides. Raises
    ValueError if the runs are not the same, each there once.
    """
    for side in (left, right):
        if not side.index.is_unique:
            raise ValueError(f"runs that are there twice: {list(side.index)}")
    if set(left.index) != set(right.index):
        raise ValueError(
            f"runs {list(left.index)} and {list(right.index)} make no pairs"
        )
    return mean_interval(left - right.loc[left.index], level)


def holm(p: ArrayLike) -> numpy.ndarray:
    """p-values (n,) of n claims, corrected by Holm (1979).

    Below 0.05 then: wrong about any of the claims, if none of them were
    true, in at most 5 % of repetitions.
    """
    values = numpy.asarray(p, dtype=float)
    order = values.argsort()
    times = numpy.arange(len(values), 0, -1)
    corrected = numpy.maximum.accumulate(values[order] * times)
    result = numpy.empty_like(values)
    result[order] = corrected.clip(max=1)
    return result


def interval_table(
    runs: DataFrame, by: list[str], value: str, level: float = LEVEL
) -> DataFrame:
    """Mean and ends of the interval for each group of runs.

    runs: a row a run; by: the columns that name a group. Columns of the
    result: those, mean, low, high; groups in the order of the rows.
    """
    rows = []
    for names, group in runs.groupby(by, sort=False):
        found = mean_interval(group[value], level)
        rows.append((*names, found.mean, found.low, found.high))
    return DataFrame(rows, columns=[*by, "mean", "low", "high"])
