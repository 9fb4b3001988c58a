"""Bytes on disk, and what the network of the paper takes at full size."""

import shutil
from pathlib import Path

import torch
from pandas import DataFrame

from packnet_book.runs.contents import bytes_by_part
from packnet_book.runs.methods import METHODS
from packnet_book.runs.presets import FULL_LENGTH
from packnet_core.network import PackNet
from packnet_core.trunks import Architecture, build
from studies.common import run
from studies.full_scale import Scale, measured

FULL = Architecture("vgg16")
SCALE = Scale()


def sizes(seed: int, folder: Path) -> DataFrame:
    """Bytes of the packed network and of separate ones, measured."""
    made = run(FULL_LENGTH, seed, folder, "main")
    names = [task.name for task in FULL_LENGTH.tasks]
    rows = []

    def weigh(network: str, method: str, files: list[Path]) -> None:
        parts = DataFrame([bytes_by_part(file) for file in files]).sum()
        for part, size in parts.items():
            rows.append((network, method, part, size))

    for method in METHODS:
        ends = [made.file_after(method, names[-1])]
        if method == "individual":
            ends = [made.file_after(method, name) for name in names]
        weigh("miniature", method, ends)
    packed, separate = full_size(folder / "full-size")
    weigh("vgg16", "packnet", [packed])
    weigh("vgg16", "individual", separate)
    shutil.rmtree(folder / "full-size")
    return DataFrame(rows, columns=["network", "method", "part", "bytes"])


def full_size(folder: Path) -> tuple[Path, list[Path]]:
    """VGG-16 with the paper's four tasks and random weights, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    trunk = build(FULL)
    tasks = {"imagenet": 1000, "cubs": 200, "cars": 196, "flowers": 102}
    separate = []
    for name, classes in tasks.items():
        network = PackNet(trunk, trunk.out_features)
        network.add_task(name, classes)
        separate.append(folder / f"{name}.packnet")
        network.save(separate[-1])
    network = PackNet(trunk, trunk.out_features)
    for (name, classes), fraction in zip(
        tasks.items(), (0.5, 0.75, 0.75, None), strict=True
    ):
        network.add_task(name, classes)
        with torch.no_grad():  # as if it had been trained
            for layer, weight in network.layers.items():
                mine = network.owner[layer] == len(network.tasks)
                weight += mine * torch.randn_like(weight)
        if fraction is not None:
            network.prune(fraction)
    packed = folder / "packed.packnet"
    network.save(packed)
    return packed, separate


def full_scale(seed: int, folder: Path) -> DataFrame:
    """Time and memory of each phase at full size, random, three steps each.

    VGG-16 at 224 pixels, on a processor: what a step costs, not what it
    teaches.
    """
    return measured(FULL, SCALE, seed, folder / "full-scale")
