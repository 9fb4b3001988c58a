"""Photographs: the error table from a pretrained network, and why."""

import os
from dataclasses import replace
from pathlib import Path

import pandas
import torch
from pandas import DataFrame
from torch import Tensor, nn

from packnet_book.runs.methods import (
    in_own_network,
    on_fixed_trunk,
    with_own_weights,
)
from packnet_book.runs.presets import PHOTOS, Preset
from packnet_book.runs.runner import Run
from packnet_core.evaluation import evaluate
from packnet_core.images import generator
from packnet_core.network import PackNet
from packnet_core.training import Phase, fit
from packnet_core.trunks import Architecture
from studies.common import rows_of, run, with_own_error
from studies.rates import as_searched, at_rates, searched

PRECISION = "bf16"  # in float32 a processor that has it takes 1.5 times
RANK = 4  # of the adapter's changes
MAIN = ("individual", "packnet", "classifier-only")

# VGG-16's convolutions on the same photographs, for a graphics card; in the
# authors' proportions, 16 epochs for an added task and 8 more to retrain.
_STEP = Phase(16, 3e-3, head_lr=3e-2, schedule="step", decay_every=10,
              clip=5.0)  # fmt: skip
VGG_START = replace(
    PHOTOS,
    architecture=Architecture("vgg16_features", size=112),
    first=replace(_STEP, epochs=4, lr=2e-3, decay_every=3),
    retrain_first=replace(_STEP, epochs=4, lr=1e-3, decay_every=3),
    add=replace(_STEP, lr=1e-2),
    retrain=replace(_STEP, epochs=8, lr=1e-3, head_lr=3e-3, decay_every=5),
    alone=_STEP,
    classifier=Phase(16, 5e-2, schedule="cosine"),
)
# As the studies `photos_vgg_tuning_…` found them.
VGG_RATES = {
    "individual": 6e-3,
    "packnet": 1e-2,
    "classifier-only": 6.25e-3,
}
VGG_PHOTOS = at_rates(VGG_START, VGG_RATES)
# In `photos_vgg` seven of 54 trainings failed. The same with rates that
# rise from zero over the first epoch:
VGG_WARMED = replace(
    VGG_PHOTOS,
    add=replace(VGG_PHOTOS.add, warmup=1.0),
    alone=replace(VGG_PHOTOS.alone, warmup=1.0),
)


def photos_at(
    preset: Preset,
    seed: int,
    folder: Path,
    split: str = "test",
) -> Run:
    """A run on the photographs in `PACKNET_PHOTOS`."""
    return run(
        preset, seed, folder, preset.architecture.name,
        data=os.environ["PACKNET_PHOTOS"], precision=PRECISION, split=split,
    )  # fmt: skip


def turned(preset: Preset, seed: int) -> Preset:
    """The preset with its added tasks in one of three orders.

    A Latin square: each task comes once in each place.
    """
    first, *added = preset.tasks
    start = seed % len(added)
    return replace(preset, tasks=(first, *added[start:], *added[:start]))


def photos_tuning(method: str, seed: int, folder: Path) -> DataFrame:
    """Validation error of a method on photographs, from its rates outwards.

    On a fifth of each class's training pictures, which is held out; until
    both neighbours of the best are worse. Joint training at half the length.
    """
    return _searched(PHOTOS, method, seed, folder)


def photos_vgg_tuning(method: str, seed: int, folder: Path) -> DataFrame:
    """Validation error of a method with VGG-16, from its rates outwards.

    As `photos_tuning` has it.
    """
    return _searched(VGG_START, method, seed, folder)


def _searched(
    preset: Preset, method: str, seed: int, folder: Path
) -> DataFrame:
    def measure(preset: Preset, method: str) -> DataFrame:
        made = photos_at(preset, seed, folder, split="val")
        return rows_of(made, method)

    return searched(as_searched(preset, method), method, measure)


def photos(seed: int, folder: Path) -> DataFrame:
    """The error table on photographs, one of three orders a draw.

    `own_error`: right after a task's own last stage.
    """
    return _table(turned(PHOTOS, seed), seed, folder)


def photos_joint(seed: int, folder: Path) -> DataFrame:
    """The error table on photographs: all tasks at once."""
    return rows_of(photos_at(PHOTOS, seed, folder), "joint")


def photos_vgg(seed: int, folder: Path) -> DataFrame:
    """The error table on photographs with VGG-16's convolutions.

    One of three orders a draw, as `photos` has it.
    """
    return _table(turned(VGG_PHOTOS, seed), seed, folder)


def photos_vgg_warmed(seed: int, folder: Path) -> DataFrame:
    """As `photos_vgg`, with rates that rise from zero at first."""
    return _table(turned(VGG_WARMED, seed), seed, folder)


def _table(preset: Preset, seed: int, folder: Path) -> DataFrame:
    made = photos_at(preset, seed, folder)
    alone = rows_of(made, "individual")
    return pandas.concat(
        [
            alone.assign(own_error=alone.top1_error),
            *(with_own_error(made, method) for method in MAIN[1:]),
        ]
    )


def photos_longer(seed: int, folder: Path) -> DataFrame:
    """The first task trained on for as long as PackNet retrains it."""
    made = photos_at(turned(PHOTOS, seed), seed, folder)
    network, task = made.first(), PHOTOS.tasks[0].name
    row = _learnt(made, network, task, PHOTOS.retrain_first, "longer")
    return DataFrame(
        [("individual", task, *row)],
        columns=["method", "task", "top1_error", "test_images"],
    )


def photos_inherited(seed: int, folder: Path) -> DataFrame:
    """The last task on each trunk that PackNet hands on.

    `trunk`: of the first task before it is pruned ("adapted"), or as it
    is when PackNet has done with a task; `trained`: a new head alone, the
    free weights with it, or these pruned and retrained as well.
    """
    made = photos_at(PHOTOS, seed, folder)
    made.carry_out(["packnet"])
    *before, last = (task.name for task in PHOTOS.tasks)
    classes = made.classes(last)
    rows = []

    def learn(trunk: str, network: PackNet, *, head: bool) -> None:
        trained = "head" if head else "free weights"
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, "inherited").initial_seed())
            add = on_fixed_trunk if head else with_own_weights
            network = add(network, last, classes)
        phase = PHOTOS.classifier if head else PHOTOS.add
        found = _learnt(made, network, last, phase, f"{trunk}, {trained}")
        rows.append((trunk, trained, *found))
        if not head:
            network.prune(PHOTOS.fractions[-1])
            found = _learnt(made, network, last, PHOTOS.retrain, trunk)
            rows.append((trunk, "pruned and retrained", *found))

    learn("adapted", made.first(), head=True)
    for task in before:
        learn(task, made.after("packnet", task), head=True)
        learn(task, made.after("packnet", task), head=False)
    columns = ["trunk", "trained", "top1_error", "test_images"]
    return DataFrame(rows, columns=columns)


class LowRank(nn.Module):
    """A fixed convolution and a change of low rank beside it.

    The change begins at zero (Hu et al., "LoRA", arXiv:2106.09685).
    """

    def __init__(self, layer: nn.Conv2d, rank: int):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Conv2d(
            layer.in_channels, rank, layer.kernel_size, layer.stride,
            layer.padding, bias=False,
        )  # fmt: skip
        self.up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H', W')."""
        return self.layer(x) + self.up(self.down(x))


def photos_adapter(seed: int, folder: Path) -> DataFrame:
    """Each added task with a low-rank adapter on the first task's trunk."""
    made = photos_at(turned(PHOTOS, seed), seed, folder)
    rows = []
    for task in (t.name for t in PHOTOS.tasks[1:]):
        with torch.random.fork_rng():
            torch.manual_seed(generator(seed, "adapter", task).initial_seed())
            network = in_own_network(made.first(), task, made.classes(task))
            adapted = adapters(network.trunk, RANK)
            network = PackNet(network.trunk, network.out_features)
            network.add_task(task, made.classes(task))
        network.trunk.requires_grad_(False)
        for module in adapted:
            module.down.requires_grad_(True)
            module.up.requires_grad_(True)
        own = sum(p.numel() for p in network.parameters() if p.requires_grad)
        found = _learnt(made, network, task, PHOTOS.add, "adapter")
        rows.append(("adapter", task, *found, own))
    return DataFrame(
        rows,
        columns=["method", "task", "top1_error", "test_images", "parameters"],
    )


def adapters(trunk: nn.Module, rank: int) -> list[LowRank]:
    """Put an adapter in the place of each convolution of a trunk."""
    made = []
    for parent in list(trunk.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                made.append(LowRank(child, rank))
                setattr(parent, name, made[-1])
    return made


def _learnt(
    made: Run, network: PackNet, task: str, phase: Phase, title: str
) -> tuple[float, int]:
    """Train a network's last task; its test error, and on how many."""
    size = made.preset.architecture.size
    fit(
        network, made.pictures(task, "train"), phase, size=size,
        seed=f"{made.seed}/{title}", title=f"{title}: {task}",
        accelerator=made.accelerator,
    )  # fmt: skip
    errors = evaluate(
        network, made.pictures(task, "test"), size=size,
        accelerator=made.accelerator,
    )  # fmt: skip
    return errors.top1, errors.images
