"""Merging: networks with one start become one (Yadav et al. 2023, TIES).

A task's change is what fine-tuning added to the start, all weights and
biases of the trunk in one row.
"""

import torch
from torch import Tensor


def trim(change: Tensor, keep: float) -> Tensor:
    """The share `keep` of a change (W,) that is largest; the rest is 0."""
    largest = change.abs().topk(round(keep * len(change))).indices
    trimmed = torch.zeros_like(change)
    trimmed[largest] = change[largest]
    return trimmed


def ties(changes: Tensor, keep: float = 0.2) -> Tensor:
    """One change (W,) from those of several tasks (tasks, W): trim each,
    elect for each weight the sign with more mass, and take the mean of
    those that agree with it."""
    trimmed = torch.stack([trim(change, keep) for change in changes])
    elected = trimmed.sum(0).sign()
    agrees = (trimmed != 0) & (trimmed.sign() == elected)
    return (trimmed * agrees).sum(0) / agrees.sum(0).clamp(min=1)
