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
class Errors:
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
    network: nn.Module, pictures: Pictures, *, size: int, batch: int = 250
) -> Tensor:
    """Outputs (N, classes) for the centres of all pictures, on the CPU."""
    parts = [
        part
        for part, _ in _predict(
            network,
            pictures,
            torch.arange(len(pictures)),
            size,
            batch,
            new_accelerator(),
        )
    ]
    return torch.cat(parts).cpu()


@torch.no_grad()
def evaluate(
    network: nn.Module,
    pictures: Pictures,
    *,
    size: int,
    batch: int = 250,
    accelerator: Accelerator | None = None,
) -> Errors:
    """Top-1 and top-5 error of the task that the network shows.

    network: any module that maps images (B, 3, size, size) to logits;
    size: side of the square in the centre of each picture, in pixels.
    With several processes each tests its share, and all get the sum.
    """
    accelerator = accelerator or new_accelerator()
    if len(pictures) == 0:
        raise BadRun("there are no pictures to test on")
    process, processes = accelerator.process_index, accelerator.num_processes
    mine = torch.arange(process, len(pictures), processes)
    right = torch.zeros(2, device=accelerator.device)
    few = len(pictures.classes) <= 5
    for outputs, labels in _predict(
        network, pictures, mine, size, batch, accelerator
    ):
        if outputs.shape[1] != len(pictures.classes):
            raise BadRun(
                f"pictures of {len(pictures.classes)} classes for "
                f"{outputs.shape[1]} outputs: give those of the task that "
                "the network shows"
            )
        best = outputs.topk(1 if few else 5).indices
        hits = best == labels[:, None]  # (B, 1 or 5)
        right += torch.stack([hits[:, 0].sum(), hits.sum()])
    total = accelerator.reduce(right, "sum")
    assert isinstance(total, Tensor)
    top1, top5 = (100 * (1 - total.cpu().double() / len(pictures))).tolist()
    return Errors(top1, math.nan if few else top5, len(pictures))


def _predict(
    network: nn.Module,
    pictures: Pictures,
    indices: Tensor,
    size: int,
    batch: int,
    accelerator: Accelerator,
) -> Iterator[tuple[Tensor, Tensor]]:
    device, kind = accelerator.device, number_type(network)
    network.to(device)
    with modes_kept(network):
        network.eval()
        for part in indices.split(batch):
            images = pictures.centres(part, size, device)
            with accelerator.autocast():
                outputs = network(normalise(images, kind)).float()
            yield outputs, pictures.labels[part].to(device)
