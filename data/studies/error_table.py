"""The error table: its methods, and its measures."""

from dataclasses import replace
from pathlib import Path

import pandas
import torch
from pandas import DataFrame

from packnet_book.runs.baselines import FINE_TUNING, distilling
from packnet_book.runs.methods import (
    all_free,
    in_own_network,
    on_free_trunk,
    with_own_weights,
)
from packnet_book.runs.metrics import accuracies
from packnet_book.runs.planner import SetSize, plan
from packnet_book.runs.presets import FULL_LENGTH, shortened
from packnet_core.evaluation import evaluate
from packnet_core.images import generator
from packnet_core.network import PackNet
from packnet_core.training import OWN_WEIGHTS, fit
from packnet_core.trunks import build
from studies.common import rows_of, run

IN_TURN = ("packnet", "individual", "classifier-only", "sequential")
EVERY = (*IN_TURN, "lwf", "ewc", "joint")
ROUNDS = 3  # of `times`
HIGHER = replace(FULL_LENGTH, fractions=(0.75, 0.75, 0.75))
MOMENTS = (0, 1, 2, 4, 7, 10, 15, 20, 30)


def main_table(seed: int, folder: Path) -> DataFrame:
    """The error table: methods that train one task after the other."""
    made = run(FULL_LENGTH, seed, folder, "main")
    table = made.carry_out(IN_TURN)
    return table[table.method.isin(IN_TURN)]


def lwf(seed: int, folder: Path) -> DataFrame:
    """The error table: Learning without Forgetting."""
    return rows_of(run(FULL_LENGTH, seed, folder, "main"), "lwf")


def ewc(seed: int, folder: Path) -> DataFrame:
    """The error table: elastic weight consolidation."""
    return rows_of(run(FULL_LENGTH, seed, folder, "main"), "ewc")


def joint(seed: int, folder: Path) -> DataFrame:
    """The error table: all tasks at once."""
    return rows_of(run(FULL_LENGTH, seed, folder, "main"), "joint")


def times(seed: int, folder: Path) -> DataFrame:
    """Seconds for an epoch of each stage, and how many epochs it has.

    Every method is trained for one epoch a phase, one method after the
    other, in several rounds; the common first network in the first alone.
    """
    sets = {task.name: SetSize(2, 0, 0) for task in FULL_LENGTH.tasks}
    planned = [
        (stage.method, stage.title, stage.task, stage.phase.epochs)
        for method in EVERY
        for stage in plan(FULL_LENGTH, method, sets)  # sizes do not matter
        if stage.phase is not None
    ]
    key = ["method", "stage", "after"]
    epochs = DataFrame(planned, columns=[*key, "epochs"]).drop_duplicates()
    rounds = []
    for number in range(ROUNDS):
        made = run(shortened(FULL_LENGTH, 1), seed, folder, f"times-{number}")
        made.carry_out(EVERY)
        took = made.history().drop_duplicates(key)[[*key, "train_seconds"]]
        rounds.append(epochs.merge(took, validate="1:1").assign(round=number))
    return pandas.concat(rounds)


def higher(seed: int, folder: Path) -> DataFrame:
    """PackNet with a higher first prune fraction."""
    return rows_of(run(HIGHER, seed, folder, "higher"), "packnet")


def matrices(seed: int, folder: Path) -> DataFrame:
    """Accuracy on every task after every task, trained yet or not."""
    made = run(FULL_LENGTH, seed, folder, "main")
    names = [task.name for task in FULL_LENGTH.tasks]
    rows = []

    def untrained(network: PackNet, task: str, method: str, after: str):
        """A task that has a random head as yet."""
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, task, "head").initial_seed())
            other = in_own_network(network, task, made.classes(task))
        errors = evaluate(
            other, made.pictures(task, "test"),
            size=FULL_LENGTH.architecture.size,
        )  # fmt: skip
        rows.append((method, after, task, 100 - errors.top1))

    with torch.random.fork_rng():
        torch.manual_seed(generator(seed, "untrained").initial_seed())
        nothing = build(FULL_LENGTH.architecture)
    blank = PackNet(nothing, nothing.out_features)
    for task in names:
        untrained(blank, task, "untrained", "")
    history = made.history()
    for method in ("packnet", "classifier-only", "sequential", "lwf"):
        matrix = accuracies(history, method)
        for place, after in enumerate(names):
            for task in names[: place + 1]:
                rows.append((method, after, task, matrix.at[after, task]))
            network = made.after(method, after)
            for task in names[place + 1 :]:
                untrained(network, task, method, after)
    return DataFrame(rows, columns=["method", "after", "task", "accuracy"])


def switch(seed: int, folder: Path) -> DataFrame:
    """The first task's error while the second is trained."""
    made = run(FULL_LENGTH, seed, folder, "main")
    first, second = (task.name for task in FULL_LENGTH.tasks[:2])
    size = FULL_LENGTH.architecture.size
    test = made.pictures(first, "test")
    rows = []

    def follow(method: str, network: PackNet, phase, objective) -> None:
        def watch(step: int) -> None:
            if step not in MOMENTS and step % 40:
                return
            with network.view(first):
                errors = evaluate(network, test, size=size)
            network.train()
            rows.append((method, step, errors.top1))

        watch(0)
        fit(
            network, made.pictures(second, "train"), phase, size=size,
            objective=objective, seed=f"{seed}/switch", title=method,
            watch=watch,
        )  # fmt: skip

    with torch.random.fork_rng():
        torch.manual_seed(generator(seed, "switch").initial_seed())
        classes = made.classes(second)
        packed = made.after("packnet", first)
        packed = with_own_weights(packed, second, classes)
        follow("packnet", packed, FULL_LENGTH.add, OWN_WEIGHTS)
        tuned = on_free_trunk(made.first(), second, classes)
        follow("sequential", tuned, FULL_LENGTH.alone, FINE_TUNING)
        free = all_free(made.first(), second, classes)
        objective = distilling(FULL_LENGTH.lwf_strength)
        follow("lwf", free, FULL_LENGTH.lwf, objective)
    return DataFrame(rows, columns=["method", "step", "top1_error"])
