"""Order and fractions, dragged: what each task gets, and what it cost.

The shares are arithmetic: a task keeps the rest of what it frees. The
errors are recorded; a choice that was not run says so.
"""

from collections.abc import Sequence

import pandas

from packnet_book.explorer.page import Page
from packnet_book.interactives.page import page
from packnet_book.runs.statistics import mean_interval
from packnet_core.pruning import checked


def share_out(
    tasks: Sequence[str],
    fractions: Sequence[float],
    runs: pandas.DataFrame | None = None,
    title: str = "Share out a network",
) -> Page:
    """A page on which tasks are put in order and fractions are moved.

    tasks: in their order at first, at most five; fractions: what each but
    the last frees, from 0 up to 1; runs: recorded results, with the
    columns order, prune, task, seed and top1_error (percent), shown where
    their order and fractions are chosen. Raises ValueError if there is
    not one fraction fewer than tasks, and BadFraction.
    """
    if len(fractions) != len(tasks) - 1:
        raise ValueError(
            f"{len(fractions)} fractions for {len(tasks)} tasks: every task "
            "but the last has one"
        )
    data = {
        "tasks": list(tasks),
        "fractions": [checked(fraction) for fraction in fractions],
        "runs": [] if runs is None else _recorded(runs),
    }
    told = ", ".join(
        f"{name} {100 * share:.4g} %"
        for name, share in zip(tasks, shares(fractions))
    )
    return page(
        "shares",
        title,
        f"Order and prune fractions, to be changed. At first: {told}.",
        data,
        height=250 + 125 * len(tasks),
    )


def shares(fractions: Sequence[float]) -> list[float]:
    """The share of the weights that each task owns in the end.

    fractions: what each task but the last frees.
    """
    left, kept = 1.0, []
    for fraction in (*fractions, 0):
        kept.append(left * (1 - fraction))
        left *= fraction
    return kept


def _recorded(runs: pandas.DataFrame) -> list[dict]:
    """The mean error of each task, by order and fractions.

    errors: for each task of the order the mean and the half-width of its
    95 % interval.
    """
    found = []
    for (order, prune), own in runs.groupby(["order", "prune"], sort=False):
        errors = own.groupby("task").top1_error.apply(mean_interval)
        names = str(order).split("/")
        found.append(
            {
                "order": names,
                "fractions": [float(f) for f in str(prune).split("/")],
                "seeds": int(own.seed.nunique()),
                "errors": [
                    [round(errors[name].mean, 4), round(errors[name].half, 4)]
                    for name in names
                ],
            }
        )
    return found
