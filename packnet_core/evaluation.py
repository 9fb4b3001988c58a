"""Testing, the same on one processor, a GPU, or several."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.state import GradientState
from accelerate.utils import GradientAccumulationPlugin
from torch import Tensor, nn

from packnet_core.errors import BadRun
from packnet_core.images import Pictures, normalise


@dataclass(frozen=True)
class ErrorRates:
    """Errors in percent (top-5: NaN up to 5 classes); images: how many."""

    top1: float
    top5: float
    images: int

    def __str__(self) -> str:
        top5 = f"top-5 error {self.top5:.2f} %"
        if math.isnan(self.top5):
            top5 = "no top-5 error (five classes or fewer)"
        return f"top-1 error {self.top1:.2f} %, {top5}, {self.images} images"


def new_accelerator() -> Accelerator:
    """An accelerator as launched; what another one accumulates is kept."""
    kept = GradientAccumulationPlugin(**GradientState().plugin_kwargs)
    return Accelerator(gradient_accumulation_plugin=kept)


def number_type(network: nn.Module) -> torch.dtype:
    """The type of the numbers that a network takes: its parameters'."""
    floats = (p.dtype for p in network.parameters() if p.is_floating_point())
    return next(floats, torch.get_default_dtype())


@contextmanager
def modes_kept(network: nn.Module) -> Iterator[None]:
    """Whatever happens: every module is in its mode again afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@torch.no_grad()
def logits(
    network: nn.Module,
    pictures: Pictures,
    *,
    size: int,
    batch: int = 250,
    some: Tensor | None = None,
    accelerator: Accelerator | None = None,
) -> Tensor:
    """Outputs (N, classes) for the centres of pictures, on the CPU. some:
    which pictures (N,), all if None; for the rest see `evaluate`."""
    accelerator = accelerator or new_accelerator()
    device, kind = accelerator.device, number_type(network)
    every = torch.arange(len(pictures)) if some is None else some
    outputs = []
    with modes_kept(network), accelerator.autocast():
        network.to(device).eval()
        for indices in every.split(batch):
            images = normalise(pictures.centres(indices, size, device), kind)
            outputs.append(network(images).float().cpu())
    return torch.cat(outputs)


def evaluate(
    network: nn.Module,
    pictures: Pictures,
    *,
    size: int,
    batch: int = 250,
    accelerator: Accelerator | None = None,
) -> ErrorRates:
    """Top-1 and top-5 error of the task that the network shows.

    network: any module that maps images (B, 3, size, size) to logits;
    size: side of the square in the centre of each picture, in pixels.
    With several processes each tests its share, and all get the sum.
    Raises BadPictures; BadRun for none, or those of another task."""
    accelerator = accelerator or new_accelerator()
    count, classes = len(pictures), len(pictures.classes)
    processes = accelerator.num_processes
    if count < processes:
        raise BadRun(f"no pictures to test on: give {processes} or more")
    mine = torch.arange(accelerator.process_index, count, processes)
    options = {"size": size, "batch": batch, "accelerator": accelerator}
    outputs = logits(network, pictures, some=mine, **options)
    if outputs.shape[1] != classes:
        raise BadRun(
            f"pictures of {classes} classes for {outputs.shape[1]} outputs: "
            "give those of the task that the network shows"
        )
    best = outputs.topk(5 if classes > 5 else 1).indices  # (N, 5 or 1)
    hits = best == pictures.labels[mine, None]
    right = torch.stack([hits[:, 0].sum(), hits.sum()])
    total = accelerator.reduce(right.to(accelerator.device), "sum")
    top1, top5 = (100 * (1 - total.cpu().double() / count)).tolist()
    return ErrorRates(top1, top5 if classes > 5 else math.nan, count)
