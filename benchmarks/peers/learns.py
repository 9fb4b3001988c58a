"""Learns the same? The four drawn tasks, here and with Avalanche.

Both start from the same weights and take as many steps. Here it is the
book's own `packnet`; there Avalanche's strategy `PackNet`, used as in
ContinualAI's continual-learning-baselines (split_tiny_imagenet): one head
for the classes of all tasks, packed with the rest. More kinds switch one
thing each, so that a difference can be traced to its cause.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context

import torch
from pandas import DataFrame
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import Dataset

from benchmarks.peers.records import RECORDING, kept, origin, write
from packnet_book.runs.methods import USUAL, Stage, Steps, go_through, packnet
from packnet_book.runs.presets import FROM_NOTHING, Drawn, Preset
from packnet_book.runs.provenance import provenance
from packnet_book.runs.variants import StaleValues
from packnet_core import PackNet, Phase, Pictures, evaluate, fit
from packnet_core.evaluation import logits
from packnet_core.images import normalise
from packnet_core.trunks import build

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Settings:
    """The miniature's tasks, on a network half as wide.

    fractions: freed after each task; of the last one, none, but it is
    trained as long as the others. epochs: before pruning; retrain: after.
    draws: of the two as they are; switched: of the other kinds. share: of
    the pictures of each class. The optimiser is Adam at one rate, as in
    ContinualAI's baseline: the plugin makes a new one for each task, and
    undoes any schedule. (Half of that baseline's rate. With twice its rate
    this network did not begin to learn, seed 900.)
    """

    width: float = 0.125
    fractions: tuple[float, ...] = (0.5, 0.75, 0.75, 0.0)
    epochs: int = 12
    retrain: int = 6
    batch: int = 30  # divides the pictures of every task
    rate: float = 5e-4
    seed: int = 2600  # of the first draw
    draws: int = 12
    switched: int = 4
    share: float = 1.0

    @property
    def preset(self) -> Preset:
        """The same as the book's runs are described."""
        phase = Phase(
            self.epochs, self.rate, batch=self.batch, optimizer="adam"
        )
        again = replace(phase, epochs=self.retrain)
        return replace(
            FROM_NOTHING,
            architecture=replace(FROM_NOTHING.architecture, width=self.width),
            fractions=self.fractions,
            first=phase, retrain_first=again, add=phase, retrain=again,
        )  # fmt: skip


@cache
def shown(task: Drawn, split: str, settings: Settings) -> Pictures:
    """The pictures of one split of a task."""
    size = settings.preset.architecture.size
    return task.read(split, size, None, settings.share)


def start(settings: Settings, seed: int) -> nn.Module:
    """A trunk with random weights, the same for every kind."""
    torch.manual_seed(seed)
    return build(settings.preset.architecture)


def here(settings: Settings, seed: int, steps: Steps = USUAL) -> list[float]:
    """Each task's top-1 error in percent, when all are learnt."""
    preset = settings.preset
    size = preset.architecture.size
    tasks = {task.name: task for task in preset.tasks}

    def given(task: str) -> Pictures:
        return shown(tasks[task], "train", settings)

    def do(stage: Stage) -> PackNet:
        network = stage.make()
        if stage.phase is not None:
            fit(
                network, given(stage.task), stage.phase, size=size,
                objective=stage.objective,
                seed=(seed, stage.task, stage.title),
            )  # fmt: skip
        return network

    first, trunk = preset.tasks[0].name, start(settings, seed)

    def begun() -> PackNet:
        network = PackNet(trunk, features=trunk.out_features)
        network.add_task(first, given(first).classes)
        return network

    network = do(Stage("train", first, begun, preset.first))
    network = go_through(packnet(network, preset, given, steps), do)
    assert network is not None
    errors = []
    for task in preset.tasks:
        with network.view(task.name):
            test = shown(task, "test", settings)
            errors.append(evaluate(network, test, size=size).top1)
    return errors


class Crops(Dataset):
    """Pictures as `fit` shows them: random squares, flipped by chance.

    first: the number of the task's first class, of those of all tasks.
    """

    def __init__(self, pictures: Pictures, size: int, first: int):
        self.pictures, self.size = pictures, size
        self.targets = (first + pictures.labels).tolist()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        some, draws = torch.tensor([index]), torch.rand(1, 3)
        crop = self.pictures.crops(some, self.size, draws, CPU)
        return normalise(crop)[0], self.targets[index]


def avalanche(
    settings: Settings,
    seed: int,
    *,
    zeros: bool = False,
    heads: bool = False,
) -> list[float]:
    """As `here`, with Avalanche's model, strategy and plugin.

    zeros: freed weights become zero when a task is finished, instead of
    keeping their values; heads: one for each task, outside of what is
    packed.
    """
    from avalanche.benchmarks import (
        benchmark_from_datasets,
        task_incremental_benchmark,
    )
    from avalanche.benchmarks.scenarios.supervised import (
        with_classes_timeline,
    )
    from avalanche.benchmarks.utils.utils import as_classification_dataset
    from avalanche.models.packnet import PackNetModel
    from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
    from avalanche.training.supervised.strategy_wrappers import PackNet

    preset = settings.preset
    size = preset.architecture.size
    trunk = start(settings, seed)
    given = [shown(task, "train", settings) for task in preset.tasks]
    counts = [len(pictures.classes) for pictures in given]
    firsts = [sum(counts[:place]) for place in range(len(counts))]
    width = trunk.out_features

    class Headed(PackNetModel):
        """What is packed ends before the heads."""

        def __init__(self) -> None:
            super().__init__(trunk)
            self.heads = nn.ModuleList(
                nn.Linear(width, sum(counts)) for _ in counts
            )

        def forward(self, images: Tensor, task: Tensor) -> Tensor:
            return self.heads[int(task[0])](super().forward(images, task))

    class Zeroing(SupervisedPlugin):
        """Freed weights are zero before the next task begins."""

        @torch.no_grad()
        def before_training_exp(self, strategy, *args, **kwargs) -> None:
            for layer in strategy.model.modules():
                if (
                    hasattr(layer, "task_index")
                    and strategy.clock.train_exp_counter
                ):
                    free = layer.task_index == strategy.model.task_count
                    layer.wrappee.weight[free] = 0

    whole = nn.Sequential(trunk, nn.Linear(width, sum(counts)))
    model = Headed() if heads else PackNetModel(whole)
    strategy = PackNet(
        model=model,
        optimizer=Adam(model.parameters(), settings.rate),
        post_prune_epochs=settings.retrain,
        prune_proportion=list(settings.fractions),
        train_mb_size=settings.batch,
        train_epochs=settings.epochs + settings.retrain,
        evaluator=EvaluationPlugin(),
        plugins=Zeroing() if zeros else SupervisedPlugin(),
    )
    sets = [
        as_classification_dataset(Crops(pictures, size, first))
        for pictures, first in zip(given, firsts, strict=True)
    ]
    benchmark = with_classes_timeline(
        task_incremental_benchmark(benchmark_from_datasets(train=sets))
    )
    for experience in benchmark.train_stream:
        strategy.train(experience)
    errors = []
    for number, task in enumerate(preset.tasks):
        test = shown(task, "test", settings)
        answers = logits(AsOne(model, number), test, size=size)
        wrong = answers.argmax(1) != firsts[number] + test.labels
        errors.append(100 * wrong.double().mean().item())
    return errors


class AsOne(nn.Module):
    """One task's answers of a model that is told which task it is."""

    def __init__(self, model: nn.Module, task: int):
        super().__init__()
        self.model, self.task = model, task

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images, torch.full((len(images),), self.task))


Kind = Callable[[Settings, int], list[float]]
KINDS: dict[str, Kind] = {
    "here": here,
    "avalanche": avalanche,
    "here, old values": partial(here, steps=StaleValues()),
    "avalanche, zeros": partial(avalanche, zeros=True),
    "avalanche, a head for each": partial(avalanche, heads=True),
    "avalanche, zeros, heads": partial(avalanche, zeros=True, heads=True),
}


def draw(kind: str, seed: int, settings: Settings) -> list[dict]:
    """One kind from one start: a row for each task."""
    torch.set_num_threads(1)
    begun = time.process_time()
    errors = KINDS[kind](settings, seed)
    seconds = round(time.process_time() - begun)
    made = provenance()
    told = {"peer": kind, "seed": seed}
    found = {"cpu_seconds": seconds, "date": made["date"],
             "processor": made["processor"]}  # fmt: skip
    return [
        told | {"task": task.name, "error": error} | found
        for task, error in zip(settings.preset.tasks, errors, strict=True)
    ]


def wanted(settings: Settings) -> list[tuple[str, int]]:
    """Each kind and seed that the record shall have, in its order."""
    return [
        (kind, settings.seed + number)
        for kinds, draws in (
            (("here", "avalanche"), settings.draws),
            (tuple(KINDS)[2:], settings.switched),
        )
        for number in range(draws)
        for kind in kinds
    ]


def missing(settings: Settings) -> list[tuple[str, int]]:
    """Those of them that are not recorded yet."""
    have = {(row["peer"], row["seed"]) for row in kept("learns", settings)}
    return [pair for pair in wanted(settings) if pair not in have]


def run(settings: Settings) -> DataFrame:
    """Errors of the four drawn tasks, learnt with either; then one thing
    switched at a time."""
    done = kept("learns", settings)
    made, what = origin(), " ".join((run.__doc__ or "").split())
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        ready = [
            pool.submit(draw, *pair, settings) for pair in missing(settings)
        ]
        for found in as_completed(ready):
            done += found.result()
            write("learns", what, settings, DataFrame(done), made, RECORDING)
    order = {pair: place for place, pair in enumerate(wanted(settings))}
    rows = [row for row in done if (row["peer"], row["seed"]) in order]
    rows.sort(key=lambda row: order[row["peer"], row["seed"]])
    return DataFrame(rows)
