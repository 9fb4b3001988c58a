"""Objectives: what a phase of training minimises, and what it may change.

An objective's loss is a module that holds the network. Into it go images
(B, 3, H, W) and labels (B,) of a part of a batch, and the labels (N,) of
all of it; out comes what this part adds to the batch's loss. So a batch
may be divided among processes, or worked on chunk by chunk.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from packnet_core.network import PackNet


class CurrentTask(nn.Module):
    """Cross-entropy of the current task."""

    def __init__(self, network: PackNet):
        super().__init__()
        self.network = network

    def forward(
        self, images: Tensor, labels: Tensor, batch_labels: Tensor
    ) -> Tensor:
        loss = cross_entropy(self.network(images), labels)
        return loss * (len(labels) / len(batch_labels))


@dataclass(frozen=True)
class Objective:
    """What a phase minimises. loss: makes the module that is minimised;
    guarded: only what the current task owns may change, else everything
    that takes gradients; joint: on the pictures of all tasks."""

    loss: Callable[[PackNet], nn.Module] = CurrentTask
    guarded: bool = True
    joint: bool = False


OWN_WEIGHTS = Objective()
FINE_TUNING = Objective(guarded=False)
