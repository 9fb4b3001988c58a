"""Sphinx extension: `{peers} PART` prints a part of the comparison.

The parts are those of `benchmarks/peers`: exact, rule, cost, accepts. What
is printed is what `data/results/peers_*.csv` holds.
"""

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from pandas import DataFrame
from sphinx.application import Sphinx

from packnet_book.runs.records import recorded, recorded_provenance
from playground_page import row

PEERS = {"here": "here", "avalanche": "Avalanche", "authors": "authors' code"}
BY_ITS_LOOP = "avalanche, its own loop"
SPACE = "\u00a0"


def exact(table: DataFrame) -> tuple[list[str], list[list[str]]]:
    """How a finished task's answers change, a row for each training."""

    def cell(found) -> str:
        if found.outcome != "changed":
            return str(found.outcome)
        return (
            f"{found.largest_change:.2g}; {found.changed_answers:.1f}{SPACE}%"
        )

    rows = by_peer(table[table.peer != BY_ITS_LOOP], ["row"], cell)
    for found in table[table.peer == BY_ITS_LOOP].itertuples():
        rows.append(
            [f"{found.row}, Avalanche's own loop", "", cell(found), ""]
        )
    return ["second task trained with", *PEERS.values()], rows


def rule(table: DataFrame) -> tuple[list[str], list[list[str]]]:
    """Weights that are owned otherwise than by the authors' rule."""

    def cell(found) -> str:
        return f"{found.owners_that_differ:,}"

    head = ["pruned", *PEERS.values()]
    return head, by_peer(table, ["case"], cell)


def cost(table: DataFrame) -> tuple[list[str], list[list[str]]]:
    """Times a plain network's: median, smallest and largest."""

    def cell(found) -> str:
        if found.pairs == 1:
            return f"{found.ratio:.2f}"
        low, high = found.lowest, found.highest
        return f"{found.ratio:.2f} ({low:.2f} to {high:.2f})"

    head = ["network", "over a plain network's", *PEERS.values()]
    return head, by_peer(table, ["network", "what"], cell)


def accepts(table: DataFrame) -> tuple[list[str], list[list[str]]]:
    """What becomes of a network."""

    def cell(found) -> str:
        if found.outcome != "changed":
            return str(found.outcome)
        return f"changed by {found.largest_change:.2g}"

    return ["network", *PEERS.values()], by_peer(table, ["network"], cell)


def by_peer(table: DataFrame, keys: list[str], cell) -> list[list[str]]:
    """A row for each of some columns' values, a cell for each peer."""
    rows = []
    for key, own in table.groupby(keys, sort=False):
        found = {entry.peer: cell(entry) for entry in own.itertuples()}
        cells = [found.get(peer, "not run") for peer in PEERS]
        rows.append([*map(str, key), *cells])
    return rows


PARTS = {"exact": exact, "rule": rule, "cost": cost, "accepts": accepts}


def caption(part: str) -> str:
    """On what and when it was measured."""
    made = recorded_provenance(f"peers_{part}")["made"]
    versions = made["versions"]
    state = "idle" if made["idle"] else "busy with other work as well"
    return (
        f"packnet-core {versions['packnet-core']}, Avalanche "
        f"{versions['avalanche-lib']}, the authors' commit "
        f"{made['authors'][:7]}, torch {versions['torch']}; "
        f"{made['processor']}, {state}; {made['date'][:10]}."
    )


class Peers(Directive):
    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        [part] = self.arguments
        head, rows = PARTS[part](recorded(f"peers_{part}"))
        group = nodes.tgroup("", cols=len(head))
        group += [nodes.colspec(colwidth=1) for _ in head]
        group += nodes.thead("", row(head))
        group += nodes.tbody("", *map(row, rows))
        return [nodes.table("", nodes.title("", caption(part)), group)]


def setup(app: Sphinx) -> dict:
    app.add_directive("peers", Peers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
