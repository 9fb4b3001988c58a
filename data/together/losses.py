"""What is minimised, of all networks of a stack, each on its own batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from packnet_book.runs.baselines import AllTasks, Distillation, Elastic
from packnet_core.training import CurrentTask
from together.stack import Stack, one_of

# Each makes of a stack, and the losses of its networks, what gives (K,) for
# features (K, B, F), images (B, 3 K, H, W) and labels (K, B).


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    losses = cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="none"
    )
    return losses.view(labels.shape)


def _current(stack: Stack, models: Sequence[nn.Module]):
    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        return _entropy(stack.answers(features, -1), labels).mean(1)

    return loss


def _distillation(stack: Stack, models: Sequence[Distillation]):
    teacher = Stack.of([m.teacher for m in models], stack.device)
    device = stack.device
    strength = torch.tensor([m.strength for m in models], device=device)
    heat = Distillation.temperature

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        total = _entropy(stack.answers(features, -1), labels).mean(1)
        with torch.no_grad():
            before = teacher.features(images)
        for head in range(len(stack.heads) - 1):
            parts = kl_div(
                log_softmax(stack.answers(features, head) / heat, dim=-1),
                softmax(teacher.answers(before, head) / heat, dim=-1),
                reduction="none",
            )
            total = total + strength * parts.sum(-1).mean(1)
        return total

    return loss


def _elastic(stack: Stack, models: Sequence[Elastic]):
    device = stack.device
    strength = torch.tensor([m.strength for m in models], device=device)
    shapes = {n: p.shape for n, p in stack.module.named_parameters()}

    def rows(flats: Sequence[Tensor]) -> dict[str, Tensor]:
        sizes = [shape.numel() for shape in shapes.values()]
        parts = zip(*(flat.split(sizes) for flat in flats), strict=True)
        return {
            name: one_of([v.view(shape) for v in values], device)
            for (name, shape), values in zip(
                shapes.items(), parts, strict=True
            )
        }

    terms = [
        (rows([m.fishers[t] for m in models]),
         rows([m.anchors[t] for m in models]))
        for t in range(len(models[0].fishers))
    ]  # fmt: skip

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        total = _entropy(stack.answers(features, -1), labels).mean(1)
        for fishers, anchors in terms:
            for name, now in stack.trunk.items():
                moved = fishers[name] * (now - anchors[name]) ** 2
                total = total + strength / 2 * stack.apart(moved).sum(1)
        return total

    return loss


def _all_tasks(stack: Stack, models: Sequence[AllTasks]):
    task_of = models[0].task_of.to(stack.device)
    tasks = torch.arange(len(stack.heads), device=task_of.device)

    def loss(features: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        heads = [stack.answers(features, n) for n in range(len(stack.heads))]
        own = task_of[labels]  # (K, B)
        other = task_of != own[..., None]
        logits = torch.cat(heads, dim=-1).masked_fill(other, -torch.inf)
        same = (own[..., None] == tasks).sum(1)  # (K, tasks)
        return (_entropy(logits, labels) / same.gather(1, own)).sum(1)

    return loss


LOSSES: dict[type, Callable] = {
    CurrentTask: _current,
    Distillation: _distillation,
    Elastic: _elastic,
    AllTasks: _all_tasks,
}
