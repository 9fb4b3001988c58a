"""Measures of continual learning, from the matrix of accuracies.

R is a DataFrame with a row for each moment and a column for each task,
both in the order of training: R.loc[i, j] is the accuracy on task j, in
percent, after training on task i.

Average accuracy and the two transfers are those of Lopez-Paz & Ranzato,
"Gradient Episodic Memory for Continual Learning", arXiv:1706.08840.
Denominators and definitions vary in the literature; here they are said
with each function.
"""

import pandas
from pandas import DataFrame, Series


def accuracies(history: DataFrame, method: str) -> DataFrame:
    """The matrix of one method, from the table `history.csv` of a run.

    After each task: what was measured at its last stage. Tasks that are
    not there yet are NaN.
    """
    own = history[history.method.isin(["first", method])]
    last = own.drop_duplicates(["after", "task"], keep="last")
    table = 100 - last.pivot(
        index="after", columns="task", values="top1_error"
    )
    order = own.after.unique()
    return table.reindex(index=order, columns=order)


def average_accuracy(matrix: DataFrame) -> float:
    """Mean over all tasks of the accuracy at the end."""
    return float(matrix.iloc[-1].mean())


def backward_transfer(matrix: DataFrame) -> float:
    """Mean change of the earlier tasks' accuracy since they were learnt.

    Over the T - 1 tasks before the last. Negative: something was
    forgotten.
    """
    change = matrix.iloc[-1] - _diagonal(matrix)
    return float(change.iloc[:-1].mean())


def forgetting(matrix: DataFrame) -> float:
    """Mean fall from the best accuracy a task had before the end.

    Over the T - 1 tasks before the last; the best is taken over all
    moments but the last one (Chaudhry et al., "Riemannian Walk for
    Incremental Learning", ECCV 2018). Negative where a task is better
    at the end than ever before.
    """
    best = matrix.iloc[:-1].max()
    return float((best - matrix.iloc[-1]).iloc[:-1].mean())


def forward_transfer(matrix: DataFrame, untrained: Series) -> float:
    """Mean lead that earlier tasks give to one not trained yet.

    untrained: accuracy of each task in a network with random weights.
    Over the T - 1 tasks after the first, each in the row before its own,
    where its head is still random.
    """
    leads = [
        matrix.iloc[i - 1, i] - untrained[matrix.columns[i]]
        for i in range(1, len(matrix))
    ]
    return float(pandas.Series(leads).mean())


def prices(results: DataFrame, method: str = "packnet") -> DataFrame:
    """A method's rows, with what each task pays: `price`, in points.

    results: method, seed, task and top1_error (in percent), each method
    once a seed and task. A price is the error minus that of the individual
    network of the same seed; NaN where there is none.
    """
    rows = results.set_index(["seed", "task"])
    alone = rows[rows.method == "individual"].top1_error
    own = rows[rows.method == method]
    return own.assign(price=own.top1_error - alone).reset_index()


def _diagonal(matrix: DataFrame) -> Series:
    return pandas.Series(
        [matrix.iloc[i, i] for i in range(len(matrix))], matrix.columns
    )
