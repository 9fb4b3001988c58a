"""Lessons: what a phase of training minimises, and what it may change.

A lesson's loss is a module that holds the network: images (B, 3, H, W)
and labels (B,) go in, the loss to go down comes out.
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

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(self.network(images), labels)


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

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        *old, new = self.network.heads
        features = self.network.trunk(images)  # (B, features)
        loss = cross_entropy(new(features), labels)
        with torch.no_grad():
            before = self.teacher.trunk(images)
            taught = [head(before) for head in self.teacher.heads[:-1]]
        for head, wanted in zip(old, taught, strict=True):
            loss = loss + self.weight * kl_div(
                log_softmax(head(features) / self.temperature, dim=1),
                softmax(wanted / self.temperature, dim=1),
                reduction="batchmean",
            ) * (self.temperature**2)  # the gradient's size stays
        return loss


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

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        features = self.network.trunk(images)
        heads = [head(features) for head in self.network.heads]
        logits = torch.cat(heads, dim=1)  # (B, classes of all tasks)
        other = self.task_of != self.task_of[labels][:, None]
        losses = cross_entropy(
            logits.masked_fill(other, -torch.inf), labels, reduction="none"
        )
        task = self.task_of[labels]  # (B,)
        return (losses / task.bincount()[task]).sum()


@dataclass(frozen=True)
class Lesson:
    """What a phase teaches.

    loss: makes the module that is minimised; guarded: only what the
    current task owns may change, else everything that takes gradients;
    together: on the pictures of all the network's tasks, not of the
    current one only.
    """

    loss: Callable[[PackNet], nn.Module] = CurrentTask
    guarded: bool = True
    together: bool = False


OWN_WEIGHTS = Lesson()
FINE_TUNING = Lesson(guarded=False)
DISTILLING = Lesson(Distillation, guarded=False)
EVERYTHING = Lesson(AllTasks, guarded=False, together=True)
