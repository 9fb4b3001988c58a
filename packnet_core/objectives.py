"""Objectives: what a phase of training minimises, and what it may change.

An objective's loss is a module that holds the network. Images (B, 3, H, W)
and labels (B,) of a part of a batch go in, and the labels (N,) of the
whole batch; out comes what this part adds to the batch's loss. So a batch
may be divided among processes, or worked on piece by piece.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from packnet_core.network import PackNet


class CurrentTask(nn.Module):
    """Cross-entropy of the current task."""

    def __init__(self, network: PackNet):
        super().__init__()
        self.network = network

    def forward(
        self, images: Tensor, labels: Tensor, whole: Tensor
    ) -> Tensor:
        loss = cross_entropy(self.network(images), labels)
        return loss * (len(labels) / len(whole))


class Distillation(nn.Module):
    """Learning without Forgetting: the old heads shall answer as before.

    To the new task's cross-entropy comes, for each earlier task, the
    divergence of its softened answers from those that the network gave
    to the same pictures before the new task (Li & Hoiem, "Learning
    without Forgetting", arXiv:1606.09282). network: its last task is
    the new one.
    """

    temperature = 2.0
    weight = 1.0  # of each old head

    def __init__(self, network: PackNet):
        super().__init__()
        self.network = network
        self.teacher = deepcopy(network).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Distillation":
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(
        self, images: Tensor, labels: Tensor, whole: Tensor
    ) -> Tensor:
        *old, new = self.network.heads
        features = self.network.features(images)  # (B, features)
        loss = cross_entropy(new(features), labels)
        with torch.no_grad():
            before = self.teacher.features(images)
            taught = [head(before) for head in self.teacher.heads[:-1]]
        for head, wanted in zip(old, taught, strict=True):
            loss = loss + self.weight * kl_div(
                log_softmax(head(features) / self.temperature, dim=1),
                softmax(wanted / self.temperature, dim=1),
                reduction="batchmean",
            ) * (self.temperature**2)  # the gradient's size stays
        return loss * (len(labels) / len(whole))


class AllTasks(nn.Module):
    """Sum over the tasks of the cross-entropy under the task's own head.

    Each task's is the mean over its pictures in the batch, so that a
    task with few pictures counts as much as one with many. Labels count
    through the classes of all tasks, in the tasks' order.
    """

    task_of: Tensor  # (classes of all tasks,): each class's task

    def __init__(self, network: PackNet):
        super().__init__()
        self.network = network
        counts = [len(record.classes) for record in network.records]
        tasks = torch.arange(len(counts))
        self.register_buffer(
            "task_of", tasks.repeat_interleave(torch.tensor(counts))
        )

    def forward(
        self, images: Tensor, labels: Tensor, whole: Tensor
    ) -> Tensor:
        features = self.network.features(images)
        heads = [head(features) for head in self.network.heads]
        logits = torch.cat(heads, dim=1)  # (B, classes of all tasks)
        other = self.task_of != self.task_of[labels][:, None]
        losses = cross_entropy(
            logits.masked_fill(other, -torch.inf), labels, reduction="none"
        )
        counts = self.task_of[whole].bincount()  # a task's in the batch
        return (losses / counts[self.task_of[labels]]).sum()


@dataclass(frozen=True)
class Objective:
    """What a phase minimises, and on what.

    loss: makes the module that is minimised; guarded: only what the
    current task owns may change, else everything that takes gradients;
    joint: on the pictures of all the network's tasks, not of the
    current one only.
    """

    loss: Callable[[PackNet], nn.Module] = CurrentTask
    guarded: bool = True
    joint: bool = False


OWN_WEIGHTS = Objective()
FINE_TUNING = Objective(guarded=False)
DISTILLING = Objective(Distillation, guarded=False)
EVERYTHING = Objective(AllTasks, guarded=False, joint=True)
