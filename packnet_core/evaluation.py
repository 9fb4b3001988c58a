"""Testing, the same on one processor, a GPU, or several."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.state import GradientState
from torch import Tensor, nn

from packnet_core.errors import BadRun
from packnet_core.images import Pictures, normalise


@dataclass(frozen=True)
class ErrorRates:
    """Top-1 and top-5 error in percent, over so many test images.

    top5 is NaN where there are five classes or fewer.
    """

    top1: float
    top5: float
    images: int

    def __str__(self) -> str:
        top5 = f"top-5 error {self.top5:.2f} %"
        if math.isnan(self.top5):
            top5 = "no top-5 error (five classes or fewer)"
        return f"top-1 error {self.top1:.2f} %, {top5}, {self.images} images"


def new_accelerator() -> Accelerator:
    """An accelerator as the process was started, or as it began.

    Making one would set back what another one accumulates: not so here.
    """
    state = GradientState()
    kept = dict(state.plugin_kwargs) if state.initialized else None
    made = Accelerator()
    if kept is not None:
        state.plugin_kwargs = kept
    return made


def number_type(network: nn.Module) -> torch.dtype:
    """The type of the numbers that a network takes: its parameters'."""
    for parameter in network.parameters():
        if parameter.is_floating_point():
            return parameter.dtype
    return torch.get_default_dtype()


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
    """Outputs (N, classes) for the centres of pictures, on the CPU.

    some: which pictures (N,), all if None; for the rest see `evaluate`.
    """
    accelerator = accelerator or new_accelerator()
    device, kind = accelerator.device, number_type(network)
    if some is None:
        some = torch.arange(len(pictures))
    parts = []
    with modes_kept(network):
        network.to(device).eval()
        for indices in some.split(batch):
            images = pictures.centres(indices, size, device)
            with accelerator.autocast():
                outputs = network(normalise(images, kind))
            parts.append(outputs.float().cpu())
    return torch.cat(parts)


@torch.no_grad()
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
    Raises BadRun for no pictures, or those of another task.
    """
    accelerator = accelerator or new_accelerator()
    process, processes = accelerator.process_index, accelerator.num_processes
    if len(pictures) < processes:
        raise BadRun(f"no pictures to test on: give {processes} or more")
    mine = torch.arange(process, len(pictures), processes)
    outputs = logits(
        network, pictures, size=size, batch=batch, some=mine,
        accelerator=accelerator,
    )  # fmt: skip
    classes = len(pictures.classes)
    if outputs.shape[1] != classes:
        raise BadRun(
            f"pictures of {classes} classes for {outputs.shape[1]} outputs: "
            "give those of the task that the network shows"
        )
    best = outputs.topk(5 if classes > 5 else 1).indices  # (N, 5 or 1)
    hits = best == pictures.labels[mine, None]
    right = torch.stack([hits[:, 0].sum(), hits.sum()])
    total = accelerator.reduce(right.to(accelerator.device), "sum")
    assert isinstance(total, Tensor)
    top1, top5 = (100 * (1 - total.cpu().double() / len(pictures))).tolist()
    return ErrorRates(top1, top5 if classes > 5 else math.nan, len(pictures))
