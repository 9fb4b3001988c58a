"""Cost: time, memory and bytes, each as a ratio to a plain network."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from pandas import DataFrame
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Optimizer

from benchmarks.memory import largest
from benchmarks.peers.doors import (
    Authors,
    Avalanche,
    Door,
    Here,
    Plain,
    doors,
    have_avalanche,
)
from benchmarks.ratios import Ratio, compare
from packnet_core.trunks import Architecture, build


@dataclass(frozen=True)
class Network:
    """A network, what a step of it works on, and how many pairs of
    timings are taken of what is quick and of what is not."""

    width: float
    size: int
    batch: int
    quick: int
    slow: int
    classes: int = 10


SETTINGS = {
    "miniature": Network(0.25, 48, 32, quick=21, slow=21),
    "VGG-16, half as wide": Network(0.5, 64, 8, quick=15, slow=15),
}
FULL = Network(1.0, 64, 8, quick=0, slow=0)  # for the peak of memory
IMPORTS = "imports"
PEAKS = 5  # processes, whose peaks differ by some megabytes
KINDS = {kind.name: kind for kind in (Plain, Here, Avalanche, Authors)}


def opened(kind: type[Door], network: Network) -> Door:
    """The first task's network, from random weights, the same for all."""
    torch.manual_seed(0)
    trunk = build(Architecture("vgg16", network.width, network.size))
    return kind(trunk, nn.Linear(trunk.out_features, network.classes))


def grown(door: Door) -> Optimizer:
    """Half pruned, with a second task begun, and its optimiser."""
    door.prune(0.5)
    door.finish()
    door.begin_next()
    optimizer = SGD(door.model.parameters(), 1e-4, momentum=0.9)
    door.guard(optimizer)
    return optimizer


def step(door: Door, optimizer: Optimizer, images: Tensor) -> None:
    optimizer.zero_grad()
    labels = torch.arange(len(images)) % 10
    cross_entropy(door.logits(images), labels).backward()
    door.before_step()
    optimizer.step()
    door.after_step()


def times(kind: type[Door], network: Network) -> dict[str, Ratio]:
    """Processor seconds over those of the plain network, in pairs."""
    images = torch.randn(network.batch, 3, network.size, network.size)
    plain, door = opened(Plain, network), opened(kind, network)
    theirs = grown(plain)
    back = door.snapshot()

    @contextmanager
    def unpruned() -> Iterator[None]:
        back()
        yield

    def plain_step() -> None:
        plain.train()
        step(plain, theirs, images)

    found = {}
    found["pruning the first task, in plain steps"] = compare(
        lambda: door.prune(0.5), plain_step, pairs=network.slow,
        setting=unpruned, clock=time.process_time,
    )  # fmt: skip
    back()
    ours = grown(door)
    door.train()
    found["a step of the second task"] = compare(
        lambda: step(door, ours, images), plain_step, pairs=network.quick,
        clock=time.process_time,
    )  # fmt: skip

    @contextmanager
    def trained() -> Iterator[None]:
        door.train()
        step(door, ours, images)
        yield

    def forward() -> None:
        plain.as_first(images)

    found["the first answer as an old task after a step"] = compare(
        lambda: door.as_first(images), forward, pairs=network.slow,
        setting=trained, clock=time.process_time,
    )  # fmt: skip

    @contextmanager
    def proven() -> Iterator[None]:
        with trained():
            door.model.eval()
            yield

    if isinstance(door, Here):  # the others prove nothing then
        found["the same without the proof, as the others have it"] = compare(
            lambda: door.as_first(images), forward, pairs=network.slow,
            setting=proven, clock=time.process_time,
        )  # fmt: skip
    with torch.no_grad(), door.looking() as answer:
        found["a further answer as an old task"] = compare(
            lambda: answer(images), forward, pairs=network.quick,
            clock=time.process_time,
        )  # fmt: skip
    with trained():  # the second task is the current one again
        ours = grown(door)
    found["the first answer as the first of three tasks"] = compare(
        lambda: door.as_first(images), forward, pairs=network.slow,
        setting=trained, clock=time.process_time,
    )  # fmt: skip
    if isinstance(door, Here):
        found["the first of three tasks without the proof"] = compare(
            lambda: door.as_first(images), forward, pairs=network.slow,
            setting=proven, clock=time.process_time,
        )  # fmt: skip
    return found


def bytes_of(kind: type[Door], network: Network) -> dict[str, int]:
    """What a network with two tasks takes: its state, and its file."""
    door = opened(kind, network)
    grown(door)
    state = door.saved()
    if isinstance(door, Authors):
        state = {**state["model"], **state["masks"]}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "network"
        door.save(place)
        size = place.stat().st_size
    held = sum(t.nbytes for t in state.values() if isinstance(t, Tensor))
    return {"state": held, "file": size}


def peak(name: str) -> int:
    """Largest resident size, in bytes, of a process of its own that prunes
    VGG-16 with one implementation, adds a task and trains two steps; or,
    given IMPORTS, that does nothing after its imports."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.peers.cost"]
    done = subprocess.run(
        [*command, name], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def run(networks: dict[str, Network]) -> DataFrame:
    """Processor time, bytes and peak memory over those of a plain network
    in the same run. Times are ratios of interleaved pairs on one thread:
    the median, the smallest and the largest."""
    rows = []

    def enter(network: str, what: str, kind: type[Door], ratio: Ratio):
        rows.append(
            {"network": network, "what": what, "peer": kind.name,
             "ratio": median(ratio.values), "lowest": min(ratio.values),
             "highest": max(ratio.values), "pairs": len(ratio.values)}
        )  # fmt: skip
        print(rows[-1], flush=True)

    for name, network in networks.items():
        plain = bytes_of(Plain, network)
        for kind in doors():
            for what, size in bytes_of(kind, network).items():
                enter(name, what, kind, Ratio((size / plain[what],)))
            for what, ratio in times(kind, network).items():
                enter(name, what, kind, ratio)
    for kind in doors():
        found = []
        for _ in range(PEAKS):
            imported = peak(IMPORTS)
            alone = peak(Plain.name) - imported
            found.append((peak(kind.name) - imported) / alone)
        what = "peak memory, without the imports'"
        enter("VGG-16", what, kind, Ratio(tuple(found)))
    return DataFrame(rows)


def main(name: str) -> None:
    """Print the largest resident size of this process; all processes have
    imported the same."""
    if have_avalanche():
        import avalanche.models.packnet  # noqa: F401
    if name != IMPORTS:
        door = opened(KINDS[name], FULL)
        optimizer = grown(door)
        door.train()
        images = torch.randn(FULL.batch, 3, FULL.size, FULL.size)
        for _ in range(2):
            step(door, optimizer, images)
    print(largest())


if __name__ == "__main__":
    main(sys.argv[1])
