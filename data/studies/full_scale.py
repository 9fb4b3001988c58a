"""The full-size network on a processor: time and memory of each phase.

Two tasks, random weights, random pictures, three steps each: what is
measured is what a step costs, not what is learnt. Peaks are resident
sizes, in a process that has done nothing else before.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from pandas import DataFrame

from packnet_core import load
from packnet_core.evaluation import evaluate
from packnet_core.images import Pictures, generator
from packnet_core.network import PackNet
from packnet_core.training import Phase, fit
from packnet_core.trunks import Architecture, build

STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Scale:
    """How much is done: pictures a step, steps a phase, both tasks'
    numbers of classes, and the fraction that is freed between them.

    A batch of 32 in four parts is as large as four of 8, one by one.
    """

    batch: int = 8
    steps: int = 3
    classes: tuple[int, int] = (1000, 200)
    fraction: float = 0.5


def measured(
    architecture: Architecture, scale: Scale, seed: int, folder: Path
) -> DataFrame:
    """`phases` in a new process; Linux only, for it asks /proc."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return fresh.submit(
            phases, architecture, scale, seed, folder
        ).result()


def phases(
    architecture: Architecture, scale: Scale, seed: int, folder: Path
) -> DataFrame:
    """Columns phase, seconds, cpu_seconds, peak_bytes.

    cpu_seconds: of all threads together, which count only while this
    process has a core; peak_bytes: the largest resident size.

    Stops with an error if the first task's answers are not the same bits
    before and after the second task, and in the file.
    """
    rows: list[tuple[str, float, float, int]] = []
    phase = Phase(1, 1e-3, batch=scale.batch)
    size = architecture.size
    torch.manual_seed(generator(seed, "full scale").initial_seed())
    sets = [
        noise(scale.batch * scale.steps, size, count)
        for count in scale.classes
    ]

    @contextmanager
    def during(name: str) -> Iterator[None]:
        forget_peak()
        begun, worked = time.perf_counter(), time.process_time()
        yield
        rows.append(
            (
                name,
                time.perf_counter() - begun,
                time.process_time() - worked,
                peak(),
            )
        )

    def train(place: int) -> None:
        fit(network, sets[place], phase, size=size, seed=seed)

    def answers(network: PackNet) -> torch.Tensor:
        network.eval()
        few = torch.linspace(-2, 2, 3 * size * size).view(1, 3, size, size)
        with torch.no_grad(), network.view("first"):
            return network(few)

    with during("import"):
        pass
    with during("build"):
        trunk = build(architecture)
        network = PackNet(trunk, trunk.out_features)
        network.add_task("first", scale.classes[0])
    with during("train first"):
        train(0)
    with during("prune first"):
        network.prune(scale.fraction)
    with during("retrain first"):
        train(0)
    before = answers(network)
    with during("add second"):
        network.add_task("second", scale.classes[1])
        train(1)
    assert torch.equal(answers(network), before)
    for name, pictures in zip(("first", "second"), sets, strict=True):
        some = Pictures(
            pictures.images[: scale.batch],
            pictures.labels[: scale.batch],
            pictures.classes,
        )
        with during(f"test {name}"), network.view(name):
            evaluate(network, some, size=size)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "full-scale.packnet"
    with during("save"):
        network.save(file)
    del network, trunk
    with during("load"):
        network = load(file)
    assert torch.equal(answers(network), before)
    file.unlink()
    return DataFrame(
        rows, columns=["phase", "seconds", "cpu_seconds", "peak_bytes"]
    )


def noise(count: int, size: int, classes: int) -> Pictures:
    """Pictures of random pixels with random labels."""
    return Pictures(
        torch.randint(256, (count, 3, size, size), dtype=torch.uint8),
        torch.randint(classes, (count,)),
        tuple(map(str, range(classes))),
    )


def forget_peak() -> None:
    """Begin anew with the largest resident size (see proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The largest resident size since then, in bytes."""
    kilobytes = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text())
    assert kilobytes is not None
    return int(kilobytes[1]) * 1024
