"""Work in as many processes as is asked for, on the CPU (gloo).

What they do is here too: one task after another, and a whole run.
"""

import math
import multiprocessing
import os
import signal
import socket
from dataclasses import replace

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from torch import nn

from packnet_book.runs.runner import Run
from packnet_core import PackNet, training
from packnet_core.evaluation import evaluate, logits
from packnet_core.images import Pictures
from packnet_core.training import Phase, fit
from packnet_core.trunks import Architecture
from tests.test_run import TINY

FEW = Phase(2, 0.02, batch=40, clip=1.0)  # some steps
PLAIN = replace(
    TINY,
    architecture=Architecture("vgg16", 1 / 16, 32, dropout=0.0),
    first=FEW,
    retrain_first=FEW,
    add=Phase(2, 0.02, batch=8, clip=1.0),  # more, to be cut short
    retrain=FEW,
    alone=FEW,
    classifier=FEW,
    lwf=replace(FEW, trunk_from=1),
    ewc=FEW,
    joint=FEW,
)


def start(count, work, *arguments) -> list:
    """Begin `work(*arguments)` in each of so many processes."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.processes"])
    begun = [
        context.Process(target=_place, args=(n, count, port, work, arguments))
        for n in range(count)
    ]
    for process in begun:
        process.start()
    return begun


def finish(processes) -> None:
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def _place(number, count, port, work, arguments) -> None:
    """What `accelerate launch` tells a process, then its work."""
    if count > 1:
        os.environ |= {
            "RANK": str(number), "LOCAL_RANK": str(number),
            "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "localhost", "MASTER_PORT": str(port),
        }  # fmt: skip
    os.environ["ACCELERATE_USE_CPU"] = "true"
    torch.set_num_threads(1)
    work(*arguments)
    accelerator = Accelerator()
    assert accelerator.num_processes == count
    accelerator.end_training()


def two_tasks(folder, precision, parts, norm) -> None:
    """Train two tasks; write what each process ends with into a folder."""
    torch.manual_seed(0)
    trunk = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2),
        nn.BatchNorm2d(6) if norm else nn.Identity(), nn.ReLU(),
        nn.Flatten(), nn.Linear(6 * 7 * 7, 16), nn.ReLU(),
    )  # fmt: skip
    if precision == "no":  # so that rounding does not blur what differs
        trunk = trunk.double()
    network = PackNet(trunk, 16)
    images = torch.randint(0, 255, (47, 3, 18, 18)).byte()
    labels = torch.arange(47) % 3
    images[torch.arange(47), labels] //= 3
    pictures = Pictures(images, labels, ("a", "b", "c"))
    phase = Phase(3, 0.05, batch=7, weight_decay=0.1, clip=0.5)
    accelerator = Accelerator(mixed_precision=precision)

    def train() -> None:
        fit(network, pictures, phase, size=16, accelerator=accelerator,
            accumulate=parts)  # fmt: skip

    network.add_task("one", 3)
    train()
    network.prune(0.5)
    train()
    packed = {n: w.detach().clone() for n, w in network.layers.items()}
    with network.view("one"):
        before = logits(network, pictures, size=16)
    rounded = torch.equal(before, before.bfloat16().float())
    assert rounded == (precision == "bf16")
    network.add_task("two", 3)
    train()
    errors = evaluate(network, pictures, size=16, accelerator=accelerator)

    for name, weight in network.layers.items():
        fixed = network.owner[name] == 1
        assert torch.equal(weight[fixed], packed[name][fixed]), name
        assert not torch.equal(weight, packed[name]), name
    with network.view("one"):
        assert torch.equal(logits(network, pictures, size=16), before)
    network.prune(0.5)
    state = {n: t.contiguous() for n, t in network.state_dict().items()}
    del state["_extra_state"]  # with digests, which rounding changes
    measured = {"errors": torch.tensor([errors.top1, errors.images])}
    place = folder / f"{accelerator.process_index}.safetensors"
    save_file(state | measured, place)


def whole_run(out, methods, pause=5.0) -> None:
    """A small run without dropout; pause: seconds between checkpoints.

    In double precision: a small change grows from step to step, and that
    of rounding shall stay far below any other.
    """
    torch.set_default_dtype(torch.float64)
    training.SHORTEST_PAUSE, training.LONGEST_SHARE = pause, math.inf
    Run(PLAIN, out, seed=1).carry_out(methods)


def told_to_stop(folder) -> None:
    """Train; the last process alone is told to stop in the third step; go
    on from there, and end like a network that was not disturbed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    torch.manual_seed(0)
    images = torch.randint(0, 255, (30, 3, 8, 8)).byte()
    pictures = Pictures(images, torch.arange(30) % 3, ("a", "b", "c"))
    accelerator = Accelerator()

    def told(step: int) -> None:
        if step == 3 and accelerator.is_last_process:
            signal.raise_signal(signal.SIGTERM)

    def end(**options) -> PackNet:
        torch.manual_seed(0)
        trunk = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU())
        network = PackNet(trunk, 8)
        network.add_task("one", 3)
        phase = Phase(2, 0.05, batch=6)
        fit(network, pictures, phase, size=8, accelerator=accelerator,
            **options)  # fmt: skip
        return network

    file, steps = folder / "phase.checkpoint", []
    try:
        end(checkpoint=file, watch=told)
    except KeyboardInterrupt:
        resumed = end(checkpoint=file, watch=steps.append)
    assert steps == list(range(4, 11))
    undisturbed = end().state_dict()
    for name, weight in resumed.trunk.named_parameters():
        assert torch.equal(weight, undisturbed[f"trunk.{name}"]), name
