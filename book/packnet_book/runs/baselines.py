"""What the methods minimise that PackNet is compared with.

Learning without Forgetting, elastic weight consolidation, and training on
all tasks at once. Each is a loss as `packnet_core.training.Objective` says.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from packnet_core.images import Pictures, Source, generator, normalise
from packnet_core.network import PackNet
from packnet_core.training import Objective


class Distillation(nn.Module):
    """Learning without Forgetting: the old heads shall answer as before.

    To the new task's cross-entropy comes, for each earlier task, the
    divergence of its softened answers from those that the network gave
    to the same pictures before the new task (Li & Hoiem, "Learning
    without Forgetting", arXiv:1606.09282). As PackNet's authors have it:
    without Hinton's factor, the temperature squared. network: its last
    task is the new one; strength: the weight of each old head's term.
    """

    temperature = 2.0

    def __init__(self, network: PackNet, strength: float = 1.0):
        super().__init__()
        self.network, self.strength = network, strength
        self.teacher = deepcopy(network).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Distillation":
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(
        self, images: Tensor, labels: Tensor, batch_labels: Tensor
    ) -> Tensor:
        *old, new = self.network.heads
        features = self.network.features(images)  # (B, features)
        loss = cross_entropy(new(features), labels)
        with torch.no_grad():
            before = self.teacher.features(images)
            taught = [head(before) for head in self.teacher.heads[:-1]]
        for head, wanted in zip(old, taught, strict=True):
            loss = loss + self.strength * kl_div(
                log_softmax(head(features) / self.temperature, dim=1),
                softmax(wanted / self.temperature, dim=1),
                reduction="batchmean",
            )
        return loss * (len(labels) / len(batch_labels))


class Elastic(nn.Module):
    """Elastic weight consolidation: what mattered moves little.

    To the new task's cross-entropy comes, for each earlier task, half
    the strength times the sum of F (w - w')^2 over the trunk: w' is what
    a parameter was when that task was learnt, F its Fisher information
    (Kirkpatrick et al., "Overcoming catastrophic forgetting in neural
    networks", arXiv:1612.00796). earlier: F and w' of each task, (P,).
    """

    fishers: Tensor  # (earlier tasks, P)
    anchors: Tensor

    def __init__(
        self,
        network: PackNet,
        earlier: Sequence[tuple[Tensor, Tensor]],
        strength: float,
    ):
        super().__init__()
        self.network, self.strength = network, strength
        fishers, anchors = zip(*earlier, strict=True)
        self.register_buffer("fishers", torch.stack(fishers))
        self.register_buffer("anchors", torch.stack(anchors))

    def forward(
        self, images: Tensor, labels: Tensor, batch_labels: Tensor
    ) -> Tensor:
        loss = cross_entropy(self.network(images), labels)
        moved = flat(self.network.trunk.parameters()) - self.anchors
        held = (self.fishers * moved**2).sum()
        loss = loss + self.strength / 2 * held
        return loss * (len(labels) / len(batch_labels))


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """All numbers of some tensors in a row, (P,)."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def importance(
    network: PackNet, pictures: Pictures, size: int
) -> tuple[Tensor, Tensor]:
    """The trunk's diagonal Fisher information, and the trunk, (P,) each.

    The mean over the current task's pictures of the squared gradient of
    log p(label), each label drawn from what the network answers; size:
    side of the squares in the pictures' centres, in pixels.
    """
    network = deepcopy(network).requires_grad_(True).eval()
    parameters = list(network.trunk.parameters())
    device = parameters[0].device
    total = torch.zeros_like(flat(parameters).detach())
    draw = generator("importance", network.tasks[-1])
    for index in torch.arange(len(pictures)).split(1):
        image = normalise(pictures.centres(index, size, device))
        answer = log_softmax(network(image), dim=1)[0]  # (classes,)
        label = torch.multinomial(answer.exp().cpu(), 1, generator=draw)
        total += flat(torch.autograd.grad(answer[label], parameters)) ** 2
    return total / max(len(pictures), 1), flat(parameters).detach()


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
        self, images: Tensor, labels: Tensor, batch_labels: Tensor
    ) -> Tensor:
        features = self.network.features(images)
        heads = [head(features) for head in self.network.heads]
        logits = torch.cat(heads, dim=1)  # (B, classes of all tasks)
        other = self.task_of != self.task_of[labels][:, None]
        losses = cross_entropy(
            logits.masked_fill(other, -torch.inf), labels, reduction="none"
        )
        counts = self.task_of[
            batch_labels
        ].bincount()  # a task's in the batch
        return (losses / counts[self.task_of[labels]]).sum()


class _Joined(Source):
    """Pictures of several sources, one after the other."""

    def __init__(self, parts: Sequence[Source]):
        counts = torch.tensor([len(part) for part in parts])
        self.parts = parts
        self._part = torch.arange(len(parts)).repeat_interleave(counts)
        self._start = counts.cumsum(0) - counts

    def __len__(self) -> int:
        return len(self._part)

    def sizes(self, indices: Tensor) -> Tensor:
        sizes = torch.empty(len(indices), 2, dtype=torch.long)
        for rows, inside, part in self._divided(indices):
            sizes[rows] = part.sizes(inside)
        return sizes

    def crop(
        self, indices: Tensor, corners: Tensor, flips: Tensor, size: int
    ) -> Tensor:
        squares = torch.empty(len(indices), 3, size, size, dtype=torch.uint8)
        for rows, inside, part in self._divided(indices):
            cut = part.crop(inside, corners[rows], flips[rows], size)
            squares[rows] = cut
        return squares

    def _divided(
        self, indices: Tensor
    ) -> Iterator[tuple[Tensor, Tensor, Source]]:
        """For each source: its rows in a batch, their indices in it, it."""
        of = self._part[indices]
        for number, part in enumerate(self.parts):
            rows = (of == number).nonzero().squeeze(1)
            if len(rows):
                yield rows, indices[rows] - self._start[number], part


def joint_pictures(parts: Sequence[Pictures]) -> Pictures:
    """The training pictures of several tasks as one set.

    Labels count through the classes of all tasks, in the tasks' order;
    each picture is cut as its own task cuts it.
    """
    classes = torch.tensor([len(part.classes) for part in parts])
    first = classes.cumsum(0) - classes
    return Pictures(
        _Joined(parts),
        torch.cat([p.labels + f for p, f in zip(parts, first, strict=True)]),
        tuple(name for part in parts for name in part.classes),
    )


@cache
def distilling(strength: float) -> Objective:
    """Learning without Forgetting, the old heads' terms of some weight."""

    def loss(network: PackNet) -> Distillation:
        return Distillation(network, strength)

    return Objective(loss, guarded=False)


FINE_TUNING = Objective(guarded=False)
EVERYTHING = Objective(AllTasks, guarded=False, joint=True)
