"""The head of a first task, begun with rows of ImageNet's classifier."""

from importlib.resources import files

import torch
from torch import Tensor, nn

from packnet_core.network import PackNet


def identifiers() -> list[str]:
    """ImageNet's 1,000 class identifiers (n01440764, …), in the order of
    a pretrained network's outputs."""
    text = files("packnet_book.photos").joinpath("imagenet_classes.txt")
    return text.read_text().split()


def start_head(network: PackNet, weight: Tensor, bias: Tensor) -> bool:
    """Give the current head ImageNet's rows, if its classes have any.

    weight (1000, features), bias (1000,); the classes must be ImageNet's
    identifiers. Returns whether they are.
    """
    row = {name: place for place, name in enumerate(identifiers())}
    classes = network.records[-1].classes
    if not all(name in row for name in classes):
        return False
    chosen = [row[name] for name in classes]
    head = network.heads[-1]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.copy_(weight[chosen])
        head.bias.copy_(bias[chosen])
    return True
