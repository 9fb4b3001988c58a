"""Sphinx extension: `{peers} PART` prints a part of the comparison.

The parts are those of `benchmarks/peers`: exact, rule, cost, accepts,
learns. What is printed is what `data/results/peers_*.csv` holds.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from pandas import DataFrame, concat
from sphinx.application import Sphinx

from packnet_book.figures import Table, table
from packnet_book.runs.records import recorded, recorded_provenance
from packnet_book.runs.statistics import paired_interval

PEERS = {"here": "here", "avalanche": "Avalanche", "authors": "authors' code"}
BY_ITS_LOOP = "avalanche, its own loop"
SPACE = "\u00a0"
SHORT = {  # so that the table fits beside the page's contents
    "VGG-16, half as wide": "VGG-16, half width",
    "pruning the first task, in plain steps": "pruning, in steps",
    "a step of the second task": "a step",
    "the first answer as an old task after a step":
        "first answer as an old task",
    "the same without the proof, as the others have it": "without the proof",
    "a further answer as an old task": "a further one",
    "the first answer as the first of three tasks": "first of three tasks",
    "the first of three tasks without the proof":
        "of three, without the proof",
    "peak memory, without the imports'": "peak memory",
}  # fmt: skip


def exact(record: DataFrame) -> DataFrame:
    """How a finished task's answers change, a row for each training."""

    def cell(found) -> str:
        if found.outcome != "changed":
            return str(found.outcome)
        return (
            f"{found.largest_change:.2g}; {found.changed_answers:.1f}{SPACE}%"
        )

    own_loop = record[record.peer == BY_ITS_LOOP]
    extra = own_loop.assign(
        row=own_loop.row + ", Avalanche's own loop", peer="avalanche"
    )
    others = record[record.peer != BY_ITS_LOOP]
    made = by_peer(concat([others, extra]), ["row"], cell)
    return made.rename_axis("second task trained with")


def rule(record: DataFrame) -> DataFrame:
    """Weights that are owned otherwise than by the authors' rule."""
    made = by_peer(record, ["case"], lambda found: found.owners_that_differ)
    return made.rename_axis("pruned")


def cost(record: DataFrame) -> DataFrame:
    """Times a plain network's: median, smallest and largest."""

    def cell(found) -> str:
        if found.pairs == 1:
            return f"{found.ratio:.2f}"
        low, high = found.lowest, found.highest
        return f"{found.ratio:.2f} ({low:.2f}–{high:.2f})"

    made = by_peer(record.replace(SHORT), ["network", "what"], cell)
    return made.rename_axis(["network", "over a plain network's"])


def accepts(record: DataFrame) -> DataFrame:
    """What becomes of a network."""

    def cell(found) -> str:
        if found.outcome != "changed":
            return str(found.outcome)
        return f"changed by {found.largest_change:.2g}"

    return by_peer(record, ["network"], cell)


KINDS = {
    "here": "here",
    "avalanche": "Avalanche",
    "here, old values": "here, old values",
    "avalanche, zeros": "Avalanche, zeros",
    "avalanche, a head for each": "Avalanche, heads",
    "avalanche, zeros, heads": "Avalanche, both",
}


def learns(record: DataFrame) -> DataFrame:
    """Errors in percent, means over draws, a row for each kind; the
    difference from here is taken draw by draw."""
    tasks = list(record.task.unique())
    runs = record.pivot(
        index=["peer", "seed"], columns="task", values="error"
    )[tasks]
    runs["all four"] = runs.mean(axis=1)
    here = runs["all four"]["here"]
    rows = {}
    for kind, name in KINDS.items():
        own = runs.loc[kind]
        beside = ""
        if kind != "here":
            found = paired_interval(own["all four"], here[own.index])
            beside = f"{found.mean:+.1f} ± {found.high - found.mean:.1f}"
        means = {task: f"{own[task].mean():.1f}" for task in own}
        rows[name] = {
            "all four": means.pop("all four"),
            "beside here": beside.replace("-", "−"),
            **means,
            "draws": str(len(own)),
        }
    made = DataFrame.from_dict(rows, orient="index")
    return made.rename_axis("learnt with")


def by_peer(
    record: DataFrame, keys: list[str], cell: Callable[[Any], object]
) -> DataFrame:
    """A row for each of some columns' values, a column for each peer.

    Nothing stands where a peer was not run.
    """
    told = record.assign(told=[cell(row) for row in record.itertuples()])
    made = told.groupby([*keys, "peer"], sort=False).told.first()
    made = made.unstack("peer", sort=False).fillna("")
    return made[list(PEERS)].rename(columns=PEERS)


PARTS = {
    "exact": exact,
    "rule": rule,
    "cost": cost,
    "accepts": accepts,
    "learns": learns,
}


SHOWN = {
    "exact": "What steps of a second task change in the first one’s answers",
    "rule": "Weights with another owner than the authors’ rule gives",
    "cost": "Bytes, time and memory over those of a plain network",
    "accepts": "What becomes of seven networks, one of them in two forms",
    "learns": "Errors in percent, and differences in points, of four tasks",
}


def caption(part: str) -> str:
    """What it shows, on what and when it was measured."""
    made = recorded_provenance(f"peers_{part}")["made"]
    versions = made["versions"]
    state = "idle" if made["idle"] else "busy with other work as well"
    commit = made["authors"]
    authors = (
        "" if commit == "not run" else f"the authors' commit {commit[:7]}, "
    )
    return (
        f"{SHOWN[part]}. Measured with packnet-core "
        f"{versions['packnet-core']}, Avalanche "
        f"{versions['avalanche-lib']}, {authors}torch {versions['torch']}; "
        f"{made['processor']}, {state}; {made['date'][:10]}."
    )


def printed(part: str) -> Table:
    """A part as a table for the page."""
    return table(PARTS[part](recorded(f"peers_{part}")), caption(part))


class Peers(Directive):
    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        [part] = self.arguments
        return [nodes.raw("", printed(part).html, format="html")]


def setup(app: Sphinx) -> dict:
    app.add_directive("peers", Peers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
