"""Trains a second task in as many processes as it is launched with.

Usage: two_processes.py FOLDER. Every process writes its weights into
FOLDER; run by `test_processes.py`.
"""

import sys
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from torch import nn

from packnet_core import PackNet
from packnet_core.pictures import Pictures
from packnet_core.training import Phase, evaluate, fit

folder = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(0)
trunk = nn.Sequential(
    nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(),
    nn.Flatten(), nn.Linear(6 * 7 * 7, 16), nn.ReLU(),
)  # fmt: skip
network = PackNet(trunk, 16)
images = torch.randint(0, 255, (47, 3, 18, 18)).byte()
labels = torch.arange(47) % 3
images[torch.arange(47), labels] //= 3
pictures = Pictures(images, labels, ("a", "b", "c"))
phase = Phase(3, 0.05, batch=8, weight_decay=0.1, clip=0.5)

network.add_task("one", 3)
accelerator = Accelerator()
fit(network, pictures, phase, size=16, accelerator=accelerator)
network.prune(0.5)
first = {n: w.detach().clone() for n, w in network.layers.items()}
network.add_task("two", 3)
fit(network, pictures, phase, size=16, accelerator=accelerator)
errors = evaluate(network, pictures, size=16, accelerator=accelerator)

for name, weight in network.layers.items():
    fixed = network.owner[name] == 1
    assert torch.equal(weight[fixed], first[name][fixed]), name
    assert not torch.equal(weight, first[name]), name
network.prune(0.5)
owners = {f"owner.{n}": owner for n, owner in network.owner.items()}
state = {n: t.contiguous() for n, t in network.state_dict().items()}
measured = {"errors": torch.tensor([errors.top1, errors.images])}
place = folder / f"{accelerator.process_index}.safetensors"
save_file(state | owners | measured, place)
accelerator.end_training()
