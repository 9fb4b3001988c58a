"""Controls: what PackNet's price is not owed to."""

from dataclasses import replace
from pathlib import Path

from pandas import DataFrame

from packnet_book.runs.presets import FULL_LENGTH
from packnet_core.evaluation import evaluate
from packnet_core.network import PackNet
from packnet_core.training import Phase, fit
from studies.ablations import in_turn
from studies.common import rows_of, run

EQUAL = (0.75, 2 / 3, 0.5)  # freed: each of four tasks keeps a quarter


def longer(seed: int, folder: Path) -> DataFrame:
    """Networks trained on for as long as PackNet retrains, none pruned.

    `individual`: each task's own network; `packnet`: the packed one, with
    its last task, which the method itself does not retrain.
    """
    made = run(FULL_LENGTH, seed, folder, "main")
    made.carry_out(["individual", "packnet"])
    size = FULL_LENGTH.architecture.size
    rows = []

    def train_on(method: str, network: PackNet, phase: Phase) -> None:
        task = network.tasks[-1]
        fit(
            network, made.pictures(task, "train"), phase, size=size,
            seed=f"{seed}/longer {method}", title=f"{method}: {task}, longer",
        )  # fmt: skip
        errors = evaluate(network, made.pictures(task, "test"), size=size)
        rows.append((method, task, errors.top1, errors.images))

    added = [task.name for task in FULL_LENGTH.tasks[1:]]
    train_on("individual", made.first(), FULL_LENGTH.retrain_first)
    for task in added:
        alone = made.after("individual", task)
        train_on("individual", alone, FULL_LENGTH.retrain)
    packed = made.after("packnet", added[-1])
    train_on("packnet", packed, FULL_LENGTH.retrain)
    columns = ["method", "task", "top1_error", "test_images"]
    return DataFrame(rows, columns=columns)


def equal(seed: int, folder: Path) -> DataFrame:
    """PackNet with a quarter for each task, one of the six orders a draw.

    Between places there is then no difference in capacity, only in what
    is inherited.
    """
    preset = replace(in_turn(FULL_LENGTH, seed), fractions=EQUAL)
    return rows_of(run(preset, seed, folder, "equal"), "packnet")
