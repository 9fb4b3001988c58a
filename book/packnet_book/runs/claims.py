"""Claims, each a limit on a difference of two mean errors, and verdicts.

They were written down before the draws that judge them were recorded:
`data/studies/questions/claims.csv`, a row a claim.
"""

import math
from collections.abc import Callable

import pandas
from pandas import DataFrame, Series
from scipy.stats import sem
from scipy.stats import t as student

from packnet_book.places import shipped
from packnet_book.runs.records import recorded
from packnet_book.runs.statistics import LEVEL, holm, mean_interval


def claims() -> DataFrame:
    """All claims, in the order of the file.

    table: those of one table are corrected together; left, right: a
    study and a method each; task: one, or "added" for the mean of all
    but the first; relation: the mean of left minus right is claimed to
    be "at most" or "at least" the limit, or "within" it on both sides of
    zero; limit: in points; draws: how many were planned.
    """
    folder = shipped("studies/questions", "questions")
    return pandas.read_csv(folder / "claims.csv", keep_default_na=False)


def judged(
    claims: DataFrame, table: Callable[[str], DataFrame] = recorded
) -> DataFrame:
    """The claims with what the draws say about each.

    Adds recorded (draws), mean and half (the 95 % interval's), p (Holm's,
    over the claims of a table) and verdict: "held", "not held", or "open"
    where p is above 0.05 or draws are lacking.
    """
    rows = []
    for claim in claims.itertuples():
        left, right = (
            errors(table(study), method, str(claim.task))
            for study, method in (
                str(side).split("/") for side in (claim.left, claim.right)
            )
        )
        drawn = (left - right).dropna()
        if len(drawn) < 2:
            rows.append((len(drawn), math.nan, math.nan, 1.0, False))
            continue
        found = mean_interval(drawn)
        p, holds = tested(drawn, str(claim.relation), float(str(claim.limit)))
        rows.append((len(drawn), found.mean, found.half, p, holds))
    names = ["recorded", "mean", "half", "p", "holds"]
    result = claims.join(DataFrame(rows, claims.index, names))
    result["p"] = result.groupby("table").p.transform(holm)
    result["verdict"] = "open"
    sure = (result.p < 1 - LEVEL) & (result.recorded >= result.draws)
    result.loc[sure & result.holds, "verdict"] = "held"
    result.loc[sure & ~result.holds, "verdict"] = "not held"
    return result.drop(columns="holds")


def errors(rows: DataFrame, method: str, task: str) -> Series:
    """A method's top-1 error in each draw, by seed."""
    own = rows[rows.method == method]
    if task == "added":
        own = own[own.position > 1]
    else:
        own = own[own.task == task]
    return own.groupby("seed").top1_error.mean()


def tested(draws: Series, relation: str, limit: float) -> tuple[float, bool]:
    """The p-value of the limit, and whether the mean is on its good side.

    Student's t: two-sided against the limit; for "within" the larger of
    the two one-sided tests (equivalence).
    """
    mean, error = float(draws.mean()), float(sem(draws))

    def beyond(edge: float) -> float:  # one-sided
        distance = abs(mean - edge)
        if error == 0:
            return float(distance == 0)
        return float(student.sf(distance / error, df=len(draws) - 1))

    if relation == "within":
        nearest = math.copysign(limit, mean)
        return beyond(nearest), abs(mean) < limit
    return min(2 * beyond(limit), 1.0), (
        mean <= limit if relation == "at most" else mean >= limit
    )
