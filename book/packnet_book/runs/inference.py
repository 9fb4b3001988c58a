"""Whose picture is it? Ways to choose a task where nobody names one.

A picture goes through the views of all tasks. Each way gives a number for
how much a task's answer is believed; the task with the largest is chosen.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def entropy(one: Tensor) -> Tensor:
    """Of the softmax of logits (N, classes), in nats: (N,)."""
    return -(one.softmax(1) * one.log_softmax(1)).sum(1)


# From a task's logits (N, classes) to how much it is believed, (N,).
WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "largest logit": lambda one: one.amax(1),
    "largest softmax": lambda one: one.softmax(1).amax(1),
    "least entropy": lambda one: -entropy(one),
}


def believed(way: str, views: Sequence[Tensor]) -> Tensor:
    """The place of the task that is believed, for each picture: (N,).
    views: each task's logits (N, classes) for the same pictures."""
    return torch.stack([WAYS[way](one) for one in views]).argmax(0)
