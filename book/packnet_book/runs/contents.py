"""What is in a packed network: tasks, owner shares, bytes, as text."""

import os
import string
from pathlib import Path

import pandas
from safetensors import safe_open

from packnet_core import load
from packnet_core.network import PackNet


def owner_table(network: PackNet) -> pandas.DataFrame:
    """Weights by layer (rows, the last is "all") and owner (columns).

    Columns: weights, free, then one a task, all in numbers of weights.
    """
    table = pandas.DataFrame.from_dict(
        network.owner_counts(),
        orient="index",
        columns=["free", *network.tasks],
    )
    table.loc["all"] = table.sum()
    table.insert(0, "weights", table.sum(axis=1))
    return table


def filter_table(network: PackNet) -> pandas.DataFrame:
    """Weights of each filter by owner, a row a filter.

    Columns: layer, filter (from 0), free, then one a task, in numbers of
    weights.
    """
    tables = []
    for name, owner in network.owner.items():
        flat = owner.flatten(1).cpu()  # (filters, weights)
        counts = {
            task: (flat == number).sum(1).numpy()
            for number, task in enumerate(["free", *network.tasks])
        }
        table = pandas.DataFrame(counts)
        table.insert(0, "layer", name)
        table.insert(1, "filter", range(len(table)))
        tables.append(table)
    return pandas.concat(tables, ignore_index=True)


def bytes_by_part(file: str | os.PathLike) -> dict[str, int]:
    """Bytes of a file's trunk, heads, owner map and header, in sum its
    size. `file` must be sound; `load` checks that."""
    parts = {"trunk": 0, "heads": 0, "owner map": 0}
    kinds = {"trunk": "trunk", "heads": "heads", "owners": "owner map"}
    with safe_open(file, framework="pt") as opened:
        for name in opened.keys():
            tensor = opened.get_tensor(name)
            part = kinds[name.split(".", 1)[0]]
            parts[part] += tensor.numel() * tensor.element_size()
    return parts | {"header": os.path.getsize(file) - sum(parts.values())}


def bar(counts: pandas.Series, length: int = 40) -> str:
    """A line of `length` marks for the owners of one layer's weights.

    counts: a row of `owner_table`. The mark of a task is its number, of
    the tenth and later ones a letter; that of free weights is a dot.
    """
    marks = ".123456789" + string.ascii_lowercase
    ends = (length * counts.drop("weights").cumsum() / counts.weights).round()
    drawn = ""
    for number, end in enumerate(ends):
        drawn += marks[min(number, len(marks) - 1)] * (int(end) - len(drawn))
    return drawn


def summary(file: Path) -> str:
    """Tasks, owner shares and bytes of a file, as text for a terminal."""
    network = load(file)
    table = owner_table(network)
    shares = 100 * table.drop(columns="weights").div(table.weights, axis=0)
    shares.insert(0, "weights", table.weights)
    lines = ["task, classes, prune fractions"]
    for number, record in enumerate(network.records, start=1):
        fractions = ", ".join(map(str, record.fractions)) or "not pruned"
        lines.append(
            f"  {number} {record.name}: {len(record.classes)} classes, "
            f"{fractions}"
        )
    shares["one mark for each 2.5 %"] = [
        bar(table.loc[name]) for name in table.index
    ]
    sizes = bytes_by_part(file)
    return "\n".join(
        [
            *lines,
            "",
            "owner of the weights, in percent; drawn as its number, or a dot",
            shares.to_string(float_format="{:.2f}".format),
            "",
            "bytes",
            *(f"  {part:10}{size:>14,}" for part, size in sizes.items()),
            f"  {'in all':10}{sum(sizes.values()):>14,}",
        ]
    )
