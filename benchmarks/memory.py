"""Peak memory of adding a task to VGG-16, over plain fine-tuning.

Each way runs in a process of its own, two steps of SGD with momentum on
8 pictures of 224 px; what is compared is the process's largest resident
size.
"""

import re
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from packnet_core import PackNet
from packnet_core.trunks import Architecture, build

WEIGHTS = 134_248_128


def largest() -> int:
    """This process's largest resident size so far, in bytes. Linux."""
    # ru_maxrss would carry over that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    kilobytes = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert kilobytes is not None
    return int(kilobytes[1]) * 1024


def peak(way: str) -> int:
    """Largest resident size, in bytes, of a process that trains so."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", way],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(done.stdout)


def run() -> str:
    """Bytes a weight that adding a task takes above fine-tuning."""
    plain, packed = peak("plain"), peak("packnet")
    return (
        f"{(packed - plain) / WEIGHTS:.2f} bytes a weight "
        f"({plain / 1e9:.2f} GB fine-tuning, {packed / 1e9:.2f} GB PackNet)"
    )


def train(way: str) -> None:
    trunk = build(Architecture("vgg16"))
    network: nn.Module = nn.Sequential(trunk, nn.Linear(4096, 10))
    if way == "packnet":
        network = PackNet(trunk, trunk.out_features)
        network.add_task("first", 10)
        network.prune(0.5)
        network.add_task("second", 10)
    optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.9)
    if isinstance(network, PackNet):
        network.guard(optimizer)
    for _ in range(2):
        optimizer.zero_grad()
        images = torch.randn(8, 3, 224, 224)
        cross_entropy(network(images), torch.arange(8)).backward()
        optimizer.step()


if __name__ == "__main__":
    train(sys.argv[1])
    print(largest())
