"""Ablations: PackNet with one thing changed at a time."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pandas
from pandas import DataFrame

from packnet_book.runs.presets import FULL_LENGTH, Drawn, Preset
from packnet_core.evaluation import evaluate
from packnet_core.network import PackNet
from packnet_core.training import fit
from studies.common import rows_of, run, with_own_error

NORMED = replace(
    FULL_LENGTH,
    architecture=replace(FULL_LENGTH.architecture, name="vgg16_bn"),
    tasks=FULL_LENGTH.tasks[:3],
    fractions=FULL_LENGTH.fractions[:2],
)
FRACTIONS = (0.5, 0.75, 0.85, 0.95)
CHANGED = ("packnet", "at-random", "stale-values")


def pruning(seed: int, folder: Path) -> DataFrame:
    """The first task's error at each fraction, before and after retraining.

    Then made dense again from zero and trained once more, beside the
    network that was never pruned and trained for as long.
    """
    rows = []
    size = FULL_LENGTH.architecture.size
    phase = FULL_LENGTH.retrain_first
    made = run(FULL_LENGTH, seed, folder, "main")
    name = FULL_LENGTH.tasks[0].name
    train, test = made.pictures(name, "train"), made.pictures(name, "test")

    def measure(fraction: float, stage: str, network: PackNet) -> None:
        errors = evaluate(network, test, size=size)
        rows.append((fraction, stage, errors.top1))

    def train_on(network: PackNet, stage: str) -> None:
        fit(network, train, phase, size=size, seed=f"{seed}/{stage}")

    network = made.first()
    measure(0.0, "trained", network)
    train_on(network, "retrained")
    measure(0.0, "retrained", network)
    train_on(network, "dense again")
    measure(0.0, "dense again", network)
    for fraction in FRACTIONS:
        network = made.first()
        network.prune(fraction)
        measure(fraction, "pruned", network)
        train_on(network, "retrained")
        measure(fraction, "retrained", network)
        for owner in network.owner.values():
            owner.fill_(1)  # the freed weights are back, from zero
        train_on(network, "dense again")
        measure(fraction, "dense again", network)
    return DataFrame(rows, columns=["fraction", "stage", "top1_error"])


def in_turn(preset: Preset, seed: int) -> Preset:
    """The preset with its added tasks in one of their six orders."""
    first, *added = preset.tasks
    orders = list(permutations(added))
    return replace(preset, tasks=(first, *orders[seed % len(orders)]))


def orders(seed: int, folder: Path) -> DataFrame:
    """PackNet in one of the six orders a draw, and individual networks."""
    made = run(FULL_LENGTH, seed, folder, "main")
    name = "main" if seed % 6 == 0 else "order"
    packed = run(in_turn(FULL_LENGTH, seed), seed, folder, name)
    return pandas.concat(
        [rows_of(made, "individual"), rows_of(packed, "packnet")]
    )


def steps(seed: int, folder: Path) -> DataFrame:
    """PackNet and the variants that need no other network.

    `own_error`: right after a task's own last stage; `top1_error`: at
    the end.
    """
    made = run(FULL_LENGTH, seed, folder, "main")
    return pandas.concat([with_own_error(made, name) for name in CHANGED])


def norms(seed: int, folder: Path) -> DataFrame:
    """Batch norm fixed after the first task, and left to drift."""
    made = run(NORMED, seed, folder, "norms")
    return pandas.concat(
        [with_own_error(made, m) for m in ("packnet", "drifting-norms")]
    )


def many_tasks() -> Preset:
    """Nine added tasks: halves of the three, then three recoloured.

    Half of the current task's weights is freed each time, so that few
    tasks use the network up.
    """
    first, *added = FULL_LENGTH.tasks
    tasks: list[Drawn] = []
    for half, colours in ((0, (0, 1, 2)), (1, (0, 1, 2)), (0, (2, 0, 1))):
        for task in added:
            assert isinstance(task, Drawn)
            name = f"{task.name} {half + 1}"
            if colours != (0, 1, 2):
                name += " recoloured"
            tasks.append(
                replace(
                    task, name=name, of=task.name, colours=colours,
                    classes=(7 * half, 7 * half + 7),
                )
            )  # fmt: skip
    return replace(
        FULL_LENGTH, tasks=(first, *tasks), fractions=(0.5,) * len(tasks)
    )


def capacity(seed: int, folder: Path) -> DataFrame:
    """The same network given task after task, beside individual ones."""
    made = run(many_tasks(), seed, folder, "capacity")
    table = made.carry_out(["packnet", "individual"])
    table = table[table.method.isin(["packnet", "individual"])]
    network = made.after("packnet", table.task.iloc[-1])
    owned = pandas.Series(0, index=network.tasks)
    for counts in network.owner_counts().values():
        owned += counts[1:]
    share = 100 * owned / owned.sum()
    return table.assign(
        owned=table.task.map(share).where(table.method == "packnet")
    )
