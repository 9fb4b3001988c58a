"""The network of a playground's file, as a PackNet in torch."""

import json
from pathlib import Path

import torch
from torch import nn

from packnet_core import PackNet


def exact(values: list) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def restore(path: str | Path) -> PackNet:
    """The same network, in float64: weights, owners, tasks, heads.

    path: a file that the playground has saved under PackNet, or with one
    network for all tasks.
    """
    state = json.loads(Path(path).read_text("utf-8"))
    saved, *others = state["networks"]
    if others:
        raise ValueError(f"{path} holds separate networks, not one PackNet")
    hidden = state["settings"]["hidden"]
    tanh = state["settings"]["activation"] == "tanh"
    act = nn.Tanh if tanh else nn.ReLU
    net = PackNet(
        nn.Sequential(
            nn.Linear(2, hidden), act(), nn.Linear(hidden, hidden), act()
        ).double(),
        features=hidden,
    )
    trunk = net.trunk.state_dict()  # the tensors themselves
    for number, task in enumerate(state["tasks"], start=1):
        owners = {n: torch.tensor(o) for n, o in saved["owner"].items()}
        free = any((o == 0).any() for o in net.owner.values())
        add = net.add_task if free else net.add_head
        add(task["name"], 2)
        for name, values in saved["trunk"].items():
            new = exact(values)
            if name in owners:  # a weight; else a bias, of the first task
                mine = owners[name] == number
                net.owner[name][(net.owner[name] == number) & ~mine] = 0
                trunk[name].copy_(torch.where(mine, new, trunk[name]))
                trunk[name][net.owner[name] == 0] = 0
            elif number == 1:
                trunk[name].copy_(new)
        for fraction in task["fractions"]:
            net.note_pruned(fraction)
        head = saved["heads"][str(number)]
        net.heads[-1].load_state_dict({n: exact(v) for n, v in head.items()})
    return net
