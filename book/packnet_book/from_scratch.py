"""PackNet in five functions: what *PackNet from scratch* has readers write.

They work on a trunk of torch modules and on an owner map: a dict from
the name of each shared weight to a uint8 tensor of its shape, 0 where
the weight is free, k where the k-th task owns it. Both are changed in
place. `packnet_core` does the same for any trunk, optimiser and device.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Owner = dict[str, Tensor]
Batch = tuple[Tensor, Tensor]


def nothing() -> None:
    """What is done after a step where nothing has to be."""


def train(
    trunk: nn.Module,
    head: nn.Module,
    batches: Iterable[Batch],
    lr: float,
    after_step: Callable[[], None] = nothing,
) -> None:
    """One phase: a step for each batch, images (B, 3, H, W), labels (B,)."""
    parameters = [*trunk.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, lr, momentum=0.9)
    for images, labels in batches:
        optimizer.zero_grad()
        cross_entropy(head(trunk(images)), labels).backward()
        optimizer.step()
        after_step()


def see(trunk: nn.Module, owner: Owner, task: int) -> dict[str, Tensor]:
    """What one task sees of the shared weights, as new tensors."""
    shown = {}
    for name, owners in owner.items():
        hidden = (owners == 0) | (owners > task)
        weight = trunk.get_parameter(name).detach()
        shown[name] = weight.masked_fill(hidden, 0)
    return shown


@torch.no_grad()
def prune(trunk: nn.Module, owner: Owner, task: int, fraction: float) -> None:
    """Free a task's smallest weights, layer by layer, and zero them."""
    for name, owners in owner.items():
        weight = trunk.get_parameter(name)
        mine = owners == task
        rank = round(fraction * int(mine.sum()))
        if rank > 0:
            cutoff = weight[mine].abs().kthvalue(rank).values
            freed = mine & (weight.abs() <= cutoff)
            weight[freed] = 0
            owners[freed] = 0


def retrain(
    trunk: nn.Module,
    head: nn.Module,
    owner: Owner,
    batches: Iterable[Batch],
    lr: float,
) -> None:
    """Train the first task again; what it has freed stays at zero."""

    @torch.no_grad()
    def clear() -> None:
        for name, owners in owner.items():
            trunk.get_parameter(name)[owners == 0] = 0

    train(trunk, head, batches, lr, after_step=clear)


def freeze(trunk: nn.Module, owner: Owner, task: int) -> Callable[[], None]:
    """A function that puts back whatever a task may not change."""
    before = {n: p.detach().clone() for n, p in trunk.named_parameters()}

    @torch.no_grad()
    def put_back() -> None:
        for name, now in trunk.named_parameters():
            if name in owner:
                fixed = owner[name] != task
                now[fixed] = before[name][fixed]
            elif task > 1:
                now.copy_(before[name])

    return put_back


@torch.no_grad()
def hand_over(trunk: nn.Module, owner: Owner, task: int) -> None:
    """Give every free weight to a task, from zero."""
    for name, owners in owner.items():
        free = owners == 0
        trunk.get_parameter(name)[free] = 0
        owners[free] = task
